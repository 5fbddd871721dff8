// What confines a child beside namespaces: seccomp, and Landlock with what each
// of its versions added.
import { EINVAL, ENOSYS, EPERM, errnoName } from "../native/errno.ts";
import { ACCESS_FS, ACCESS_NET, landlockAbi, SCOPE } from "../native/landlock.ts";
import { close, landlockRuleset } from "../native/syscalls.ts";
import { no, untried, yes, type Finding, type Findings } from "./report.ts";
import { succeeded, type Trials } from "./trials.ts";

/** Launches a program under the seccomp profile "default". */
export async function trySeccomp(trials: Trials): Promise<Finding> {
  const outcome = await trials.run({ seccomp: "default" });
  if (succeeded(outcome)) return yes('a program was launched under the profile "default"');
  return no(outcome.why, outcome.remedy);
}

const EOPNOTSUPP = 95;

/** `struct landlock_ruleset_attr`: what each version brought. */
interface Ruleset {
  readonly abi: number;
  readonly files?: number;
  readonly ports?: number;
  readonly scoped?: number;
  readonly detail: string;
  readonly missing: string;
}

type LandlockAddition = "landlock-move" | "landlock-truncate" | "landlock-tcp" | "landlock-ioctl" | "landlock-scope";

const RULESETS: Readonly<Record<LandlockAddition, Ruleset>> = {
  "landlock-move": {
    abi: 2,
    files: ACCESS_FS.refer,
    detail: "files may be moved between allowed directories",
    missing: "under rules no file can be moved to another directory",
  },
  "landlock-truncate": {
    abi: 3,
    files: ACCESS_FS.truncate,
    detail: "truncate(2) obeys rules",
    missing: "truncate(2) escapes the rules",
  },
  "landlock-tcp": {
    abi: 4,
    ports: ACCESS_NET.connectTcp,
    detail: "TCP ports obey rules",
    missing: "there are no rules for TCP ports",
  },
  "landlock-ioctl": {
    abi: 5,
    files: ACCESS_FS.ioctlDev,
    detail: "ioctls of devices obey rules",
    missing: "ioctls of devices escape the rules",
  },
  "landlock-scope": {
    abi: 6,
    scoped: SCOPE.abstractUnixSocket | SCOPE.signal,
    detail: "no signals and no abstract unix sockets to the outside",
    missing: "signals and abstract unix sockets escape the rules",
  },
};

type LandlockFeature = "landlock" | LandlockAddition;

/** Makes a ruleset of each kind, which binds nobody, and closes it. */
export function tryLandlock(): Findings<LandlockFeature> {
  const abi = landlockAbi();
  const missing = abi >= 1 ? makeRuleset({ files: ACCESS_FS.execute }) : -abi;
  const landlock = missing === 0 ? yes(`ABI ${abi}: rules for files`) : absent(missing);
  const finding = (ruleset: Ruleset): Finding => {
    if (missing !== 0) return untried("there is no Landlock");
    const errno = makeRuleset(ruleset);
    if (errno === 0) return yes(ruleset.detail);
    return no(
      `${ruleset.missing}: ABI ${abi} of ${ruleset.abi} (${errnoName(errno)})`,
      `use a kernel with Landlock ABI ${ruleset.abi}`,
    );
  };
  return { landlock, ...mapValues(RULESETS, finding) };
}

/** What is said of Landlock where no system call can be made. */
export function untriedLandlock(why: string): Findings<LandlockFeature> {
  return { landlock: untried(why), ...mapValues(RULESETS, () => untried(why)) };
}

/** 0, or the errno: an older kernel refuses bits and fields that it does not know. */
function makeRuleset({ files = 0, ports = 0, scoped = 0 }: Partial<Ruleset>): number {
  const attributes = new BigUint64Array([files, ports, scoped].map(BigInt));
  // Fields behind those of its own an old kernel refuses, unless they are not passed.
  const size = scoped !== 0 ? 24 : ports !== 0 ? 16 : 8;
  const fd = landlockRuleset(attributes, size);
  if (fd < 0) return -fd;
  close(fd);
  return 0;
}

function absent(errno: number): Finding {
  switch (errno) {
    case ENOSYS:
      return no(
        "the kernel has no Landlock, or a seccomp filter hides it",
        "use Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK, and let the container's seccomp profile allow landlock_*",
      );
    case EOPNOTSUPP:
      return no("the kernel has Landlock, but it is switched off", "boot with landlock in the parameter lsm=…");
    case EPERM:
      return no("a seccomp filter refuses it", "let the container's seccomp profile allow landlock_*");
    default:
      return no(`landlock_create_ruleset failed with ${errnoName(errno === 0 ? EINVAL : errno)}`);
  }
}

function mapValues<K extends string, V, W>(record: Readonly<Record<K, V>>, map: (value: V) => W): Record<K, W> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value as V)])) as Record<K, W>;
}

// What is put before a command so that it runs as in a container: other users, fewer namespaces, a seccomp filter,
// pid 1. Nothing of this machine is changed: sysctls are those of a user namespace that the command is alone in.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../test-files.mjs";
import { attempt, Unavailable } from "./programs.mjs";

export const isRoot = process.getuid() === 0;

/** Has no name, no group and no process on ordinary machines. */
const ORDINARY = 61_234;

/** What Docker leaves to root in a container. */
const DOCKER_CAPABILITIES = [
  ["chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"],
  ["net_bind_service", "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"],
].flat();

const USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const temporary = [];
process.once("exit", () => temporary.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "pidpool-environment-"));
  temporary.push(folder);
  return folder;
}

/** An ordinary user with a home and a copy of the checkout; the one who runs this, where it is one. */
export function asUser() {
  if (!isRoot) return { wrap: [], cwd: root, env: {} };
  const folder = temporaryFolder();
  const cwd = join(folder, "pidpool");
  const home = join(folder, "home");
  mkdirSync(home);
  cpSync(root, cwd, {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    filter: (path) => ![".git", ".cache"].some((name) => path === join(root, name)),
  });
  attempt("chown", ["-R", `${ORDINARY}:${ORDINARY}`, folder]);
  const wrap = ["setpriv", `--reuid=${ORDINARY}`, `--regid=${ORDINARY}`, "--clear-groups", "--"];
  attempt(wrap[0], [...wrap.slice(1), "test", "-x", process.execPath], { cwd: "/" });
  // npm, which runs this, has put its cache and folders there that this user may not enter.
  const env = {
    HOME: home,
    USER: "ordinary",
    LOGNAME: "ordinary",
    npm_config_cache: join(home, ".npm"),
    PATH: USUAL_PATH,
  };
  return { wrap, cwd, env };
}

/** Root with all its capabilities. */
export function asRoot() {
  if (!isRoot) throw new Unavailable("it needs root");
  return { wrap: [], cwd: root, env: {} };
}

/**
 * An ordinary user who may make no user namespace: in one whose limit of more is 0. It could raise that again only with
 * its capabilities, which are given up.
 */
export function withoutUserNamespaces() {
  const user = asUser();
  const script =
    'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps=-all --inh-caps=-all -- "$@"';
  const wrap = [...user.wrap, "unshare", "--user", "--map-current-user", "--keep-caps", "--", "sh", "-c", script, "sh"];
  attempt(wrap[0], [...wrap.slice(1), "true"], { cwd: "/" });
  return { ...user, wrap };
}

/** Under what Docker's default seccomp profile refuses: test/helpers/docker-profile.ts. */
export function dockerProfile() {
  const folder = temporaryFolder();
  const launcher = join(folder, "under-filter");
  const filter = join(folder, "filter");
  attempt(process.env.CC || "cc", ["-O1", "-o", launcher, join(root, "test/fixtures/under-filter.c")]);
  attempt(process.execPath, [join(root, "build/test/environments/docker-filter.js"), filter]);
  const wrap = [launcher, filter, "contain"];
  attempt(wrap[0], [...wrap.slice(1), "true"]);
  return { wrap, cwd: root, env: {} };
}

/** The command is the first process of a pid namespace with a /proc of its own. */
export function pidOne() {
  const wrap = ["unshare", ...(isRoot ? [] : ["--user", "--map-root-user"])];
  wrap.push("--pid", "--fork", "--kill-child", "--mount-proc", "--");
  attempt(wrap[0], [...wrap.slice(1), "true"]);
  return { wrap, cwd: root, env: {} };
}

/** Pid 1, Docker's capabilities, Docker's filter. */
export function container() {
  const kept = `--bounding-set=-all,${DOCKER_CAPABILITIES.map((name) => `+${name}`).join()}`;
  const wrap = [...pidOne().wrap, "setpriv", "--inh-caps=-all", kept, "--", ...dockerProfile().wrap];
  attempt(wrap[0], [...wrap.slice(1), "true"]);
  return { wrap, cwd: root, env: {} };
}

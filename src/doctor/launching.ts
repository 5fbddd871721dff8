// Launches as such: which clone they go by, and what can be known of their ends.
import { close, ioctl, pidfdOpen } from "../native/syscalls.ts";
import { limited, no, untried, yes, type Finding, type Findings } from "./report.ts";
import { textOf } from "./text-files.ts";
import { succeeded, type Trials } from "./trials.ts";

/**
 * Tries launches with nothing asked for. Goes before all other trials: that of legacy clone may be under way
 * alone only.
 */
export async function tryLaunching(trials: Trials): Promise<Findings<"launch" | "clone3" | "legacy-clone">> {
  const first = await trials.run();
  if (!succeeded(first)) {
    const why = "no program could be launched";
    return { launch: no(first.why, first.remedy), clone3: untried(why), "legacy-clone": untried(why) };
  }
  const launch = yes("a program was launched and reaped");
  if (trials.legacy) {
    return {
      launch,
      clone3: no(
        "answered with ENOSYS, by a seccomp filter such as a container's: launches go by legacy clone, without isolation",
        "let the container's seccomp profile allow clone3 (docker run --security-opt seccomp=…), or use a newer container runtime",
      ),
      "legacy-clone": yes("launches go by it"),
    };
  }
  trials.legacy = true;
  const second = await trials.run();
  trials.legacy = false;
  return {
    launch,
    clone3: yes("launches go by it"),
    "legacy-clone": succeeded(second) ? yes("works, where clone3 is refused") : limited(second.why, second.remedy),
  };
}

/** PIDFD_GET_INFO with the 64 bytes of its first version (Linux 6.13), and what it is asked for. */
const PIDFD_GET_INFO = 0xc040ff0b;
const PIDFD_INFO_EXIT = 8;

/** Whether the kernel keeps the exit status of a reaped child for whoever has a pidfd. */
export async function tryExitInfo(trials: Trials): Promise<Finding> {
  const child = await trials.start();
  if (!("pid" in child)) return untried(child.why);
  const pidfd = pidfdOpen(child.pid);
  try {
    child.stdin.destroy();
    await child.exited;
    if (pidfd < 0) return no("there is no pidfd to ask");
    const info = new DataView(new ArrayBuffer(64));
    info.setUint32(0, PIDFD_INFO_EXIT, true);
    const result = ioctl(pidfd, PIDFD_GET_INFO, info);
    if (result === 0 && (info.getUint32(0, true) & PIDFD_INFO_EXIT) !== 0) {
      return yes("the kernel tells the status of a child that others have waited for");
    }
    return no(
      'a child that foreign code waits for is reported with status "unknown"',
      "use Linux 6.15 or newer, or keep waitpid(-1) and an ignored SIGCHLD out of this process",
    );
  } finally {
    if (pidfd >= 0) close(pidfd);
  }
}

/** Whether this process throws the exit statuses of its children away. */
export function trySigchld(): Finding {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(textOf("/proc/self/status") ?? "")?.[1];
  if (mask === undefined) return untried("/proc/self/status cannot be read");
  const SIGCHLD = 17n;
  if (((BigInt(`0x${mask}`) >> (SIGCHLD - 1n)) & 1n) === 0n) return yes("not ignored");
  return limited(
    "ignored: the kernel drops what waitid(2) would say, and reports have no CPU times",
    "start Node without SIGCHLD ignored (trap '' CHLD in a shell, or a parent's SIG_IGN)",
  );
}

// What this kernel can do, found out by doing it, once per thread.
import { PidpoolError } from "../errors.ts";
import { withAddress } from "./address.ts";
import { EBADF, ECHILD, EMFILE, ENFILE, ENOMEM, ENOSYS, errnoName } from "./errno.ts";
import { native } from "./load.ts";
import { close, closeRange, pidfdOpen, pidfdSendSignal, waitPidfd } from "./syscalls.ts";

/** A system call that every launch needs, tried. */
export interface TriedCall {
  readonly name: "pidfd_open" | "pidfd_send_signal" | "waitid(P_PIDFD)" | "close_range";
  /** The Linux version that brought it. */
  readonly since: string;
  /** The errno that came, 0 for success. */
  readonly errno: number;
}

/** No process has so many fds. */
const NO_FD = 0x7ffffffe;

let verdict: PidpoolError | null | undefined;

/**
 * Throws unless this machine has what every launch needs.
 *
 * @throws PidpoolError ERR_UNSUPPORTED naming what is missing.
 */
export function requireSupport(): void {
  verdict ??= probe();
  if (verdict !== null) throw verdict;
}

/** What a refusal of a {@link TriedCall} means. */
export function refusalMeaning({ since, errno }: TriedCall): string {
  return errno === ENOSYS
    ? `this kernel, or what emulates it here, lacks it (Linux has it since ${since})`
    : "it is refused here, perhaps by a seccomp filter";
}

/**
 * Makes each of the system calls that every launch needs.
 *
 * @throws PidpoolError ERR_UNSUPPORTED where there is no native layer to make them with.
 */
export function trySystemCalls(): readonly TriedCall[] {
  native();
  const opened = pidfdOpen(process.pid);
  // Where there is no pidfd, EBADF says that the kernel understood the question.
  const pidfd = opened >= 0 ? opened : NO_FD;
  const understood = (errno: number, ...answers: readonly number[]): number =>
    answers.includes(errno) || (opened < 0 && errno === EBADF) ? 0 : errno;
  const out = new Uint8Array(272);
  // Who says that there is no room knows the call. A lasting verdict of that would outlive the shortage.
  const crowded = [EMFILE, ENFILE, ENOMEM].includes(-opened);
  const signalled = -pidfdSendSignal(pidfd, 0);
  // We are no child of ours.
  const waited = -withAddress(out, (at) => waitPidfd(pidfd, at, at + 128));
  if (opened >= 0) close(opened);
  const ranged = -closeRange(NO_FD, NO_FD + 1);
  return [
    { name: "pidfd_open", since: "5.3", errno: crowded ? 0 : Math.max(0, -opened) },
    { name: "pidfd_send_signal", since: "5.1", errno: understood(signalled) },
    { name: "waitid(P_PIDFD)", since: "5.4", errno: understood(waited, ECHILD) },
    { name: "close_range", since: "5.9", errno: understood(ranged, EBADF) },
  ];
}

function probe(): PidpoolError | null {
  if (Object.hasOwn(process.versions, "bun")) {
    // Said before something waits for ever: reports, streams and guardians all come through such sockets.
    return new PidpoolError(
      "ERR_UNSUPPORTED",
      "pidpool does not run under Bun, whose net.Socket reads nothing from an fd that it is given; Node 20 or newer and Deno 2 do",
    );
  }
  const missing = trySystemCalls().find(({ errno }) => errno !== 0);
  if (missing === undefined) return null;
  const errno = errnoName(missing.errno);
  return new PidpoolError(
    "ERR_UNSUPPORTED",
    `pidpool needs Linux 5.10 or newer: ${missing.name} failed with ${errno}; ${refusalMeaning(missing)}`,
    { syscall: missing.name, errno },
  );
}

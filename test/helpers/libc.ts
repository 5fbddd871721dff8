// What Node cannot do to its own process but other native code does: fds
// without close-on-exec, ignored signals, the dumpable flag.
import koffi from "koffi";

const libc = koffi.load(null);

/** Makes `fd` lead where `from` leads, without close-on-exec. dup2(2). */
export const dup2: (from: number, fd: number) => number = libc.func("int dup2(int from, int fd)");

const setHandler: (signal: number, handler: number) => number = libc.func(
  "intptr_t signal(int number, intptr_t handler)",
);

const prctl: (option: number, a: number, b: number, c: number, d: number) => number = libc.func(
  "int prctl(int option, long a, long b, long c, long d)",
);

/** Whether this process may be dumped and traced, and owns its /proc. prctl(2), PR_GET_DUMPABLE. */
export function isDumpable(): boolean {
  return prctl(3, 0, 0, 0, 0) === 1;
}

/** Ignores a signal in this process, or not. signal(2). */
export function ignoreSignal(signal: number, ignore: boolean): void {
  setHandler(signal, ignore ? 1 : 0);
}

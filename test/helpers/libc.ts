// What Node cannot do to its own process but other native code does: fds
// without close-on-exec, ignored signals.
import koffi from "koffi";

const libc = koffi.load(null);

/** Makes `fd` lead where `from` leads, without close-on-exec. dup2(2). */
export const dup2: (from: number, fd: number) => number = libc.func("int dup2(int from, int fd)");

const setHandler: (signal: number, handler: number) => number = libc.func("intptr_t signal(int number, intptr_t handler)");

/** Ignores a signal in this process, or not. signal(2). */
export function ignoreSignal(signal: number, ignore: boolean): void {
  setHandler(signal, ignore ? 1 : 0);
}

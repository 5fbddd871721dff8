// Foreign code in this process that takes exit statuses.
import koffi from "koffi";
import type { Fault } from "./fault.ts";

const SIGCHLD = 17;
const WNOHANG = 1;
const SIG_IGN = 1;
const libc = koffi.load(null);
const waitpid: (pid: number, status: null, options: number) => number = libc.func(
  "int waitpid(int pid, void *status, int options)",
);
const signal: (signal: number, handler: number) => number = libc.func("intptr_t signal(int number, intptr_t handler)");

/** waitpid(-1) again and again, as some other library's handler does. */
export const steals: Fault = {
  name: "stolen-exits",
  excuses: { thieves: true },
  begin(random) {
    const timer = setInterval(
      () => {
        while (waitpid(-1, null, WNOHANG) > 0);
      },
      random.int(1, 3),
    );
    return () => clearInterval(timer);
  },
};

/** SIGCHLD set to SIG_IGN: the kernel keeps no status of any child. */
export const ignores: Fault = {
  name: "sigchld-ignored",
  excuses: { thieves: true },
  begin() {
    const before = signal(SIGCHLD, SIG_IGN);
    return () => void signal(SIGCHLD, before);
  },
};

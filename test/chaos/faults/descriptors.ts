// No fd is left in this process.
import { closeSync, openSync } from "node:fs";
import type { Fault } from "./fault.ts";

/** Takes all fds but a few. Its host must have a low limit (prlimit --nofile). */
export const descriptors: Fault = {
  name: "emfile",
  excuses: { scarce: true },
  begin(random) {
    const fds: number[] = [];
    try {
      for (;;) fds.push(openSync("/dev/null", "r"));
    } catch {
      // EMFILE: this is what we want.
    }
    for (const fd of fds.splice(0, random.int(0, 12))) closeSync(fd);
    return () => {
      for (const fd of fds) closeSync(fd);
    };
  },
};

// A pipe whose read end many children get as their stdin: all of them see its
// end at the same moment. Whoever closes the last write end has to wake each
// reader, which takes tens of milliseconds for thousands: that is a process of
// its own, so that it is neither work nor delay of a contestant. A grandchild,
// as a child would be the contestant's to hear of.
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `cat` from one named pipe to the other; both open()s wait for the other side. Ends when this process does. */
const KEEPER = 'mkfifo "$1" "$2" && { cat <"$1" >"$2" & }';

/** Made by means that all runtimes have. */
export class SharedPipe {
  readonly readEnd: number;
  readonly #keeper: number;

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), "pidpool-bench-"));
    try {
      const [control, shared] = [join(directory, "control"), join(directory, "shared")];
      execFileSync("/bin/sh", ["-c", KEEPER, "sh", control, shared], { stdio: "ignore" });
      this.#keeper = openSync(control, "w");
      this.readEnd = openSync(shared, "r");
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  /** Ends it for all readers. */
  end(): void {
    closeSync(this.readEnd);
    closeSync(this.#keeper);
  }
}

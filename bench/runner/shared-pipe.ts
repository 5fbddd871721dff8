// A pipe whose read end many children get as their stdin: all of them see its
// end at the same moment.
import { execFileSync } from "node:child_process";
import { close, closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Both ends, made by means that all runtimes have: a named pipe whose name is gone again. */
export class SharedPipe {
  readonly readEnd: number;
  #writeEnd: number;

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), "pidpool-bench-"));
    try {
      const path = join(directory, "pipe");
      execFileSync("mkfifo", [path]);
      // Either end waits for the other; this one does not, but the children's has to be one that blocks.
      const first = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      this.#writeEnd = openSync(path, constants.O_WRONLY);
      this.readEnd = openSync(path, constants.O_RDONLY);
      closeSync(first);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  /** Ends it for all readers. The close wakes each of them, which takes a while: in a thread of its own. */
  end(): void {
    if (this.#writeEnd < 0) return;
    const writeEnd = this.#writeEnd;
    this.#writeEnd = -1;
    closeSync(this.readEnd);
    close(writeEnd, () => undefined);
  }
}

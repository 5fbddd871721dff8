// A large file that stays in the page cache.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Goes when it is disposed of, or else when this process does. */
export class BigFile {
  readonly path: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "pidpool-bench-"));
  readonly #remove = (): void => rmSync(this.#directory, { recursive: true, force: true });

  constructor(bytes: number) {
    process.on("exit", this.#remove);
    this.path = join(this.#directory, "file");
    // No newline at its end, which some take away from what they capture.
    writeFileSync(this.path, Buffer.alloc(bytes, "pidpool "));
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#remove);
    this.#remove();
  }
}

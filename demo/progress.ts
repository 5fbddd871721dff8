// One line that shows how far the work is: redrawn on a terminal, else a few
// plain lines.
import { performance } from "node:perf_hooks";

const REDRAW_MS = 50;
const WIDTH = 30;
/** Without a terminal: a line for each such part of the work. */
const PART = 0.25;

/** Shows progress on stdout. */
export class Progress {
  readonly #label: string;
  readonly #total: number;
  readonly #terminal = process.stdout.isTTY;
  #drawnAt = -Infinity;
  #reported = 0;

  constructor(label: string, total: number) {
    this.#label = label;
    this.#total = total;
  }

  /** So much is done now. */
  readonly update = (done: number): void => {
    if (this.#terminal) {
      const now = performance.now();
      if (now - this.#drawnAt < REDRAW_MS && done < this.#total) return;
      this.#drawnAt = now;
      process.stdout.write(`\r${this.#line(done)}${done === this.#total ? "\n" : ""}`);
    } else if (done === this.#total || done >= (this.#reported + PART) * this.#total) {
      this.#reported = done / this.#total;
      process.stdout.write(`${this.#label} ${done}/${this.#total} files\n`);
    }
  };

  #line(done: number): string {
    const filled = Math.round((done / this.#total) * WIDTH);
    const counted = String(done).padStart(String(this.#total).length);
    return `${this.#label} ${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${counted}/${this.#total} files`;
  }
}

// What children/serve.c writes: when each of them began, told by the children
// themselves and not by who keeps them.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 60_000;
/** Between two looks at the log. */
const LOOK_MS = 2;
/** pid, seconds, nanoseconds, 64 bits each. */
const RECORD = 24;

/** One start of a child. */
export interface Start {
  readonly pid: number;
  /** Milliseconds of CLOCK_MONOTONIC. */
  readonly at: number;
}

/** What the children write. */
export class StartLog {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
    writeFileSync(file, "");
  }

  /** Waits for so many starts in all, and gives those from the `from`-th on. */
  async starts(from: number, total: number): Promise<readonly Start[]> {
    const deadline = performance.now() + PATIENCE_MS;
    while (statSync(this.file).size < total * RECORD) {
      if (performance.now() > deadline) throw new Error(`not ${total} starts after ${PATIENCE_MS / 1000} s`);
      await sleep(LOOK_MS);
    }
    const bytes = readFileSync(this.file);
    const number = (i: number, field: number): number => Number(bytes.readBigInt64LE(i * RECORD + field * 8));
    return Array.from({ length: total - from }, (_, k) => {
      const i = from + k;
      return { pid: number(i, 0), at: number(i, 1) * 1000 + number(i, 2) / 1e6 };
    });
  }
}

// What a supervisor says, read in slices: thousands of exits at once must not
// hold up the event loop of the thread that hears of them. All inboxes of a
// thread share what one turn of its loop may read.
import type { Region } from "../native/region.ts";
import { OutputReader } from "./output-batch.ts";
import type { CapturedOutput, OutputBatch } from "./protocol.ts";
import { ReportReader } from "./report-ring.ts";

/** Reports in one turn of the event loop. Each takes a few microseconds here and whatever its receiver does with it. */
const PER_TURN = 64;

/** Hears of one slot. */
export type OnRecord = (record: number, slot: number, generation: number, outputs: readonly CapturedOutput[]) => void;

let left = PER_TURN;
let renewing = false;
const waiting = new Set<Inbox>();
const NO_OUTPUTS: readonly CapturedOutput[] = [];

function renew(): void {
  renewing = false;
  left = PER_TURN;
  const inboxes = [...waiting];
  waiting.clear();
  for (const inbox of inboxes) inbox.read();
}

/** Everything from one supervisor that was not yet read. */
export class Inbox {
  readonly #reports: ReportReader;
  readonly #batches: OutputReader[] = [];
  readonly #onRecord: OnRecord;
  readonly #onReport = (record: number, slot: number, generation: number): void =>
    this.#onRecord(record, slot, generation, NO_OUTPUTS);

  constructor(region: Region, onRecord: OnRecord) {
    this.#reports = new ReportReader(region);
    this.#onRecord = onRecord;
  }

  receive(message: OutputBatch): void {
    this.#batches.push(new OutputReader(message));
    this.read();
  }

  /** The bell rang. */
  look(): void {
    this.#reports.expectRing();
    this.read();
  }

  /** Reads as much as this turn allows; the rest waits for the next one. */
  read(): void {
    while (left > 0) {
      if (!this.#next()) return;
      left--;
      if (renewing) continue;
      renewing = true;
      setImmediate(renew);
    }
    waiting.add(this);
  }

  /** Reads all that there is, whatever this turn allows. */
  readAll(): void {
    while (this.#next());
    waiting.delete(this);
  }

  /** Before its region goes: a turn of its own may still be to come, though there is nothing left. */
  close(): void {
    waiting.delete(this);
  }

  #next(): boolean {
    if (this.#reports.next(this.#onReport)) return true;
    while (this.#batches[0] !== undefined) {
      if (this.#batches[0].next(this.#onRecord)) return true;
      this.#batches.shift();
    }
    return false;
  }
}

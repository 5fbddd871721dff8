// What became of slots, from the supervisor thread to the pool's thread,
// through shared memory: a message is sent only to one who is not about to look
// anyway. Nothing here is needed by a successor: what its predecessor wrote but
// did not publish, it says again from the slots.
import { LAUNCHER } from "../native/layout.ts";
import { REPORT_COUNT, type Region } from "../native/region.ts";
import { nap } from "../native/syscalls.ts";

const SLOT_MASK = 0xffffff;
/** The reader tells how far it is once in so many reports. */
const TAIL_STEP = 63;

/** The supervisor's end. */
export class ReportWriter {
  readonly #region: Region;
  #head: number;

  constructor(region: Region) {
    this.#region = region;
    this.#head = region.header(LAUNCHER.reportsHead);
    // A predecessor may have died between this and its message.
    region.setHeader(LAUNCHER.ownerTold, 0);
  }

  /** `generation` tells apart the children that a slot has had. `tell` wakes the owner. */
  add(record: number, slot: number, generation: number, tell: () => void): void {
    // Only a successor that says everything again can find the ring full.
    while (this.#full) {
      this.publish(tell);
      nap(1000);
    }
    const { words } = this.#region;
    const at = this.#region.report(this.#head);
    words[at] = slot | (record << 24);
    words[at + 1] = generation;
    this.#head = (this.#head + 1) | 0;
  }

  get #full(): boolean {
    return ((this.#head - this.#region.header(LAUNCHER.reportsTail)) | 0) >= REPORT_COUNT;
  }

  /** Lets the owner see what was added. */
  publish(tell: () => void): void {
    const region = this.#region;
    if (region.header(LAUNCHER.reportsHead) === this.#head) return;
    region.setHeader(LAUNCHER.reportsHead, this.#head);
    if (region.exchangeHeader(LAUNCHER.ownerTold, 1) === 0) tell();
  }
}

/** The end of the pool's thread. */
export class ReportReader {
  readonly #region: Region;
  #tail = 0;

  constructor(region: Region) {
    this.#region = region;
  }

  /** To be called before a look that is to miss nothing: whatever is published from now on comes with a message. */
  expectMessage(): void {
    this.#region.setHeader(LAUNCHER.ownerTold, 0);
  }

  /** Takes the next report and calls `each` for it; false where there is none. */
  next(each: (record: number, slot: number, generation: number) => void): boolean {
    const region = this.#region;
    if (region.header(LAUNCHER.reportsHead) === this.#tail) return false;
    const at = region.report(this.#tail);
    const head = region.words[at] ?? 0;
    const generation = region.words[at + 1] ?? 0;
    this.#tail = (this.#tail + 1) | 0;
    // Only one who fills the whole ring looks at this.
    if ((this.#tail & TAIL_STEP) === 0) region.setHeader(LAUNCHER.reportsTail, this.#tail);
    each(head >>> 24, head & SLOT_MASK, generation);
    return true;
  }
}

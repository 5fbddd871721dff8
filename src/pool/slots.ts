// The slots of a region by name: what both halves of a supervisor read and
// write there.
import { SLOT, STATE } from "../native/layout.ts";
import type { Region } from "../native/region.ts";

/** Accessors for the 32-bit fields of slots; offsets are those of SLOT. */
export class Slots {
  readonly region: Region;

  constructor(region: Region) {
    this.region = region;
  }

  get(slot: number, field: number): number {
    return this.region.words[(this.region.slot(slot) + field) >> 2] ?? 0;
  }

  set(slot: number, field: number, value: number): void {
    this.region.words[(this.region.slot(slot) + field) >> 2] = value;
  }

  /** Which of the children that this slot has had. */
  generation(slot: number): number {
    return this.get(slot, SLOT.generation);
  }

  state(slot: number): number {
    return Atomics.load(this.region.words, this.region.slot(slot) >> 2);
  }

  setState(slot: number, state: number): void {
    Atomics.store(this.region.words, this.region.slot(slot) >> 2, state);
  }

  /** Sets the state if it is `from`, and says whether it was. */
  advance(slot: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.region.words, this.region.slot(slot) >> 2, from, to) === from;
  }

  /** From clone to reap. */
  isLive(slot: number): boolean {
    const state = this.state(slot);
    return state === STATE.running || state === STATE.signaling || state === STATE.launching;
  }

  /** CLOCK_MONOTONIC at the clone, in milliseconds. */
  started(slot: number): number {
    return this.region.milliseconds(this.region.slot(slot) + SLOT.startedNs);
  }
}

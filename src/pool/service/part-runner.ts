// Starts and stops the parts of a group, one at a time, as group-plan.ts says.
import { doom, isLive, nextStep, withPhase, type Phase } from "./group-plan.ts";
import type { GroupParts } from "./group-parts.ts";
import type { Supervised } from "./supervised.ts";

/** Whom a runner asks and tells. */
export interface RunnerHost {
  /** Whether the parts are meant to be up. */
  wantsUp(): boolean;
  /** Whether parts that are stopped will be started again, by whoever. */
  comesBack(): boolean;
  /** A part could not be started. What is left of it will be stopped. */
  unstartable(index: number, error: unknown): void;
  /** No part is up, and the first is about to be started. */
  empty(): void;
  /** All parts are where they are meant to be. */
  arrived(): void;
}

export class PartRunner {
  readonly #parts: GroupParts<Supervised>;
  readonly #host: RunnerHost;
  #phases: readonly Phase[];
  /** Which start of a part is under way: what an earlier one comes to is of no interest. */
  #attempt = 0;
  #advancing = false;

  constructor(parts: GroupParts<Supervised>, host: RunnerHost) {
    this.#parts = parts;
    this.#host = host;
    this.#phases = Array.from(parts, () => "down");
  }

  /** Whether an end of this part is news. */
  isLive(index: number): boolean {
    return isLive(this.#phases[index]);
  }

  isStarting(index: number): boolean {
    return this.#phases[index] === "starting";
  }

  /** Nothing of it lives any more. */
  fell(index: number): void {
    this.#phases = withPhase(this.#phases, index, "down");
  }

  /** Those that live are to be stopped: all, or those for which `which` holds. */
  doom(which?: (index: number) => boolean): void {
    this.#phases = doom(this.#phases, which);
  }

  /** Parts call in the midst of their own doings: they are answered before they are told to do something else. */
  advanceSoon(): void {
    queueMicrotask(() => this.advance());
  }

  /** Does what is to be done now. Parts may call back meanwhile: the loop sees what they changed. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      while (this.#step());
    } finally {
      this.#advancing = false;
    }
  }

  /** @returns whether there may be more to do now. */
  #step(): boolean {
    const step = nextStep(this.#phases, this.#host.wantsUp());
    switch (step.act) {
      case "wait":
        return false;
      case "stop":
        void this.#stop(step.index);
        return true;
      case "start":
        if (this.#phases.every((phase) => phase === "down")) this.#host.empty();
        void this.#start(step.index);
        return true;
      case "done":
        this.#host.arrived();
        return false;
    }
  }

  async #start(index: number): Promise<void> {
    const attempt = ++this.#attempt;
    const isCurrent = (): boolean => this.isStarting(index) && this.#attempt === attempt;
    this.#phases = withPhase(this.#phases, index, "starting");
    try {
      await this.#parts.at(index)?.start();
      if (isCurrent()) this.#phases = withPhase(this.#phases, index, "up");
    } catch (error) {
      if (isCurrent()) {
        this.#host.unstartable(index, error);
        this.doom((other) => other === index);
      }
    }
    this.advance();
  }

  async #stop(index: number): Promise<void> {
    this.#phases = withPhase(this.#phases, index, "stopping");
    try {
      await this.#parts.at(index)?.stop({ keepSockets: this.#host.comesBack() });
    } finally {
      this.#phases = withPhase(this.#phases, index, "down");
      this.advance();
    }
  }
}

// What a fault is. Each begins, and gives the function that ends it.
import type { ProcessPool } from "pidpool";
import type { Weather } from "../judge.ts";
import type { Random } from "../random.ts";

/** What faults act on. */
export interface Scene {
  /** Pools that are open. */
  readonly pools: readonly ProcessPool[];
  /** Pids of children that run. */
  pids(): readonly number[];
  readonly tools: Tools;
}

/** What faults need programs for. */
export interface Tools {
  /** Starts them; has no part in the round. */
  readonly pool: ProcessPool;
  /** The compiled freeze.c. */
  readonly freeze: string;
}

export interface Fault {
  readonly name: string;
  /** What it excuses. */
  readonly excuses: Partial<Weather>;
  /** How often it is chosen, beside others with 1 (default). */
  readonly weight?: number;
  /** @returns what ends it. */
  begin(random: Random, scene: Scene): () => void;
}

// One round: a few pools live through some thousand operations while faults
// come and go, and end. All that chance decides comes from one seed.
import { ProcessPool, type Isolation } from "pidpool";
import type { Fault, Scene, Tools } from "./faults/fault.ts";
import type { Weather } from "./judge.ts";
import { Launches, type Yard } from "./launches.ts";
import { entryText, Ledger, type Counts } from "./ledger.ts";
import { orderOf, type Kit } from "./orders.ts";
import { Random } from "./random.ts";
import { takenSlots } from "./slots.ts";
import { Services } from "./services.ts";

/** What a round is made of beside its seed. */
export interface RoundPlan {
  readonly seed: number;
  readonly operations: number;
  readonly kit: Kit;
  readonly tools: Tools;
  /** What may go wrong. */
  readonly faults: readonly Fault[];
  /** What the host's own world excuses. */
  readonly excuses: Partial<Weather>;
  readonly isolations: readonly Isolation[];
  /** In the environment of every child. */
  readonly mark: string;
}

/** What came of a round. */
export interface RoundResult {
  readonly counts: Counts;
  readonly failures: readonly string[];
}

const WIDTH = 96;

/** Is run once. */
export class Round {
  readonly #plan: RoundPlan;
  readonly #random: Random;
  readonly #faults: readonly Fault[];
  readonly #ledger: Ledger;
  readonly #launches: Launches;
  readonly #services: Services;
  readonly #yards: Yard[] = [];
  /** Those that have ended, too. */
  readonly #pools: ProcessPool[] = [];
  readonly #ends: Promise<void>[] = [];
  #deed = "none";
  /** Ends what is wrong now. */
  #endFault: (() => void) | undefined;

  constructor(plan: RoundPlan) {
    this.#plan = plan;
    const random = new Random(plan.seed);
    this.#random = random;
    // Some rounds are calm: there every deviation is a fault of ours.
    this.#faults = random.chance(0.2) ? [] : plan.faults.filter(() => random.chance(0.5));
    const weather: Weather = { scarce: false, thieves: false, deaths: false, strangers: false, ...plan.excuses };
    this.#ledger = new Ledger(Object.assign(weather, ...this.#faults.map(({ excuses }) => excuses)) as Weather);
    this.#launches = new Launches(random, plan.kit, this.#ledger);
    this.#services = new Services(random, plan.kit, this.#ledger);
  }

  #open(): Yard {
    const random = this.#random;
    const { kit, isolations, mark } = this.#plan;
    const isolation = random.pick(isolations);
    const pool = new ProcessPool({
      threads: random.int(1, 2),
      concurrency: random.int(1, 64),
      isolation,
      env: { PIDPOOL_CHAOS: mark },
      // Processes that leave their group are left by these; those in a session of their own go along.
      session: random.pick([true, "group"] as const),
    });
    // Threads that die, and services that fail, are part of the plan.
    pool.on("error", () => undefined);
    this.#ledger.watch(pool);
    this.#pools.push(pool);
    const commands = Array.from({ length: 4 }, () => {
      const order = orderOf(random, kit);
      return { order, command: pool.command(order.file, order.args, order.options) };
    });
    const warm = pool.command(kit.imp, ["cat"]).warm({ spares: random.int(1, 3), backoff: { initial: 1, max: 20 } });
    const yard: Yard = {
      pool,
      commands,
      warm,
      entries: new Set(),
      residents: new Set(),
      aborts: new Set(),
      closed: false,
    };
    this.#yards.push(yard);
    return yard;
  }

  /** Ends a pool in one of its ways, in the middle of whatever goes on. */
  #end(yard: Yard, gently: boolean): void {
    yard.closed = true;
    for (const entry of yard.entries) entry.done.closed = true;
    this.#services.forget(yard);
    const end = gently ? yard.pool.close() : yard.pool.destroy();
    this.#ends.push(end);
  }

  #scene(): Scene {
    return {
      pools: this.#yards.map(({ pool }) => pool),
      pids: () => this.#ledger.pids(),
      tools: this.#plan.tools,
    };
  }

  async #operate(): Promise<void> {
    const random = this.#random;
    const yard = this.#yards.length === 0 ? this.#open() : random.pick(this.#yards);
    const deed = random.weighted([
      [40, "run"],
      [15, "command"],
      [8, "abortable"],
      [12, "spawn"],
      [12, "signal"],
      [6, "warm"],
      [3, "play"],
      [0.5, "group"],
      [1, "thin"],
      [2, "stats"],
      [0.3, "open"],
      [0.2, "close"],
      [0.2, "destroy"],
    ] as const);
    this.#deed = deed;
    switch (deed) {
      case "play":
        return this.#services.play(yard);
      case "group":
        return this.#services.group(yard);
      case "thin":
        return this.#services.thin(yard);
      case "stats":
        return void yard.pool.stats();
      case "open":
        if (this.#yards.length < 3) this.#open();
        return;
      case "close":
      case "destroy":
        this.#yards.splice(this.#yards.indexOf(yard), 1);
        return this.#end(yard, deed === "close");
      default:
        this.#launches[deed](yard);
    }
  }

  #weatherChanges(): void {
    if (this.#endFault !== undefined || this.#faults.length === 0 || !this.#random.chance(0.02)) return;
    const fault = this.#random.weighted(this.#faults.map((each) => [each.weight ?? 1, each] as const));
    const end = fault.begin(this.#random, this.#scene());
    this.#ledger.counts.faults++;
    this.#endFault = () => {
      clearTimeout(timer);
      this.#endFault = undefined;
      end();
    };
    const timer = setTimeout(() => this.#endFault?.(), this.#random.int(1, 100));
  }

  async run(): Promise<RoundResult> {
    const ledger = this.#ledger;
    for (; ledger.counts.operations < this.#plan.operations; ledger.counts.operations++) {
      await ledger.room(WIDTH);
      this.#weatherChanges();
      await this.#operate();
      // Mostly many in one turn of the loop, as a busy server does.
      if (this.#random.chance(0.1)) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#endFault?.();
    this.#deed = "the end";
    for (const yard of this.#yards.splice(0)) this.#end(yard, this.#random.chance(0.5));
    await Promise.all(this.#ends);
    await new Promise((resolve) => setImmediate(resolve));
    ledger.balance();
    return { counts: ledger.counts, failures: ledger.failures };
  }

  get counts(): Counts {
    return this.#ledger.counts;
  }

  /** What is still under way, for a round that does not end. */
  tell(): string[] {
    return [
      `in the middle of ${this.#deed}`,
      ...this.#services.tell(),
      ...[...this.#ledger.open.values()].map(entryText),
      ...this.#pools.flatMap((pool) => [JSON.stringify(pool.stats()), ...takenSlots(pool)]),
    ];
  }
}

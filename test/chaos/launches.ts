// Single children: run, spawn and command, and what is done to them meanwhile.
import type { Command, Encoding, Process, ProcessPool, RunResult, StdioOption, WarmCommand } from "pidpool";
import type { Entry, Ledger } from "./ledger.ts";
import { orderOf, residentOf, type Kit, type Order } from "./orders.ts";
import type { Random } from "./random.ts";

/** A child that is under way and can be interfered with. */
export interface Resident {
  readonly entry: Entry;
  readonly child: Process;
}

/** A pool of a round, with what belongs to it. */
export interface Yard {
  readonly pool: ProcessPool;
  readonly commands: readonly { readonly order: Order; readonly command: Command<StdioOption | undefined, Encoding> }[];
  readonly warm: WarmCommand;
  readonly entries: Set<Entry>;
  readonly residents: Set<Resident>;
  readonly aborts: Set<{ readonly entry: Entry; readonly controller: AbortController }>;
  closed: boolean;
}

const SIGNALS = ["SIGTERM", "SIGKILL", "SIGINT", "SIGUSR1", "SIGSTOP", "SIGCONT", "SIGHUP"] as const;

/** Begins launches in a yard and books them. */
export class Launches {
  readonly #random: Random;
  readonly #kit: Kit;
  readonly #ledger: Ledger;

  constructor(random: Random, kit: Kit, ledger: Ledger) {
    this.#random = random;
    this.#kit = kit;
    this.#ledger = ledger;
  }

  #book(yard: Yard, order: Order, begin: () => Promise<RunResult>): Entry {
    const entry = this.#ledger.begin(order);
    entry.done.closed = yard.closed;
    yard.entries.add(entry);
    void this.#ledger.follow(entry, begin()).then(() => yard.entries.delete(entry));
    return entry;
  }

  run(yard: Yard): void {
    const order = orderOf(this.#random, this.#kit);
    this.#book(yard, order, () => yard.pool.run(order.file, order.args, { ...order.options, check: false }));
  }

  command(yard: Yard): void {
    const { order, command } = this.#random.pick(yard.commands);
    this.#book(yard, order, () => command.run({ check: false }));
  }

  warm(yard: Yard): void {
    const input = "z".repeat(this.#random.pick([0, 10, 100_000]));
    const order: Order = {
      name: "warm",
      file: yard.warm.file,
      args: yard.warm.args,
      options: {},
      wrong: ({ exit, stdout, truncated }) =>
        exit.status === "exited" && (stdout === input || truncated !== null)
          ? undefined
          : "the input did not come back",
    };
    this.#book(yard, order, () => yard.warm.run({ input, check: false }));
  }

  /** A run that may be aborted, at once or later. */
  abortable(yard: Yard): void {
    const order = this.#random.chance(0.5) ? residentOf(this.#random, this.#kit) : orderOf(this.#random, this.#kit);
    const controller = new AbortController();
    const { signal } = controller;
    const entry = this.#book(yard, order, () =>
      yard.pool.run(order.file, order.args, { ...order.options, signal, killAfter: 20, check: false }),
    );
    const abort = { entry, controller };
    yard.aborts.add(abort);
    if (this.#random.chance(0.2)) this.#abort(yard, abort);
    else setTimeout(() => this.#abort(yard, abort), this.#random.int(0, 40));
  }

  #abort(yard: Yard, abort: { readonly entry: Entry; readonly controller: AbortController }): void {
    yard.aborts.delete(abort);
    abort.entry.done.aborted = true;
    abort.controller.abort();
  }

  /** A child with pipes, that somebody kills sooner or later, and whose output nobody may read. */
  spawn(yard: Yard): void {
    const random = this.#random;
    const order = residentOf(random, this.#kit);
    const stdio = random.pick(["pipe", "ignore", ["pipe", "pipe", "ignore"], ["pipe", "capture", "pipe"]] as const);
    const write = random.chance(0.3);
    const after = random.int(0, 60);
    const entry: Entry = this.#book(yard, order, async () => {
      const options = { ...order.options, stdio, killAfter: 20 };
      const child = await yard.pool.spawn(order.file, order.args, options);
      entry.pid = child.pid;
      const resident: Resident = { entry, child };
      yard.residents.add(resident);
      for (const stream of child.stdio) stream?.on("error", () => undefined);
      // More than a pipe holds, which a program that does not read never takes.
      if (write) child.stdin?.write("w".repeat(200_000));
      setTimeout(() => this.kill(resident, "SIGKILL"), after);
      const result = await child.result;
      yard.residents.delete(resident);
      for (const stream of child.stdio) stream?.destroy();
      return result;
    });
  }

  /** Some signal to some child; a SIGKILL is to come in any case. */
  signal(yard: Yard): void {
    if (yard.residents.size > 0) this.kill(this.#random.pick([...yard.residents]), this.#random.pick(SIGNALS));
  }

  kill({ entry, child }: Resident, signal: NodeJS.Signals): void {
    if (entry.settled) return;
    if (child.kill(signal)) entry.done.signals.add(signal);
  }
}

// Supervisor threads that die, and threads of any kind that stand still.
import { readdirSync } from "node:fs";
import type { ProcessPool } from "pidpool";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import type { Supervisor } from "#pidpool/pool/supervisor.js";
import type { Random } from "../random.ts";
import type { Fault } from "./fault.ts";

function someSupervisor(random: Random, pools: readonly ProcessPool[]): Supervisor | undefined {
  const all = pools.flatMap((pool) => supervisorsOf(pool)?.all ?? []);
  return all.length === 0 ? undefined : random.pick(all);
}

const nothing = (): void => undefined;

/** A message that it does not know is an exception in its loop. */
export const throws: Fault = {
  name: "thread-throws",
  excuses: { deaths: true },
  begin(random, { pools }) {
    someSupervisor(random, pools)?.send({ slot: "none" } as never);
    return nothing;
  },
};

/** More than its heap holds: see the limit that host.ts sets. */
export const heap: Fault = {
  name: "thread-heap",
  excuses: { deaths: true },
  // It costs as much as a thousand launches.
  weight: 0.15,
  begin(random, { pools }) {
    const filler = Array.from({ length: 700_000 }, (_, n) => ({ n }));
    someSupervisor(random, pools)?.send({ slot: 0, filler } as never);
    return nothing;
  },
};

/** A debugger holds one thread: the main one, a launcher, a supervisor, or one of libuv's or V8's. */
export const freezes: Fault = {
  name: "thread-freezes",
  excuses: {},
  begin(random, { tools }) {
    const thread = random.pick(readdirSync("/proc/self/task"));
    // Where tracing is refused, it exits with 1 and nothing stands still.
    tools.pool.run(tools.freeze, [thread, String(random.int(1, 60))], { stdio: "ignore", check: false }).catch(nothing);
    return nothing;
  },
};

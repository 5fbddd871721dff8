// What is called on handles: kill, stop, scale, explain and the like, with
// hostile arguments. tsc fails where something is exported, or a class has a
// method, that is not looked at.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { EventEmitter } from "eventemitter3";
import * as pidpool from "pidpool";
import { explain } from "pidpool";
import { cases } from "./cases.ts";
import { inEmptyDirectory, leavesNothing } from "./census.ts";
import { assertCase, assertTyped, errorOf } from "./outcome.ts";
import { property } from "./property.ts";
import { VALID } from "./shapes.ts";
import { HOSTILE, type Recipe } from "./values.ts";
import { ProcessPool } from "../helpers/pool.ts";

inEmptyDirectory();

type Own<T> = Exclude<keyof T, keyof EventEmitter | symbol>;
/** "given": with hostile arguments, here or in launches.test.ts; else why not. */
type Seen<T> = Readonly<Record<Own<T>, "given" | "takes nothing" | "for the pool">>;

const LOOKED_AT = {
  pool: {
    run: "given",
    spawn: "given",
    command: "given",
    service: "given",
    group: "given",
    queueSize: "takes nothing",
    completed: "takes nothing",
    needsDrain: "takes nothing",
    stats: "takes nothing",
    close: "takes nothing",
    destroy: "takes nothing",
  } satisfies Seen<ProcessPool>,
  process: {
    kill: "given",
    pid: "takes nothing",
    file: "takes nothing",
    args: "takes nothing",
    stdio: "takes nothing",
    stdin: "takes nothing",
    stdout: "takes nothing",
    stderr: "takes nothing",
    exit: "takes nothing",
    exited: "takes nothing",
    result: "takes nothing",
    ready: "takes nothing",
    ref: "takes nothing",
    unref: "takes nothing",
    heard: "for the pool",
    settle: "for the pool",
  } satisfies Seen<pidpool.Process>,
  command: {
    run: "given",
    spawn: "given",
    warm: "given",
    file: "takes nothing",
    args: "takes nothing",
  } satisfies Seen<pidpool.Command>,
  warm: {
    run: "given",
    ready: "takes nothing",
    queueSize: "takes nothing",
    stats: "takes nothing",
    close: "takes nothing",
    destroy: "takes nothing",
    file: "takes nothing",
    args: "takes nothing",
  } satisfies Seen<pidpool.WarmCommand>,
  service: {
    stop: "given",
    scale: "given",
    name: "takes nothing",
    state: "takes nothing",
    replicas: "takes nothing",
    reports: "takes nothing",
    addresses: "takes nothing",
    ready: "takes nothing",
    start: "takes nothing",
    closeSockets: "takes nothing",
    restart: "takes nothing",
    reload: "takes nothing",
    ref: "takes nothing",
    unref: "takes nothing",
    overseer: "for the pool",
  } satisfies Seen<pidpool.Service>,
  group: {
    stop: "given",
    name: "takes nothing",
    strategy: "takes nothing",
    parts: "takes nothing",
    state: "takes nothing",
    ready: "takes nothing",
    error: "takes nothing",
    reports: "takes nothing",
    start: "takes nothing",
    restart: "takes nothing",
    closeSockets: "takes nothing",
    overseer: "for the pool",
    ended: "for the pool",
    failed: "for the pool",
  } satisfies Seen<pidpool.Group>,
} as const;

const EXPORTS = {
  ProcessPool: true,
  Command: true,
  Group: true,
  Service: true,
  WarmCommand: true,
  Process: true,
  explain: true,
  probe: true,
  ERROR_CODES: true,
  ExitError: true,
  GroupError: true,
  InvalidOptionError: true,
  IsolationError: true,
  LaunchError: true,
  PidpoolError: true,
  ServiceError: true,
  StartLimitError: true,
} satisfies Record<keyof typeof pidpool, true>;

test("all that is exported is looked at", () => {
  assert.deepEqual(Object.keys(EXPORTS).toSorted(), Object.keys(pidpool).toSorted());
  assert.ok(Object.values(LOOKED_AT).every((methods) => Object.keys(methods).length > 0));
});

async function fails(call: () => unknown, codes: readonly pidpool.ErrorCode[]): Promise<void> {
  const error = await errorOf(call);
  if (error !== undefined) assertTyped(error, codes);
}

/** Signal 0 and those that leave it alone: the child must be there for the next one. */
const isHarmless = (signal: unknown): boolean =>
  typeof signal !== "number" && typeof signal !== "string" && signal !== undefined;

property(
  "kill",
  fc.array(fc.tuple(HOSTILE, cases(VALID.kill)), { minLength: 20, maxLength: 40 }),
  { runs: 4, starts: true },
  (all) =>
    leavesNothing(async () => {
      await using pool = new ProcessPool();
      const child = await pool.spawn("sleep", ["100000"], { stdio: "ignore" });
      for (const [signal, options] of all) {
        const value = signal.make();
        if (isHarmless(value)) await fails(() => child.kill(value as "SIGTERM"), ["ERR_INVALID_OPTION"]);
        const built = options.build();
        const error = await errorOf(() => child.kill(0, built.value as object));
        if (error !== undefined) assertTyped(error, ["ERR_INVALID_OPTION"]);
        assertCase(options, built, error);
      }
      // Whatever signal it is: it is sent, or refused.
      for (const [signal] of all) await fails(() => child.kill(signal.make() as "SIGTERM"), ["ERR_INVALID_OPTION"]);
      child.kill("SIGKILL");
      await child.exited;
    }),
);

property(
  "services: stop, scale; groups: stop",
  fc.array(fc.tuple(HOSTILE, cases(VALID.stop)), { minLength: 10, maxLength: 20 }),
  { runs: 3, starts: true },
  (all) =>
    leavesNothing(async () => {
      await using pool = new ProcessPool();
      const sleep = { name: "s", file: "sleep", args: ["100000"], stdio: "ignore", stopSignal: "SIGKILL" } as const;
      const service = pool.service(sleep);
      const group = pool.group({ name: "g", parts: [sleep] });
      await group.ready;
      for (const [replicas, options] of all) {
        const number = replicas.make();
        if (typeof number !== "number" || !(number >= 3))
          await fails(() => service.scale(number as number), ["ERR_INVALID_OPTION"]);
        for (const part of [service, group]) {
          const built = options.build();
          const error = await errorOf(() => part.stop(built.value as object));
          if (error !== undefined) assertTyped(error, ["ERR_INVALID_OPTION"]);
          assertCase(options, built, error);
        }
      }
    }),
);

/** Options that start little: how many, and how often, is for pool-options.test.ts. */
function isModest(places: readonly string[]): boolean {
  return places.every(
    (place) => !/replicas|restart|startLimit|backoff|interval|health|ready|startTimeout|options|parts/.test(place),
  );
}

property("services with hostile options", cases(VALID.supervised, 1), { runs: 4, starts: true }, (given) =>
  leavesNothing(async () => {
    await using pool = new ProcessPool();
    pool.on("error", () => undefined);
    if (!isModest(given.places)) return;
    const built = given.build();
    const error = await errorOf(async () => {
      const service = pool.service(built.value as pidpool.ServiceOptions);
      void service.ready.catch(() => undefined);
      await new Promise((resolve) => service.once("replica", resolve));
      await service.stop();
    });
    if (error !== undefined)
      assertTyped(error, ["ERR_INVALID_OPTION", "ERR_LISTEN", "ERR_ISOLATION", "ERR_UNSUPPORTED"]);
    assertCase(given, built, error);
  }),
);

const REPORT = {
  status: "exited",
  code: 1,
  pid: 5,
  reason: "exit",
  message: null,
  startedAt: 0,
  wallMs: 5,
  userMs: 1,
  systemMs: 1,
  maxRss: null,
  stderrTail: null,
  stopped: null,
  limit: null,
  cgroup: null,
};

property(
  "explain",
  fc.tuple(cases(fc.constant(REPORT)), cases(VALID.explained)),
  { runs: 500 },
  async ([report, explained]) => {
    const given = explained.build();
    const error = await errorOf(() =>
      explain(REPORT as unknown as pidpool.ExitReport, given.value as pidpool.Explained),
    );
    if (error !== undefined) assertTyped(error, ["ERR_INVALID_OPTION"]);
    assertCase(explained, given, error);
    await fails(() => explain(report.build().value as pidpool.ExitReport), ["ERR_INVALID_OPTION"]);
  },
);

property("any value as a report", HOSTILE, { runs: 150 }, (recipe: Recipe) =>
  fails(() => explain(recipe.make() as pidpool.ExitReport), ["ERR_INVALID_OPTION"]),
);

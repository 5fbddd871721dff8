// Hostile options with real processes: each call works or fails as documented,
// settles, and leaves nothing behind.
import assert from "node:assert/strict";
import { before } from "node:test";
import * as fc from "fast-check";
import { ProcessPool, type ErrorCode } from "pidpool";
import { cases, type Case } from "./cases.ts";
import { inEmptyDirectory, leavesNothing } from "./census.ts";
import { assertCase, assertTyped, errorOf } from "./outcome.ts";
import { property } from "./property.ts";
import { VALID } from "./shapes.ts";
import { HOSTILE } from "./values.ts";
import { refusal } from "../helpers/isolation.ts";

inEmptyDirectory();

/** Beside wrong options: what is right, and cannot be had, or ends the child. */
const ENDS: readonly ErrorCode[] = [
  "ERR_INVALID_OPTION",
  "ERR_ISOLATION",
  "ERR_UNSUPPORTED",
  "ERR_LAUNCH",
  "ERR_EXIT",
  "ERR_ABORTED",
];
const TOGETHER = { minLength: 1, maxLength: 6 };
const SMALL = { runs: 3, starts: true, skip: await refusal("shared") };

before(async () => {
  // What a thread's first pool loads stays open.
  if (SMALL.skip !== false) return;
  await using pool = new ProcessPool();
  await pool.run("true");
});

/** Several calls on one pool, which is destroyed if they hang. */
async function onPool(options: object, work: (pool: ProcessPool) => Promise<unknown>): Promise<void> {
  await leavesNothing(async () => {
    const pool = new ProcessPool(options);
    pool.on("error", () => undefined);
    let isLate = false;
    // Only SIGSTOP as killSignal, without SIGKILL after it, may take for ever.
    const patience = setTimeout(() => {
      isLate = true;
      void pool.destroy();
    }, 30_000);
    try {
      await work(pool);
    } finally {
      clearTimeout(patience);
      await pool.destroy();
    }
    assert.ok(!isLate, "something has hung until the pool was destroyed");
  });
}

async function check(given: Case, call: (value: unknown) => unknown): Promise<void> {
  const built = given.build();
  const error = await errorOf(() => call(built.value));
  if (error !== undefined) assertTyped(error, ENDS);
  assertCase(given, built, error);
}

property("run with hostile options", fc.array(cases(VALID.launch), TOGETHER), SMALL, (all) =>
  onPool({}, (pool) =>
    Promise.all(all.map((given) => check(given, (options) => pool.run("true", [], options as object)))),
  ),
);

property(
  "run with hostile confinement and limits",
  fc.array(cases(fc.oneof(VALID["confined"], VALID["limited"])), TOGETHER),
  SMALL,
  (all) =>
    onPool({}, (pool) =>
      Promise.all(all.map((given) => check(given, (options) => pool.run("true", [], options as object)))),
    ),
);

property("spawn with hostile options", fc.array(cases(VALID.launch), TOGETHER), SMALL, (all) =>
  onPool({}, (pool) =>
    Promise.all(
      all.map((given) =>
        check(given, async (options) => {
          const child = await pool.spawn("true", [], options as object);
          for (const stream of child.stdio) stream?.on("error", () => undefined).destroy();
          await child.exited;
        }),
      ),
    ),
  ),
);

property("any file and arguments", fc.array(fc.tuple(HOSTILE, HOSTILE), TOGETHER), SMALL, (all) =>
  // No name is that of a program.
  onPool({ isolation: "none", env: { PATH: "/nowhere" } }, (pool) =>
    Promise.all(
      all.map(async ([file, args]) => {
        for (const call of [
          () => pool.run(file.make() as string, args.make() as string[]),
          () => pool.run(file.make() as string),
          () => pool.run("/bin/true", args.make() as string[]),
          () => pool.command("/bin/true", args.make() as string[]).run(),
          () => pool.command(file.make() as string).spawn(),
        ]) {
          const error = await errorOf(call);
          if (error !== undefined) assertTyped(error, ENDS);
        }
      }),
    ),
  ),
);

property("pools with hostile defaults", cases(VALID.common), SMALL, async (given) => {
  await leavesNothing(() =>
    check(given, async (options) => {
      await using pool = new ProcessPool(options as object);
      await pool.run("true", [], { timeout: 10_000, killAfter: 100, killSignal: "SIGKILL" });
    }),
  );
});

property(
  "a command with hostile overrides",
  fc.tuple(VALID.launch, fc.array(cases(VALID.launch), TOGETHER)),
  SMALL,
  ([, all]) =>
    onPool({}, async (pool) => {
      const command = pool.command("true", [], { input: "x" });
      await Promise.all(all.map((given) => check(given, (overrides) => command.run(overrides as object))));
    }),
);

property(
  "warm commands and their jobs",
  fc.tuple(cases(VALID.warm), fc.array(cases(VALID.warmRun), TOGETHER)),
  SMALL,
  ([warm, jobs]) =>
    onPool({}, async (pool) => {
      const command = pool.command("cat");
      await check(warm, async (options) => {
        const { spares } = (options ?? {}) as { spares?: unknown };
        if (typeof spares === "number" && spares > 8) return;
        await using spare = command.warm(options as object);
        void spare.ready.catch(() => undefined);
      }).catch((error: unknown) => {
        // Our own look at `spares` is one too many.
        if (!String(error).includes("spares")) throw error;
      });
      await using ready = command.warm({ spares: 1 });
      await Promise.all(
        jobs.map((given) =>
          check(given, async (options) => {
            const job = ready.run(options as object);
            // A stream that never ends is one that cat waits for.
            const timer = setTimeout(() => void ready.destroy(), 1000);
            await job.finally(() => clearTimeout(timer));
          }).catch((error: unknown) => {
            if (!String(error).includes("ERR_CLOSED")) throw error;
          }),
        ),
      );
    }),
);

// The restart decision, against systemd's table and by its properties.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  decide,
  mayStart,
  NO_TALLY,
  withStart,
  type RestartRules,
  type Tally,
} from "#pidpool/pool/service/restart-decision.js";
import { resolveRestart } from "#pidpool/pool/service/restart-options.js";
import { resultOf, type ProcessEnd } from "#pidpool/pool/service/result.js";
import { launchFailure, killed, ended } from "../../helpers/ends.ts";
import { POLICIES, RESTARTS } from "../../helpers/systemd.ts";

const clean = ended(0);

/** One end of each cause that the table has. */
const CAUSES: Readonly<Record<keyof typeof RESTARTS, readonly ProcessEnd[]>> = {
  "clean exit code or signal": [clean, killed("SIGHUP"), killed("SIGINT"), killed("SIGTERM"), killed("SIGPIPE")],
  "unclean exit code": [ended(1), ended(255), launchFailure(true)],
  "unclean signal": [killed("SIGSEGV"), killed("SIGABRT", true), killed("SIGKILL"), killed("SIGTERM", true)],
  timeout: [
    { ...launchFailure(false), late: true },
    ended(0, "timeout"),
    killed("SIGTERM", false, "timeout"),
    killed("SIGKILL", false, "timeout"),
  ],
  watchdog: [ended(0, "unhealthy"), killed("SIGTERM", false, "unhealthy"), killed("SIGABRT", true, "unhealthy")],
};

describe("the table of systemd.service(5)", () => {
  for (const [cause, ends] of Object.entries(CAUSES)) {
    const row = RESTARTS[cause as keyof typeof RESTARTS];
    for (const [i, policy] of POLICIES.entries()) {
      test(`${policy} after ${cause}: ${row[i] === "X" ? "restarts" : "does not"}`, () => {
        for (const end of ends) {
          const { action } = decide(end, 0, NO_TALLY, resolveRestart(policy), 0, 0);
          assert.equal(action, row[i] === "X" ? "restart" : "stay", JSON.stringify(end.report));
        }
      });
    }
  }
});

test("what the table does not name follows systemd's source", () => {
  const none = { codes: new Set<number>(), signals: new Set<string>() };
  const results = {
    "oom-kill": killed("SIGKILL", false, "memory-limit"),
    resources: launchFailure(false),
    protocol: { ...clean, wasReady: false },
  };
  for (const [result, end] of Object.entries(results)) {
    assert.equal(resultOf(end, none), result);
    const restarting = POLICIES.filter((policy) => {
      return decide(end, 0, NO_TALLY, resolveRestart(policy), 0, 0).action === "restart";
    });
    assert.deepEqual(restarting, ["always", "on-failure", "on-abnormal"], result);
  }
});

test("success codes and signals are clean, but a dump never is", () => {
  const rules = resolveRestart({ policy: "on-failure", successCodes: [3, "SIGUSR1"] });
  const action = (end: ProcessEnd): string => decide(end, 0, NO_TALLY, rules, 0, 0).action;
  assert.equal(action(ended(3)), "stay");
  assert.equal(action(killed("SIGUSR1")), "stay");
  assert.equal(action(ended(4)), "restart");
  assert.equal(action(killed("SIGUSR1", true)), "restart");
  assert.equal(action(ended(3, "timeout")), "restart");
});

test("prevention comes before force, and force before the policy", () => {
  const rules = resolveRestart({ policy: "no", preventRestart: [1, "SIGABRT"], forceRestart: [1, 2, 203, "SIGKILL"] });
  const action = (end: ProcessEnd): string => decide(end, 0, NO_TALLY, rules, 0, 0).action;
  assert.equal(action(ended(1)), "stay");
  assert.equal(action(ended(2)), "restart");
  assert.equal(action(ended(3)), "stay");
  assert.equal(action(killed("SIGKILL")), "restart");
  assert.equal(action(launchFailure(true)), "restart");
  assert.equal(action(launchFailure(false)), "stay");
  const always = resolveRestart({ policy: "always", preventRestart: ["SIGABRT", "SIGTERM", 203] });
  const prevented = (end: ProcessEnd): string => decide(end, 0, NO_TALLY, always, 0, 0).action;
  // The status counts, whatever led to it; and a dump is the signal, too.
  assert.equal(prevented(killed("SIGABRT", true)), "stay");
  assert.equal(prevented(killed("SIGTERM", false, "timeout")), "stay");
  assert.equal(prevented(launchFailure(true)), "stay");
  assert.equal(prevented(killed("SIGSEGV")), "restart");
});

// ---- properties

const someRules = fc
  .record({
    initial: fc.double({ min: 0, max: 5000, noNaN: true }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
    over: fc.double({ min: 0, max: 60_000, noNaN: true }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    resetAfter: fc.integer({ min: 0, max: 20_000 }),
    burst: fc.integer({ min: 1, max: 20 }),
    interval: fc.integer({ min: 0, max: 30_000 }),
  })
  .map(({ initial, factor, over, jitter, resetAfter, burst, interval }): RestartRules => {
    const backoff = { initial, factor, max: initial + over, jitter, resetAfter };
    return resolveRestart({ policy: "always", backoff, startLimit: { burst, interval } });
  });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** Lives of one replica: how long each process ran, how long of that it was ready, and by how much its start was late. */
const lives = fc.array(
  fc.record({
    ran: fc.integer({ min: 0, max: 30_000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    late: fc.double({ min: 0, max: 500, noNaN: true }),
    random: chance,
  }),
  { maxLength: 60 },
);

test("delays lie between what jitter may take off the first and the longest", () => {
  fc.assert(
    fc.property(someRules, fc.nat(2000), chance, (rules, attempts, random) => {
      const tally: Tally = { attempts, starts: [] };
      const decision = decide(ended(1), 0, tally, rules, 1000, random);
      assert.equal(decision.action, "restart");
      if (decision.action !== "restart") return;
      const { initial, max, jitter } = rules.backoff;
      assert.ok(decision.delay >= initial * (1 - jitter), `${decision.delay}`);
      assert.ok(decision.delay <= max, `${decision.delay}`);
      assert.equal(decision.at, 1000 + decision.delay);
    }),
  );
});

test("no delay stays none, however often", () => {
  const rules = resolveRestart({ backoff: { initial: 0, factor: 10 } });
  const decision = decide(ended(1), 0, { attempts: 5000, starts: [] }, rules, 7, 0.5);
  assert.ok(decision.action === "restart" && decision.delay === 0 && decision.at === 7);
});

test("one that was never ready has had no healthy time, be it none that is asked for", () => {
  const rules = resolveRestart({ backoff: { initial: 10, factor: 2, jitter: 0, resetAfter: 0 } });
  const decision = decide(ended(1), -1, { attempts: 2, starts: [] }, rules, 0, 0);
  assert.ok(decision.action === "restart" && decision.delay === 40);
});

test("without jitter, delays grow by the factor until the longest, and begin anew after a healthy time", () => {
  fc.assert(
    fc.property(someRules, fc.integer({ min: 1, max: 30 }), (given, crashes) => {
      const rules = { ...given, startLimit: { ...given.startLimit, burst: Infinity } };
      const { initial, factor, max, resetAfter } = rules.backoff;
      let tally = NO_TALLY;
      for (let i = 0; i < crashes; i++) {
        const decision = decide(ended(1), Math.max(0, resetAfter - 1), tally, rules, 0, 0);
        assert.ok(decision.action === "restart");
        // Where any time is healthy, each delay is the first.
        const grown = resetAfter === 0 ? initial : Math.min(max, initial * factor ** i);
        assert.ok(Math.abs(decision.delay - grown) <= 1e-9 * grown, `${decision.delay} instead of ${grown}`);
        ({ tally } = decision);
      }
      const healthy = decide(ended(1), resetAfter, tally, rules, 0, 0);
      assert.ok(healthy.action === "restart" && healthy.delay === initial);
      assert.equal(healthy.tally.attempts, 1);
    }),
  );
});

/** Lives through it until the decision is another than to restart; returns when it was started. */
function live(
  rules: RestartRules,
  story: readonly { ran: number; share: number; late: number; random: number }[],
): {
  starts: number[];
  gaveUp: boolean;
} {
  let tally = NO_TALLY;
  let now = 0;
  const starts: number[] = [];
  for (const { ran, share, late, random } of story) {
    starts.push(now);
    tally = withStart(tally, rules, now);
    now += ran;
    const decision = decide(ended(1), ran * share, tally, rules, now, random);
    if (decision.action !== "restart") return { starts, gaveUp: true };
    ({ tally } = decision);
    // Never early, but late as the event loop has it.
    now = decision.at + late;
  }
  return { starts, gaveUp: false };
}

test("no span of the interval holds more than burst starts, and it gives up only where one would", () => {
  fc.assert(
    fc.property(someRules, lives, (rules, story) => {
      const { burst, interval } = rules.startLimit;
      const { starts, gaveUp } = live(rules, story);
      for (let i = burst; i < starts.length; i++) {
        const span = (starts[i] ?? 0) - (starts[i - burst] ?? 0);
        assert.ok(span >= interval, `${burst + 1} starts within ${span} ms`);
      }
      if (gaveUp) assert.ok(starts.length >= burst && interval > 0);
    }),
    { numRuns: 500 },
  );
});

test("without a limit it never gives up", () => {
  fc.assert(
    fc.property(someRules, lives, fc.boolean(), (given, story, byBurst) => {
      const limit = byBurst ? { burst: Infinity } : { interval: 0 };
      assert.equal(live({ ...given, startLimit: { ...given.startLimit, ...limit } }, story).gaveUp, false);
    }),
  );
});

test("a program that crashes at once is started burst times", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), (burst) => {
      const rules = resolveRestart({ backoff: { initial: 0 }, startLimit: { burst, interval: 1000 } });
      const story = Array.from({ length: 50 }, () => ({ ran: 0, share: 0, late: 0, random: 0 }));
      assert.deepEqual(live(rules, story), { starts: Array.from({ length: burst }, () => 0), gaveUp: true });
    }),
  );
});

test("the limit's action is what the decision says", () => {
  const rules = resolveRestart({ startLimit: { burst: 1, action: "escalate" } });
  const tally = withStart(NO_TALLY, rules, 0);
  assert.equal(mayStart(tally, rules, 9_999), false);
  assert.equal(mayStart(tally, rules, 10_000), true);
  assert.deepEqual(decide(ended(1), 0, tally, rules, 10, 0), { action: "escalate" });
});

test("the memory of starts is bounded by burst", () => {
  const rules = resolveRestart({ startLimit: { burst: 3 } });
  let tally = NO_TALLY;
  for (let i = 0; i < 100; i++) tally = withStart(tally, rules, i);
  assert.deepEqual(tally.starts, [97, 98, 99]);
  assert.deepEqual(withStart(NO_TALLY, resolveRestart({ startLimit: { burst: Infinity } }), 1).starts, []);
});

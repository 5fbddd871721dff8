import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  endWasAsked,
  isIdle,
  overall,
  transition,
  type LifecycleEvent,
  type ReplicaState,
} from "#pidpool/pool/service/lifecycle.js";

const STATES = [
  "stopped",
  "starting",
  "ready",
  "reloading",
  "stopping",
  "restarting",
  "failing",
  "backoff",
  "exited",
  "failed",
] as const satisfies readonly ReplicaState[];

/** All that a state takes without an error. */
function possible(state: ReplicaState, events: readonly LifecycleEvent[]): LifecycleEvent[] {
  return events.filter((event) => {
    try {
      transition(state, event);
      return true;
    } catch {
      return false;
    }
  });
}

const ENDS: readonly LifecycleEvent[] = ["gone", "respawn", "finished", "failed", "handed"];
const WITHOUT_PROCESS: readonly ReplicaState[] = ["stopped", "backoff", "exited", "failed"];

test("whatever it is, it can be started, stopped and restarted", () => {
  for (const state of STATES) {
    assert.equal(possible(state, ["start", "stop", "restart"]).length, 3, state);
    assert.ok(["starting", "restarting", "ready", "reloading"].includes(transition(state, "start")), state);
    assert.ok(["stopping", "stopped"].includes(transition(state, "stop")), state);
    assert.ok(["starting", "restarting"].includes(transition(state, "restart")), state);
  }
});

test("a process ends either as asked for or by itself, and never where there is none", () => {
  for (const state of STATES) {
    const ends = possible(state, ENDS);
    if (WITHOUT_PROCESS.includes(state)) assert.deepEqual(ends, [], state);
    else if (endWasAsked(state)) assert.deepEqual(ends, ["gone"], state);
    else assert.deepEqual(ends, ["respawn", "finished", "failed", "handed"], state);
  }
});

test("the end of a process leaves a state without one, or starts the next", () => {
  for (const state of STATES) {
    for (const event of possible(state, ENDS)) {
      const next = transition(state, event);
      assert.ok(WITHOUT_PROCESS.includes(next) || next === "starting", `${state} ${event}: ${next}`);
    }
  }
});

test("an event that cannot happen is an error that names it", () => {
  assert.throws(() => transition("stopped", "ready"), /stopped cannot have the event ready/);
});

test("after stop, nothing but start and restart makes a process", () => {
  const events = ["stop", "ready", "reloads", "late", "unhealthy", ...ENDS, "due"] as const;
  fc.assert(
    fc.property(fc.constantFrom(...STATES), fc.array(fc.constantFrom(...events)), (begin, story) => {
      let state = transition(begin, "stop");
      for (const event of story) {
        if (possible(state, [event]).length > 0) state = transition(state, event);
        assert.ok(state === "stopping" || state === "stopped", state);
      }
    }),
  );
});

test("what a service is as a whole", () => {
  const cases: readonly [ReplicaState[], string][] = [
    [["ready", "ready"], "ready"],
    [["ready", "reloading"], "reloading"],
    [["ready", "failed"], "degraded"],
    [["ready", "starting"], "degraded"],
    [["starting", "backoff"], "starting"],
    [["backoff"], "starting"],
    [["stopping", "stopped"], "stopping"],
    [["stopping", "failing"], "starting"],
    [["stopped", "exited"], "exited"],
    [["stopped", "exited", "failed"], "failed"],
    [["stopped"], "stopped"],
  ];
  for (const [states, expected] of cases) {
    assert.equal(overall(states.map((state) => ({ state }))), expected, states.join());
  }
});

test("idle are those where nothing goes on", () => {
  assert.deepEqual(
    STATES.filter((state) => isIdle(state)),
    ["stopped", "exited", "failed"],
  );
});

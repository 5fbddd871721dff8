import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  isIdle,
  transition,
  wantsUp,
  type GroupEvent,
  type GroupState,
} from "#pidpool/pool/service/group-lifecycle.js";

const STATES: readonly GroupState[] = ["stopped", "starting", "ready", "restarting", "stopping", "failing", "failed"];

/** What can come to a group in this state: calls at any time, ends while parts live, arrivals while they move. */
function possible(state: GroupState): readonly GroupEvent[] {
  const calls = ["start", "restart", "stop"] as const;
  if (isIdle(state)) return calls;
  if (!wantsUp(state)) return [...calls, "gone"];
  return state === "ready" ? [...calls, "hurt", "fail"] : [...calls, "hurt", "fail", "up"];
}

test("whatever can happen has an answer; whatever cannot is refused", () => {
  const events = ["start", "restart", "stop", "hurt", "fail", "up", "gone"] as const;
  for (const state of STATES) {
    for (const event of events) {
      if (possible(state).includes(event)) assert.ok(STATES.includes(transition(state, event)));
      else assert.throws(() => transition(state, event), { message: /cannot have the event/ });
    }
  }
});

test("after any story, a start leads to ready, and a stop ends in a state without parts", () => {
  const story = fc.array(fc.nat(6), { maxLength: 40 });
  fc.assert(
    fc.property(fc.constantFrom(...STATES), story, (begin, picks) => {
      let state = begin;
      for (const pick of picks) {
        const events = possible(state);
        state = transition(state, events[pick % events.length] ?? "start");
      }
      const started = transition(state, "start");
      assert.equal(started === "ready" ? started : transition(started, "up"), "ready");
      const stopping = transition(state, "stop");
      assert.ok(isIdle(isIdle(stopping) ? stopping : transition(stopping, "gone")));
    }),
  );
});

test("an end on the first way up leaves the group starting; later it is restarting", () => {
  assert.equal(transition("starting", "hurt"), "starting");
  assert.equal(transition("ready", "hurt"), "restarting");
});

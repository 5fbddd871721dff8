import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  doom,
  goesWith,
  isLive,
  nextStep,
  STRATEGIES,
  withPhase,
  type Phase,
  type Strategy,
} from "#pidpool/pool/service/group-plan.js";

/** What happens to a group of simulated parts: the step under way is done or fails, or a part ends. */
type Happening = { readonly what: "done" | "fails" } | { readonly what: "ends" | "dies"; readonly part: number };

const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({ what: "done" as const }) },
    { weight: 1, arbitrary: fc.constant({ what: "fails" as const }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constantFrom("ends" as const, "dies" as const), part: fc.nat(7) }) },
  ),
  { maxLength: 60 },
);
const groups = fc.record({ strategy: fc.constantFrom(...STRATEGIES), size: fc.integer({ min: 1, max: 8 }) });

/** A group that only plans. Checks with each step that the plan keeps its promises. */
class Simulation {
  readonly strategy: Strategy;
  phases: readonly Phase[];
  up = true;
  /** Steps so far, as "+0" and "-0". */
  readonly steps: string[] = [];

  constructor(strategy: Strategy, phases: readonly Phase[]) {
    this.strategy = strategy;
    this.phases = phases;
  }

  /** Begins steps until one has to be waited for; returns false where there is none. */
  advance(): boolean {
    for (;;) {
      const step = nextStep(this.phases, this.up);
      if (step.act === "done") return false;
      if (step.act === "wait") return true;
      const { act, index } = step;
      this.steps.push(`${act === "start" ? "+" : "-"}${index}`);
      if (act === "start") {
        assert.equal(this.phases[index], "down");
        for (const before of this.phases.slice(0, index)) assert.equal(before, "up", "all before it are ready");
        assert.ok(!this.phases.some((phase) => phase === "doomed" || phase === "stopping"), "stops come first");
        this.phases = withPhase(this.phases, index, "starting");
      } else {
        assert.equal(this.phases[index], "doomed");
        for (const later of this.phases.slice(index + 1)) assert.ok(later !== "doomed" && later !== "stopping");
        this.phases = withPhase(this.phases, index, "stopping");
      }
    }
  }

  happen(happening: Happening): void {
    const { phases } = this;
    if (!("part" in happening)) {
      // A stop under way is what is waited for, even while a doomed start has not come back.
      const index = phases.findIndex((phase) => phase === "stopping" || phase === "starting");
      if (index < 0) return;
      if (phases[index] === "stopping") this.phases = withPhase(phases, index, "down");
      else if (happening.what === "done") this.phases = withPhase(phases, index, "up");
      else this.lose(index, "doomed");
      return;
    }
    const { part } = happening;
    if (!isLive(phases[part])) return;
    if (happening.what === "dies") this.lose(part, "down");
    else this.phases = doom(phases, (other) => goesWith(this.strategy, part, other));
  }

  lose(part: number, phase: "down" | "doomed"): void {
    this.phases = doom(withPhase(this.phases, part, phase), (other) => goesWith(this.strategy, part, other));
  }

  /** Lets all go well from now on. */
  settle(): void {
    for (let left = 10 * this.phases.length; this.advance(); left--) {
      assert.ok(left > 0, "it comes to an end");
      this.happen({ what: "done" });
    }
  }
}

function down(size: number): readonly Phase[] {
  return Array.from({ length: size }, () => "down");
}

function up(size: number): readonly Phase[] {
  return down(size).map(() => "up");
}

test("whatever ends and fails, starts are in order after readiness, stops in reverse, and all are up in the end", () => {
  fc.assert(
    fc.property(groups, happenings, ({ strategy, size }, all) => {
      const group = new Simulation(strategy, down(size));
      for (const happening of all) {
        group.advance();
        group.happen(happening);
      }
      group.settle();
      assert.deepEqual(group.phases, up(size));
    }),
  );
});

test("a group that is to go down stops what lives in reverse order and starts nothing more", () => {
  fc.assert(
    fc.property(groups, happenings, happenings, ({ strategy, size }, before, after) => {
      const group = new Simulation(strategy, down(size));
      for (const happening of before) {
        group.advance();
        group.happen(happening);
      }
      group.up = false;
      group.phases = doom(group.phases);
      group.steps.length = 0;
      for (const happening of after) {
        group.advance();
        group.happen(happening);
      }
      group.settle();
      assert.deepEqual(group.phases, down(size));
      const indexes = group.steps.map((step) => -Number(step));
      assert.deepEqual(
        indexes,
        [...new Set(indexes)].toSorted((a, b) => b - a),
      );
      assert.ok(group.steps.every((step) => step.startsWith("-")));
    }),
  );
});

test("ends that come together cost each part one stop and one start, and only parts that go with one of them", () => {
  fc.assert(
    fc.property(groups, fc.array(fc.nat(7), { minLength: 1, maxLength: 8 }), ({ strategy, size }, ends) => {
      const group = new Simulation(strategy, up(size));
      const parts = ends.map((end) => end % size);
      for (const part of parts) group.happen({ what: "ends", part });
      group.settle();
      const hit = [...group.phases.keys()].filter((index) => parts.some((part) => goesWith(strategy, part, index)));
      assert.deepEqual(group.steps, [...hit.toReversed().map((i) => `-${i}`), ...hit.map((i) => `+${i}`)]);
    }),
  );
});

for (const [strategy, steps] of [
  ["one_for_one", "-2 +2"],
  ["one_for_all", "-4 -3 -2 -1 -0 +0 +1 +2 +3 +4"],
  ["rest_for_one", "-4 -3 -2 +2 +3 +4"],
] as const) {
  test(`${strategy}: the third of five parts ends`, () => {
    const group = new Simulation(strategy, up(5));
    group.happen({ what: "ends", part: 2 });
    group.settle();
    assert.equal(group.steps.join(" "), steps);
  });
}

test("a part that is down as a whole is started without being stopped", () => {
  const group = new Simulation("rest_for_one", up(3));
  group.happen({ what: "dies", part: 1 });
  group.settle();
  assert.equal(group.steps.join(" "), "-2 +1 +2");
});

test("an end before the part that is being started breaks that start off", () => {
  for (const strategy of STRATEGIES) {
    const group = new Simulation(strategy, ["up", "down", "down"]);
    group.advance();
    group.happen({ what: "ends", part: 0 });
    group.settle();
    assert.equal(group.steps.join(" "), strategy === "one_for_one" ? "+1 -0 +0 +2" : "+1 -1 -0 +0 +1 +2");
  }
});

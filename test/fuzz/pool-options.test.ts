// The options of pools, warm commands, services and groups: checks alone.
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { resolvePoolOptions } from "#pidpool/pool/options.js";
import { makeGroup } from "#pidpool/pool/service/group-options.js";
import type { Supervised } from "#pidpool/pool/service/supervised.js";
import { resolveService } from "#pidpool/pool/service/plan.js";
import { resolveWarmOptions, takeRunOptions } from "#pidpool/pool/warm/options.js";
import { cases, scramble } from "./cases.ts";
import { assertTyped, checks, REFUSALS, thrownBy } from "./outcome.ts";
import { property } from "./property.ts";
import { VALID } from "./shapes.ts";
import { HOSTILE } from "./values.ts";

const NOBODY = { now: () => 0, error: () => undefined, enter: () => undefined, leave: () => undefined };

const CHECKED: Readonly<Record<string, (options: unknown) => unknown>> = {
  pool: resolvePoolOptions,
  service: (options) => resolveService(options, {}),
  supervised: (options) => resolveService(options, {}),
  warm: (options) => resolveWarmOptions(options, 4),
  warmRun: takeRunOptions,
  group: (options) =>
    makeGroup<Supervised>(
      options,
      (part, name) => Object.assign(resolveService(part, {}), { name }) as unknown as Supervised,
      NOBODY,
    ),
};
const RUNS: Readonly<Record<string, number>> = {
  pool: 250,
  service: 250,
  supervised: 250,
  warm: 150,
  warmRun: 150,
  group: 150,
};

for (const [kind, check] of Object.entries(CHECKED)) {
  const runs = RUNS[kind] ?? 0;
  property(`options of kind ${kind}, checked`, cases(VALID[kind as keyof typeof VALID]), { runs }, checks(check));
  property(`any value as options of kind ${kind}`, HOSTILE, { runs: 60 }, (recipe) => {
    const error = thrownBy(() => check(recipe.make()));
    if (error !== undefined) assertTyped(error, REFUSALS);
  });
}

property("a pool is what its options were", cases(VALID.pool, 1), { runs: 150 }, (given) => {
  const { value } = given.build();
  let filled: unknown;
  try {
    filled = resolvePoolOptions(value);
  } catch (error) {
    assertTyped(error, REFUSALS);
    return;
  }
  const shown = inspect(filled, { depth: 10 });
  const options = value as Record<string, unknown>;
  scramble(options);
  assert.equal(inspect(filled, { depth: 10 }), shown);
});

// The options of launches, and their file and arguments: checks alone, by the
// ten thousands. What is started with them is in launches.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { InvalidOptionError } from "pidpool";
import { Command, type CommandHost } from "#pidpool/pool/command.js";
import { overrideSpec, resolveSpec, type LaunchSpec } from "#pidpool/process/spec.js";
import { collectGarbage } from "../helpers/collect.ts";
import { cases, scramble } from "./cases.ts";
import { assertTyped, checks, REFUSALS, thrownBy } from "./outcome.ts";
import { property } from "./property.ts";
import { SCALARS, VALID } from "./shapes.ts";
import { HOSTILE } from "./values.ts";

const resolve = (options: unknown): LaunchSpec => resolveSpec("run", "true", ["x"], options);

property("launch options, checked", cases(VALID.launch), { runs: 600 }, checks(resolve));
property(
  "launch options of spawn, checked",
  cases(VALID.launch),
  { runs: 200 },
  checks((options) => resolveSpec("spawn", "true", [], options)),
);
property("confinement options, checked", cases(VALID.confined), { runs: 300 }, checks(resolve));
property("limits and cgroup options, checked", cases(VALID.limited), { runs: 300 }, checks(resolve));
property("any value as launch options", HOSTILE, { runs: 100 }, (recipe) => {
  const error = thrownBy(() => resolve(recipe.make()));
  if (error !== undefined) assertTyped(error, REFUSALS);
});
property("any value as the file", HOSTILE, { runs: 100 }, (recipe) => {
  const error = thrownBy(() => resolveSpec("run", recipe.make(), [], {}));
  if (error !== undefined) assertTyped(error, REFUSALS);
});
property(
  "any arguments",
  cases(VALID.args),
  { runs: 200 },
  checks((args) => resolveSpec("run", "true", args, {}), "args"),
);

property(
  "overrides of a command, checked",
  fc.tuple(VALID.launch, cases(VALID.launch)),
  { runs: 200 },
  ([base, given]) => {
    const own = new Map<string, unknown>();
    checks((overrides) => {
      const options = { ...plainOf(base as object), signal: undefined };
      const spec = own.get("spec") ?? trySpec(options);
      if (spec !== undefined) overrideSpec(spec as LaunchSpec, options, overrides, {});
      else resolve(overrides);
    })(given);
  },
);

/** Only what is plain data: the recipes of things are made by cases. */
function plainOf(base: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(base).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)),
  );
}

function trySpec(options: unknown): LaunchSpec | undefined {
  try {
    return resolve(options);
  } catch {
    return undefined;
  }
}

/** `{ a: { b: [value] } }` of "a.b[0]", beside what else such an option needs. */
function nested(path: string, value: unknown): Record<string, unknown> {
  const keys = path.split(/[.[\]]+/).filter(Boolean);
  const inner = keys.reduceRight<unknown>((entry, key) => (/^\d+$/.test(key) ? [entry] : { [key]: entry }), value);
  const options = inner as Record<string, Record<string, Record<string, unknown>[]>>;
  if (path.startsWith("limits.io")) Object.assign(options["limits"]?.["io"]?.[0] ?? {}, { device: "8:0" });
  return options;
}

/** What is asked of this process, or of the machine, as well. */
const NEEDS_RIGHTS = /own hard limit allows|the system allows/;

for (const [path, isRight] of Object.entries(SCALARS)) {
  property(`${path} is taken where the documentation says so`, HOSTILE, { runs: 30 }, (recipe) => {
    const value = recipe.make();
    const options = nested(path, value);
    const error = thrownBy(() => resolve(options));
    // A list's entry cannot be left out.
    if (value === undefined && !path.includes("[")) return;
    if (error !== undefined) assertTyped(error, REFUSALS);
    if (error instanceof InvalidOptionError && NEEDS_RIGHTS.test(error.message)) return;
    const refused = error instanceof InvalidOptionError;
    assert.equal(!refused, isRight(value), refused ? error.message : `${path} took ${recipe.label}`);
    if (refused) assert.ok(error.option.startsWith(path) || path.startsWith(error.option), error.option);
  });
}

property("a command is what its options were", cases(VALID.launch, 1), { runs: 200 }, (given) => {
  const specs: LaunchSpec[] = [];
  const host = {
    defaults: {},
    run: async (spec: LaunchSpec) => void specs.push(spec),
    spawn: async (spec: LaunchSpec) => void specs.push(spec),
  } as unknown as CommandHost;
  const { value, reads } = given.build();
  const args = ["a"];
  let command: Command;
  try {
    command = new Command(host, "true", args, value as object);
  } catch (error) {
    assertTyped(error, REFUSALS);
    return;
  }
  void command.run().catch(() => undefined);
  void command.spawn().catch(() => undefined);
  for (const [name, times] of reads) assert.equal(times, 1, name);
  scramble(value);
  args[0] = "changed";
  void command.run().catch(() => undefined);
  void command.spawn().catch(() => undefined);
  for (const kind of ["run", "spawn"]) {
    const [before, after] = specs.filter((spec) => spec.kind === kind);
    assert.deepEqual(after, before);
  }
  for (const { args: used } of specs) assert.deepEqual(used, ["a"]);
});

test("memory: ten thousand wrong options leave nothing behind", () => {
  const used = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const many = (): void => {
    for (let i = 0; i < 10_000; i++) thrownBy(() => resolve({ env: { [`A${i}`]: i }, timeout: -i }));
  };
  many();
  const before = used();
  many();
  const grown = used() - before;
  assert.ok(grown < 2 * 2 ** 20, `${grown} bytes`);
});

// The fault harness itself, for a few seconds in each world; `npm run chaos`
// is longer.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LaunchError, PidpoolError } from "pidpool";
import { refusal } from "../helpers/isolation.ts";
import { hasCommands } from "../helpers/processes.ts";
import { facts } from "../helpers/reports.ts";
import { compiledForVm } from "../helpers/vm.ts";
import { judge, type Interference, type Weather } from "./judge.ts";
import type { Order } from "./orders.ts";
import { Random } from "./random.ts";

const CALM: Weather = { scarce: false, thieves: false, deaths: false, strangers: false };
const ALONE: Interference = { signals: new Set(), aborted: false, closed: false };
const ORDER: Order = { name: "true", file: "true", args: [], options: {}, wrong: () => undefined };

test("pools live through faults in every world", { skip: await refusal("shared") }, (t) => {
  if (!hasCommands("cc") && compiledForVm("imp") === undefined) return t.skip("needs cc");
  const main = fileURLToPath(new URL("main.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--enable-source-maps", main, "--seconds", "20", "--seed", "20261124", "--operations", "1000"],
    { encoding: "utf8" },
  );
  for (const line of stdout.trim().split("\n")) t.diagnostic(line);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^plain: [1-9]\d* rounds, [1-9]/m);
});

test("one seed gives one sequence", () => {
  const [a, b, c] = [new Random(7), new Random(7), new Random(8)];
  const take = (random: Random): number[] => Array.from({ length: 100 }, () => random.int(0, 1000));
  assert.deepEqual(take(a), take(b));
  assert.notDeepEqual(take(new Random(7)), take(c));
});

test("the judge excuses what the weather brings, and nothing else", () => {
  const launch = (errno: string) => ({ ok: false as const, error: new LaunchError("clone", "true", "no", { errno }) });
  assert.match(judge(ORDER, ALONE, CALM, launch("EAGAIN")) ?? "", /EAGAIN/);
  assert.equal(judge(ORDER, ALONE, { ...CALM, scarce: true }, launch("EAGAIN")), undefined);
  assert.match(judge(ORDER, ALONE, { ...CALM, scarce: true }, launch("ENOENT")) ?? "", /ENOENT/);
  assert.equal(judge({ ...ORDER, fails: "ENOENT" }, ALONE, CALM, launch("ENOENT")), undefined);
  const closed = { ok: false as const, error: new PidpoolError("ERR_CLOSED", "closed") };
  assert.match(judge(ORDER, ALONE, CALM, closed) ?? "", /open pool/);
  assert.equal(judge(ORDER, { ...ALONE, closed: true }, CALM, closed), undefined);
  assert.match(judge(ORDER, ALONE, CALM, { ok: false, error: new TypeError("x") }) ?? "", /foreign kind/);
  const base = { file: "true", args: [], pid: 1, stdout: "", stderr: "", output: [], truncated: null, waitMs: 0 };
  const unknown = { ok: true as const, result: { ...base, exit: { ...facts({}), status: "unknown" as const } } };
  assert.match(judge(ORDER, ALONE, CALM, unknown) ?? "", /nobody has taken/);
  assert.equal(judge(ORDER, ALONE, { ...CALM, thieves: true }, unknown), undefined);
  const wrong = { ...ORDER, wrong: () => "wrong" };
  const exit = { ...facts({}), status: "exited" as const, code: 0 };
  assert.equal(judge(wrong, ALONE, CALM, { ok: true, result: { ...base, exit } }), "wrong");
  assert.equal(judge(wrong, { ...ALONE, aborted: true }, CALM, { ok: true, result: { ...base, exit } }), undefined);
  const lost = { ...base, exit, truncated: "supervisor-lost" as const };
  assert.match(judge(ORDER, ALONE, CALM, { ok: true, result: lost }) ?? "", /no thread died/);
});

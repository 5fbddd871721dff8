import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { renderPage } from "../../../bench/report/page.ts";
import { parseResult } from "../../../bench/report/result.ts";
import { IDLE, LAUNCH, MACHINE } from "../../helpers/results.ts";

/** Figures and their signs hold together by no-break spaces. */
const page = renderPage([IDLE, LAUNCH]);
const plain = page.replaceAll("\u00a0", " ");

/** The lines of a section, tables with single spaces. */
function section(title: string): string {
  const from = plain.indexOf(`\n## ${title}\n`);
  assert.notEqual(from, -1, `there is no section "${title}"`);
  const to = plain.indexOf("\n## ", from + 1);
  return plain.slice(from, to === -1 ? undefined : to).replaceAll(/ +/g, " ");
}

describe("the report", () => {
  test("has every bar with its verdict in the summary", () => {
    const summary = section("Summary");
    assert.match(summary, /1 of 3 bars met, \*\*1 MISSED\*\*, 1 not measured\./);
    assert.match(summary, /one: child_process \/ pidpool \| at least 5 × \| 10.0 × \| met/);
    assert.match(summary, /first: pidpool \| at most 80 µs \| 100 µs \| \*\*MISSED\*\*/);
    assert.match(summary, /of many \| at most 1 000 µs \| – \| not measured/);
  });

  test("tells where contestants and floors are ahead, and by how much", () => {
    const lost = section("Where pidfd does not win");
    assert.match(
      lost,
      /worse median in 2 of 7 comparisons with other contestants and in 1 of 1 comparisons with floors/,
    );
    assert.match(lost, /\| first \| child_process \| 50.0 \| 100 \| µs a child \| 2.00 × \| yes \|/);
    assert.match(lost, /\| first \| C, wait4 \| 25.0 \| 100 \| µs a child \| 4.00 × \| no \|/);
    assert.doesNotMatch(lost, /\| one \|/);
  });

  test("takes a rate for better when it is higher", () => {
    assert.match(
      section("Where pidfd does not win"),
      /\| rate \| child_process \| 410 \| 210 \| MB\/s \| 1.95 × \| no \|/,
    );
    assert.match(section("idle"), /- Lower is better: 64 in flight; all, longest\.\n- Higher is better: rate\./);
  });

  test("has no winner where neither is better", () => {
    assert.match(section("idle"), /- Neither is better: batch\./);
    assert.doesNotMatch(section("Where pidfd does not win"), /batch/);
  });

  test("names on an axis where somebody is ahead", () => {
    const rows = [0, 1, 10, 100].flatMap((x) => [
      { group: "all", label: "pidpool", x, samples: [10] },
      { group: "all", label: "execa", x, samples: [x < 10 ? 5 + x : 50] },
    ]);
    const saved = { scenario: "s", title: "t", date: "2026-01-02", machine: MACHINE, unit: "ms", axis: "size", rows };
    const text = renderPage([parseResult(JSON.stringify({ ...saved, bars: [], notes: [] }))]).replaceAll("\u00a0", " ");
    assert.match(text, /all, size: 0, 1 \(2 of 4\) \| execa +\| 5.00 to 6.00 \| +10.0 \| ms +\| 1.67 × to 2.00 ×/);
  });

  test("has every figure with its spread and its ratio", () => {
    assert.match(section("launch"), /\| one \| child_process \| 1 000 \| 900 – 1 100 \| 10.0 × \|/);
    assert.match(section("launch"), /\| one \| \*\*pidpool\*\* \| 100 \| 90.0 – 110 \| 1.00 × \|/);
    assert.match(section("launch"), /\| one \| execa \| not measured \| \| \|/);
    assert.match(
      section("idle"),
      /\| 64 in flight \| 10 000 \| child_process \| 10 901 \| 10 900 – 10 902 \| µs a child \| 179 × \|/,
    );
  });

  test("puts contestants side by side that the scenario has in groups of their own", () => {
    assert.match(section("idle"), /\| all, longest \| \| child_process \| 30.0 \| 20.0 – 40.0 \| ms \|/);
    assert.match(section("idle"), /\| all, longest \| \| \*\*pidpool\*\* \| 0 \| 0 – 0.500 \| ms \|/);
  });

  test("says who is missing, and notes verbatim", () => {
    assert.match(section("launch"), /- nano-spawn: not installed \(try \\\*it\\\*\)/);
    assert.match(section("Machine and versions"), /Not found on the machine, so not measured: execa\./);
    assert.match(section("idle"), /Not in this scenario: execa\./);
  });

  test("describes a machine once, and does not say whose it is", () => {
    const setup = section("Machine and versions");
    assert.equal(setup.split("Some CPU").length, 2);
    assert.match(setup, /\| Linux \| 6\.1\.0 \|/);
    assert.doesNotMatch(page, /vendor|measured in one go/);
  });

  test("warns of results from different machines, versions or days", () => {
    const elsewhere = { ...IDLE, date: "2026-02-03", machine: { ...MACHINE, versions: { node: "22.0.0" } } };
    const text = renderPage([elsewhere, LAUNCH]);
    assert.match(text, /\*\*Not everything was measured in one go:\*\* the results differ in node, execa, date\./);
    assert.match(text, /set-up 1 +\| set-up 2/);
  });

  test("is the same each time", () => {
    assert.equal(renderPage([IDLE, LAUNCH]), page);
  });
});

describe("a result", () => {
  test("that is not what it should be is refused by name", () => {
    const saved = { scenario: "s", title: "t", date: "d", machine: {}, unit: "ms", rows: [{ group: "g" }] };
    assert.throws(() => parseResult(JSON.stringify(saved)), /rows\[0\]\.label is no string/);
  });
});

// The doctor's table, of made-up reports.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProbeReport, ProbeResult } from "pidpool";
import { doctorTable } from "#pidpool/cli/doctor-table.js";

const PLAIN = { colours: false, width: Infinity };

function result(part: Partial<ProbeResult> & Pick<ProbeResult, "feature" | "status">): ProbeResult {
  return { group: "isolation", detail: "so it is", remedy: null, since: "5.10", neededFor: ["option"], ...part };
}

function reportOf(features: readonly ProbeResult[], ready = true): ProbeReport {
  return { platform: "linux", kernel: "6.1.0", arch: "x64", libc: "musl", node: "22.0.0", ready, features };
}

const SOME = [
  result({ feature: "launch", status: "yes", group: "launching" }),
  result({ feature: "isolation-shared", status: "no", detail: "it was refused here", remedy: "ask for more of it" }),
  result({ feature: "pid-namespace", status: "limited", detail: "in part", remedy: "ask for more of it" }),
  result({ feature: "own-proc", status: "no", detail: "not tried: no pids" }),
];

test("columns are aligned, each remedy stands once beneath its part", () => {
  assert.equal(
    doctorTable(reportOf(SOME), "1.2.3", PLAIN),
    [
      "pidpool 1.2.3, Node 22.0.0, Linux 6.1.0, x64, musl",
      "",
      "launching",
      "  launch            yes      so it is",
      "",
      "isolation",
      "  isolation-shared  no       it was refused here; needed for option",
      "  pid-namespace     limited  in part; needed for option",
      "  own-proc          no       not tried: no pids",
      "  remedy for isolation-shared, pid-namespace: ask for more of it",
      "",
      'Launches work here. Of 4 features, 3 are missing or limited. The default isolation is refused: launches need isolation: "none", or the remedy above.',
      "",
    ].join("\n"),
  );
});

test("lines keep to the width of the terminal", () => {
  const width = 64;
  const lines = doctorTable(reportOf(SOME), "1.2.3", { colours: false, width }).split("\n");
  assert.ok(
    lines.every(({ length }) => length <= width),
    lines.join("\n"),
  );
  assert.ok(lines.includes(`${" ".repeat(29)}option`), lines.join("\n"));
});

test("colours change nothing but colours", () => {
  const coloured = doctorTable(reportOf(SOME), "1.2.3", { colours: true, width: Infinity });
  assert.ok(coloured.includes("\u001B[31mno     \u001B[39m"));
  // oxlint-disable-next-line no-control-regex
  assert.equal(coloured.replaceAll(/\u001B\[\d+m/g, ""), doctorTable(reportOf(SOME), "1.2.3", PLAIN));
});

test("says so where all is well, and where nothing is", () => {
  const well = [result({ feature: "isolation-shared", status: "yes" })];
  assert.match(doctorTable(reportOf(well), "1", PLAIN), /\nEverything works here\.\n$/);
  assert.match(doctorTable(reportOf(well, false), "1", PLAIN), /\npidpool cannot launch anything here\.\n$/);
});

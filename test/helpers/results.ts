// Results of a benchmark that nobody ran, with all that a report has to cope with.
import { parseResult, type Result } from "../../bench/report/result.ts";

/** What a saved file says of the machine. */
export const MACHINE = {
  cpu: "Some CPU",
  cores: 2,
  kernel: "6.1.0-vendor",
  load: 0.5,
  versions: { node: "20.0.0", execa: "unknown" },
};

function save(scenario: string, parts: object): Result {
  const whole = { scenario, title: `what ${scenario} does`, date: "2026-01-02", machine: MACHINE, bars: [], notes: [] };
  return parseResult(JSON.stringify({ ...whole, ...parts }));
}

/** Without an axis; child_process wins in one group, and one contestant has no figure. */
export const LAUNCH: Result = save("launch", {
  unit: "µs a child",
  rows: [
    { group: "one", label: "child_process", samples: [1000, 900, 1100] },
    { group: "one", label: "pidpool", samples: [100, 90, 110] },
    { group: "one", label: "execa", samples: [] },
    { group: "first", label: "child_process", samples: [50, 40, 95] },
    { group: "first", label: "pidpool", samples: [100, 90, 110] },
    { group: "first", label: "C, wait4", samples: [25, 24, 26] },
  ],
  bars: [
    { what: "one: child_process / pidpool", relation: "at least", limit: 5, unit: "x", value: 10, met: true },
    { what: "first: pidpool", relation: "at most", limit: 80, unit: "µs", value: 100, met: false },
    { what: "of many", relation: "at most", limit: 1000, unit: "µs", value: null, met: null },
  ],
  notes: ["nano-spawn: not installed (try *it*)"],
});

/** On an axis with a zero; in two units, of which higher is better in one; grouped by contestant in a part. */
export const IDLE: Result = save("idle", {
  unit: "µs a child",
  axis: "idle children",
  rows: [
    ...[0, 100, 10_000].flatMap((x) => [
      { group: "64 in flight", label: "pidpool", x, samples: [60, 61, 62] },
      { group: "64 in flight", label: "child_process", x, samples: [900 + x, 901 + x, 902 + x] },
    ]),
    { group: "rate", label: "pidpool", unit: "MB/s", samples: [200, 210, 220] },
    { group: "rate", label: "child_process", unit: "MB/s", samples: [400, 410, 420] },
    { group: "batch", label: "pidpool", unit: "exits", better: "neither", samples: [9] },
    { group: "batch", label: "child_process", unit: "exits", better: "neither", samples: [1] },
    { group: "pidpool, all", label: "longest", unit: "ms", samples: [0, 0, 0.5] },
    { group: "child_process, all", label: "longest", unit: "ms", samples: [20, 30, 40] },
  ],
});

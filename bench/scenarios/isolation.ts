// What each isolation adds to the cost of a lifecycle. A group is an isolation:
// pidpool's pool with it, the C program that makes the same system calls, and
// where it is what bubblewrap does too, pidpool and the C program that start
// children through that. What root measures is measured as an ordinary user,
// too, as far as that is another way.
import { bwrapCommand, NO_BWRAP } from "../contestants/bwrap.ts";
import { Floors } from "../floors/floors.ts";
import { median } from "../stats.ts";
import { IsolationMeasures } from "./isolation-measures.ts";
import { IN_FLIGHT } from "./launches.ts";
import { launchers, NONE, PRIVATE, type Launcher } from "./levels.ts";
import { losses } from "./losses.ts";
import type { Bar, Bench, Findings, Scenario } from "./scenario.ts";
import type { Table } from "./table.ts";

const POOL = "pidpool";
const FLOOR = "C, with the same calls";
const BAR_SHARED = 1.15;
const BAR_CONTAINED = 1.25;
const BAR_CONTAINED_BY_HELPER = 2;
const BAR_PRIVATE = 0.85;

async function run(bench: Bench): Promise<Findings> {
  const measures = new IsolationMeasures(bench, await Floors.compile());
  const { table, notes, settled } = measures;
  const wrapper = bwrapCommand();
  const all = launchers();
  for (const launcher of all) {
    for (const level of launcher.levels) {
      await measures.addPool(launcher, level, { label: POOL });
      measures.addFloor(launcher, level, { label: FLOOR });
      if (level.name !== PRIVATE || wrapper === undefined) continue;
      await measures.addPool(launcher, level, { label: "bwrap, started by pidpool", wrapper });
      measures.addFloor(launcher, level, { label: "bwrap, started by C", wrapper });
    }
  }
  if (wrapper === undefined) notes.push(`bwrap: ${NO_BWRAP}`);
  if (all.length === 1)
    notes.push("measured as one user only: root without its capabilities, or somebody who cannot become another");
  await bench.interleave(measures.all);
  if (settled.length > 0)
    notes.push(
      `the kernel removes network namespaces later: when pidpool is done, that goes on for ${median(settled).toFixed(0)} ms, which are in no figure; the next measure waits`,
    );
  return {
    unit: "µs a child",
    rows: table.measured,
    bars: bars(table, all),
    notes: [...notes, ...losses(table, POOL)],
  };
}

function bars(table: Table, all: readonly Launcher[]): readonly Bar[] {
  const overNone = (name: string, launcher: Launcher | undefined, limit: number, as = ""): Bar => {
    const cost = (level: string): number => table.median(level + (launcher?.suffix ?? ""), POOL);
    const value = launcher === undefined ? NaN : cost(name) / cost(NONE);
    return { what: `${POOL}${as}: ${name} / ${NONE}`, relation: "at most", limit, unit: "x", value };
  };
  const privileged = all.find((launcher) => launcher.privileged);
  const ordinary = all.find((launcher) => !launcher.privileged);
  return [
    overNone("shared", all[0], BAR_SHARED),
    overNone("contained", privileged, BAR_CONTAINED, " with CAP_SYS_ADMIN"),
    overNone("contained", ordinary, BAR_CONTAINED_BY_HELPER, " as an ordinary user"),
    {
      what: `${PRIVATE}: speed of ${FLOOR}`,
      relation: "at least",
      limit: BAR_PRIVATE,
      unit: "x",
      value: table.ratio(PRIVATE, FLOOR, POOL),
    },
  ];
}

/** See the head of this file. */
export const isolationScenario: Scenario = {
  name: "isolation",
  title: `a whole lifecycle of a static child, ${IN_FLIGHT} in flight, by what the child is kept apart from; two supervisor threads`,
  run,
};

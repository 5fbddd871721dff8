// The library's own inner steps, none of which starts anything. No bars: these
// show where time goes.
import { encodeSpec, type Encodable } from "#pidpool/process/encode.js";
import { inheritedEnv } from "#pidpool/process/env.js";
import { resolveSpec } from "#pidpool/process/spec.js";
import { planStdio } from "#pidpool/process/stdio.js";
import { fdFlags } from "#pidpool/native/syscalls.js";
import { RECORD } from "#pidpool/pool/protocol.js";
import { ReportReader, ReportWriter } from "#pidpool/pool/report-ring.js";
import { Region } from "#pidpool/native/region.js";
import { Bench as TinyBench } from "tinybench";
import type { Bench, Findings, Scenario } from "./scenario.ts";

/** Calls that are timed together: a single one is too short for the clock. */
const BATCH = 1000;
const RECORDS = 64;

let sink = 0;

function encodable(): Encodable {
  const ids = { flags: 0, uid: 0, gid: 0, groups: [], umask: 0, nice: 0, pdeathsig: 9, confinement: undefined };
  return {
    candidates: ["/usr/local/bin/git", "/usr/bin/git", "/bin/git"],
    argv: ["git", "rev-parse", "HEAD"],
    env: inheritedEnv(),
    cwd: undefined,
    fds: planStdio("run", undefined, undefined, undefined),
    ...ids,
  };
}

function count(record: number, slot: number): void {
  sink += record + slot;
}

/** What leaves the supervisor thread is read at once; the message that wakes the reader is not measured. */
function roundTrip(): () => void {
  const region = Region.create();
  const writer = new ReportWriter(region);
  const reader = new ReportReader(region);
  const tell = (): void => reader.expectRing();
  return () => {
    for (let slot = 0; slot < RECORDS; slot++) writer.add(RECORD.exited, slot, 1, tell);
    writer.publish(tell);
    while (reader.next(count));
  };
}

interface Step {
  readonly label: string;
  readonly call: () => void;
  /** What one call counts for. */
  readonly weight: number;
}

function steps(): readonly Step[] {
  const spec = encodable();
  const env = { ...process.env };
  return [
    {
      label: "resolveSpec, two arguments, inherited environment",
      call: () => (sink += resolveSpec("run", "git", ["rev-parse", "HEAD"], {}).block.length),
      weight: 1,
    },
    {
      label: "resolveSpec, two arguments, given environment",
      call: () => (sink += resolveSpec("run", "git", ["rev-parse", "HEAD"], { env }).block.length),
      weight: 1,
    },
    { label: "encodeSpec alone", call: () => (sink += encodeSpec(spec).length), weight: 1 },
    { label: "one exit through the ring of reports", call: roundTrip(), weight: RECORDS },
    { label: "one koffi call that is a system call (fcntl)", call: () => (sink += fdFlags(0)), weight: 1 },
  ];
}

async function run(bench: Bench): Promise<Findings> {
  const measured = steps().map((step) => ({ step, samples: [] as number[] }));
  const measures = measured.map(({ step: { label, call, weight }, samples }) => async () => {
    const repeat = Math.ceil(BATCH / weight);
    const tiny = new TinyBench({ time: bench.milliseconds / 4, warmupTime: bench.milliseconds / 10 });
    tiny.add(label, () => {
      for (let i = 0; i < repeat; i++) call();
    });
    const [task] = await tiny.run();
    const result = task?.result;
    if (result === undefined || !("latency" in result)) throw new Error(`${label} did not run`);
    samples.push((result.latency.p50 * 1e6) / (repeat * weight));
  });
  await bench.interleave(measures);
  return {
    unit: "ns",
    rows: measured.map(({ step, samples }) => ({ group: "in the library", label: step.label, samples })),
    bars: [],
    notes: [],
  };
}

/** See the head of this file. */
export const microScenario: Scenario = { name: "micro", title: "inner steps, by tinybench", run };

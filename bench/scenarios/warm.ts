// A job on a process that was started before it, beside one that starts a
// process for it: from the call to the whole result. All in this process, whose
// heap is small, so that child_process pays nothing for that.
import { spawn, type ChildProcessByStdio, type StdioOptions } from "node:child_process";
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { ProcessPool } from "pidpool";
import { median } from "../stats.ts";
import { losses } from "./losses.ts";
import type { Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

const WARM = "pidpool";
const COLD = "pidpool, not warm";
const INPUT = "[1,2,3]";
const ANSWER = "6";
const SPARES = 2;
/** In one round, of which the median counts. */
const JOBS = 15;
const BAR = 10;
const PATIENCE_MS = 60_000;
const LOOK_MS = 2;

/** A program that says on stderr when it has booted, reads a list of numbers, and writes their sum. */
interface Program {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
}

const NODE = `
  const fs = require("node:fs");
  fs.writeSync(2, ".");
  const numbers = JSON.parse(fs.readFileSync(0, "utf8"));
  fs.writeSync(1, String(numbers.reduce((a, b) => a + b)));
`;
const PYTHON = `
import json, os, sys
os.write(2, b".")
os.write(1, str(sum(json.load(sys.stdin))).encode())
`;

const PROGRAMS: readonly Program[] = [
  { name: "Node", file: process.execPath, args: ["-e", NODE] },
  { name: "Python", file: "/usr/bin/python3", args: ["-c", PYTHON] },
];

/** A file to which every process of a program writes a byte once it has booted. */
class BootLog {
  readonly file: string;
  readonly fd: number;
  /** Jobs so far. Each had a process of its own, whoever started that. */
  jobs = 0;

  constructor(file: string) {
    this.file = file;
    this.fd = openSync(file, "a");
  }

  /** Waits until nothing is booting: all of the spares are there. */
  async quiet(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (fstatSync(this.fd).size < this.jobs + SPARES) {
      if (performance.now() > deadline) throw new Error(`no spares after ${PATIENCE_MS / 1000} s`);
      await sleep(LOOK_MS);
    }
  }
}

/** As people write it: stdin, stdout and the exit. */
async function withChildProcess({ file, args }: Program, env: NodeJS.ProcessEnv, { fd }: BootLog): Promise<string> {
  const options = { stdio: ["pipe", "pipe", fd] satisfies StdioOptions, env };
  const child = spawn(file, args, options) as ChildProcessByStdio<Writable, Readable, null>;
  const exited = new Promise((resolve, reject) => child.once("error", reject).once("exit", resolve));
  child.stdin.end(INPUT);
  const [answer] = await Promise.all([text(child.stdout), exited]);
  return answer;
}

/** The median of some jobs, one after the other, in microseconds. */
async function measure(job: () => Promise<string>, log: BootLog): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < JOBS; i++) {
    await log.quiet();
    const start = performance.now();
    const answer = await job();
    samples.push((performance.now() - start) * 1000);
    if (answer !== ANSWER) throw new Error(`the program answers ${JSON.stringify(answer)}`);
    log.jobs++;
  }
  return median(samples);
}

async function run(bench: Bench): Promise<Findings> {
  const directory = mkdtempSync(join(tmpdir(), "pidpool-bench-"));
  const pool = new ProcessPool({ isolation: "none" });
  const env = { ...process.env };
  const table = new Table();
  const notes: string[] = [];
  const logs: BootLog[] = [];
  const measures: (() => Promise<void>)[] = [];
  try {
    for (const program of PROGRAMS) {
      const { name, file, args } = program;
      if (!existsSync(file)) {
        notes.push(`${name}: not installed`);
        continue;
      }
      const log = new BootLog(join(directory, name));
      logs.push(log);
      const command = pool.command(file, args, { env, stdio: [undefined, "capture", log.fd] });
      const warm = command.warm({ spares: SPARES });
      const ways: readonly (readonly [label: string, job: () => Promise<string>])[] = [
        [WARM, async () => (await warm.run({ input: INPUT })).stdout],
        [COLD, async () => (await command.run({ input: INPUT })).stdout],
        ["child_process", () => withChildProcess(program, env, log)],
      ];
      for (const [label, job] of ways) {
        const samples = table.samples(name, label);
        measures.push(async () => void samples.push(await measure(job, log)));
      }
    }
    await bench.interleave(measures);
  } finally {
    await pool.destroy();
    for (const { fd } of logs) closeSync(fd);
    rmSync(directory, { recursive: true, force: true });
  }
  const value = table.ratio("Node", COLD, WARM);
  return {
    unit: "µs",
    rows: table.measured,
    bars: [
      { what: "Node: a process started for the job / a warm one", relation: "at least", limit: BAR, unit: "x", value },
    ],
    notes: [
      ...notes,
      `${SPARES} spares; each job waits until all of them have booted, as they say themselves`,
      ...losses(table, WARM),
    ],
  };
}

/** See the head of this file. */
export const warmScenario: Scenario = {
  name: "warm",
  title: "a small job for an interpreter, on a process that waits for it: from the call to the whole result",
  run,
};

// What this process holds, before and after.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { allChildPids, openFds, until } from "../helpers/processes.ts";

/** Fds, children, listeners and timers. */
interface Census {
  readonly fds: readonly string[];
  readonly children: number;
  readonly listeners: number;
  readonly timers: number;
}

function census(): Census {
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  return { fds: openFds().toSorted(), children: allChildPids().length, listeners, timers };
}

/** Runs something that must leave nothing behind; what is only closed in a later turn of the loop is waited for. */
export async function leavesNothing(work: () => Promise<void>): Promise<void> {
  const earlier = census();
  await work();
  const isOver = (): boolean => {
    const now = census();
    return (
      (["children", "listeners", "timers"] as const).every((key) => now[key] <= earlier[key]) &&
      now.fds.length <= earlier.fds.length
    );
  };
  const patience = AbortSignal.timeout(20_000);
  await until(() => isOver() || patience.aborted);
  if (!isOver()) assert.deepEqual(census(), earlier);
}

/** Tests of a file run in a directory of its own: odd file names are made there. */
export function inEmptyDirectory(): void {
  const earlier = process.cwd();
  const directory = mkdtempSync(join(tmpdir(), "pidpool-fuzz-"));
  before(() => process.chdir(directory));
  after(() => {
    process.chdir(earlier);
    rmSync(directory, { recursive: true, force: true });
  });
}

// A launch on its way: what was asked of it between a failed attempt and the word of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PidpoolError } from "pidpool";
import { EAGAIN } from "#pidpool/native/errno.js";
import { Launch, type LaunchHost } from "#pidpool/pool/launch.js";
import type { Supervisor } from "#pidpool/pool/supervisor.js";
import type { RunResult } from "#pidpool/process/result.js";
import { resolveSpec } from "#pidpool/process/spec.js";

/** A launch whose launcher has just failed with EAGAIN, of which the launch has not heard yet. */
function failing(signal?: AbortSignal): { launch: Launch; outcome: Promise<RunResult>; retries: () => number } {
  let retries = 0;
  const host: LaunchHost = {
    begin: (launch) => {
      // The slot says FAILED by now: a request to stop changes nothing there.
      launch.child.supervisor = { stop: () => undefined } as unknown as Supervisor;
      return 0;
    },
    retry: () => retries++,
    forget: () => undefined,
    spawned: () => undefined,
    settled: () => undefined,
  };
  let launch: Launch | undefined;
  const outcome = new Promise<RunResult>((resolve, reject) => {
    const spec = resolveSpec("run", "true", [], { signal });
    launch = new Launch(host, spec, false, { resolve, reject }, undefined);
  });
  assert.ok(launch);
  launch.attempt();
  return { launch, outcome, retries: () => retries };
}

function hears({ launch }: { launch: Launch }): void {
  launch.child.supervisor = undefined;
  launch.failed("clone", EAGAIN, 0);
}

test("an abort between a failed attempt and the word of it ends the launch instead of a new attempt", async () => {
  const controller = new AbortController();
  const failed = failing(controller.signal);
  controller.abort();
  hears(failed);
  await assert.rejects(failed.outcome, (error: PidpoolError) => error.code === "ERR_ABORTED");
  assert.equal(failed.retries(), 0);
});

test("a stop between a failed attempt and the word of it ends the launch instead of a new attempt", async () => {
  const failed = failing();
  failed.launch.stop("shutdown", 15);
  hears(failed);
  await assert.rejects(failed.outcome, (error: PidpoolError) => error.code === "ERR_CLOSED");
  assert.equal(failed.retries(), 0);
});

test("with nothing asked, it is tried again", () => {
  const failed = failing();
  hears(failed);
  assert.equal(failed.retries(), 1);
});

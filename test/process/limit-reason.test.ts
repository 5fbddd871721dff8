import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExitReason, ExitReport } from "pidpool";
import { ConfinementWriter } from "#pidpool/process/confinement.js";
import { limitReason } from "#pidpool/process/limit-reason.js";
import { writeLimits, type Rlimit } from "#pidpool/process/limits.js";
import { describeExit } from "#pidpool/process/explain.js";
import { facts } from "../helpers/reports.ts";

const FACTS = facts({ wallMs: 5000 });

function limits(given: object): readonly Rlimit[] {
  const anything = { hard: () => 2n ** 64n - 1n, mayRaise: () => false, maxOpenFiles: () => 0n };
  return writeLimits(new ConfinementWriter(), given, anything);
}

function killed(signal: string, userMs: number | null, systemMs: number | null, reason?: ExitReason): ExitReport {
  return {
    ...FACTS,
    status: "signaled",
    signal,
    coreDumped: false,
    core: null,
    userMs,
    systemMs,
    reason: reason ?? "signal",
  };
}

const never = (): boolean => false;
const cpu = limits({ cpuSeconds: 1.5 });

test("SIGXCPU is the CPU limit's, where there is one", () => {
  assert.equal(limitReason(killed("SIGXCPU", 1900, 90), cpu, never), "cpu-limit");
  assert.equal(limitReason(killed("SIGXCPU", 1900, 90), limits({ fileSize: 1 }), never), "signal");
  assert.equal(limitReason(killed("SIGXCPU", 1900, 90), limits({ cpuSeconds: Infinity }), never), "signal");
  assert.equal(limitReason(killed("SIGXCPU", 1900, 90), [], never), "signal");
});

test("SIGKILL is, where that much CPU time was used", () => {
  assert.equal(limitReason(killed("SIGKILL", 1200, 800), cpu, never), "cpu-limit");
  assert.equal(limitReason(killed("SIGKILL", 3000, 0), cpu, never), "cpu-limit");
  assert.equal(limitReason(killed("SIGKILL", 1200, 799), cpu, never), "signal");
  assert.equal(limitReason(killed("SIGKILL", null, null), cpu, never), "signal");
  assert.equal(limitReason(killed("SIGKILL", 9e9, 0), limits({ cpuSeconds: Infinity }), never), "signal");
  assert.equal(limitReason(killed("SIGKILL", 9e9, 0), limits({ core: 0 }), never), "signal");
});

test("SIGXFSZ is the file size limit's", () => {
  assert.equal(limitReason(killed("SIGXFSZ", 0, 0), limits({ fileSize: 0 }), never), "file-size-limit");
  assert.equal(limitReason(killed("SIGXFSZ", 0, 0), limits({ fileSize: Infinity }), never), "signal");
  assert.equal(limitReason(killed("SIGXFSZ", 0, 0), cpu, never), "signal");
});

test("what we sent, and what the pool did, was no limit", () => {
  for (const signal of ["SIGKILL", "SIGXCPU"]) {
    assert.equal(
      limitReason(killed(signal, 5000, 0), cpu, (sent) => sent === signal),
      "signal",
    );
    for (const reason of ["timeout", "aborted", "shutdown", "output-limit"] as const)
      assert.equal(limitReason(killed(signal, 5000, 0, reason), cpu, never), reason);
  }
  assert.equal(
    limitReason(killed("SIGKILL", 5000, 0), cpu, (sent) => sent === "SIGTERM"),
    "cpu-limit",
  );
});

test("other ends are what they were", () => {
  assert.equal(limitReason(killed("SIGSEGV", 5000, 0), cpu, never), "signal");
  const code = { ...FACTS, status: "exited", code: 152, reason: "exit", userMs: 5000, systemMs: 0 } as const;
  assert.equal(limitReason(code, cpu, never), "exit");
  const unknown = { ...FACTS, status: "unknown", reason: "unknown", userMs: null, systemMs: null } as const;
  assert.equal(limitReason(unknown, cpu, never), "unknown");
});

test("a description names the limit and the signal", () => {
  assert.equal(
    describeExit(killed("SIGXCPU", 0, 0, "cpu-limit")),
    "used more CPU time than limits.cpuSeconds allows (was killed by SIGXCPU)",
  );
  assert.equal(
    describeExit(killed("SIGXFSZ", 0, 0, "file-size-limit")),
    "wrote a file larger than limits.fileSize allows (was killed by SIGXFSZ)",
  );
});

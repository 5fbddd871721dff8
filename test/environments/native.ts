// The native layer by itself, for runtimes that cannot carry a pool, and for their C library: koffi loads the shim, a
// launcher's own thread launches, epoll tells of the exits, waitid reaps.
import assert from "node:assert/strict";
import { Launcher } from "#pidpool/native/launcher.js";
import { SLOT, STATE } from "#pidpool/native/layout.js";
import { trySystemCalls } from "#pidpool/native/probe.js";
import { waitPidfd } from "#pidpool/native/syscalls.js";
import { resolveSpec } from "#pidpool/process/spec.js";

for (const name of ["LD_PRELOAD", "LD_LIBRARY_PATH"]) delete process.env[name];

const CLD_EXITED = 1;
const CHILDREN = 20;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

for (const { name, errno } of trySystemCalls()) assert.ok(errno === 0, `${name}: errno ${errno}`);
const launcher = new Launcher();
const { region } = launcher;
const field = (slot: number, offset: number): number => region.words[(region.slot(slot) + offset) >> 2] ?? 0;

for (let slot = 0; slot < CHILDREN; slot++) {
  const spec = resolveSpec("spawn", "sh", ["-c", `exit ${slot}`], { stdio: "ignore", isolation: "none" });
  const sources = spec.fds.map((_, index) => ({ index, source: launcher.devNull, handed: false }));
  assert.equal(launcher.prepare(slot, spec.block, sources), 0);
  Atomics.store(region.words, region.slot(slot) >> 2, STATE.queued);
  launcher.submit(slot);
}
const codes: number[] = [];
for (let slot = 0; slot < CHILDREN; slot++) {
  while (Atomics.load(region.words, region.slot(slot) >> 2) !== STATE.running) await pause();
  const siginfo = region.address + region.slot(slot) + SLOT.siginfo;
  // 0 also while it lives.
  while (field(slot, SLOT.siginfo + 8) !== CLD_EXITED) {
    assert.equal(waitPidfd(field(slot, SLOT.pidfd), siginfo, siginfo - SLOT.siginfo + SLOT.rusage), 0);
    await pause();
  }
  codes.push(field(slot, SLOT.siginfo + 24));
}
launcher.dispose();
assert.deepEqual(
  codes,
  codes.map((_, i) => i),
);
console.log("passed");

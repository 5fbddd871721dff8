// What a supervisor makes of what a launcher has left in their region, one look
// at a time. The launcher has no thread here: the test writes as it would.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { Launcher } from "#pidpool/native/launcher.js";
import { LAUNCHER, NOTICE_END, SLOT, SPEAKS, STAGES, STATE } from "#pidpool/native/layout.js";
import { close, epollAdd, pipe, setNonblocking, wake, writeBytes } from "#pidpool/native/syscalls.js";
import { Bulk } from "#pidpool/pool/bulk.js";
import { Child, type ChildEvents } from "#pidpool/pool/child.js";
import { fillSlot } from "#pidpool/pool/fill-slot.js";
import { Plumbing } from "#pidpool/pool/plumbing.js";
import { OutputReader } from "#pidpool/pool/output-batch.js";
import { eventToken, NOTIFY_FD, type OutputBatch, RECORD } from "#pidpool/pool/protocol.js";
import { ReportReader } from "#pidpool/pool/report-ring.js";
import { Slots } from "#pidpool/pool/slots.js";
import { Supervision } from "#pidpool/pool/supervision.js";
import { resolveSpec } from "#pidpool/process/spec.js";
import { until } from "../helpers/processes.ts";

const unheard = (): never => assert.fail("nobody is told of this child");
const EVENTS: ChildEvents = { launched: unheard, exited: unheard, failed: unheard, cancelled: unheard };

interface Scene {
  readonly launcher: Launcher;
  readonly slots: Slots;
  readonly supervise: () => Supervision;
  readonly notify: (notice: number) => void;
  /** Records that have come since the last call. */
  readonly told: () => readonly number[];
  /** What the launcher does when its epoll_ctl has failed. */
  readonly failToWatch: () => void;
  /** The pool's end of the supervisor's port. */
  readonly owner: MessagePort;
}

/** Slot 0 has a child with a timeout, whose launch is to be announced and has just passed exec. */
function scene(t: TestContext): Scene {
  const launcher = new Launcher(false);
  const { region, epoll, wake: wakeFd, bell } = launcher;
  const { port1: port, port2 } = new MessageChannel();
  t.after(() => {
    port.close();
    port2.close();
    launcher.dispose();
  });
  const slots = new Slots(region);
  const spec = resolveSpec("spawn", "true", [], { stdio: "ignore", timeout: 60_000 });
  fillSlot(slots, 0, new Child(spec, EVENTS, true), undefined);
  slots.setState(0, STATE.running);
  const reports = new ReportReader(region);
  let notices = 0;
  return {
    launcher,
    slots,
    supervise: () => new Supervision({ region: region.address, epoll, wake: wakeFd, bell, port, longestSleep: 0 }),
    notify: (notice: number) => {
      region.words[region.noticeEntry(notices)] = notice;
      region.setHeader(LAUNCHER.noticesHead, ++notices);
    },
    told: () => {
      const told: number[] = [];
      while (reports.next((record) => told.push(record)));
      return told;
    },
    owner: port2,
    failToWatch: () => slots.set(0, SLOT.stage, STAGES.indexOf("watch")),
  };
}

test("a child that runs but is not watched yet is not announced: epoll_ctl may still fail", (t) => {
  const { supervise, notify, told, failToWatch } = scene(t);
  const supervision = supervise();
  notify(0);
  supervision.turn(0);
  assert.deepEqual(told(), []);
  // Nor by one who takes over in that moment.
  const successor = supervise();
  assert.deepEqual(told(), []);
  failToWatch();
  notify(0 | NOTICE_END);
  successor.turn(0);
  assert.deepEqual(told(), []);
});

test("a child is announced once its launcher is done with it, to a successor too", (t) => {
  const { supervise, notify, told } = scene(t);
  supervise();
  notify(0);
  notify(0 | NOTICE_END);
  const successor = supervise();
  successor.turn(0);
  assert.deepEqual(told(), [RECORD.launched]);
  successor.turn(0);
  assert.deepEqual(told(), []);
});

test("what was heard before an exception in the same turn is told, which no successor would hear", (t) => {
  const { launcher, slots, supervise, owner } = scene(t);
  const ends = new Int32Array(2);
  assert.equal(pipe(ends), 0);
  const [out = -1, into = -1] = ends;
  t.after(() => close(into));
  setNonblocking(out);
  slots.set(0, SLOT.speaks, SPEAKS.yes);
  slots.set(0, SLOT.notifySocket, -1);
  slots.set(0, SLOT.notifyFd, out);
  assert.equal(epollAdd(launcher.epoll, out, eventToken(0, NOTIFY_FD), slots.generation(0)), 0);
  const supervision = supervise();
  writeBytes(into, Buffer.from("\n"), 1);
  owner.postMessage({ slot: "none" });
  wake(launcher.wake);
  assert.throws(() => supervision.turn(0), /does not know/);
  const heard: [number, string][] = [];
  const batch = receiveMessageOnPort(owner)?.message as OutputBatch | undefined;
  assert.ok(batch);
  const reader = new OutputReader(batch);
  while (
    reader.next((record, _slot, _generation, [said]) => heard.push([record, Buffer.from(said?.bytes ?? []).toString()]))
  );
  assert.deepEqual(heard, [[RECORD.notified, "READY=1"]]);
});

test("what a child has written that cannot be watched is not the slot's next child's", async (t) => {
  const { launcher, slots, supervise, notify, told, failToWatch } = scene(t);
  const spec = resolveSpec("run", "sh", ["-c", "head -c 200000 /dev/zero; exec sleep 1000"], { isolation: "none" });
  const plumbing = new Plumbing();
  assert.equal(plumbing.open(spec, ""), 0);
  fillSlot(slots, 0, new Child(spec, EVENTS, true), plumbing);
  assert.equal(launcher.prepare(0, spec.block, plumbing.sources, undefined), 0);
  for (const [i, { fd }] of plumbing.captures.entries())
    assert.equal(epollAdd(launcher.epoll, fd, eventToken(0, i + 1), slots.generation(0)), 0);
  assert.equal(launcher.launchHere(0), 0);
  const supervision = supervise();
  const bulk = new Bulk(slots.region, 0, 0);
  await until(() => {
    supervision.turn(0);
    return bulk.exists && bulk.size === 200_000;
  });
  failToWatch();
  notify(0 | NOTICE_END);
  await until(() => {
    supervision.turn(0);
    return slots.state(0) === STATE.exited;
  });
  assert.deepEqual(told(), [RECORD.exited]);
  assert.equal(bulk.exists, false);
  launcher.release(0);
});

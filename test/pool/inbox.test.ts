// The ring of reports and the inbox that reads it in slices, in real shared
// memory but without a supervisor thread.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Region, REPORT_COUNT } from "#pidpool/native/region.js";
import { Inbox } from "#pidpool/pool/inbox.js";
import { OutputWriter } from "#pidpool/pool/output-batch.js";
import { RECORD, type OutputBatch } from "#pidpool/pool/protocol.js";
import { ReportReader, ReportWriter } from "#pidpool/pool/report-ring.js";

type Seen = [record: number, slot: number, generation: number];

let region: Region;
let rings: number;
const tell = (): void => void rings++;

beforeEach(() => {
  region = Region.create();
  rings = 0;
});
afterEach(() => region.unmap());

function readAll(reader: ReportReader): Seen[] {
  const seen: Seen[] = [];
  while (reader.next((...report) => seen.push(report)));
  return seen;
}

describe("the ring of reports", () => {
  it("gives back what was published, in order, with every record, slot and generation", () => {
    const writer = new ReportWriter(region);
    const reader = new ReportReader(region);
    const reports: Seen[] = [
      [RECORD.launched, 0, 1],
      [RECORD.exited, 32767, -1],
      [RECORD.failed, 5, 2 ** 31 - 1],
      [RECORD.cancelled, 6, -(2 ** 31)],
    ];
    for (const report of reports) writer.add(...report, tell);
    assert.deepEqual(readAll(reader), [], "unpublished");
    writer.publish(tell);
    assert.deepEqual(readAll(reader), reports);
  });

  it("rings once until its reader says that it looks", () => {
    const writer = new ReportWriter(region);
    const reader = new ReportReader(region);
    writer.publish(tell);
    assert.equal(rings, 0, "nothing to tell");
    for (let slot = 0; slot < 3; slot++) {
      writer.add(RECORD.exited, slot, 1, tell);
      writer.publish(tell);
    }
    assert.equal(rings, 1);
    reader.expectRing();
    assert.equal(readAll(reader).length, 3);
    writer.add(RECORD.exited, 3, 1, tell);
    writer.publish(tell);
    assert.equal(rings, 2);
  });

  it("goes round many times, whatever part of it is in use", () => {
    const writer = new ReportWriter(region);
    const reader = new ReportReader(region);
    let next = 0;
    for (let written = 0; written < REPORT_COUNT * 3;) {
      for (let i = 0; i < 10_007; i++) writer.add(RECORD.exited, 1, written++, tell);
      writer.publish(tell);
      for (const [, , generation] of readAll(reader)) assert.equal(generation, next++);
      assert.equal(next, written);
    }
  });

  it("lets a successor go on where its predecessor published last", () => {
    const first = new ReportWriter(region);
    const reader = new ReportReader(region);
    first.add(RECORD.exited, 1, 1, tell);
    first.publish(tell);
    first.add(RECORD.exited, 2, 1, tell);
    const second = new ReportWriter(region);
    second.add(RECORD.exited, 3, 1, tell);
    second.publish(tell);
    // The first one may have died before it rang.
    assert.equal(rings, 2);
    assert.deepEqual(
      readAll(reader).map(([, slot]) => slot),
      [1, 3],
    );
  });
});

/** An inbox that has looked at a thousand reports, and the slots that it has told so far. */
function lookAtThousand(): { inbox: Inbox; seen: readonly number[] } {
  const writer = new ReportWriter(region);
  const seen: number[] = [];
  const inbox = new Inbox(region, (_record, slot) => seen.push(slot));
  for (let slot = 0; slot < 1000; slot++) writer.add(RECORD.exited, slot, 1, tell);
  writer.publish(tell);
  inbox.look();
  return { inbox, seen };
}

describe("an inbox", () => {
  it("leaves the event loop room between slices of a thousand reports", async () => {
    const { seen } = lookAtThousand();
    let most = seen.length;
    let turns = 1;
    while (seen.length < 1000) {
      const before = seen.length;
      await turn();
      turns++;
      most = Math.max(most, seen.length - before);
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 1000 }, (_, slot) => slot),
    );
    assert.ok(most <= 300 && turns >= 4, `${most} at once, ${turns} turns`);
  });

  it("reads all at once where that is asked for, of a dead thread's last words", () => {
    const { inbox, seen } = lookAtThousand();
    assert.ok(seen.length < 1000);
    inbox.readAll();
    assert.equal(seen.length, 1000);
  });

  it("touches its region no more once it is closed, though a turn of its own was still to come", async () => {
    const { inbox, seen } = lookAtThousand();
    const before = seen.length;
    assert.ok(before < 1000);
    inbox.close();
    for (let turns = 0; turns < 3; turns++) await turn();
    assert.equal(seen.length, before);
  });

  it("shares a turn with the other inboxes of its thread", async () => {
    const other = Region.create();
    try {
      const seen: number[] = [];
      const inboxes = [region, other].map((each) => {
        const writer = new ReportWriter(each);
        for (let slot = 0; slot < 200; slot++) writer.add(RECORD.exited, slot, 1, tell);
        writer.publish(tell);
        return new Inbox(each, (_record, slot) => seen.push(slot));
      });
      await turn();
      for (const inbox of inboxes) inbox.look();
      assert.ok(seen.length < 200, `${seen.length} of 400 in one turn`);
      while (seen.length < 400) await turn();
    } finally {
      other.unmap();
    }
  });

  it("reads batches with output behind reports, each exactly once", async () => {
    const reports = new ReportWriter(region);
    const outputs = new OutputWriter();
    const seen: [slot: number, text: string][] = [];
    const inbox = new Inbox(region, (_record, slot, _generation, captured) =>
      seen.push([slot, captured.map(({ bytes }) => Buffer.from(bytes).toString()).join()]),
    );
    const posted: OutputBatch[] = [];
    const port = { postMessage: (message: OutputBatch) => posted.push(message) };
    for (let slot = 0; slot < 300; slot++)
      outputs.add(RECORD.exited, slot, 1, [{ fd: 1, flags: 0, bytes: Buffer.from(`out ${slot}`) }]);
    outputs.flush(port as unknown as Parameters<OutputWriter["flush"]>[0]);
    for (let slot = 300; slot < 310; slot++) reports.add(RECORD.exited, slot, 1, tell);
    reports.publish(tell);
    for (const message of posted) inbox.receive(message);
    while (seen.length < 310) await turn();
    await turn();
    assert.equal(seen.length, 310);
    assert.deepEqual(
      new Map(seen),
      new Map(Array.from({ length: 310 }, (_, slot) => [slot, slot < 300 ? `out ${slot}` : ""])),
    );
  });
});

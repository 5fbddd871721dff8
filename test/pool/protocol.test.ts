import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { INLINE_OUTPUT, OutputReader, OutputWriter } from "#pidpool/pool/output-batch.js";
import { eventToken, OUTPUT, RECORD, type CapturedOutput, type OutputBatch } from "#pidpool/pool/protocol.js";

interface Entry {
  readonly record: number;
  readonly slot: number;
  readonly generation: number;
  readonly outputs: readonly CapturedOutput[];
}

/** Flushes through a real port, as between the threads, and reads what came. */
function cross(writer: OutputWriter): Entry[] {
  const { port1, port2 } = new MessageChannel();
  try {
    writer.flush(port1);
    const received = receiveMessageOnPort(port2);
    assert.equal(receiveMessageOnPort(port2), undefined, "more than one message");
    const entries: Entry[] = [];
    if (received === undefined) return entries;
    const reader = new OutputReader(received.message as OutputBatch);
    while (reader.next((record, slot, generation, outputs) => entries.push({ record, slot, generation, outputs })));
    return entries;
  } finally {
    port1.close();
  }
}

/** The same with copies of the outputs: large ones are handed over. */
const copy = ({ record, slot, generation, outputs }: Entry): Entry => ({
  record,
  slot,
  generation,
  outputs: outputs.map(({ fd, flags, bytes }) => ({ fd, flags, bytes: Uint8Array.from(bytes) })),
});

function roundTrip(entries: readonly Entry[]): void {
  const expected = entries.map(copy);
  const writer = new OutputWriter();
  for (const { record, slot, generation, outputs } of entries) writer.add(record, slot, generation, outputs);
  assert.deepEqual(cross(writer).map(copy), expected);
  assert.deepEqual(cross(writer), []);
}

const bytes = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));

test("records without output come back as they went", () => {
  roundTrip([
    { record: RECORD.launched, slot: 0, generation: 1, outputs: [] },
    { record: RECORD.failed, slot: 16_383, generation: 2 ** 31 - 1, outputs: [] },
    { record: RECORD.cancelled, slot: 1, generation: -(2 ** 31), outputs: [] },
    { record: RECORD.exited, slot: 2, generation: -1, outputs: [] },
  ]);
});

test("nothing is sent where nothing was added", () => roundTrip([]));

test("outputs of every size come back whole, with their fd and flags", () => {
  const sizes = [0, 1, 2, 3, 4, 5, 4095, 4096, INLINE_OUTPUT - 1, INLINE_OUTPUT, INLINE_OUTPUT + 1, 100_000];
  roundTrip(
    sizes.map((size, slot) => ({
      record: RECORD.exited,
      slot,
      generation: slot,
      outputs: [{ fd: 1, flags: 0, bytes: bytes(size) }],
    })),
  );
  const flags = [0, OUTPUT.limit, OUTPUT.held, OUTPUT.lost, OUTPUT.limit | OUTPUT.held | OUTPUT.lost];
  roundTrip(
    flags.map((each, slot) => ({
      record: RECORD.exited,
      slot,
      generation: 1,
      outputs: [{ fd: 255, flags: each, bytes: bytes(slot * 10_000) }],
    })),
  );
});

test("several outputs of one child, small and large mixed, keep their order", () => {
  const outputs = [10, 50_000, 0, 20_000, 7, INLINE_OUTPUT + 1].map((size, fd) => ({
    fd: fd + 1,
    flags: 0,
    bytes: bytes(size),
  }));
  roundTrip([
    { record: RECORD.exited, slot: 5, generation: 6, outputs },
    { record: RECORD.launched, slot: 6, generation: 7, outputs: [] },
    { record: RECORD.exited, slot: 7, generation: 8, outputs: [{ fd: 2, flags: 0, bytes: bytes(30_000) }] },
  ]);
});

test("a part of a larger buffer comes back as that part", () => {
  const all = bytes(40_000);
  roundTrip([
    { record: RECORD.exited, slot: 1, generation: 1, outputs: [{ fd: 1, flags: 0, bytes: all.subarray(3, 10) }] },
    { record: RECORD.exited, slot: 2, generation: 1, outputs: [{ fd: 1, flags: 0, bytes: all.subarray(100, 39_000) }] },
  ]);
});

test("a batch grows as far as it must", () => {
  roundTrip(
    Array.from({ length: 3000 }, (_, slot) => ({
      record: RECORD.exited,
      slot,
      generation: slot * 7,
      outputs: [{ fd: 1, flags: 0, bytes: bytes(slot % 37) }],
    })),
  );
});

test("a writer starts anew after each flush", () => {
  const writer = new OutputWriter();
  writer.add(RECORD.exited, 1, 1, [{ fd: 1, flags: 0, bytes: bytes(20_000) }]);
  assert.equal(cross(writer).length, 1);
  writer.add(RECORD.exited, 2, 2, [{ fd: 1, flags: 0, bytes: Uint8Array.of(9) }]);
  assert.deepEqual(cross(writer).map(copy), [
    { record: RECORD.exited, slot: 2, generation: 2, outputs: [{ fd: 1, flags: 0, bytes: Uint8Array.of(9) }] },
  ]);
  assert.deepEqual(cross(writer), []);
});

test("an event's token tells its slot and which of the slot's fds it is", () => {
  for (const slot of [0, 1, 16_383]) {
    for (const kind of [0, 1, 2, 32]) {
      const token = eventToken(slot, kind);
      assert.equal(token & 0xffffff, slot);
      assert.equal(token >>> 24, kind);
      assert.notEqual(token, -1);
    }
  }
});

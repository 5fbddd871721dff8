// Memory for large captured output, in a real region but without a supervisor.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { closeSync, readFileSync, writeSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { CAPTURE, SLOT } from "#pidpool/native/layout.js";
import { native, type Native } from "#pidpool/native/load.js";
import { Region } from "#pidpool/native/region.js";
import { pipe, setNonblocking } from "#pidpool/native/syscalls.js";
import { Bulk } from "#pidpool/pool/bulk.js";
import { Tail } from "#pidpool/pool/tail.js";
import { ProcessPool } from "../helpers/pool.ts";

let region: Region;
beforeEach(() => {
  region = Region.create();
});
afterEach(() => region.unmap());

function filled(bytes: Uint8Array, slot = 3, n = 1): Bulk {
  const bulk = new Bulk(region, slot, n);
  assert.equal(bulk.exists, false);
  for (let at = 0; at < bytes.length; at += 300_000) {
    assert.ok(bulk.grow(300_000));
    bulk.append(bytes.subarray(at, at + 300_000));
  }
  bulk.trim();
  return bulk;
}

/** Whether the address is mapped in this process. */
function isMapped(address: number): boolean {
  return readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .some((line) => {
      const [from = 0, to = 0] = line.split(/[- ]/, 2).map((hex) => Number.parseInt(hex, 16));
      return from <= address && address < to;
    });
}

test("a bulk keeps what was appended, however often it grows and moves", () => {
  const bytes = randomBytes(20_000_000);
  const bulk = filled(bytes);
  // Whatever thread asks, it stands in the region.
  const again = new Bulk(region, 3, 1);
  assert.equal(again.size, bytes.length);
  assert.ok(again.room < 4096, "trimmed");
  assert.ok(bytes.equals(again.toBytes()));
  assert.equal(bulk.exists, false);
});

test("bytes are the same whether pages are moved or copied, at every size near a page's end", () => {
  for (const size of [1, 4080, 4096, 1 << 20, (1 << 20) + 1, (1 << 20) + 4079, (1 << 20) + 4080, (1 << 20) + 4081]) {
    const bytes = randomBytes(size);
    const bulk = filled(bytes);
    const start = bulk.end - bulk.size;
    const taken = bulk.toBytes();
    assert.ok(bytes.equals(taken), `${size} bytes`);
    assert.equal(isMapped(start), false);
    // It is the memory of its ArrayBuffer, to write and to move on.
    taken.fill(7);
    assert.ok(structuredClone(taken, { transfer: [taken.buffer as ArrayBuffer] }).every((byte) => byte === 7));
  }
});

test("bulks of other fds and slots are others", () => {
  const bulks = [
    [0, 0],
    [0, 7],
    [1, 0],
    [32767, 7],
  ].map(([slot = 0, n = 0], i) => filled(Buffer.alloc(1000, i), slot, n));
  for (const [i, bulk] of bulks.entries()) assert.ok(Buffer.alloc(1000, i).equals(bulk.toBytes()));
});

test("decoding and copying free the memory at once", () => {
  const text = "🐎".repeat(50_000);
  for (const take of [(bulk: Bulk) => bulk.decode("utf8"), (bulk: Bulk) => Buffer.from(bulk.toBytes()).toString()]) {
    const bulk = filled(Buffer.from(text));
    const address = bulk.end - bulk.size;
    assert.ok(isMapped(address));
    assert.equal(take(bulk), text);
    assert.equal(isMapped(address), false);
  }
});

test("captured bytes are ordinary memory, which can be transferred", async () => {
  await using pool = new ProcessPool();
  const { stdout } = await pool.run("head", ["-c", "30000000", "/dev/zero"], { encoding: "buffer" });
  const memory = stdout.buffer as ArrayBuffer;
  const moved = structuredClone(stdout, { transfer: [memory] });
  assert.equal(memory.byteLength, 0);
  assert.equal(moved.length, 30_000_000);
  assert.ok(Buffer.from(moved).equals(Buffer.alloc(30_000_000)));
});

// Views are freed by the event loop, and a supervisor's never turns: each stayed, some 200 bytes.
test("collecting output makes no views of memory, which a supervisor thread could not free", (t) => {
  const layer = native() as { view: Native["view"] };
  const { view } = layer;
  t.after(() => (layer.view = view));
  let views = 0;
  layer.view = (address, length) => {
    views++;
    return view(address, length);
  };
  for (const size of [100_000, 2_000_000]) {
    const bytes = randomBytes(size);
    assert.ok(bytes.equals(filled(bytes).toBytes()));
  }

  const ends = new Int32Array(2);
  assert.ok(pipe(ends) >= 0);
  const [reader = -1, writer = -1] = ends;
  setNonblocking(reader);
  const record = region.slot(5) + SLOT.capture;
  for (const [field, value] of [
    [CAPTURE.fd, reader],
    [CAPTURE.tail, 1000],
    [CAPTURE.passTo, -1],
  ] as const) {
    region.words[(record + field) >> 2] = value;
  }
  const tail = new Tail(region, -1, 5, 0, record, 1);
  const written = randomBytes(20_000).map((byte) => byte & 127);
  writeSync(writer, written);
  assert.equal(tail.run(65536), "empty");
  assert.ok(Buffer.from(written.subarray(-1000)).equals(Buffer.from(tail.take())));
  for (const fd of ends) closeSync(fd);
  assert.equal(views, 0);
});

// Numbers of disks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { IsolationError } from "pidpool";
import { deviceNumber, wholeDisk } from "#pidpool/pool/cgroup/block-device.js";
import { rejection } from "../../helpers/errors.ts";

test("a device's number, as glibc takes it apart", () => {
  assert.equal(deviceNumber(0x801n), "8:1");
  assert.equal(deviceNumber(0xfe00n), "254:0");
  // 12 bits of the major number, 20 of the minor one.
  assert.equal(deviceNumber(0x1001_0305n), "259:65541");
});

test("what is on no block device is refused", async () => {
  for (const device of ["/proc", "/nonexistent", "999:999"]) {
    const error = await rejection(wholeDisk(device), IsolationError);
    assert.equal(error.stage, "cgroup");
    assert.ok(error.message.includes(device), error.message);
    assert.equal(error.errno, "ENOENT");
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encodeIp, encodePath } from "#pidpool/pool/listen/address.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("IPv4: family, port, address", () => {
  assert.equal(hex(encodeIp("127.0.0.1", 8080)), "02001f907f0000010000000000000000");
  assert.deepEqual(decode(encodeIp("192.168.0.254", 65535)), { host: "192.168.0.254", port: 65535 });
});

test("IPv6: family, port, flow, address, scope", () => {
  assert.equal(hex(encodeIp("::1", 80)), `0a00005000000000${"0".repeat(31)}1${"0".repeat(8)}`);
  assert.equal(hex(encodeIp("fe80::1", 1, 7)).slice(-8), "07000000");
});

const EQUAL: readonly [given: string, canonical: string][] = [
  ["::", "::"],
  ["::1", "::1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
  ["2001:db8::", "2001:db8::"],
  ["1:0:0:4::8", "1:0:0:4::8"],
  ["::ffff:10.1.2.3", "::ffff:a01:203"],
];
for (const [given, canonical] of EQUAL) {
  test(`${given} is ${canonical}`, () => {
    assert.deepEqual(decode(encodeIp(given, 443)), { host: canonical, port: 443 });
  });
}

test("unix: a path and its NUL; abstract and unnamed ones are told", () => {
  assert.equal(hex(encodePath("/a")), "01002f6100");
  assert.deepEqual(decode(encodePath("/run/ž.sock")), { path: "/run/ž.sock" });
  assert.deepEqual(decode(Uint8Array.from([1, 0, 0, 0x61, 0x62])), { path: "\0ab" });
  assert.deepEqual(decode(Uint8Array.from([1, 0])), { path: "" });
});

test("no other family is guessed at", () => {
  assert.equal(decode(Uint8Array.from([16, 0, 0, 0])), undefined);
});

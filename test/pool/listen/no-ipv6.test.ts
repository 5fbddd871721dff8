// A kernel without IPv6, as far as socket(2) tells.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SYSCALL_NUMBERS } from "#pidpool/native/syscall-numbers.js";
import { fixturePath } from "../../helpers/fixture.ts";
import { arch, UnderFilter } from "../../helpers/under-filter.ts";

const AF_INET6 = 10;
const EAFNOSUPPORT = 97;

/** seccomp(2): socket(AF_INET6, …) fails; everything else is allowed. */
function filter(): Uint8Array {
  const [LOAD, EQUAL, RETURN] = [0x20, 0x15, 0x06];
  const [NUMBER, FIRST_ARGUMENT] = [0, 16];
  const instructions = [
    [LOAD, 0, 0, NUMBER],
    [EQUAL, 0, 3, SYSCALL_NUMBERS[arch].socket],
    [LOAD, 0, 0, FIRST_ARGUMENT],
    [EQUAL, 0, 1, AF_INET6],
    [RETURN, 0, 0, 0x00050000 | EAFNOSUPPORT],
    [RETURN, 0, 0, 0x7fff0000],
  ] as const;
  const bytes = Buffer.alloc(8 * instructions.length);
  instructions.forEach(([code, yes, no, k], i) => {
    bytes.writeUInt16LE(code, 8 * i);
    bytes.writeUInt8(yes, 8 * i + 2);
    bytes.writeUInt8(no, 8 * i + 3);
    bytes.writeUInt32LE(k, 8 * i + 4);
  });
  return bytes;
}

const without = new UnderFilter(filter());

function listens(listen: unknown): string {
  const { stdout, stderr } = without.run(process.execPath, [fixturePath("listens"), JSON.stringify(listen)]);
  assert.equal(stderr, "");
  return stdout;
}

test("the default host is 0.0.0.0 then", { skip: without.unavailable }, () => {
  assert.match(listens([{ port: 0 }]), /"host":"0\.0\.0\.0"/);
});

test("who asks for IPv6 is told", { skip: without.unavailable }, () => {
  assert.match(listens([{ port: 0, host: "::" }]), /^ERR_LISTEN EAFNOSUPPORT cannot listen on port 0 of ::: socket: /);
  assert.match(listens([{ port: 0, ipv6Only: true }]), /^ERR_LISTEN EAFNOSUPPORT cannot listen on port 0: socket: /);
});

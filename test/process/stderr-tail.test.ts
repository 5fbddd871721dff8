// The end of stderr as text, and which fds can have one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidOptionError } from "pidpool";
import { fromCharacter, outputTail, planStderrTail, tailText } from "#pidpool/process/stderr-tail.js";
import type { FdPlan } from "#pidpool/process/stdio.js";

const text = "plain, größer, 漢字, 😀 end";
const bytes = Buffer.from(text);

test("a tail of any size begins with a whole character", () => {
  for (let size = 0; size <= bytes.length + 1; size++) {
    const tail = tailText(bytes, size);
    assert.ok(text.endsWith(tail), `${size}: ${tail}`);
    assert.ok(Buffer.byteLength(tail) > size - 4 && Buffer.byteLength(tail) <= size, `${size}: ${tail}`);
    if (size >= bytes.length) assert.equal(tail, text);
  }
});

test("bytes that are no text lose three at most", () => {
  assert.deepEqual(
    [...fromCharacter(Buffer.alloc(10, 0x80))],
    Array.from({ length: 7 }, () => 0x80),
  );
  assert.equal(fromCharacter(new Uint8Array(0)).length, 0);
});

test("the tail of captured output is the same in every encoding", () => {
  const long = Buffer.from("0123456789".repeat(100) + text);
  for (const encoding of ["hex", "base64", "base64url", "utf8"] as const)
    for (const size of [0, 7, 30, 5000])
      assert.equal(outputTail(long.toString(encoding), encoding, size), tailText(long, size), `${encoding} ${size}`);
  assert.equal(outputTail(long, "buffer", 5), tailText(long, 5));
  assert.equal(outputTail("ÄÖÜ", "latin1", 4), "ÖÜ");
  assert.equal(outputTail("", "utf8", 9), "");
});

const plans = (plan?: FdPlan): FdPlan[] => [{ target: 0, kind: "ignore" }, ...(plan === undefined ? [] : [plan])];
const file: FdPlan = { target: 2, kind: "file", path: "/x", flags: 0 };

test("a tail is kept by default where the output comes here anyway", () => {
  const kept = (plan?: FdPlan): number => planStderrTail(plans(plan), undefined, false).stderrTail;
  assert.equal(kept({ target: 2, kind: "capture" }), 4096);
  assert.equal(kept({ target: 2, kind: "pipe" }), 4096);
  for (const plan of [{ target: 2, kind: "ignore" }, { target: 2, kind: "fd", fd: 2 }, file, undefined] as const)
    assert.equal(kept(plan), 0);
});

test("where it is asked for, a pipe is put in between", () => {
  const asked = (plan: FdPlan, size: number): unknown => planStderrTail(plans(plan), size, true).fds[1];
  assert.deepEqual(asked({ target: 2, kind: "fd", fd: 7 }, 10), { target: 2, kind: "tail", passTo: 7 });
  assert.deepEqual(asked({ target: 2, kind: "ignore" }, 10), { target: 2, kind: "tail", passTo: -1 });
  assert.deepEqual(asked({ target: 2, kind: "ignore" }, 0), { target: 2, kind: "ignore" });
  assert.deepEqual(asked({ target: 2, kind: "pipe" }, 10), { target: 2, kind: "pipe" });
});

test("a file has its end itself: refused where asked for, passed over where it is a default", () => {
  assert.throws(() => planStderrTail(plans(file), 10, true), InvalidOptionError);
  assert.equal(planStderrTail(plans(file), 0, true).stderrTail, 0);
  assert.equal(planStderrTail(plans(file), 10, false).stderrTail, 0);
});

test("it takes a place among the fds that are captured", () => {
  const captured = (n: number): FdPlan[] => [
    { target: 2, kind: "ignore" },
    ...Array.from({ length: n }, (_, i) => ({ target: 3 + i, kind: "capture" }) as const),
  ];
  assert.equal(planStderrTail(captured(7), 10, true).stderrTail, 10);
  assert.equal(planStderrTail(captured(8), undefined, false).stderrTail, 0);
  assert.throws(() => planStderrTail(captured(8), 10, true), InvalidOptionError);
});

test("only whole numbers within bounds", () => {
  for (const wrong of [-1, 1.5, 2 ** 20 + 1, Infinity, "10", null, true]) {
    assert.throws(
      () => planStderrTail(plans({ target: 2, kind: "pipe" }), wrong, true),
      (error) => error instanceof InvalidOptionError && error.option === "stderrTail" && error.value === wrong,
    );
  }
});

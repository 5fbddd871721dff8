import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ExitError } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { ProcessPool } from "../helpers/pool.ts";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

test("100 MB of output arrive whole", async () => {
  await using pool = new ProcessPool();
  const size = 100 << 20;
  const { stdout, truncated } = await pool.run("head", ["-c", String(size), "/dev/zero"], { encoding: "buffer" });
  assert.equal(stdout.length, size);
  assert.equal(sha256(stdout), sha256(Buffer.alloc(size)));
  assert.equal(truncated, null);
});

test("output arrives in order, whatever its size", async () => {
  await using pool = new ProcessPool();
  for (const last of [1, 100, 4000, 12_000, 13_000, 80_000, 1_000_000]) {
    const { stdout } = await pool.run("seq", [String(last)]);
    assert.ok(stdout === Array.from({ length: last }, (_, i) => `${i + 1}\n`).join(""), `seq ${last}`);
  }
});

test("many children's outputs are not mixed up", async () => {
  await using pool = new ProcessPool({ concurrency: 8 });
  const runs = Array.from({ length: 60 }, (_, i) =>
    pool.run("sh", ["-c", `echo ${i}; head -c ${i * 500} /dev/zero; echo e${i} >&2`]),
  );
  for (const [i, { stdout, stderr }] of (await Promise.all(runs)).entries()) {
    assert.ok(stdout === `${i}\n${"\0".repeat(i * 500)}`, `stdout of ${i}`);
    assert.equal(stderr, `e${i}\n`);
  }
});

test("characters that fall apart between two reads come together again", async () => {
  await using pool = new ProcessPool();
  const input = `x${"🐎".repeat(100_000)}`;
  assert.ok((await pool.run("cat", [], { input })).stdout === input);
});

test("a child that writes more than maxOutput is ended, and exactly that much is kept", async () => {
  await using pool = new ProcessPool();
  for (const maxOutput of [1, 1000, 65_536, 65_537, 1_000_000]) {
    const error = await rejection(pool.run("yes", [], { maxOutput, encoding: "buffer" }), ExitError);
    assert.equal(error.exit.reason, "output-limit");
    assert.equal(error.exit.status, "signaled");
    assert.equal(error.result.truncated, "output-limit");
    assert.deepEqual(error.result.stdout, Buffer.alloc(maxOutput, "y\n"));
    assert.match(error.message, /^"yes" wrote more than maxOutput allows and was ended/);
  }
});

test("exactly maxOutput bytes are no excess", async () => {
  await using pool = new ProcessPool();
  for (const size of [0, 1, 1000, 65_536, 200_000]) {
    const { stdout, truncated } = await pool.run("head", ["-c", String(size), "/dev/zero"], { maxOutput: size });
    assert.equal(stdout.length, size);
    assert.equal(truncated, null);
  }
});

test("a child that exits at once with more than maxOutput in the pipe is over the limit all the same", async () => {
  await using pool = new ProcessPool();
  const runs = Array.from({ length: 100 }, () =>
    rejection(pool.run("echo", ["0123456789"], { maxOutput: 10 }), ExitError),
  );
  for (const error of await Promise.all(runs)) {
    assert.equal(error.exit.reason, "output-limit");
    assert.equal(error.result.stdout, "0123456789");
    assert.equal(error.result.truncated, "output-limit");
  }
  // A large pipe takes the rest after the last look at it, and the exit is seen first.
  for (let maxOutput = 999_999; maxOutput > 979_999; maxOutput -= 1000) {
    const { exit, stdout } = await pool.run("head", ["-c", "1000000", "/dev/zero"], { maxOutput, check: false });
    assert.equal(exit.reason, "output-limit");
    assert.equal(stdout.length, maxOutput);
  }
});

test("maxOutput counts each stream for itself, and check: false resolves with what was kept", async () => {
  await using pool = new ProcessPool();
  const both = await pool.run("sh", ["-c", "printf 12345; printf 12345 >&2"], { maxOutput: 5 });
  assert.deepEqual([both.stdout, both.stderr, both.truncated], ["12345", "12345", null]);
  const { exit, stderr, truncated } = await pool.run("sh", ["-c", "exec yes >&2"], { maxOutput: 5, check: false });
  assert.equal(exit.reason, "output-limit");
  assert.equal(stderr, "y\ny\ny");
  assert.equal(truncated, "output-limit");
});

test("killSignal ends a child that writes too much, and SIGKILL one that ignores it", async () => {
  await using pool = new ProcessPool();
  const gentle = await pool.run("yes", [], { maxOutput: 10, killSignal: "SIGUSR1", check: false });
  assert.equal(gentle.exit.status === "signaled" && gentle.exit.signal, "SIGUSR1");
  const script = "trap '' TERM PIPE; while :; do echo x; done 2>/dev/null";
  const stubborn = await pool.run("sh", ["-c", script], { maxOutput: 10, killAfter: 20, check: false });
  assert.equal(stubborn.exit.status === "signaled" && stubborn.exit.signal, "SIGKILL");
  assert.equal(stubborn.exit.reason, "output-limit");
});

test("a grandchild that holds the pipe does not hold the result, and nothing written before is lost", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const script = "head -c 300000 /dev/zero; sleep 1000 >&1 & echo $! >&3";
  const { stdout, output, truncated, exit } = await pool.run("sh", ["-c", script], {
    stdio: ["ignore", "capture", "capture", "capture"],
    outputGrace: 20,
  });
  process.kill(Number(output[3]), "SIGKILL");
  assert.equal(stdout.length, 300_000);
  assert.equal(truncated, "held-open");
  assert.equal(exit.status === "exited" && exit.code, 0);
});

test("what a grandchild writes within outputGrace is kept", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  // The grandchild waits until the child was reaped.
  const script = "(while kill -0 $$; do sleep 0.01; done 2>/dev/null; echo late) & echo early";
  const { stdout, truncated } = await pool.run("sh", ["-c", script], { outputGrace: Infinity });
  assert.equal(stdout, "early\nlate\n");
  assert.equal(truncated, null);
});

test("outputGrace 0 takes what is in the pipe at the exit and waits no longer", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const script = "sleep 1000 2>&1 & echo $!; head -c 50000 /dev/zero >&2";
  const { stdout, stderr, truncated } = await pool.run("sh", ["-c", script], { outputGrace: 0 });
  process.kill(Number(stdout), "SIGKILL");
  assert.equal(stderr.length, 50_000);
  assert.equal(truncated, "held-open");
});

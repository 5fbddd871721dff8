import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import { RETRY, retryDelay } from "#pidpool/pool/retry.js";

const { EAGAIN, EMFILE, ENFILE, ENOMEM, ENOENT, EACCES, EPERM, EINVAL, E2BIG, ENOSPC } = constants.errno;

/** The delays of a launch that fails each time at once; a fake clock adds them up. */
function delays(stage: string, errno: number): number[] {
  const all: number[] = [];
  let clock = 0;
  for (let attempt = 1; ; attempt++) {
    const delay = retryDelay(stage, errno, attempt, clock);
    if (delay === undefined) return all;
    assert.ok(all.length < 1000, "it never gives up");
    all.push(delay);
    clock += delay;
  }
}

test("running out of fds, processes or memory is tried again, ever later, for a bounded time", () => {
  for (const stage of ["slot", "pipe", "clone", "files", "watch"]) {
    for (const errno of [EAGAIN, EMFILE, ENFILE, ENOMEM]) {
      const all = delays(stage, errno);
      assert.equal(all[0], RETRY.first);
      for (const [i, delay] of all.slice(0, -1).entries())
        assert.equal(delay, Math.min(RETRY.first * 2 ** i, RETRY.longest));
      assert.equal(
        all.reduce((sum, delay) => sum + delay, 0),
        RETRY.total,
      );
    }
  }
});

test("no delay exceeds the longest, nor is any of them zero", () => {
  for (let attempt = 1; attempt < 2000; attempt++) {
    const delay = retryDelay("clone", EAGAIN, attempt, attempt);
    assert.ok(delay !== undefined && delay > 0 && delay <= RETRY.longest, `${attempt}: ${delay}`);
  }
});

test("time that attempts themselves took counts", () => {
  assert.equal(retryDelay("clone", EAGAIN, 2, RETRY.total), undefined);
  assert.equal(retryDelay("clone", EAGAIN, 2, RETRY.total + 1), undefined);
  assert.equal(retryDelay("clone", EAGAIN, 20, RETRY.total - 3), 3);
});

test("what another attempt would not change is not tried again", () => {
  for (const stage of ["pipe", "clone", "files", "watch", "execve", "chdir"]) {
    for (const errno of [ENOENT, EACCES, EPERM, EINVAL, E2BIG])
      assert.deepEqual(delays(stage, errno), [], `${stage} ${errno}`);
  }
  for (const stage of ["chdir", "open", "dup", "setuid", "nice", "session"]) {
    for (const errno of [EAGAIN, EMFILE, ENFILE, ENOMEM])
      assert.deepEqual(delays(stage, errno), [], `${stage} ${errno}`);
  }
});

test("execve is tried again for EAGAIN alone, which tells of RLIMIT_NPROC", () => {
  assert.ok(delays("execve", EAGAIN).length > 5);
  assert.deepEqual(delays("execve", ENOMEM), []);
  assert.deepEqual(delays("execve", EMFILE), []);
});

test("ENOSPC is what epoll says when too much is watched, and nothing else that passes", () => {
  for (const stage of ["pipe", "watch"]) assert.ok(delays(stage, ENOSPC).length > 5);
  for (const stage of ["clone", "unshare", "open", "execve"]) assert.deepEqual(delays(stage, ENOSPC), []);
});

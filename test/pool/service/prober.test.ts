import assert from "node:assert/strict";
import { test } from "node:test";
import { Prober, type Ask } from "#pidpool/pool/service/prober.js";

/** Probes until there are so many answers. Keeps Node alive meanwhile, which a prober does not. */
async function answers(ask: Ask, count: number, timeout = 20): Promise<[boolean, unknown][]> {
  const alive = setInterval(() => {}, 1000);
  const heard: [boolean, unknown][] = [];
  try {
    await new Promise<void>((resolve) => {
      const prober = new Prober(ask, { interval: 1, timeout }, (well, error) => {
        heard.push([well, error]);
        if (heard.length < count) return;
        prober.stop();
        resolve();
      });
      prober.start(0);
    });
  } finally {
    clearInterval(alive);
  }
  return heard;
}

test("nothing and true are well; false, a rejection and a throw are not", async () => {
  const results: (() => boolean | void | Promise<boolean>)[] = [
    () => {},
    () => true,
    () => false,
    () => Promise.resolve(false),
    () => Promise.reject(new Error("a rejection")),
    () => {
      throw new Error("a throw");
    },
  ];
  const heard = await answers(() => results.shift()?.(), 6, 10_000);
  assert.deepEqual(
    heard.map(([well]) => well),
    [true, true, false, false, false, false],
  );
  assert.match(String(heard[4]?.[1]), /a rejection/);
  assert.match(String(heard[5]?.[1]), /a throw/);
});

test("a probe that takes too long is told so by its signal, and counts as a failure", async () => {
  const heard = await answers(
    (signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
    2,
  );
  for (const [well, error] of heard) {
    assert.equal(well, false);
    assert.ok(error instanceof DOMException && error.name === "TimeoutError");
  }
});

test("there are never two at a time: one that ignores its signal fails all those after it", async () => {
  let running = 0;
  const heard = await answers(() => {
    running++;
    return new Promise<void>(() => {});
  }, 5);
  assert.equal(running, 1);
  assert.ok(heard.every(([well]) => !well));
});

test("after stop() nothing is heard, and a probe under way is aborted", async () => {
  let signal: AbortSignal | undefined;
  let finish = (): void => {};
  const alive = setTimeout(() => {}, 60_000);
  await new Promise<void>((resolve) => {
    const prober = new Prober(
      (given) => {
        signal = given;
        setImmediate(() => {
          prober.stop();
          resolve();
        });
        return new Promise<void>((done) => (finish = done));
      },
      { interval: 1, timeout: 10_000 },
      () => assert.fail("heard"),
    );
    prober.start(0);
  });
  clearTimeout(alive);
  assert.equal(signal?.aborted, true);
  finish();
  await new Promise((resolve) => setTimeout(resolve, 10));
});

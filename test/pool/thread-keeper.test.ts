// Who follows a supervisor thread that died, and when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Launcher } from "#pidpool/native/launcher.js";
import { LAUNCHER } from "#pidpool/native/layout.js";
import { ThreadKeeper } from "#pidpool/pool/thread-keeper.js";
import { until } from "../helpers/processes.ts";

test("a successor begins when all that its predecessor has said was heard", async () => {
  const launcher = new Launcher();
  const begun = (): number => launcher.region.header(LAUNCHER.supervisions);
  /** How many had begun to supervise, each time that everything was to be heard. */
  const heardAt: number[] = [];
  let deaths = 0;
  const keeper = new ThreadKeeper(undefined, launcher, {
    message: () => undefined,
    rang: () => undefined,
    catchUp: () => heardAt.push(begun()),
    died: () => deaths++,
    unmanned: ({ message }) => assert.fail(message),
  });
  // A thread that does not refer to anything keeps nothing alive: this does.
  keeper.countRef(1);
  await until(() => begun() === 1);
  keeper.send({ slot: "none" } as never);
  await until(() => begun() === 2 && deaths === 1);
  keeper.countRef(-1);
  await keeper.end();
  launcher.dispose();
  assert.deepEqual(heardAt, [0, 1]);
});

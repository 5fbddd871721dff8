// Input that has got into Object.prototype, as by a careless merge of JSON.
import assert from "node:assert/strict";
import { test } from "../helpers/isolated.ts";
import { startFixture } from "../helpers/fixture.ts";

test("what is in Object.prototype is no option: the library reads nothing from there", async () => {
  const { code, stdout, stderr } = await startFixture("polluted").ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), []);
});

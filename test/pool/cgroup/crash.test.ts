// Node is killed while its children are in groups: nothing of them is left,
// whatever they do to hide. PIDPOOL_CRASHES says how often, PIDPOOL_SEED repeats
// a row of moments.
import { test } from "node:test";
import { killWithoutFile, noCgroups } from "../../helpers/cgroups.ts";
import { crash } from "../../helpers/crash.ts";

const times = Number(process.env["PIDPOOL_CRASHES"] ?? 20);

test("SIGKILL of Node leaves neither process nor group", { skip: noCgroups || killWithoutFile }, async (t) => {
  await crash(t, times, 5000);
});

// At which isolation the suite runs: the library's default where this machine allows it, by the library's own answer,
// else none. Tests that are about isolation then skip, with the reason.
import { IsolationError, ProcessPool } from "../dist/index.js";

/** What to add to the tests' environment, and why if that is something. */
export async function testIsolation() {
  if (process.env.TEST_ISOLATION !== undefined) return { env: {} };
  const pool = new ProcessPool({ cwd: "/" });
  try {
    await pool.run("true");
    return { env: {} };
  } catch (error) {
    if (error instanceof IsolationError) return { env: { TEST_ISOLATION: "none" }, why: error.message };
    // Some test will say it better.
    return { env: {} };
  } finally {
    await pool.destroy();
  }
}

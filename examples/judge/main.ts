// `npm run example -- judge`: compiles and runs the programs in submissions/,
// which nobody trusts, and says what came of each.
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExitError, explain, ProcessPool } from "pidpool";
import { LIMITS } from "./limits.ts";
import { judge, type Verdict } from "./verdict.ts";

const SUBMISSIONS = fileURLToPath(new URL("../../../examples/judge/submissions", import.meta.url));
const INPUT = "3 1 4 1 5 9 2 6\n";
const EXPECTED = "31";

interface Judged {
  readonly verdict: Verdict;
  readonly why: string;
}

await using pool = new ProcessPool();
// Not in /tmp: of that, each submission has one of its own.
const built = mkdtempSync("/var/tmp/pidpool-judge-");
// Submissions are run by a user that has no rights to what is this one's.
chmodSync(built, 0o755);

/** The command for a submission. A compiler reads what nobody trusts, too, and has its own limits. */
async function prepare(source: string): Promise<readonly [string, ...string[]]> {
  if (extname(source) === ".py") return ["python3", "-I", "-c", await text(source)];
  const program = join(built, basename(source, ".c"));
  await pool.run("cc", ["-O1", "-o", program, source], { timeout: 10_000, limits: { addressSpace: 1 << 30 } });
  return [program];
}

async function text(file: string): Promise<string> {
  const { stdout } = await pool.run("cat", [file]);
  return stdout;
}

async function judgeOne(name: string): Promise<Judged> {
  try {
    const [file, ...args] = await prepare(join(SUBMISSIONS, name));
    const result = await pool.run(file, args, { ...LIMITS, input: INPUT });
    return { verdict: judge(result, EXPECTED), why: explain(result.exit, { file: name }) };
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    return { verdict: "does not compile", why: error.message };
  }
}

try {
  const names = readdirSync(SUBMISSIONS).toSorted();
  const verdicts = await Promise.all(names.map(judgeOne));
  for (const [i, { verdict, why }] of verdicts.entries()) {
    console.log(`${(names[i] ?? "").padEnd(12)} ${verdict}`);
    if (verdict !== "accepted") console.log(why.replaceAll(/^/gm, "             "));
  }
} finally {
  rmSync(built, { recursive: true, force: true });
}

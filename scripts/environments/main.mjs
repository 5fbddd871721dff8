// Runs the test suite in other environments: Node versions, users, containers as this machine can play them. Where the
// suite cannot run, a program of checks does: test/environments/conformance.ts, or native.ts where no pool runs.
//
//   npm run test:environments                              all of them, which takes more than an hour
//   npm run test:environments -- node-24 docker-profile    some
//   npm run test:environments -- node-24 --only pool/      parts of the suite, by parts of file names
//   npm run test:environments -- node-24 --core            what docs/support.md counts: see CORE
//   npm run test:environments -- --list                    their names
//   npm run test:environments -- --doctor container        what the doctor says there, instead of the suite
//
// What cannot be had here is printed as skipped, with the reason, and does not count as a failure.
import { parseArgs } from "node:util";
import { runConformance, runNative } from "./conformance.mjs";
import { asRoot, asUser, container, dockerProfile, pidOne, withoutUserNamespaces } from "./containers.mjs";
import { musl } from "./musl.mjs";
import { Unavailable } from "./programs.mjs";
import { bun, deno, nodeOf } from "./runtimes.mjs";
import { runDoctor, runSuite } from "./suite.mjs";
import { root } from "../test-files.mjs";

const here = { wrap: [], cwd: root, env: {}, node: process.execPath };
const suite = (about, make) => ({
  about,
  run: async (name, parts) => runSuite(name, { ...here, ...make() }, parts),
  examine: () => runDoctor({ ...here, ...make() }),
});
const conformance = (about, make) => ({ about, run: async () => runConformance(make()) });

/** Launching, streams, signals, the end, services, isolation, credentials and limits, by parts of file names. */
const CORE = [
  ["run", "stdio", "input", "kill", "abort", "launch", "exit", "stop", "supervisor", "end", "notify.test"],
  ["service/service"],
]
  .flat()
  .map((name) => `pool/${name}`)
  .concat("isolation/levels", "isolation/pid", "isolation/options", "process/credentials", "process/orphans")
  .concat("process/limits", "lifetime", "together", "foreign-wait");

const native = (about, make) => ({ about, run: async () => runNative(make()) });

const ENVIRONMENTS = {
  "node-20": suite("Node 20", () => ({ node: nodeOf(20) })),
  "node-22": suite("Node 22", () => ({ node: nodeOf(22) })),
  "node-24": suite("Node 24", () => ({ node: nodeOf(24) })),
  "node-26": suite("Node 26", () => ({ node: nodeOf(26) })),
  conformance: conformance("this Node, by the checks for other runtimes", () => ({ command: [process.execPath] })),
  deno: conformance("Deno, by these checks", () => ({ command: [deno(), "run", "--allow-all", "--quiet"] })),
  bun: native("Bun, the native layer", () => ({ command: [bun()] })),
  musl: native("Bun linked with musl, the native layer", musl),
  root: suite("root", asRoot),
  user: suite("an ordinary user", asUser),
  "no-user-namespaces": suite("an ordinary user who may make no user namespace", withoutUserNamespaces),
  "docker-profile": suite("Docker's seccomp profile", dockerProfile),
  "pid-1": suite("the runner as pid 1 of a pid namespace", pidOne),
  container: suite("the runner as pid 1, with Docker's capabilities and seccomp profile", container),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: "boolean", default: false },
    core: { type: "boolean", default: false },
    doctor: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
  },
});
if (values.list) {
  for (const [name, { about }] of Object.entries(ENVIRONMENTS)) console.log(`${name.padEnd(20)}${about}`);
  process.exit(0);
}
const wantedParts = values.core ? CORE : values.only;
const wanted = positionals.length > 0 ? positionals : Object.keys(ENVIRONMENTS);
const unknown = wanted.find((name) => !Object.hasOwn(ENVIRONMENTS, name));
if (unknown !== undefined) {
  console.error(`there is no environment "${unknown}"; there are ${Object.keys(ENVIRONMENTS).join(", ")}`);
  process.exit(1);
}

/** Runs one; prints how it came out, in one line that begins with a word for it, and what is behind that. */
async function runOne(name) {
  const start = performance.now();
  const { counts, skips, failures, end, log } = await ENVIRONMENTS[name].run(name, wantedParts);
  const seconds = Math.round((performance.now() - start) / 1000);
  const failed = counts.fail + counts.cancelled;
  const ok = failed === 0 && failures.length === 0 && end === undefined && counts.pass > 0;
  if (!ok) process.exitCode = 1;
  const parts = values.core ? " of --core" : values.only.length === 0 ? "" : ` of ${values.only.join(" ")}`;
  console.log(
    `${ok ? "ok" : "not ok"}: ${name}: pass ${counts.pass} fail ${failed} skip ${counts.skipped}${parts} (${seconds} s)`,
  );
  for (const failure of failures) console.log(`  failed: ${failure}`);
  for (const [reason, times] of skips) console.log(`  skipped ${times}: ${reason}`);
  if (!ok && log !== undefined) console.log(`  ${end ?? "see"} ${log}`);
}

for (const name of wanted) {
  console.log(`== ${name}: ${ENVIRONMENTS[name].about}`);
  try {
    if (values.doctor) console.log(ENVIRONMENTS[name].examine?.() ?? "not for this one");
    else await runOne(name);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`skipped: ${name}: ${error.message}`);
  }
}

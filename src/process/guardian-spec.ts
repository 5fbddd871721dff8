// The launch of a guardian: the static program that holds namespaces open.
import { SPEC_FLAG } from "../native/layout.ts";
import { guardianProgram } from "../native/load.ts";
import { ConfinementWriter } from "./confinement.ts";
import { encodeSpec } from "./encode.ts";
import { givenEnv } from "./env.ts";
import { writeGuardian, type IsolationPlan } from "./isolation.ts";
import { SIGKILL } from "./signals.ts";
import type { LaunchSpec } from "./spec.ts";
import { planStdio } from "./stdio.ts";

/**
 * A guardian for children with this plan.
 *
 * @param stdin An fd whose other end tells the guardian to go, by closing.
 * @param network Whether it makes a network namespace too.
 */
export function guardianSpec(stdin: number, plan: IsolationPlan, network: boolean): LaunchSpec {
  const file = guardianProgram();
  const writer = new ConfinementWriter();
  writeGuardian(writer, plan, network);
  const fds = planStdio("spawn", [stdin, "ignore", "ignore"], undefined, undefined);
  const block = encodeSpec({
    candidates: [file],
    argv: [file],
    env: givenEnv({}),
    cwd: undefined,
    fds,
    groups: [],
    // No signal of a terminal may reach it.
    flags: SPEC_FLAG.setsid | SPEC_FLAG.pdeathsig,
    uid: 0,
    gid: 0,
    umask: 0,
    nice: 0,
    pdeathsig: SIGKILL,
    confinement: writer.finish(),
  });
  const spec: LaunchSpec = {
    kind: "spawn",
    file,
    args: [],
    block,
    fds,
    piped: false,
    isolation: { home: "none", user: false, network: false, pid: false, makes: true, mounts: false },
    cwd: undefined,
    path: undefined,
    limits: [],
    landlock: undefined,
    leader: true,
    timeout: 0,
    killSignal: SIGKILL,
    killAfter: 0,
    maxOutput: 0,
    outputGrace: 0,
    encoding: "buffer",
    check: false,
    input: undefined,
    signal: undefined,
  };
  return Object.freeze(spec);
}

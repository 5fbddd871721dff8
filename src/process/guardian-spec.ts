// The launch of a guardian: the static program that holds namespaces open, or
// removes what outlives this process.
import { SPEC_FLAG } from "../native/layout.ts";
import { guardianProgram } from "../native/load.ts";
import { type Confinement, ConfinementWriter } from "./confinement.ts";
import { encodeSpec } from "./encode.ts";
import { givenEnv } from "./env.ts";
import { writeGuardian, type IsolationPlan } from "./isolation.ts";
import { SIGKILL } from "./signals.ts";
import type { LaunchSpec } from "./spec.ts";
import { planStdio } from "./stdio.ts";

/**
 * A guardian of namespaces, for children with this plan.
 *
 * @param stdin An fd whose other end tells the guardian to go, by closing.
 * @param network Whether it makes a network namespace too.
 */
export function guardianSpec(stdin: number, plan: IsolationPlan, network: boolean): LaunchSpec {
  const writer = new ConfinementWriter();
  writeGuardian(writer, plan, network);
  return spec(stdin, [], writer.finish(), true);
}

/** What the program knows to remove: a cgroup, with all that lives in it; a directory of sockets. */
export type Estate = "group" | "sockets";

/** A guardian of something with a path: it has to outlive this process, if only by a moment. */
export function heirSpec(stdin: number, estate: Estate, path: string): LaunchSpec {
  return spec(stdin, [estate, path], undefined, false);
}

function spec(stdin: number, args: readonly string[], confinement: Confinement | undefined, dies: boolean): LaunchSpec {
  const file = guardianProgram();
  const fds = planStdio("spawn", [stdin, "ignore", "ignore"], undefined, undefined);
  const block = encodeSpec({
    candidates: [file],
    argv: [file, ...args],
    env: givenEnv({}),
    // It must keep no file system busy.
    cwd: "/",
    fds,
    groups: [],
    // No signal of a terminal may reach it.
    flags: SPEC_FLAG.setsid | (dies ? SPEC_FLAG.pdeathsig : 0),
    uid: 0,
    gid: 0,
    umask: 0,
    nice: 0,
    pdeathsig: dies ? SIGKILL : 0,
    confinement,
  });
  const resolved: LaunchSpec = {
    kind: "spawn",
    file,
    args,
    block,
    fds,
    piped: false,
    isolation: {
      home: "none",
      user: false,
      network: false,
      pid: false,
      makes: true,
      maps: true,
      mounts: false,
      hidesTmp: false,
    },
    limits: [],
    landlock: undefined,
    cgroup: undefined,
    cwd: "/",
    path: undefined,
    sweeps: false,
    leader: true,
    timeout: 0,
    killSignal: SIGKILL,
    killAfter: 0,
    maxOutput: 0,
    outputGrace: 0,
    stderrTail: 0,
    encoding: "buffer",
    check: false,
    input: undefined,
    signal: undefined,
    notify: undefined,
  };
  return Object.freeze(resolved);
}

// Who can take part. Each runs in a process of its own that speaks the protocol
// of runner/protocol.ts; one that is no JavaScript module brings a runner of its
// own.
import { join } from "node:path";
import { bun, deno, newestNode, NOT_INSTALLED, peerVersion, type Runtime } from "../peers/peers.ts";
import { ROOT } from "../root.ts";
import type { Method } from "./contestant.ts";
import { buildGoRunner, goVersion } from "./go.ts";

/** How a contestant's runner is started, and what it cannot do. */
export interface Entry {
  readonly lacks: readonly Method[];
  /** The command; compiles what has to be compiled. */
  command(): { readonly file: string; readonly args: readonly string[] };
}

/** A contestant that this machine does not have. */
export interface Missing {
  readonly missing: string;
}

const MAIN = join(ROOT, "build/bench/runner/main.js");
/** Room for the scenarios that fill the heap; the same for all that have V8. */
const HEAP = "--max-old-space-size=4096";

function inNode(module: string, lacks: readonly Method[] = []): Entry {
  return { lacks, command: () => ({ file: process.execPath, args: [HEAP, MAIN, module] }) };
}

function peerInNode(name: string, lacks: readonly Method[] = []): Entry | Missing {
  return peerVersion(name) === undefined ? { missing: NOT_INSTALLED } : inNode(name, lacks);
}

function inRuntime({ file }: Runtime, args: readonly string[], lacks: readonly Method[] = []): Entry | Missing {
  return file === undefined ? { missing: NOT_INSTALLED } : { lacks, command: () => ({ file, args }) };
}

function inGo(): Entry | Missing {
  if (goVersion() === undefined) return { missing: "no go toolchain found" };
  return { lacks: [], command: () => ({ file: buildGoRunner(), args: [] }) };
}

/** Who there is, by the name that rows are labelled with. */
export type ContestantName =
  | "child_process"
  | "child_process, newest Node"
  | "execa"
  | "tinyexec"
  | "nano-spawn"
  | "Bun.spawn"
  | "Deno.Command"
  | "Go os/exec"
  | "pm2"
  | "sigchld"
  | "pidpool"
  | "pidpool, newest Node";

const DENO_FLAGS = ["run", "--quiet", "--allow-all", "--no-lock", "--no-remote", `--v8-flags=${HEAP}`];

/** By name. */
export const CONTESTANTS: Readonly<Record<ContestantName, Entry | Missing>> = {
  child_process: inNode("child-process"),
  "child_process, newest Node": inRuntime(newestNode, [HEAP, MAIN, "child-process"]),
  execa: peerInNode("execa"),
  tinyexec: peerInNode("tinyexec"),
  "nano-spawn": peerInNode("nano-spawn"),
  "Bun.spawn": inRuntime(bun, ["--no-install", MAIN, "bun-spawn"]),
  // Its streams are "piped", "inherit" or "null".
  "Deno.Command": inRuntime(deno, [...DENO_FLAGS, MAIN, "deno-command"], ["hold"]),
  "Go os/exec": inGo(),
  pm2: peerInNode("pm2", ["run", "spawn", "hold", "capture", "feed"]),
  sigchld: inNode("sigchld", ["capture", "feed"]),
  pidpool: inNode("pidpool"),
  "pidpool, newest Node": inRuntime(newestNode, [HEAP, MAIN, "pidpool"]),
};

/** Those of them that this machine has and that can do all that is needed, and for the notes, who cannot take part. */
export function available(
  names: readonly ContestantName[],
  ...needs: readonly Method[]
): { readonly present: readonly ContestantName[]; readonly missing: readonly string[] } {
  const present: ContestantName[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const contestant = CONTESTANTS[name];
    if ("missing" in contestant) {
      missing.push(`${name}: ${contestant.missing}`);
      continue;
    }
    const lacks = needs.filter((method) => contestant.lacks.includes(method));
    if (lacks.length === 0) present.push(name);
    else missing.push(`${name}: cannot ${lacks.map((method) => SAID[method]).join(" or ")}`);
  }
  return { present, missing };
}

const SAID: Readonly<Record<Method, string>> = {
  run: "run a program",
  spawn: "keep a child",
  hold: "give a child an open file as its stdin",
  capture: "capture output",
  feed: "feed input",
  keep: "keep processes alive",
};

// Where a core dump went: core_pattern(5), expanded as far as this process can
// know what the kernel put in, and looked for.
import { readdir, readFile, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { CoreDump, ExitReport } from "./report.ts";
import { signalNumber } from "./signals.ts";

/** What is known of a child that has dumped core. */
export interface Dumped {
  readonly pid: number;
  readonly signal: number;
}

/** The specifiers of core_pattern. What is not here, or null, cannot be known from outside: it stands for anything. */
function specifiers({ pid, signal }: Dumped): Readonly<Record<string, string | null>> {
  // Those for the program's name are the thread's, which may have another one. A pid may be meant in another namespace.
  return { "%": "%", P: String(pid), s: String(signal), h: hostname().replaceAll("/", "!") };
}

/** What the kernel makes of a file pattern: a path in pieces, where null stands for any text without a slash. */
export function expandPattern(pattern: string, usesPid: boolean, dumped: Dumped): readonly (string | null)[] {
  const known = specifiers(dumped);
  const parts: (string | null)[] = [];
  let pidGiven = false;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] ?? "";
    if (character !== "%") {
      parts.push(character);
      continue;
    }
    const specifier = pattern[++i];
    // A single % at the end is dropped, as the kernel does.
    if (specifier === undefined) break;
    if (specifier === "p") pidGiven = true;
    parts.push(specifier in known ? (known[specifier] ?? null) : null);
  }
  if (usesPid && !pidGiven) parts.push(".", null);
  const joined: (string | null)[] = [];
  for (const part of parts) {
    const before = joined.at(-1);
    if (typeof before === "string" && part !== null) joined[joined.length - 1] = before + part;
    else if (part !== null || before !== null) joined.push(part);
  }
  return joined;
}

/**
 * Where the dump of this report went; what cannot be found out is null. Never rejects.
 *
 * @param cwd The child's at its start, if not ours.
 */
export async function locateCore(
  report: ExitReport & { readonly status: "signaled" },
  core: CoreDump,
  cwd: string | undefined,
): Promise<CoreDump> {
  return locate(report, core, cwd).catch(() => core);
}

async function locate(
  report: ExitReport & { readonly status: "signaled" },
  core: CoreDump,
  given: string | undefined,
): Promise<CoreDump> {
  const pattern = (await read("core_pattern"))?.replace(/\n$/, "");
  if (pattern === undefined) return core;
  if (pattern.startsWith("|")) return { ...core, to: "program", where: pattern.slice(1).trim() };
  if (pattern.startsWith("@")) return { ...core, to: "socket", where: pattern.replace(/^@+/, "") };
  // It throws where the directory has been removed.
  const cwd = given ?? process.cwd();
  const usesPid = Number(await read("core_uses_pid")) !== 0;
  const dumped = { pid: report.pid, signal: signalNumber("signal", signalOf(report.signal)) };
  return { ...core, to: "file", where: await find(expandPattern(pattern, usesPid, dumped), cwd, report.startedAt) };
}

/** As `signals.ts` names them. */
function signalOf(name: string): string | number {
  const realTime = /^SIGRTMIN\+(\d+)$/.exec(name);
  return realTime === null ? name : 34 + Number(realTime[1]);
}

async function read(name: string): Promise<string | undefined> {
  return readFile(`/proc/sys/kernel/${name}`, "latin1").catch(() => undefined);
}

async function find(parts: readonly (string | null)[], cwd: string, since: number): Promise<string | null> {
  // A letter that no path has takes the place of what is not known, until directory and name are told apart.
  const path = resolve(cwd, parts.map((part) => part ?? "\0").join(""));
  const directory = dirname(path);
  if (directory.includes("\0")) return null;
  const name = basename(path);
  const names = name.includes("\0") ? await matching(directory, name) : [name];
  const fresh: string[] = [];
  for (const candidate of names) {
    const file = join(directory, candidate);
    // File systems keep coarser times than the clock tells.
    const facts = await stat(file).catch(() => undefined);
    if (facts?.isFile() === true && facts.mtimeMs >= since - 1000) fresh.push(file);
  }
  return fresh.length === 1 ? (fresh[0] ?? null) : null;
}

async function matching(directory: string, name: string): Promise<string[]> {
  const pattern = new RegExp(`^${name.split("\0").map(escape).join(".+")}$`, "s");
  return (await readdir(directory).catch(() => [])).filter((entry) => pattern.test(entry));
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

// An exit report in words for people: what happened, what was done about it, and
// the figures that belong to it.
import { stripVTControlCharacters } from "node:util";
import { EventEmitter } from "eventemitter3";
import { InvalidOptionError, quoted } from "../errors.ts";
import { head, printable, tail } from "./printable.ts";
import type { CoreDump, ExitReport, ReachedLimit, Stopped } from "./report.ts";
import type { Process } from "./process.ts";
import { isInstance, snapshot } from "./snapshot.ts";
import { bag, list, text } from "./validate.ts";

/** What {@link explain} may know beside the report. */
export interface Explained {
  /** The program; else the text speaks of the process by its pid. */
  readonly file?: string | undefined;
  readonly args?: readonly string[] | undefined;
}

const EXPLAINED_KEYS: ReadonlySet<string> = new Set(["file", "args"]);

/** What programs mean by the signals that end them. */
const MEANINGS: Readonly<Record<string, string>> = {
  SIGABRT: "it gave up by itself, as abort() and failed assertions do",
  SIGALRM: "a timer of its own ran out",
  SIGBUS: "an access to memory that is not there",
  SIGFPE: "an arithmetic error",
  SIGHUP: "its terminal or session has ended",
  SIGILL: "an illegal instruction",
  SIGPIPE: "it wrote to a pipe that nobody reads",
  SIGSEGV: "an invalid access to memory",
  SIGSYS: "a system call that is forbidden to it",
  SIGTRAP: "a trap or breakpoint",
  SIGXCPU: "a limit on CPU time",
  SIGXFSZ: "a limit on file sizes",
};

/** Characters of a line that are shown, and of arguments. */
const LINE = 200;
const ARGUMENTS = 80;
const LONGEST_PATH = 4096;
/** Characters in which the last line is looked for. */
const LOOK = 4 * LINE;

/**
 * Explains an end in two or three lines: what happened, with the child's last words; what this library did and which
 * limit was met, with times and memory; where there is a `message` beside a last line on stderr, or a core dump, these.
 *
 * @throws InvalidOptionError for what is no report, or whose options are wrong.
 */
export function explain(report: ExitReport, explained: Explained = {}): string {
  const { file, args } = subject(explained);
  const words = list("args", args ?? [], "strings", text);
  const program = file === undefined ? undefined : command(text("file", file), words);
  try {
    const last = lastLine(report.stderrTail);
    return explanation(`${program ?? `process ${report.pid}`} ${describeExit(report)}`, report, last);
  } catch (cause) {
    // Reports are kept as JSON, and come back as anything.
    throw new InvalidOptionError("report", undefined, "it must be an exit report of this library", { cause });
  }
}

/** Options, or the child itself: a Process, which imports this file. */
function subject(explained: unknown): Record<string, unknown> {
  if (isInstance(explained, EventEmitter)) {
    const { file, args } = explained as Partial<Process>;
    return { file, args };
  }
  return bag("options", snapshot("options", explained), EXPLAINED_KEYS);
}

/** The same for an error's message: without arguments, which may hold secrets, and with a last line that was captured. */
export function exitMessage(file: string, report: ExitReport, stderr: string): string {
  return explanation(`${quoted(file)} ${describeExit(report)}`, report, lastLine(stderr));
}

function explanation(what: string, report: ExitReport, last: string): string {
  const words = report.message === null ? last : shorten(report.message);
  const lines = [words === "" ? what : `${what}: ${words}`, figures(report)];
  if (report.message !== null && last !== "" && last !== words) lines.push(`  stderr: ${last}`);
  if (report.status === "signaled" && report.core !== null) lines.push(`  ${describeCore(report.core)}`);
  return lines.join("\n");
}

/** One line for people: what the child died of. */
export function describeExit(report: ExitReport): string {
  switch (report.reason) {
    case "timeout":
      return `timed out after ${Math.round(report.wallMs)} ms (${describeStatus(report)})`;
    case "aborted":
      return `was aborted (${describeStatus(report)})`;
    case "output-limit":
      return `wrote more than ${report.limit === null ? "there is memory for" : "maxOutput allows"} and was ended (${describeStatus(report)})`;
    case "cpu-limit":
      return `used more CPU time than limits.cpuSeconds allows (${describeStatus(report)})`;
    case "file-size-limit":
      return `wrote a file larger than limits.fileSize allows (${describeStatus(report)})`;
    case "input-error":
      return `was ended because its input failed (${describeStatus(report)})`;
    case "shutdown":
      return `was ended with its pool or service (${describeStatus(report)})`;
    case "memory-limit":
      return `used more memory than limits.memory allows (${describeStatus(report)})`;
    case "pids-limit":
      return `met limits.pids and failed (${describeStatus(report)})`;
    case "unhealthy":
      return `failed its health probe and was ended (${describeStatus(report)})`;
    case "guardian-died":
      return `was killed with the init of its pid namespace (${describeStatus(report)})`;
    case "watchdog":
      return `was ended by its watchdog (${describeStatus(report)})`;
    case "exit":
    case "signal":
    case "unknown":
      return describeStatus(report);
  }
}

function describeStatus(report: ExitReport): string {
  switch (report.status) {
    case "exited":
      return `exited with code ${report.code}`;
    case "signaled": {
      const notes = [meaning(report), report.coreDumped ? "core dumped" : ""].filter((note) => note !== "");
      return `was killed by ${report.signal}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}`;
    }
    case "unknown":
      return "ended, but other code in this process took its exit status (waitpid(-1), or SIGCHLD is ignored)";
  }
}

/** Why it got the signal, as far as nobody has said it already. */
function meaning({ signal, reason, stopped }: ExitReport & { readonly status: "signaled" }): string {
  if (reason !== "signal") return "";
  if (stopped?.signal === signal || (stopped?.escalated === true && signal === "SIGKILL")) return "sent by kill()";
  if (signal === "SIGKILL") return "sent by a stranger or the kernel";
  return MEANINGS[signal] ?? "";
}

/** What was done, which limit it was, and what the child used. */
function figures(report: ExitReport): string {
  const { stopped, limit, wallMs, userMs, systemMs, maxRss, cgroup } = report;
  const deeds: string[] = [];
  if (stopped !== null) deeds.push(describeStop(stopped));
  if (limit !== null) deeds.push(describeLimit(limit));
  const parts = [`ran ${duration(wallMs)}`];
  const cpu = cgroup?.userMs ?? userMs;
  if (cpu !== null) parts.push(`CPU ${duration(cpu + (cgroup?.systemMs ?? systemMs ?? 0))}`);
  const memory = cgroup?.memoryPeak ?? maxRss;
  if (memory !== null) parts.push(`peak memory ${bytes(memory)}`);
  if (cgroup !== null) {
    if ((cgroup.oomKills ?? 0) > 0) parts.push(count(cgroup.oomKills, "OOM kill"));
    if ((cgroup.pidsMet ?? 0) > 0) parts.push(`${count(cgroup.pidsMet, "fork")} refused`);
  }
  return `  ${[...deeds, parts.join(", ")].join("; ")}`;
}

function describeStop({ by, signal, escalated }: Stopped): string {
  const sent = `${by === "kill" ? "kill() sent" : "the pool sent"} ${signal}`;
  return escalated ? `${sent}, and SIGKILL when that did not end it` : sent;
}

function describeLimit(limit: ReachedLimit): string {
  switch (limit.name) {
    case "maxOutput":
      return `maxOutput is ${bytes(limit.value)}${limit.fd === null ? "" : ` (fd ${limit.fd})`}`;
    case "cpuSeconds":
      return `limits.cpuSeconds is ${limit.value} s`;
    case "pids":
      return `limits.pids is ${limit.value}`;
    case "fileSize":
    case "memory":
      return `limits.${limit.name} is ${bytes(limit.value)}`;
  }
}

function describeCore({ to, where }: CoreDump): string {
  if (where === null) return "its core dump was not found";
  // The child has a say in it: by its working directory, and by its name, which a pattern may hold.
  const path = shorten(printable(where), LONGEST_PATH);
  switch (to) {
    case "program":
      return `its core dump went to the program ${path}`;
    case "socket":
      return `its core dump went to the socket ${path}`;
    case "file":
    case null:
      return `its core dump is ${path}`;
  }
}

function command(file: string, args: readonly string[] = []): string {
  const shown = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : quoted(arg))).join(" ");
  // JSON leaves some control characters as they are.
  return printable(shown === "" ? quoted(file) : `${quoted(file)} ${shorten(shown, ARGUMENTS)}`);
}

/** The last line that holds anything. */
function lastLine(written: string | null): string {
  // Colours are often ended after the last newline.
  const said = stripVTControlCharacters((written ?? "").slice(-LOOK)).trimEnd();
  const line = said.slice(Math.max(said.lastIndexOf("\n"), said.lastIndexOf("\r")) + 1);
  return tail(printable(line), LINE);
}

function shorten(words: string, most = LINE): string {
  // Not by one expression: that takes a time that grows with the square of how many spaces there are.
  const lines = words.split(/[\r\n]+/).map((part) => part.trim());
  const line = lines.filter((part) => part !== "").join(" ");
  return line.length > most ? `${head(line, most - 1)}…` : line;
}

function count(n: number | null, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function duration(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

function bytes(n: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = n;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}

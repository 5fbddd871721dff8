// What a child says of its own isolation.
import { readlinkSync } from "node:fs";
import * as pidpool from "pidpool";
import { said } from "./wait.ts";

export const KINDS = ["user", "net", "pid", "mnt", "ipc", "uts", "cgroup", "time"] as const;
export type Kind = (typeof KINDS)[number];
export type Namespaces = Readonly<Record<Kind, string>>;

const SCRIPT = `for kind in ${KINDS.join(" ")}; do readlink /proc/self/ns/$kind; done`;

/** The namespaces of a new child. */
export async function namespacesOf(pool: pidpool.ProcessPool, options: pidpool.RunOptions = {}): Promise<Namespaces> {
  const { stdout } = await pool.run("sh", ["-c", SCRIPT], { ...options, stdio: "capture", encoding: "utf8" });
  const lines = stdout.trim().split("\n");
  return Object.fromEntries(KINDS.map((kind, i) => [kind, lines[i]])) as Namespaces;
}

/**
 * The namespaces of children, one of each pool, that all live at the same time: the number of one that has ended
 * may be another's.
 */
export async function namespacesTogether(...pools: readonly pidpool.ProcessPool[]): Promise<Namespaces[]> {
  const children = await Promise.all(
    pools.map((pool) => pool.spawn("sh", ["-c", `${SCRIPT}; echo .; cat`], { stdio: ["pipe", "pipe", "ignore"] })),
  );
  const texts = await Promise.all(children.map(({ stdout }) => said(stdout, ".")));
  for (const { stdin } of children) stdin.end();
  await Promise.all(children.map(({ exited }) => exited));
  return texts.map((text) => {
    const lines = text.split("\n");
    return Object.fromEntries(KINDS.map((kind, i) => [kind, lines[i]])) as Namespaces;
  });
}

/** This process's. */
export function ownNamespaces(): Namespaces {
  return Object.fromEntries(KINDS.map((kind) => [kind, readlinkSync(`/proc/self/ns/${kind}`)])) as Namespaces;
}

/** The kinds in which two differ. */
export function differences(a: Namespaces, b: Namespaces): Kind[] {
  return KINDS.filter((kind) => a[kind] !== b[kind]);
}

/** Why this machine refuses an isolation, by the library's own answer, for a test's `skip`. */
export async function refusal(isolation: pidpool.Isolation, options: pidpool.RunOptions = {}): Promise<string | false> {
  try {
    await using pool = new pidpool.ProcessPool({ isolation, cwd: "/" });
    await pool.run("true", [], options);
    return false;
  } catch (error) {
    if (error instanceof pidpool.IsolationError) return error.message;
    throw error;
  }
}

/** What proc_pid_status(5) says of the program `cat` in a child. */
export async function statusOf(
  pool: pidpool.ProcessPool,
  options: pidpool.RunOptions = {},
): Promise<Map<string, string>> {
  const { stdout } = await pool.run("cat", ["/proc/self/status"], { ...options, stdio: "capture", encoding: "utf8" });
  return new Map(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split(":\t", 2) as [string, string]),
  );
}

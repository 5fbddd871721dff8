// What a host that was killed may leave, and must not: processes, namespaces,
// files, sockets, cgroups, mounts.
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { candidates } from "#pidpool/pool/notify/place.js";
import { groupsBeneath } from "../helpers/cgroups.ts";
import { markedPids } from "../helpers/marked.ts";
import { KINDS } from "../helpers/isolation.ts";
import { orphans, treeOf } from "./subreaper.ts";

/** What belongs to a host, whatever it does. */
export interface Belongings {
  readonly mark: { readonly PIDPOOL_MARK: string };
  readonly pid: number;
  /** Its files. */
  readonly dir: string;
  /** Its TMPDIR. */
  readonly tmp: string;
  /** Where its pools make cgroups; empty where they make none. */
  readonly cgroup: string;
  /** Of its standing socket. */
  readonly port: number;
  /** That its tree has been seen in. */
  readonly namespaces: HeldNamespaces;
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

const FILES = [...KINDS, "pid_for_children"];

/** Namespaces of a process, as "kind:[number]". */
function namespacesOf(pid: number): string[] {
  return FILES.flatMap((kind) => {
    try {
      return [readlinkSync(`/proc/${pid}/ns/${kind}`)];
    } catch {
      return [];
    }
  });
}

/** Namespaces by "kind:[number]", each with an fd: the number of one that is gone is soon another's. */
export class HeldNamespaces {
  readonly #fds = new Map<string, number>();

  /** Those of a tree that are not ours. */
  constructor(pid: number) {
    const own = new Set(namespacesOf(process.pid));
    for (const member of treeOf(pid)) {
      for (const kind of FILES) {
        try {
          const file = `/proc/${member}/ns/${kind}`;
          if (own.has(readlinkSync(file)) || this.#fds.has(readlinkSync(file))) continue;
          const fd = openSync(file, "r");
          const name = readlinkSync(`/proc/self/fd/${fd}`);
          if (own.has(name) || this.#fds.has(name)) closeSync(fd);
          else this.#fds.set(name, fd);
        } catch {
          // It has just ended.
        }
      }
    }
  }

  get size(): number {
    return this.#fds.size;
  }

  /** Those that somebody is still in, or that a mount holds. */
  inUse(): string[] {
    if (this.size === 0) return [];
    const used = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => namespacesOf(Number(pid)));
    const mounted = [...read("/proc/self/mountinfo").matchAll(/ (\w+:\[\d+\]) /g)].map(([, name = ""]) => name);
    return [...new Set([...used, ...mounted])].filter((name) => this.#fds.has(name));
  }

  close(): void {
    for (const fd of this.#fds.values()) closeSync(fd);
    this.#fds.clear();
  }
}

/** Entries of directories, but those of this process. */
function entries(path: string): string[] {
  try {
    return readdirSync(path).map((name) => `${path}/${name}`);
  } catch {
    return [];
  }
}

function shown(pid: number): string {
  const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
  return `process ${pid}: ${command.slice(0, 200)}, ${/^State:.*/m.exec(read(`/proc/${pid}/status`))?.[0]}`;
}

/** All that is left, in words. */
export function remains({ mark, pid, dir, tmp, cgroup, port, namespaces }: Belongings): string[] {
  const hexPort = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const notify = `pidpool-notify-${pid}-`;
  return [
    ...new Set([...orphans(), ...markedPids(mark)].map(shown)),
    ...candidates()
      .flatMap(entries)
      .filter((path) => path.includes(`/${notify}`)),
    ...entries(tmp),
    ...(cgroup === "" ? [] : groupsBeneath(cgroup).map((name) => `cgroup ${name}`)),
    ...namespaces.inUse(),
    ...read("/proc/net/unix")
      .split("\n")
      .filter((line) => line.includes(`${dir}/`) || line.includes(notify)),
    // State 0A: LISTEN.
    ...read("/proc/net/tcp")
      .split("\n")
      .filter((line) => new RegExp(`${hexPort} \\S+ 0A `).test(line)),
    ...read("/proc/self/mountinfo")
      .split("\n")
      .filter((line) => line.includes(`${dir}/`)),
  ];
}

// Whose notifications count: those of the child and of what it has started. The
// kernel tells the sender's pid (SCM_CREDENTIALS in unix(7)); the rest is found in
// /proc, where a sender that ended at once may not be found any more.
import { readFileSync, readlinkSync } from "node:fs";
import { readStat, type ProcStat } from "../../process/proc-stat.ts";

/** What belongs to a child beside its descendants. */
export interface Belongings {
  /** Its pid namespace is its own. */
  readonly ownNamespace: boolean;
  /** Its cgroup is its own. */
  readonly ownGroup: boolean;
}

/** More generations than any program has. */
const MOST_ANCESTORS = 256;

/** The processes that may speak for a child. */
export class Kin {
  readonly #pid: number;
  readonly #namespace: string | undefined;
  readonly #group: string | undefined;
  readonly #known = new Map<number, boolean>();
  /** Whether the parents that were passed on the way up descend from the child. */
  readonly #descent = new Map<number, boolean>();

  constructor(pid: number, { ownNamespace, ownGroup }: Belongings) {
    this.#pid = pid;
    // As long as the child is there to ask.
    this.#namespace = ownNamespace ? namespaceOf(pid) : undefined;
    this.#group = ownGroup ? groupOf(pid) : undefined;
  }

  /** A pid means the same process only for a moment: what was found is not kept for long. */
  forget(): void {
    this.#known.clear();
    this.#descent.clear();
  }

  has(pid: number): boolean {
    // With CAP_SYS_ADMIN systemd-notify speaks as its parent, which we are where it is the child itself.
    if (pid === this.#pid || pid === process.pid) return true;
    // Of another pid namespace than ours or one beneath.
    if (pid === 0) return false;
    let known = this.#known.get(pid);
    if (known === undefined) this.#known.set(pid, (known = this.#find(pid)));
    return known;
  }

  #find(pid: number): boolean {
    const child = this.#pid;
    const stat = readStat(pid);
    if (stat === undefined) return false;
    // A session has only those that were born in it. A group can be joined from the whole session that it is in, by
    // whatever user: by other children too.
    if (stat.session === child) return true;
    if (this.#namespace !== undefined && namespaceOf(pid) === this.#namespace) return true;
    if (this.#group !== undefined && isBeneath(groupOf(pid), this.#group)) return true;
    return this.#descends(stat);
  }

  #descends(sender: ProcStat): boolean {
    const passed: number[] = [];
    let stat: ProcStat | undefined = sender;
    let found: boolean | undefined;
    while (found === undefined && stat !== undefined && passed.length < MOST_ANCESTORS) {
      const { parent }: ProcStat = stat;
      found = parent === this.#pid ? true : parent <= 1 ? false : this.#descent.get(parent);
      if (found !== undefined) break;
      passed.push(parent);
      stat = readStat(parent);
    }
    // Too far down counts as no descent, and so for all who were passed: or each would be looked for as long.
    for (const pid of passed) this.#descent.set(pid, found === true);
    return found === true;
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function groupOf(pid: number): string | undefined {
  try {
    return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

function isBeneath(group: string | undefined, above: string): boolean {
  return group === above || group?.startsWith(`${above}/`) === true;
}

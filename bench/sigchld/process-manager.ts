// Children as a process manager with a SIGCHLD handler has them, such as
// libcamera's: a handler that writes to a pipe to itself (libuv's, behind
// process.on), a list of all processes, and waitpid(pid, WNOHANG) on each of
// them at every wake-up, because a signal does not say whose exit it is and
// several exits may be one signal.
import { native } from "#pidpool/native/load.js";
import type { LaunchSpec } from "#pidpool/process/spec.js";
import { Launches, type Failure } from "./launches.ts";

const WNOHANG = 1;
const WAIT4 = { x64: 61, arm64: 260 }[process.arch as "x64" | "arm64"];

/** Who hears of a child. Either `failed` is called, or `died`, before which `launched` is. */
export interface Listener {
  /** Exec has succeeded. Where it is left out, nobody waits for that. */
  launched?(pid: number): void;
  /** With the wait status, as wait(2) gives it. */
  died(status: number): void;
  failed(error: Error): void;
}

/** One of the list. */
interface Entry {
  readonly launches: Launches<Entry>;
  readonly listener: Listener;
  slot: number;
  done: boolean;
}

/** One handler and one list for all children that it starts. */
export class ProcessManager {
  readonly #launches: readonly Launches<Entry>[];
  readonly #status = new Int32Array(1);
  readonly #statusAddress = native().addressOf(this.#status);
  readonly #entries: Entry[] = [];
  readonly #handler = (): void => this.#sweep();
  #turn = 0;
  /** Whether a pid is known before its child can die; until an exit shows that it is, all launches are announced. */
  #pidsAreEarly = false;

  /** @param launchers how many threads launch. */
  constructor(launchers: number) {
    this.#launches = Array.from({ length: launchers }, () => new Launches<Entry>((entry) => this.#noticed(entry)));
    process.on("SIGCHLD", this.#handler);
  }

  /** Resolves once the launch is queued. */
  async start(spec: LaunchSpec, listener: Listener): Promise<void> {
    const launches = this.#launches[this.#turn++ % this.#launches.length] as Launches<Entry>;
    await launches.room(spec);
    const entry: Entry = { launches, listener, slot: -1, done: false };
    const announce = listener.launched !== undefined || !this.#pidsAreEarly;
    entry.slot = launches.start(spec, announce, entry);
    this.#entries.push(entry);
  }

  #sweep(): void {
    const entries = this.#entries;
    let kept = 0;
    for (const entry of entries) {
      if (!entry.done) this.#wait(entry);
      if (!entry.done) entries[kept++] = entry;
    }
    entries.length = kept;
  }

  /** waitpid(2) on one of them. It fails where the launcher was first, with a child that did not come to exec. */
  #wait(entry: Entry): void {
    const { launches, listener, slot } = entry;
    const pid = launches.pid(slot);
    if (pid <= 0) return;
    const { syscall } = native();
    if (syscall(WAIT4, pid, this.#statusAddress, WNOHANG, 0, 0, 0) !== pid) return;
    this.#pidsAreEarly = !launches.knowsPidsLate;
    const failure = launches.failure(slot);
    if (failure !== undefined) {
      this.#fail(entry, failure);
      return;
    }
    this.#forget(entry);
    listener.launched?.(pid);
    listener.died(this.#status[0] ?? 0);
  }

  #noticed(entry: Entry): void {
    const { launches, listener, slot } = entry;
    const outcome = launches.outcome(slot);
    if (outcome === "pending") return;
    if (outcome !== "running") {
      this.#fail(entry, outcome);
      return;
    }
    listener.launched?.(launches.pid(slot));
    // Where pids are late, its signal may have come before its pid.
    this.#wait(entry);
  }

  #fail(entry: Entry, { stage, errno }: Failure): void {
    this.#forget(entry);
    entry.listener.failed(new Error(`${stage} failed with errno ${errno}`));
  }

  /** The next sweep takes it off the list. */
  #forget(entry: Entry): void {
    entry.done = true;
    entry.launches.release(entry.slot);
  }

  /** Leaves its children alone. */
  close(): void {
    process.off("SIGCHLD", this.#handler);
    for (const launches of this.#launches) launches.close();
  }
}

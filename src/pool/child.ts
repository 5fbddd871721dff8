// One launch as the pool's thread knows it, from the call to the exit.
import type { Socket } from "node:net";
import type { Notification } from "../process/notification.ts";
import type { ExitReport } from "../process/report.ts";
import type { StdioStream } from "../process/process.ts";
import type { InputSource, LaunchSpec } from "../process/spec.ts";
import type { Collected } from "./collect-output.ts";
import type { Ground } from "./ground.ts";
import { ChildInput } from "./child-input.ts";
import type { Plumbing } from "./plumbing.ts";
import type { Supervisor } from "./supervisor.ts";
import { TailedSocket } from "./tailed-socket.ts";

/** What a supervisor tells about a child. Exactly one of failed, cancelled and exited comes, and comes last. */
export interface ChildEvents {
  launched(pid: number): void;
  /** @param detail Which of several things of the same kind the stage was at. */
  failed(stage: string, errno: number, detail: number): void;
  cancelled(): void;
  /** Where its spec has `notify`: it says something of itself; never before it was launched. */
  notified?(notification: Notification): void;
  exited(report: ExitReport, collected: Collected): void;
}

const NO_STREAMS: readonly StdioStream[] = Object.freeze([]);

/** A launch in whatever state. */
export class Child {
  readonly spec: LaunchSpec;
  readonly events: ChildEvents;
  readonly announce: boolean;
  /** Where it is, while it has a slot: which supervisor's, which one, and which of the children that this slot has had. */
  supervisor: Supervisor | undefined;
  slot = -1;
  generation = 0;
  /** Whether it keeps Node alive. */
  refed = true;
  stdio: readonly StdioStream[] = NO_STREAMS;
  /** What it is to be born into, beyond this process. */
  ground: Ground | undefined;
  /** Where the socket of its notifications is to be; empty without one. */
  notifyDirectory = "";
  /** Where its notifications go; there as long as it has a slot. */
  notifyPath: string | undefined;
  #input: ChildInput | undefined;

  /** @param announce whether {@link ChildEvents.launched} is wanted; it costs the supervisor a wake-up. */
  constructor(spec: LaunchSpec, events: ChildEvents, announce: boolean) {
    this.spec = spec;
    this.events = events;
    this.announce = announce;
    const { input, killSignal } = spec;
    if (input === undefined || !("stream" in input)) return;
    this.#input = new ChildInput();
    this.#input.guard(input.stream, () => this.supervisor?.stop(this, "input-error", killSignal));
  }

  /** Takes over the streams of a launch under way and starts to feed the child's stdin. */
  connect(plumbing: Plumbing): void {
    plumbing.makeStreams();
    this.stdio = plumbing.stdio;
    const waiting = plumbing.takeLater();
    if (waiting >= 0) (this.#input ??= new ChildInput()).wait(waiting);
    const { feed } = plumbing;
    if (feed === undefined) return;
    const { input } = this.spec;
    const stream = input !== undefined && "stream" in input ? input.stream : undefined;
    (this.#input ??= new ChildInput()).supply(feed, stream, this.refed);
  }

  /** See {@link ChildInput.give}. */
  feed(input: InputSource): boolean {
    return this.#input?.give(input, this.refed) === true;
  }

  /** Why the input stream failed, if it did. */
  get inputError(): unknown {
    return this.#input?.error;
  }

  /** A child must not take a broken-off input for a whole one: its stdin stays open until it is stopped. */
  inputEnded(error: NodeJS.ErrnoException | null | undefined, killSignal: number): void {
    if (this.#input?.fails(error) === true) this.supervisor?.stop(this, "input-error", killSignal);
  }

  /** The end of a stderr that is piped, as far as it was read; null where none is kept. */
  get stderrTail(): string | null {
    const stderr = this.stdio[2];
    return stderr instanceof TailedSocket ? stderr.tail : null;
  }

  setRef(ref: boolean): void {
    if (this.refed === ref) return;
    this.refed = ref;
    this.supervisor?.countRef(ref ? 1 : -1);
    this.#input?.setRef(ref);
    for (const stream of this.stdio) {
      const socket = stream as Socket | null | undefined;
      if (ref) socket?.ref();
      else socket?.unref();
    }
  }

  /** The child is gone or never was. */
  disconnect(failed: boolean): void {
    this.#input?.close();
    // Nothing tells a stream that its reader is gone until it is written to: it would hold its fd for ever.
    this.stdio[0]?.destroy();
    if (failed) for (const stream of this.stdio) stream?.destroy();
  }
}

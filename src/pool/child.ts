// One launch as the pool's thread knows it, from the call to the exit.
import type { Socket } from "node:net";
import { finished, type Readable } from "node:stream";
import { EPIPE } from "../native/errno.ts";
import { close, hasReader } from "../native/syscalls.ts";
import type { Notification } from "../process/notification.ts";
import type { ExitReport } from "../process/report.ts";
import type { StdioStream } from "../process/process.ts";
import type { InputSource, LaunchSpec } from "../process/spec.ts";
import type { Collected } from "./collect-output.ts";
import type { Ground } from "./ground.ts";
import { feedOf, fillPipe, type Feed, type Plumbing } from "./plumbing.ts";
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
  /** Where its notifications go; there as long as it has a slot. */
  notifyPath: string | undefined;
  #feed: Socket | undefined;

  /** @param announce whether {@link ChildEvents.launched} is wanted; it costs the supervisor a wake-up. */
  constructor(spec: LaunchSpec, events: ChildEvents, announce: boolean) {
    this.spec = spec;
    this.events = events;
    this.announce = announce;
    const { input } = spec;
    // From now on: a stream that breaks while the launch waits must not crash the program.
    if (input !== undefined && "stream" in input)
      finished(input.stream, { writable: false }, (error) => this.inputEnded(error, spec.killSignal));
  }

  /** Takes over the streams of a launch under way and starts to feed the child's stdin. */
  connect(plumbing: Plumbing): void {
    plumbing.makeStreams();
    this.stdio = plumbing.stdio;
    this.#later = plumbing.takeLater();
    const { feed } = plumbing;
    if (feed === undefined) return;
    const { input } = this.spec;
    this.#supply(feed, input !== undefined && "stream" in input ? input.stream : undefined);
  }

  /**
   * Writes to a stdin that was held open, and ends it.
   *
   * @returns false where nobody has it open any more; then nothing was taken from the input.
   */
  feed(input: InputSource): boolean {
    const fd = this.#later;
    if (fd < 0 || !hasReader(fd)) return false;
    let rest: Uint8Array | undefined;
    if ("bytes" in input) {
      const written = fillPipe(fd, input.bytes);
      if (written === -EPIPE) return false;
      rest = input.bytes.subarray(Math.max(0, written));
    }
    this.#later = -1;
    if (rest?.length === 0) close(fd);
    else this.#supply(feedOf(fd, rest), "stream" in input ? input.stream : undefined);
    return true;
  }

  #supply({ socket, rest }: Feed, stream: Readable | undefined): void {
    this.#feed = socket;
    if (!this.refed) socket.unref();
    if (stream !== undefined) {
      this.#pump(stream, socket);
    } else {
      socket.on("error", () => socket.destroy());
      socket.end(rest ?? new Uint8Array(0));
    }
  }

  /** Not pipeline(), which would end the child's stdin when the stream breaks off: that looks like its end. */
  #pump(stream: Readable, socket: Socket): void {
    const over = (): void => {
      // A child may end without reading everything: that is no failure of the stream.
      this.#inputOver = true;
      stream.destroy();
    };
    socket.on("error", over).once("close", over);
    stream.pipe(socket);
  }

  /** The pool's end of a stdin that waits for its input. */
  #later = -1;
  #inputOver = false;
  /** Why the input stream failed, if it did. */
  inputError: unknown;

  /** A child must not take a broken-off input for a whole one: its stdin stays open until it is stopped. */
  inputEnded(error: NodeJS.ErrnoException | null | undefined, killSignal: number): void {
    if (error === null || error === undefined || this.#inputOver) return;
    this.inputError = error;
    this.supervisor?.stop(this, "input-error", killSignal);
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
    for (const stream of [...this.stdio, this.#feed]) {
      const socket = stream as Socket | null | undefined;
      if (ref) socket?.ref();
      else socket?.unref();
    }
  }

  /** The child is gone or never was. */
  disconnect(failed: boolean): void {
    if (this.#later >= 0) close(this.#later);
    this.#later = -1;
    this.#feed?.destroy();
    this.#feed = undefined;
    if (failed) for (const stream of this.stdio) stream?.destroy();
  }
}

// The pipes of one launch: opened before it, handed to the child, the
// supervisor or a stream, closed on every path that fails.
import { Socket } from "node:net";
import type { FdSource, Patch } from "../native/launcher.ts";
import { close, pipe, setNonblocking, socketPair, writeBytes } from "../native/syscalls.ts";
import type { StdioStream } from "../process/process.ts";
import type { LaunchSpec } from "../process/spec.ts";
import { openNotifySocket, unlinkSocket, type NotifySocket } from "./notify/socket.ts";
import { NOWHERE, openPassOn, type PassOn } from "./pass-on.ts";
import { TailedSocket } from "./tailed-socket.ts";

/** Bytes that an empty pipe always takes at once (PIPE_BUF). */
const SURE_WRITE = 4096;
/** What a pipe of default size takes. */
const LIKELY_WRITE = 65536;

/** An end that the pool keeps. */
export interface OwnEnd {
  readonly fd: number;
  readonly target: number;
  /** Where only the tail is kept: where all of it goes. Owned like `fd`. */
  readonly passOn: PassOn | undefined;
}

/** What is left of a spec's input after the pipe was filled. */
export interface Feed {
  readonly socket: Socket;
  readonly rest: Uint8Array | undefined;
}

/** The stream takes over the fd. */
export function feedOf(fd: number, rest: Uint8Array | undefined): Feed {
  return { socket: new Socket({ fd, readable: false, writable: true }), rest };
}

/** Writes what a non-blocking pipe takes at once. Returns how much that was, or -errno. */
export function fillPipe(fd: number, bytes: Uint8Array): number {
  const length = Math.min(bytes.length, LIKELY_WRITE);
  return length === 0 ? 0 : writeBytes(fd, bytes, length);
}

/** All fds that a launch opened in this process. Each is closed once, by whom it was handed to or by {@link abandon}. */
export class Plumbing {
  readonly sources: FdSource[] = [];
  readonly captures: OwnEnd[] = [];
  readonly stdio: StdioStream[] = [];
  /** Where the child's own words arrive: the socket, or the end of the pipe (-1: none). */
  notifySocket: NotifySocket | undefined;
  notifyFd = -1;
  /** What the child's environment lacks. */
  patch: Patch | undefined;
  feed: Feed | undefined;
  readonly #streams: OwnEnd[] = [];
  #input: { fd: number; rest: Uint8Array | undefined } | undefined;
  #later = -1;
  #tail = 0;

  /**
   * Opens everything. Returns 0, or -errno with nothing left open.
   *
   * @param directory Where the socket of notifications is to be, if there is one.
   */
  open(spec: LaunchSpec, directory: string): number {
    let result = 0;
    this.#tail = spec.stderrTail;
    spec.fds.forEach((plan, index) => {
      if (result < 0) return;
      if (plan.kind === "capture") result = this.#openCapture(index, plan.target);
      else if (plan.kind === "pipe") result = this.#openStream(index, plan.target);
      else if (plan.kind === "tail") result = this.#openTail(index, plan.target, plan.passTo);
      else if (plan.kind === "input") result = this.#openInput(index, spec);
      else if (plan.kind === "notify") result = this.#openNotify(index);
    });
    if (result >= 0) result = this.#openSocket(spec, directory);
    if (result < 0) this.abandon();
    return result;
  }

  #pair(index: number, childWrites: boolean): { result: number; own: number } {
    const result = pipe(ends);
    if (result < 0) return { result, own: -1 };
    const [reader = -1, writer = -1] = ends;
    this.sources.push({ index, source: childWrites ? writer : reader, handed: true });
    return { result, own: childWrites ? reader : writer };
  }

  #openCapture(index: number, target: number): number {
    const { result, own } = this.#pair(index, true);
    if (result < 0) return result;
    this.captures.push({ fd: own, target, passOn: undefined });
    return setNonblocking(own);
  }

  #openNotify(index: number): number {
    const { result, own } = this.#pair(index, true);
    if (result < 0) return result;
    this.notifyFd = own;
    return setNonblocking(own);
  }

  #openSocket({ notify }: LaunchSpec, directory: string): number {
    if (notify?.socketAt === undefined) return 0;
    const socket = openNotifySocket(directory, notify.speaker);
    if (typeof socket === "number") return socket;
    this.notifySocket = socket;
    this.patch = { at: notify.socketAt, text: socket.path };
    return 0;
  }

  #openTail(index: number, target: number, passTo: number): number {
    const passOn = passTo < 0 ? NOWHERE : openPassOn(passTo);
    if (typeof passOn === "number") return passOn;
    const { result, own } = this.#pair(index, true);
    if (result < 0) {
      if (passOn.fd >= 0) close(passOn.fd);
      return result;
    }
    this.captures.push({ fd: own, target, passOn });
    return setNonblocking(own);
  }

  #openStream(index: number, target: number): number {
    if (target <= 2) {
      const { result, own } = this.#pair(index, target !== 0);
      if (result >= 0) this.#streams.push({ fd: own, target, passOn: undefined });
      return result;
    }
    const result = socketPair(ends);
    if (result < 0) return result;
    this.sources.push({ index, source: ends[1] ?? -1, handed: true });
    this.#streams.push({ fd: ends[0] ?? -1, target, passOn: undefined });
    return result;
  }

  #openInput(index: number, { input }: LaunchSpec): number {
    const { result, own } = this.#pair(index, false);
    if (result < 0) return result;
    if (input !== undefined && "later" in input) {
      this.#later = own;
      return setNonblocking(own);
    }
    this.#input = { fd: own, rest: undefined };
    if (input === undefined || "stream" in input) return result;
    const { bytes } = input;
    let written = 0;
    if (bytes.length > 0 && bytes.length <= LIKELY_WRITE) {
      // A user with many pipes gets small ones; only then is less written.
      if (bytes.length > SURE_WRITE) setNonblocking(own);
      written = Math.max(0, writeBytes(own, bytes, bytes.length));
    }
    if (written === bytes.length) {
      this.#input = undefined;
      close(own);
    } else {
      this.#input.rest = bytes.subarray(written);
    }
    return result;
  }

  /** The launch is under way: wraps the pool's ends of streams. Sockets close their fd themselves. */
  makeStreams(): void {
    for (const { fd, target } of this.#streams.splice(0)) {
      while (this.stdio.length < target) this.stdio.push(null);
      this.stdio[target] =
        target === 2 && this.#tail > 0
          ? new TailedSocket(fd, this.#tail)
          : new Socket({ fd, readable: target !== 0, writable: target === 0 || target > 2 });
    }
    if (this.#input !== undefined) {
      const { fd, rest } = this.#input;
      this.#input = undefined;
      this.feed = feedOf(fd, rest);
    }
  }

  /** Hands over the end of a stdin that is held open, non-blocking; -1 where there is none. */
  takeLater(): number {
    const fd = this.#later;
    this.#later = -1;
    return fd;
  }

  /** Closes all that is still this object's. */
  abandon(): void {
    for (const { source, handed } of this.sources.splice(0)) if (handed) close(source);
    for (const { fd, passOn } of this.captures.splice(0)) {
      close(fd);
      if (passOn !== undefined && passOn.fd >= 0) close(passOn.fd);
    }
    for (const { fd } of this.#streams.splice(0)) close(fd);
    if (this.#input !== undefined) close(this.#input.fd);
    this.#input = undefined;
    const later = this.takeLater();
    if (later >= 0) close(later);
    if (this.notifyFd >= 0) close(this.notifyFd);
    this.notifyFd = -1;
    if (this.notifySocket === undefined) return;
    close(this.notifySocket.fd);
    unlinkSocket(this.notifySocket.path);
    this.notifySocket = undefined;
  }
}

const ends = new Int32Array(2);

// What the pool writes to a child's stdin: bytes that did not fit its pipe, a
// stream, or what is given to a process that waits for it.
import type { Socket } from "node:net";
import { finished, type Readable } from "node:stream";
import { EPIPE } from "../native/errno.ts";
import { close, hasReader } from "../native/syscalls.ts";
import type { InputSource } from "../process/spec.ts";
import { feedOf, fillPipe, type Feed } from "./plumbing.ts";

/** The pool's end of one child's stdin, once there is one. */
export class ChildInput {
  /** Why the input stream failed, if it did. */
  error: unknown;
  #socket: Socket | undefined;
  /** A stdin that waits for its input. */
  #waiting = -1;
  #over = false;

  /** From now on a stream that breaks does not crash the program, even while the launch waits. */
  guard(stream: Readable, failed: () => void): void {
    finished(stream, { writable: false }, (error) => {
      if (this.fails(error)) failed();
    });
  }

  /** True where this error is news: the child has not had all of its input. */
  fails(error: NodeJS.ErrnoException | null | undefined): boolean {
    if (error === null || error === undefined || this.#over) return false;
    this.error = error;
    return true;
  }

  /** Takes a stdin that waits. */
  wait(fd: number): void {
    this.#waiting = fd;
  }

  /**
   * Writes to a stdin that waits, and ends it.
   *
   * @returns false where nobody has it open any more; then nothing was taken from the input.
   */
  give(input: InputSource, refed: boolean): boolean {
    const fd = this.#waiting;
    if (fd < 0 || !hasReader(fd)) return false;
    let rest: Uint8Array | undefined;
    if ("bytes" in input) {
      const written = fillPipe(fd, input.bytes);
      if (written === -EPIPE) return false;
      rest = input.bytes.subarray(Math.max(0, written));
    }
    this.#waiting = -1;
    if (rest?.length === 0) close(fd);
    else this.supply(feedOf(fd, rest), "stream" in input ? input.stream : undefined, refed);
    return true;
  }

  /** Writes the rest of bytes, or a stream, as fast as the child reads. */
  supply({ socket, rest }: Feed, stream: Readable | undefined, refed: boolean): void {
    this.#socket = socket;
    if (!refed) socket.unref();
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
      this.#over = true;
      stream.destroy();
    };
    socket.on("error", over).once("close", over);
    stream.pipe(socket);
  }

  setRef(ref: boolean): void {
    if (ref) this.#socket?.ref();
    else this.#socket?.unref();
  }

  /** The child is gone or never was. */
  close(): void {
    if (this.#waiting >= 0) close(this.#waiting);
    this.#waiting = -1;
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

// Where the bytes of a child go that are only seen on their way: an fd of the
// user's, as the supervisor thread may write to it. That thread must never wait
// for a reader, and the open file behind the fd is not ours to change.
import { fstatSync } from "node:fs";
import { EAGAIN, EINVAL } from "../native/errno.ts";
import { dupFrom, isWritable, openToWrite, sendNow, write } from "../native/syscalls.ts";

/** An fd to pass bytes on to: ours to close, or -1 where they are dropped. */
export interface PassOn {
  readonly fd: number;
  /** One of {@link MANNER}. */
  readonly manner: number;
}

/**
 * How the fd takes writes: `direct`, it never waits for anyone (a file); `own`, by an open file of our own that does
 * not block; `socket`, by send(2), which can be told not to wait; `asked`, after poll(2), for a pipe or terminal that
 * we may not open anew.
 */
export const MANNER = { direct: 0, own: 1, socket: 2, asked: 3 } as const;
/** Where a manner stands in CAPTURE.tail. */
export const MANNER_SHIFT = 24;

/** What a pipe that is writable takes at once, whole (PIPE_BUF). */
export const AT_ONCE = 4096;

/** Device 5:2, of the masters of all pseudoterminals: opened anew, it is one more. */
const PTMX = 0x502;

/** Bytes that nobody wants. */
export const NOWHERE: PassOn = Object.freeze({ fd: -1, manner: MANNER.direct });

/** Makes the fd for {@link passOn}. Returns it, or -errno. */
export function openPassOn(fd: number): PassOn | number {
  let stat;
  try {
    stat = fstatSync(fd);
  } catch (error) {
    return (error as NodeJS.ErrnoException).errno ?? -EAGAIN;
  }
  let manner: number = MANNER.direct;
  if (stat.isSocket()) {
    manner = MANNER.socket;
  } else if (stat.isFIFO() || stat.isCharacterDevice()) {
    // A pipe without readers cannot be opened either; a write to it fails, and does not wait.
    const own = stat.rdev === PTMX ? -EINVAL : openToWrite(`/proc/self/fd/${fd}`);
    if (own >= 0) return { fd: own, manner: MANNER.own };
    manner = MANNER.asked;
  }
  const copy = dupFrom(fd, 0);
  return copy < 0 ? copy : { fd: copy, manner };
}

/** Writes what the fd takes without waiting, {@link AT_ONCE} bytes at most. Returns how many, or -errno. */
export function passOn({ fd, manner }: PassOn, address: number, length: number): number {
  const most = Math.min(length, AT_ONCE);
  if (fd < 0) return length;
  if (manner === MANNER.socket) return sendNow(fd, address, most);
  // Another process may fill the pipe just then. Nothing can prevent that with an open file that is shared.
  if (manner === MANNER.asked && !isWritable(fd)) return -EAGAIN;
  return write(fd, address, most);
}

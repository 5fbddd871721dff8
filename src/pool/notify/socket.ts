// The socket that one child's notifications come to. Each child has its own: one
// that floods it fills nobody else's queue.
import { randomBytes } from "node:crypto";
import { chmodSync, unlinkSync } from "node:fs";
import { ENOENT, errnoNumber } from "../../native/errno.ts";
import { bindPath, close, datagramSocket } from "../../native/syscalls.ts";
import { makeDirectory, NAME_LENGTH } from "./directory.ts";

/** A bound socket; whoever holds it closes the one and unlinks the other. */
export interface NotifySocket {
  readonly fd: number;
  readonly path: string;
}

/** Opens one in this directory, or returns -errno with nothing left. */
export function openNotifySocket(directory: string): NotifySocket | number {
  const result = tryOpen(directory);
  // Someone has removed the directory. Under the same name it has its guardian.
  return result === -ENOENT && makeDirectory(directory) === 0 ? tryOpen(directory) : result;
}

function tryOpen(directory: string): NotifySocket | number {
  const fd = datagramSocket();
  if (fd < 0) return fd;
  const path = `${directory}/${randomBytes(NAME_LENGTH / 2).toString("hex")}`;
  const bound = bindPath(fd, path);
  const result = bound < 0 ? bound : openToAll(path);
  if (result >= 0) return { fd, path };
  close(fd);
  if (bound >= 0) unlinkSocket(path);
  return result;
}

/** A child may run as another user, or become one. Who sends is checked, not who could. */
function openToAll(path: string): number {
  try {
    chmodSync(path, 0o666);
    return 0;
  } catch (error) {
    return -errnoNumber((error as NodeJS.ErrnoException).code) || -ENOENT;
  }
}

/** Removes its name; the fd goes on without. */
export function unlinkSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Someone was faster.
  }
}

// The socket that one child's notifications come to. Each child has its own: one
// that floods it fills nobody else's queue.
import { randomBytes } from "node:crypto";
import { chmodSync, lchownSync, unlinkSync } from "node:fs";
import { ENOENT, errnoNumber } from "../../native/errno.ts";
import { bindPath, close, datagramSocket } from "../../native/syscalls.ts";
import { makeDirectory, NAME_LENGTH } from "./directory.ts";

/** A bound socket; whoever holds it closes the one and unlinks the other. */
export interface NotifySocket {
  readonly fd: number;
  readonly path: string;
}

/**
 * Opens one in this directory, or returns -errno with nothing left.
 *
 * @param speaker The only user who is to reach it; undefined for all.
 */
export function openNotifySocket(directory: string, speaker: number | undefined): NotifySocket | number {
  const result = tryOpen(directory, speaker);
  // Someone has removed the directory. Under the same name it has its guardian.
  return result === -ENOENT && makeDirectory(directory) === 0 ? tryOpen(directory, speaker) : result;
}

function tryOpen(directory: string, speaker: number | undefined): NotifySocket | number {
  const fd = datagramSocket();
  if (fd < 0) return fd;
  const path = `${directory}/${randomBytes(NAME_LENGTH / 2).toString("hex")}`;
  const bound = bindPath(fd, path);
  const result = bound < 0 ? bound : openTo(speaker, path);
  if (result >= 0) return { fd, path };
  close(fd);
  if (bound >= 0) unlinkSocket(path);
  return result;
}

/** Who sends is checked. But who could, could fill the queue. */
function openTo(speaker: number | undefined, path: string): number {
  try {
    chmodSync(path, speaker !== undefined && makeOwner(speaker, path) ? 0o600 : 0o666);
    return 0;
  } catch (error) {
    return -errnoNumber((error as NodeJS.ErrnoException).code) || -ENOENT;
  }
}

/** Whether the file is the user's now: to give it away takes CAP_CHOWN. */
function makeOwner(uid: number, path: string): boolean {
  if (uid === process.geteuid?.()) return true;
  try {
    lchownSync(path, uid, process.getegid?.() ?? -1);
    return true;
  } catch {
    return false;
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

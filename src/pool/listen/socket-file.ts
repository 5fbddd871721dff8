// The file of a unix socket: bound with its final permissions, in place of one
// that a dead server left, and removed when the socket is closed.
import { chmodSync, closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync } from "node:fs";
import { PidpoolError } from "../../errors.ts";
import { EADDRINUSE, ECONNREFUSED, ENOENT, errnoNumber } from "../../native/errno.ts";
import { bindSocket, close, connectSocket, fchmod, setNonblocking, streamSocket } from "../../native/syscalls.ts";
import { AF_UNIX, encodePath } from "./address.ts";
import type { PathPlan } from "./options.ts";
import { checked, refusal } from "./refusal.ts";

/** openat(2); Node has no name for it. */
const O_PATH = 0o10000000;

/** A bound socket's file. */
export class SocketFile {
  readonly #path: string;
  readonly #inode: string;

  private constructor(path: string) {
    this.#path = path;
    this.#inode = inodeAt(path) ?? "";
  }

  /** @throws PidpoolError ERR_LISTEN, with no file left. */
  static bind(fd: number, plan: PathPlan): SocketFile {
    const { path, mode } = plan;
    // bind(2) gives the file the permissions of the socket less the umask: at no time are they wider than asked for.
    if (mode !== undefined) checked(plan, "fchmod", fchmod(fd, mode));
    const address = encodePath(path);
    let bound = bindSocket(fd, address);
    if (bound === -EADDRINUSE) {
      removeStale(plan, address);
      bound = bindSocket(fd, address);
    }
    checked(plan, "bind", bound);
    const file = new SocketFile(path);
    if (mode === undefined) return file;
    try {
      openTo(plan, mode);
    } catch (error) {
      file.remove();
      throw error;
    }
    return file;
  }

  /** Removes the file, unless another has taken its place. */
  remove(): void {
    try {
      if (inodeAt(this.#path) === this.#inode) unlinkSync(this.#path);
    } catch {
      // Gone, or no longer ours to reach or remove.
    }
  }
}

/**
 * Gives back what the umask took: to the socket, and never to what a symbolic link leads to that somebody has put in its
 * place meanwhile, as who owns the directory can.
 */
function openTo(plan: PathPlan, mode: number): void {
  let fd = -1;
  try {
    fd = openSync(plan.path, O_PATH | constants.O_NOFOLLOW);
    const stat = fstatSync(fd);
    if (!stat.isSocket() || stat.uid !== process.geteuid?.()) {
      throw refusal(plan, "chmod", EADDRINUSE, "somebody has put another file in its place");
    }
    chmodSync(`/proc/self/fd/${fd}`, mode);
  } catch (error) {
    if (error instanceof PidpoolError) throw error;
    throw refusal(plan, "chmod", errnoNumber((error as NodeJS.ErrnoException).code));
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

function inodeAt(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}

/** Removes a socket's file that nobody listens behind. */
function removeStale(plan: PathPlan, address: Uint8Array): void {
  const stat = lstatSync(plan.path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) {
    throw refusal(plan, "bind", EADDRINUSE, "there is a file that is no socket; move it away or choose another path");
  }
  const probe = checked(plan, "socket", streamSocket(AF_UNIX));
  // A full backlog answers EAGAIN instead of making us wait.
  setNonblocking(probe);
  const answer = connectSocket(probe, address);
  close(probe);
  if (answer === -ENOENT) return;
  if (answer !== -ECONNREFUSED) {
    throw refusal(plan, "bind", EADDRINUSE, "a program listens there; end it or choose another path");
  }
  try {
    unlinkSync(plan.path);
  } catch {
    // bind(2) will say so.
  }
}

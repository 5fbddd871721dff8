// The directories of one pool, for the sockets of its children's notifications:
// made when the first child needs one, gone with the pool or with the process,
// however that ends. What a guardian cannot remove, since it was killed too, or
// its worker thread was terminated, the next process removes.
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { LaunchError, type PidpoolError } from "../../errors.ts";
import { EACCES, EAGAIN, ENAMETOOLONG, errnoName, errnoNumber } from "../../native/errno.ts";
import { guardianProgram } from "../../native/load.ts";
import { SUN_PATH } from "../../native/syscalls.ts";
import { onExit } from "../exit-hook.ts";
import { Heir, type HeirHost } from "../heir.ts";
import { makeDirectory, NAME_LENGTH, newName, removeDirectory, removeStale } from "./directory.ts";
import { candidates, isWithinReach, type Reach } from "./place.ts";

interface Directory {
  readonly path: string;
  readonly heir: Heir;
}

/** Owns: the directories, and a guardian of each. */
export class NotifyDirectories {
  readonly #host: HeirHost;
  /** By what children ask. */
  readonly #found = new Map<string, string>();
  /** By where they are: -errno where none could be made. */
  readonly #made = new Map<string, Promise<Directory | number>>();
  readonly #paths = new Set<string>();
  #forgetExit: (() => void) | undefined;
  #ended = false;

  constructor(host: HeirHost) {
    this.#host = host;
  }

  /** One that fits and is there. */
  find(reach: Reach): string | undefined {
    return this.#found.get(keyOf(reach));
  }

  /** Makes one that fits. Resolves to 0 or -errno. */
  async make(reach: Reach): Promise<number> {
    let failure = -EACCES;
    for (const base of candidates()) {
      if (this.#ended) break;
      if (!isWithinReach(base, reach)) continue;
      const directory = await this.#at(base);
      if (typeof directory !== "number") {
        this.#found.set(keyOf(reach), directory.path);
        return 0;
      }
      failure = directory;
    }
    return failure;
  }

  #at(base: string): Promise<Directory | number> {
    let directory = this.#made.get(base);
    if (directory === undefined) {
      directory = this.#make(base);
      this.#made.set(base, directory);
      // What is missing may be there at the next try.
      void directory.then((made) => typeof made === "number" && this.#made.delete(base));
    }
    return directory;
  }

  async #make(base: string): Promise<Directory | number> {
    const path = join(base, newName());
    if (Buffer.byteLength(path) + 1 + NAME_LENGTH >= SUN_PATH) return -ENAMETOOLONG;
    const refused = refusal(base);
    if (refused < 0) return refused;
    const heir = new Heir(this.#host, "sockets", noGuardian);
    try {
      // First the guardian: this process may be killed at any moment.
      await heir.start(path);
    } catch (error) {
      return -(errnoNumber((error as PidpoolError).errno) || EAGAIN);
    }
    const result = makeDirectory(path);
    if (result < 0) {
      await heir.end();
      return result;
    }
    this.#paths.add(path);
    this.#forgetExit ??= onExit(() => this.#remove());
    removeStale(base);
    return { path, heir };
  }

  /** No child of the pool is left. */
  async end(): Promise<void> {
    this.#ended = true;
    const made = await Promise.all(this.#made.values());
    this.#remove();
    await Promise.all(made.filter((directory) => typeof directory !== "number").map(({ heir }) => heir.end()));
  }

  #remove(): void {
    this.#forgetExit?.();
    this.#forgetExit = undefined;
    for (const path of this.#paths) removeDirectory(path);
    this.#paths.clear();
    this.#found.clear();
  }
}

function keyOf({ hidesTmp, otherUser }: Reach): string {
  return `${hidesTmp} ${otherUser}`;
}

/** 0 where a directory may be made, else -errno. */
function refusal(base: string): number {
  try {
    accessSync(base, constants.W_OK | constants.X_OK);
    return 0;
  } catch (error) {
    return -(errnoNumber((error as NodeJS.ErrnoException).code) || EACCES);
  }
}

function noGuardian(errno: number): LaunchError {
  const name = errnoName(errno);
  const message = `no guardian of the sockets for notifications can be started: ${name}`;
  return new LaunchError("guardian", guardianProgram(), message, { errno: name });
}

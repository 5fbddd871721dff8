// The group of one child and of all that the child starts.
import { quoted } from "../../errors.ts";
import { constants } from "node:fs";
import { mkdir, open, rmdir, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { CgroupSetting } from "../../process/cgroup-limits.ts";
import type { CgroupUsage } from "../../process/cgroup-reason.ts";
import { wholeDisk } from "./block-device.ts";
import { killGroup, removeIfEmpty, removeWhenEmpty } from "./emptying.ts";
import { errnoOf, writeValue } from "./files.ts";
import { DELEGATE, refusal, typed } from "./refusal.ts";
import { readUsage } from "./usage.ts";

/** Owns: the directory, and until {@link born} an fd of it. */
export class Cgroup {
  readonly path: string;
  #handle: FileHandle | undefined;
  #removal: Promise<boolean> | undefined;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /**
   * Makes a new group with these settings. Where that fails nothing is left.
   *
   * @throws IsolationError
   */
  static async create(path: string, settings: readonly CgroupSetting[]): Promise<Cgroup> {
    await makeGroup(path);
    try {
      for (const setting of settings) await apply(path, setting);
      return new Cgroup(path, await open(path, constants.O_RDONLY | constants.O_DIRECTORY));
    } catch (error) {
      // Without an fd, of which there may be none left.
      await rmdir(path).catch(() => {});
      throw error;
    }
  }

  /** For CLONE_INTO_CGROUP; -1 once it is closed. */
  get fd(): number {
    return this.#handle?.fd ?? -1;
  }

  /** The launch is over, whatever came of it: closes the fd. */
  async born(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  /** What the group has counted so far. */
  async usage(): Promise<CgroupUsage> {
    return typed(`the counters of the cgroup ${this.path} cannot be read`, () => readUsage(this.path));
  }

  /** SIGKILL to the child and everything that it has started. */
  async kill(): Promise<void> {
    await typed(`the cgroup ${this.path} cannot be killed`, () => killGroup(this.path));
  }

  /**
   * Removes the group, after the child's exit or without one.
   *
   * @param survivors What becomes of processes that the child has left behind: those that are kept keep the group.
   * @returns Whether it is gone.
   * @throws IsolationError where processes do not die; they are probably waiting for a device. It may be called again.
   */
  async remove(survivors: "kill" | "keep" = "kill"): Promise<boolean> {
    this.#removal ??= typed(`the cgroup ${this.path} cannot be removed`, () => this.#remove(survivors)).finally(
      () => (this.#removal = undefined),
    );
    return this.#removal;
  }

  async #remove(survivors: "kill" | "keep"): Promise<boolean> {
    await this.born();
    if (await removeIfEmpty(this.path)) return true;
    if (survivors === "keep") return false;
    await killGroup(this.path);
    if (await removeWhenEmpty(this.path)) return true;
    throw refusal(`the cgroup ${this.path} cannot be removed: its processes do not die`, undefined);
  }
}

/** Makes a group's directory, in which nothing may be yet. */
export async function makeGroup(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const full = errnoOf(error) === "EAGAIN";
    throw refusal(
      `the cgroup ${path} cannot be made`,
      full ? "raise cgroup.max.descendants or cgroup.max.depth of a group above" : DELEGATE,
      error,
    );
  }
}

async function apply(path: string, { file, value, controller, device, optional }: CgroupSetting): Promise<void> {
  const written = device === undefined ? value : `${await wholeDisk(device)} ${value}`;
  const target = join(path, file);
  try {
    await writeValue(target, written);
  } catch (error) {
    const missing = errnoOf(error) === "ENOENT";
    if (missing && optional) return;
    throw refusal(
      missing
        ? `this kernel's controller ${controller} has no ${file}, in ${path}`
        : `the controller ${controller} refuses ${quoted(written)} for ${target}`,
      undefined,
      error,
    );
  }
}

// A queue of jobs in a directory. A job is a file; to take it is to rename it,
// which one worker succeeds in. What a worker has taken stands under its name, so
// that its successor knows what it died of.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FOLDERS = ["waiting", "taken", "done", "failed"] as const;
type Folder = (typeof FOLDERS)[number];

/** One directory of jobs. */
export class Spool {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    for (const folder of FOLDERS) mkdirSync(join(directory, folder), { recursive: true });
  }

  list(folder: Folder): string[] {
    return readdirSync(join(this.#directory, folder)).toSorted();
  }

  /** Written elsewhere and then moved: nobody takes half a job. */
  add(name: string, text: string): void {
    const draft = join(this.#directory, `.${name}`);
    writeFileSync(draft, text);
    renameSync(draft, join(this.#directory, "waiting", name));
  }

  /** The next job, for this worker; undefined where there is none. */
  take(worker: string): { readonly name: string; readonly text: string } | undefined {
    for (const name of this.list("waiting")) {
      if (!this.#move("waiting", name, "taken", `${worker}.${name}`)) continue;
      return { name, text: readFileSync(join(this.#directory, "taken", `${worker}.${name}`), "utf8") };
    }
    return undefined;
  }

  finish(worker: string, name: string, result: string): void {
    writeFileSync(join(this.#directory, "done", name), result);
    rmSync(join(this.#directory, "taken", `${worker}.${name}`));
  }

  /** Puts aside what a worker of this name had taken and never finished. */
  quarantine(worker: string): void {
    for (const taken of this.list("taken")) {
      if (taken.startsWith(`${worker}.`)) this.#move("taken", taken, "failed", taken.slice(worker.length + 1));
    }
  }

  #move(from: Folder, name: string, to: Folder, as: string): boolean {
    try {
      renameSync(join(this.#directory, from, name), join(this.#directory, to, as));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }
}

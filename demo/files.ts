// The input: files that any Linux machine has, chosen the same way each time.
import { accessSync, constants, lstatSync, readdirSync, readFileSync, type Dirent } from "node:fs";
import { join } from "node:path";

const CANDIDATES = ["/usr/include", "/usr/share", "/usr/lib", "/usr/bin"];
const MOST_FILES = 1500;
const LARGEST_FILE = 64 * 1024;
/** A directory with fewer files is taken only where no other has more. */
const ENOUGH = 1000;

/** The files to work on, all of one directory. */
export interface Selection {
  readonly directory: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** The first candidate with enough files, else the one with most. Reads each file once, so that none comes from disk later. */
export function selectFiles(): Selection {
  let best: Selection | undefined;
  for (const directory of CANDIDATES) {
    const files = [...readableFiles(directory, MOST_FILES)];
    if (best === undefined || files.length > best.files.length) best = { directory, files, bytes: 0 };
    if (best.files.length >= ENOUGH) break;
  }
  if (best === undefined || best.files.length === 0) throw new Error(`no readable files in ${CANDIDATES.join(", ")}`);
  return { ...best, bytes: best.files.reduce((sum, file) => sum + readFileSync(file).length, 0) };
}

/** Regular files below a directory, in the order of their names. */
function* readableFiles(directory: string, most: number): Generator<string> {
  let left = most;
  for (const entry of entries(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      for (const file of readableFiles(path, left)) {
        left--;
        yield file;
      }
    } else if (entry.isFile() && isWanted(path)) {
      left--;
      yield path;
    }
    if (left === 0) return;
  }
}

function entries(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function isWanted(path: string): boolean {
  try {
    const { size } = lstatSync(path);
    accessSync(path, constants.R_OK);
    return size > 0 && size <= LARGEST_FILE;
  } catch {
    return false;
  }
}

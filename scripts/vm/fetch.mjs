// What a VM needs that this machine may not have: kernels, busybox, qemu. All
// is fetched once and kept in .cache/vm; remove that folder to fetch it anew.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Apt, Unavailable } from "./apt.mjs";

export { Unavailable } from "./apt.mjs";

const cache = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), ".cache/vm");

/** One for all, since it reads the lists of packages; its set-up may find that there is none. */
let apt;

/** Path in the cache of what `fill` puts into a folder when it is not there yet. */
function cached(name, fill) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  apt ??= new Apt(join(cache, "apt"));
  // Complete, or not there: whoever is interrupted leaves only a temporary folder.
  const fresh = mkdtempSync(join(cache, "new-"));
  try {
    fill(apt, fresh);
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** Packages whose names differ in their numbers, the newest first. */
function newestFirst(names) {
  return names.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }));
}

/** Unpacks the first of packages that can be had: mirrors list some of a release's last days that they do not hold. */
function unpackFirst(from, [name, ...older], folder) {
  try {
    from.unpack([name], folder);
  } catch (error) {
    if (!(error instanceof Unavailable) || older.length === 0) throw error;
    unpackFirst(from, older, folder);
  }
}

/** Path of Debian's newest kernel (that can be had) of a series, such as "6.1". */
export function fetchKernel(series) {
  const folder = cached(`kernel-${series}`, (from, fresh) => {
    const prefix = `linux-image-${series}.`;
    const found = newestFirst(from.names(prefix).filter((name) => name.endsWith("-cloud-amd64")));
    if (found.length === 0) throw new Unavailable(`no release of Debian on this machine's mirror has Linux ${series}`);
    unpackFirst(from, found, fresh);
    for (const part of ["lib", "usr"]) rmSync(join(fresh, part), { recursive: true, force: true });
  });
  const kernel = readdirSync(join(folder, "boot")).find((name) => name.startsWith("vmlinuz-"));
  if (kernel === undefined) throw new Unavailable(`the package of Linux ${series} holds no kernel`);
  return join(folder, "boot", kernel);
}

/** Path of a busybox that needs no libraries. */
export function fetchBusybox() {
  const folder = cached("busybox", (from, fresh) => from.unpack(["busybox-static"], fresh));
  const places = ["usr/bin/busybox", "bin/busybox"].map((place) => join(folder, place));
  return places.find((place) => existsSync(place)) ?? places[0];
}

/**
 * The emulator: this machine's, or an unpacked one, which has to be told where its parts are.
 * @returns {{ file: string, args: string[], env: NodeJS.ProcessEnv }}
 */
export function fetchQemu() {
  const name = "qemu-system-x86_64";
  const installed = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name));
  const file = installed.find((path) => existsSync(path));
  if (file !== undefined) return { file, args: [], env: process.env };

  const folder = cached("qemu", (from, fresh) => from.unpack(from.withMissing("qemu-system-x86"), fresh));
  const libraries = join(folder, "usr/lib/x86_64-linux-gnu");
  return {
    file: join(folder, "usr/bin", name),
    args: ["qemu", "seabios"].flatMap((part) => ["-L", join(folder, "usr/share", part)]),
    env: {
      ...process.env,
      LD_LIBRARY_PATH: [libraries, join(folder, "lib/x86_64-linux-gnu")].join(delimiter),
      QEMU_MODULE_DIR: join(libraries, "qemu"),
    },
  };
}

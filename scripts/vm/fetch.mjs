// What a VM needs that this machine may not have: kernels, busybox, qemu. All
// is fetched once and kept in .cache/vm; remove that folder to fetch it anew.
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Apt, run, Unavailable } from "./apt.mjs";
import { own } from "./arch.mjs";

export { Unavailable } from "./apt.mjs";

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cache = join(checkout, ".cache/vm");

/** One for all of an architecture, since it reads the lists of packages; its set-up may find that there is none. */
const apts = new Map();

function aptOf({ debian }) {
  const foreign = debian === own?.debian ? undefined : debian;
  let apt = apts.get(debian);
  if (apt === undefined) {
    apt = new Apt(join(cache, foreign === undefined ? "apt" : `apt-${foreign}`), foreign);
    apts.set(debian, apt);
  }
  return apt;
}

/** Path in the cache of what `fill` puts into a folder when it is not there yet. */
function cached(name, fill) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  // Complete, or not there: whoever is interrupted leaves only a temporary folder.
  const fresh = mkdtempSync(join(cache, "new-"));
  try {
    fill(fresh);
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
export function fetchKernel(series, arch) {
  const folder = cached(`kernel-${series}-${arch.debian}`, (fresh) => {
    const from = aptOf(arch);
    const names = from.names(`linux-image-${series}.`).filter((name) => name.endsWith(`-cloud-${arch.debian}`));
    if (names.length === 0) throw new Unavailable(`no release of Debian on this machine's mirror has Linux ${series}`);
    unpackFirst(from, newestFirst(names), fresh);
    for (const part of ["lib", "usr"]) rmSync(join(fresh, part), { recursive: true, force: true });
  });
  const kernel = readdirSync(join(folder, "boot")).find((name) => name.startsWith("vmlinuz-"));
  if (kernel === undefined) throw new Unavailable(`the package of Linux ${series} holds no kernel`);
  return join(folder, "boot", kernel);
}

/** Path of a busybox that needs no libraries. */
export function fetchBusybox(arch) {
  const folder = cached(`busybox-${arch.debian}`, (fresh) => aptOf(arch).unpack(["busybox-static"], fresh));
  const places = ["usr/bin/busybox", "bin/busybox"].map((place) => join(folder, place));
  return places.find((place) => existsSync(place)) ?? places[0];
}

/**
 * The emulator: this machine's, or an unpacked one, which has to be told where its parts are.
 * @returns {{ file: string, args: string[], env: NodeJS.ProcessEnv }}
 */
export function fetchQemu({ emulator, emulatorPackage }) {
  const installed = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, emulator));
  const file = installed.find((path) => existsSync(path));
  if (file !== undefined) return { file, args: [], env: process.env };

  if (own === undefined) throw new Unavailable(`this machine has no ${emulator}`);
  const folder = cached(emulatorPackage, (fresh) => {
    const apt = aptOf(own);
    apt.unpack(apt.withMissing(emulatorPackage), fresh);
  });
  const libraries = join(folder, "usr/lib", own.triple);
  // What another emulator that is installed has serves for both; qemu looks for it near itself only.
  const modules = [libraries, join("/usr/lib", own.triple)].map((at) => join(at, "qemu")).find((at) => existsSync(at));
  return {
    file: join(folder, "usr/bin", emulator),
    args: [folder, "/"].flatMap((at) => ["qemu", "seabios"].flatMap((part) => ["-L", join(at, "usr/share", part)])),
    env: {
      ...process.env,
      LD_LIBRARY_PATH: [libraries, join(folder, "lib", own.triple)].join(delimiter),
      ...(modules === undefined ? {} : { QEMU_MODULE_DIR: modules }),
    },
  };
}

/** Path of a root folder with programs of another architecture, and what it takes to compile some. */
export function fetchPrograms(arch, packages) {
  return cached(`programs-${arch.debian}`, (fresh) => {
    const apt = aptOf(arch);
    apt.unpack(apt.withMissing(...packages), fresh);
    // A release still has packages with what belongs below /usr.
    for (const folder of ["bin", "lib", "sbin"]) {
      cpSync(join(fresh, folder), join(fresh, "usr", folder), { recursive: true, verbatimSymlinks: true });
      rmSync(join(fresh, folder), { recursive: true });
      symlinkSync(join("usr", folder), join(fresh, folder));
    }
  });
}

/** Path of Node for another architecture, in the version that this one has. */
export function fetchNode(arch) {
  const name = `node-linux-${arch}@${process.versions.node}`;
  const folder = cached(name, (fresh) => {
    console.log(`fetching ${name}`);
    const tarball = run("npm", ["pack", "--loglevel=error", "--logs-max=0", name, "--pack-destination", fresh]).trim();
    run("tar", ["-xf", join(fresh, tarball), "-C", fresh]);
    rmSync(join(fresh, tarball));
  });
  return join(folder, "package/bin/node");
}

/** Path of a folder with the node_modules that the package has on another architecture. */
export function fetchModules(arch) {
  const lockfile = join(checkout, "package-lock.json");
  const version = createHash("sha256").update(readFileSync(lockfile)).digest("hex").slice(0, 16);
  return cached(`modules-${arch}-${version}`, (fresh) => {
    console.log(`fetching the dependencies for ${arch}`);
    for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(checkout, file), join(fresh, file));
    const options = ["--omit=dev", "--ignore-scripts", "--os=linux", `--cpu=${arch}`, "--libc=glibc"];
    // Without a log of its own, of which the last line would be.
    run("npm", ["ci", "--loglevel=error", "--logs-max=0", ...options, "--prefix", fresh]);
  });
}

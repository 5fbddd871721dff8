// What is in a VM: busybox, node and common programs with the libraries that
// they need, and the built package with its tests.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Archive } from "./cpio.mjs";
import { filesBelow, FOLDERS } from "./userland.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where the package is in a VM. */
const PACKAGE = "/pidpool";

/** A child that waits, and of which thousands fit: it has neither libc nor loader. */
const HOLD = join(root, "bench/children/hold.c");
const BARE = ["-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector"];

/** Programs that tests run. Where the userland lacks one, and for all others, there is busybox. */
const PROGRAMS = [
  [
    "bash",
    "cat",
    "dd",
    "echo",
    "env",
    "false",
    "git",
    "gzip",
    "head",
    "id",
    "kill",
    "ls",
    "mkfifo",
    "prlimit",
    "printf",
  ],
  ["ps", "pwd", "seq", "setpriv", "setsid", "sh", "sha256sum", "sleep", "sort", "systemd-notify", "test", "timeout"],
  ["touch", "true", "unshare", "yes"],
].flat();

const ETC = {
  passwd: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  group: "root:x:0:\nnogroup:x:65534:\n",
  hosts: "127.0.0.1 localhost\n",
};

/** Debian's packages with them, for userlands that are fetched; and what compiles tests' programs in C. */
export const PACKAGES = [
  ["bash", "coreutils", "dash", "git", "gzip", "libstdc++6", "procps", "systemd", "util-linux"],
  ["libc6-dev", "libgcc-12-dev"],
].flat();

/** Adds the libraries that a program or native addon needs, by its path on this machine. */
function copyLibraries(archive, userland, file) {
  for (const library of userland.libraries(file)) archive.copy(library, userland.root);
}

function copyPrograms(archive, userland, busybox) {
  for (const program of PROGRAMS) {
    const path = FOLDERS.map((folder) => join(folder, program)).find((at) => existsSync(join(userland.root, at)));
    if (path === undefined) continue;
    archive.copy(path, userland.root);
    copyLibraries(archive, userland, join(userland.root, path));
  }
  archive.file("/usr/bin/busybox", readFileSync(busybox), 0o755);
  // Where /bin is the same as /usr/bin in the userland, that has come along with the first program.
  archive.symlink("/bin", "usr/bin");
  archive.symlink("/sbin", "usr/bin");
}

/** Adds what tests have in C, compiled: a VM has no compiler. What cannot be compiled here is not there either. */
function copyCompiled(archive, userland) {
  const folder = mkdtempSync(join(tmpdir(), "pidpool-vm-c-"));
  try {
    const sources = ["fixtures", "chaos"].flatMap((name) => filesBelow(join(root, "test", name), ".c"));
    for (const source of [...sources, HOLD]) {
      const file = join(folder, basename(source, ".c"));
      const reason = userland.compile(source, file, source === HOLD ? BARE : []);
      if (reason !== false) {
        console.log(`# ${basename(source)} is not in the VM: ${reason}`);
        continue;
      }
      archive.file(join(PACKAGE, "build/compiled", basename(file)), readFileSync(file), 0o755);
      copyLibraries(archive, userland, file);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Names of the packages that a package needs at run time, as far as they are installed. */
function needed(base, name, found = new Set()) {
  const folder = name === "" ? base : join(base, "node_modules", name);
  if (found.has(name) || !existsSync(folder)) return found;
  found.add(name);
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) needed(base, dependency, found);
  return found;
}

function copyPackage(archive, userland) {
  for (const folder of ["dist", "build/test", "build/examples", "prebuilds"]) {
    archive.copyTree(join(root, folder), join(PACKAGE, folder));
  }
  const [, ...modules] = needed(userland.modules, "").values();
  for (const name of modules) {
    const folder = join(userland.modules, "node_modules", name);
    archive.copyTree(folder, join(PACKAGE, "node_modules", name));
    for (const addon of filesBelow(folder, ".node")) copyLibraries(archive, userland, addon);
  }
  archive.file(join(PACKAGE, "package.json"), readFileSync(join(root, "package.json")));
}

/**
 * Writes the initramfs of a VM that runs a command in the package's folder.
 * @param {string} file where to
 * @param {{ userland: import("./userland.mjs").Userland, busybox: string, command: string, env: Record<string, string> }} guest
 * `busybox` is its path on this machine, `command` is the shell's
 */
export function writeGuest(file, { userland, busybox, command, env }) {
  const archive = new Archive(file);
  archive.file("/init", readFileSync(join(root, "scripts/vm/init.sh")), 0o755);
  for (const folder of ["/proc", "/sys", "/dev", "/run"]) archive.directory(folder);
  archive.directory("/tmp", 0o1777);
  archive.directory("/root", 0o700);
  for (const [name, text] of Object.entries(ETC)) archive.file(`/etc/${name}`, text);

  copyPrograms(archive, userland, busybox);
  archive.file("/usr/bin/node", readFileSync(userland.node), 0o755);
  copyLibraries(archive, userland, userland.node);

  copyPackage(archive, userland);
  copyCompiled(archive, userland);
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  archive.file("/etc/vm/settings", lines.join(""));
  archive.file("/etc/vm/command", `${command}\n`);
  archive.close();
}

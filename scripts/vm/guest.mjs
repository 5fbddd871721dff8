// What is in a VM: busybox, this machine's node and common programs with the
// libraries that they need, and the built package with its tests.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Archive } from "./cpio.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where the package is in a VM. */
const PACKAGE = "/pidpool";

/** Programs that tests run. Where this machine lacks one, and for all others, there is busybox. */
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

/** Adds the libraries that a program or native addon of this machine needs. */
function copyLibraries(archive, file) {
  let libraries = "";
  try {
    libraries = execFileSync("ldd", [file], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    // A script, or a static program.
  }
  for (const [, library] of libraries.matchAll(/(?:=>|^)\s*(\/\S+)/gm)) archive.copy(library);
}

/** Adds a program of this machine, and what it needs to run. */
function copyProgram(archive, file) {
  archive.copy(file);
  copyLibraries(archive, file);
}

function copyPrograms(archive, busybox) {
  const folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
  for (const program of PROGRAMS) {
    const file = folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
    if (file !== undefined) copyProgram(archive, file);
  }
  archive.file("/usr/bin/busybox", readFileSync(busybox), 0o755);
  // Where /bin is the same as /usr/bin on this machine, that has come along with the first program.
  archive.symlink("/bin", "usr/bin");
  archive.symlink("/sbin", "usr/bin");
  for (const applet of execFileSync(busybox, ["--list"], { encoding: "utf8" }).trim().split("\n")) {
    archive.symlink(`/usr/bin/${applet}`, "busybox");
  }
}

/** Adds what tests have in C, compiled: a VM has no compiler. Where this machine has none either, they skip. */
function copyFixtures(archive) {
  const fixtures = join(root, "test/fixtures");
  const folder = mkdtempSync(join(tmpdir(), "pidpool-vm-c-"));
  try {
    for (const source of readdirSync(fixtures).filter((name) => name.endsWith(".c"))) {
      const file = join(folder, basename(source, ".c"));
      if (spawnSync("cc", ["-O1", "-o", file, join(fixtures, source)]).status !== 0) continue;
      archive.file(join(PACKAGE, "build/compiled", basename(file)), readFileSync(file), 0o755);
      copyLibraries(archive, file);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Names of the packages that a package needs at run time, as far as they are installed. */
function needed(name, found = new Set()) {
  const folder = name === "" ? root : join(root, "node_modules", name);
  if (found.has(name) || !existsSync(folder)) return found;
  found.add(name);
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) needed(dependency, found);
  return found;
}

function copyPackage(archive) {
  const [, ...modules] = needed("").values();
  const folders = [
    "dist",
    "build/test",
    "build/examples",
    "prebuilds",
    ...modules.map((name) => `node_modules/${name}`),
  ];
  for (const folder of folders) {
    archive.copyTree(join(root, folder), join(PACKAGE, folder));
    for (const name of readdirSync(join(root, folder), { recursive: true })) {
      if (name.endsWith(".node")) copyLibraries(archive, join(root, folder, name));
    }
  }
  archive.file(join(PACKAGE, "package.json"), readFileSync(join(root, "package.json")));
}

/**
 * Writes the initramfs of a VM that runs tests.
 * @param {string} file where to
 * @param {string} busybox path of it on this machine
 * @param {readonly string[]} tests names of files in build/test
 * @param {{ series: string, testTimeout: number }} settings `testTimeout` in milliseconds
 */
export function writeGuest(file, busybox, tests, { series, testTimeout }) {
  const archive = new Archive(file);
  archive.file("/init", readFileSync(join(root, "scripts/vm/init.sh")), 0o755);
  for (const folder of ["/proc", "/sys", "/dev", "/run"]) archive.directory(folder);
  archive.directory("/tmp", 0o1777);
  archive.directory("/root", 0o700);
  for (const [name, text] of Object.entries(ETC)) archive.file(`/etc/${name}`, text);

  copyPrograms(archive, busybox);
  const node = realpathSync(process.execPath);
  copyProgram(archive, node);
  archive.symlink("/usr/bin/node", node);

  copyPackage(archive);
  copyFixtures(archive);
  const settings = { PIDPOOL_VM: series, TEST_TIMEOUT: testTimeout };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  archive.file("/etc/vm/settings", lines.join(""));
  archive.file("/etc/vm/tests", tests.map((name) => `build/test/${name}\n`).join(""));
  archive.close();
}

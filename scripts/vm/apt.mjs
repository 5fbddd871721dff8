// Debian packages for the VMs, from this machine's own mirror: an apt of its
// own in the cache, which knows more releases than the machine does, or
// another architecture, and changes nothing outside the cache. Packages are
// unpacked, never installed.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const RELEASES = ["bullseye", "bookworm", "trixie"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Something for the VMs cannot be had on this machine. */
export class Unavailable extends Error {}

/** Runs a program and returns its output; {@link Unavailable} says what it complained about. */
export function run(file, args, options = {}) {
  try {
    return execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
  } catch (error) {
    if (error.code === "ENOENT") throw new Unavailable(`this machine has no ${file}`, { cause: error });
    const last = String(error.stderr).trim().split("\n").at(-1);
    throw new Unavailable(`${file} ${args[0]} failed: ${last}`, { cause: error });
  }
}

/** Where the machine gets which release from, as [address, release]. */
function machineSources() {
  const format = ["--format", "$(REPO_URI) $(RELEASE)", "Identifier: Packages", "Component: main"];
  const lines = run("apt-get", ["indextargets", ...format]).split("\n");
  return [...new Set(lines)].map((line) => line.split(" ")).filter(([, release]) => release !== undefined);
}

export class Apt {
  #folder;
  #architecture;
  #env;

  /**
   * @param {string} folder for what apt keeps
   * @param {string} [architecture] Debian's name of a foreign one, of which nothing is installed here
   */
  constructor(folder, architecture) {
    this.#folder = folder;
    this.#architecture = architecture;
    this.#env = { ...process.env, APT_CONFIG: join(folder, "apt.conf"), LC_ALL: "C" };
    if (!existsSync(join(folder, "ready"))) this.#setUp();
  }

  #setUp() {
    const sources = machineSources();
    const own = sources.map(([, release]) => release).find((release) => RELEASES.includes(release));
    if (own === undefined) throw new Unavailable("this machine's apt names no known release of Debian");
    rmSync(this.#folder, { recursive: true, force: true });
    for (const part of ["lists/partial", "cache/archives/partial"]) {
      mkdirSync(join(this.#folder, part), { recursive: true });
    }
    const options = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : "";
    const lines = sources.flatMap(([address, release]) => {
      const [, codename, suffix] = /^(\w+)(|-security)$/.exec(release) ?? [];
      if (!RELEASES.includes(codename)) return [];
      return RELEASES.map((wanted) => `deb ${options}${address} ${wanted}${suffix} main`);
    });
    writeFileSync(join(this.#folder, "sources.list"), [...new Set(lines), ""].join("\n"));
    const config = {
      "Dir::Etc::sourcelist": join(this.#folder, "sources.list"),
      "Dir::Etc::sourceparts": "/dev/null",
      "Dir::State::lists": join(this.#folder, "lists"),
      "Dir::Cache": join(this.#folder, "cache"),
      // What is unpacked runs with the machine's own libraries.
      "APT::Default-Release": own,
      // A list that could not be fetched is otherwise no error.
      "APT::Update::Error-Mode": "any",
      // Apt's own user may not write here.
      "APT::Sandbox::User": "root",
      ...(this.#architecture === undefined ? {} : this.#foreign()),
    };
    writeFileSync(
      join(this.#folder, "apt.conf"),
      Object.entries(config)
        .map(([name, value]) => `${name} "${value}";\n`)
        .join(""),
    );
    console.log(`fetching the lists of Debian's packages${this.#architecture ? ` for ${this.#architecture}` : ""}`);
    try {
      this.#apt("apt-get", ["update"]);
    } catch (error) {
      // A mirror may have dropped one release; the lists of the others are here all the same.
      if (!readdirSync(join(this.#folder, "lists")).some((list) => list.includes("_Packages"))) throw error;
      console.log(`# ${error.message}`);
    }
    writeFileSync(join(this.#folder, "ready"), "");
  }

  #foreign() {
    const status = join(this.#folder, "status");
    writeFileSync(status, "");
    return {
      "APT::Architecture": this.#architecture,
      "APT::Architectures": this.#architecture,
      "Dir::State::status": status,
    };
  }

  #apt(program, args, options) {
    return run(program, args, { env: this.#env, ...options });
  }

  /** Names of the known packages that begin so. */
  names(prefix) {
    return this.#apt("apt-cache", ["pkgnames", prefix]).split("\n").filter(Boolean);
  }

  /** Packages, and what they need that is not installed. */
  withMissing(...names) {
    const plan = this.#apt("apt-get", ["install", "--simulate", "--no-install-recommends", ...names]);
    return [...plan.matchAll(/^Inst (\S+)/gm)].map(([, needed]) => needed);
  }

  /** Downloads packages and unpacks them, all into one folder. */
  unpack(names, folder) {
    console.log(`fetching ${names[0]}${names.length > 1 ? ` and ${names.length - 1} more packages` : ""}`);
    const debs = join(folder, "debs");
    mkdirSync(debs, { recursive: true });
    this.#apt("apt-get", ["download", ...names], { cwd: debs });
    for (const deb of readdirSync(debs)) run("dpkg", ["-x", join(debs, deb), folder]);
    rmSync(debs, { recursive: true });
  }
}

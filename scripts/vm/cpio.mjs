// Writes an initramfs: a cpio archive in the format "newc", see
// Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
import { closeSync, lstatSync, openSync, readFileSync, readlinkSync, readdirSync, writeSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const DIRECTORY = 0o040000;
const FILE = 0o100000;
const SYMLINK = 0o120000;

function parts(path) {
  return path.split("/").filter((part) => part !== "");
}

/** Everything belongs to root. The first entry of a path counts, later ones are left out. */
export class Archive {
  #fd;
  #written = new Set(["/"]);

  constructor(file) {
    this.#fd = openSync(file, "w");
  }

  #entry(path, mode, content) {
    if (this.#written.has(path)) return;
    if (path !== "/TRAILER!!!") this.directory(dirname(path));
    this.#written.add(path);
    const name = `${path.slice(1)}\0`;
    // inode, mode, uid, gid, nlink, mtime, size, device (2), device of the node (2), length of the name, checksum
    const fields = [this.#written.size, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}`;
    this.#write(Buffer.from(header, "latin1"));
    this.#write(content);
  }

  /** Writes all of it, and zeros up to a multiple of four. */
  #write(bytes) {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    writeSync(this.#fd, Buffer.alloc(-bytes.length & 3));
  }

  directory(path, mode = 0o755) {
    this.#entry(path, DIRECTORY | mode, Buffer.alloc(0));
  }

  /** @param {string | Uint8Array} content */
  file(path, content, mode = 0o644) {
    this.#entry(path, FILE | mode, Buffer.from(content));
  }

  symlink(path, target) {
    this.#entry(path, SYMLINK | 0o777, Buffer.from(target));
  }

  /** Adds a file of this machine, or of a root folder in it, under its own path, with the symbolic links on the way to it. */
  copy(path, root = "/") {
    const rest = parts(path);
    for (let at = "/", name = rest.shift(); name !== undefined; name = rest.shift()) {
      const next = join(at, name);
      const stat = lstatSync(join(root, next));
      if (stat.isSymbolicLink()) {
        const target = readlinkSync(join(root, next));
        this.symlink(next, target);
        rest.unshift(...parts(resolve(at, target)));
        at = "/";
      } else if (stat.isDirectory()) {
        this.directory(next);
        at = next;
      } else {
        this.file(next, readFileSync(join(root, next)), stat.mode & 0o777);
      }
    }
  }

  /** Adds a folder of this machine under another path. */
  copyTree(from, to, wanted = () => true) {
    this.directory(to);
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (!wanted(source)) continue;
      if (entry.isDirectory()) this.copyTree(source, target, wanted);
      else if (entry.isFile()) this.file(target, readFileSync(source), lstatSync(source).mode & 0o777);
    }
  }

  close() {
    this.#entry("/TRAILER!!!", 0, Buffer.alloc(0));
    closeSync(this.#fd);
  }
}

// Files of standing sockets, in a directory that belongs to somebody else.
import assert from "node:assert/strict";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test } from "../helpers/isolated.ts";
import { PidpoolError } from "pidpool";
import { openSocket } from "#pidpool/pool/listen/open.js";
import { planListen } from "#pidpool/pool/listen/options.js";
import { tempDir } from "../helpers/files.ts";
import { close } from "#pidpool/native/syscalls.js";

/** Does `meddle` right before the n-th time that the file of the socket is looked at; the last is by its fd. */
function whileBinding(path: string, n: number, meddle: () => void): () => void {
  const { lstatSync, openSync, fstatSync } = fs;
  let looks = 0;
  const look = (file: unknown): void => {
    if (file === path && looks++ === n) meddle();
  };
  const patched = {
    lstatSync: (...args: Parameters<typeof lstatSync>) => (look(args[0]), lstatSync(...args)),
    openSync: (...args: Parameters<typeof openSync>) => (look(args[0]), openSync(...args)),
    fstatSync: (...args: Parameters<typeof fstatSync>) => (look(path), fstatSync(...args)),
  };
  Object.assign(fs, patched);
  syncBuiltinESMExports();
  return () => {
    Object.assign(fs, { lstatSync, openSync, fstatSync });
    syncBuiltinESMExports();
  };
}

test("the owner of a socket's directory cannot have its permissions given to another file", (t) => {
  for (const n of [0, 1, 2]) {
    const dir = tempDir(t);
    const path = join(dir, "socket");
    const secret = join(dir, "secret");
    fs.writeFileSync(secret, "", { mode: 0o600 });
    let meddled = false;
    const restore = whileBinding(path, n, () => {
      meddled = true;
      fs.unlinkSync(path);
      fs.symlinkSync(secret, path);
    });
    const before = process.umask(0o77);
    try {
      const [plan] = planListen([{ path, mode: 0o666 }]);
      assert.ok(plan);
      const { fd } = openSocket(plan);
      close(fd);
    } catch (error) {
      assert.ok(error instanceof PidpoolError && error.code === "ERR_LISTEN", String(error));
    } finally {
      process.umask(before);
      restore();
    }
    assert.ok(meddled, `it was not looked at ${n + 1} times`);
    assert.equal(fs.statSync(secret).mode & 0o777, 0o600, `swapped before look ${n}`);
  }
});

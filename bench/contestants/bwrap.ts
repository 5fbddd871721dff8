// Bubblewrap, as a wrapper around the program that is to be run. It is taken
// from the PATH, where Debian's package "bubblewrap" puts it.
import { spawnSync } from "node:child_process";

/** Why it may not be there. */
export const NO_BWRAP = "not found; it is in the package bubblewrap of most distributions";

/** What makes of it the isolation "private"; it makes a mount namespace whatever it is told. */
const PRIVATE = ["--unshare-user", "--unshare-net", "--cap-drop", "ALL", "--dev-bind", "/", "/"];

/** undefined where there is none. */
export function bwrapVersion(): string | undefined {
  const { status, stdout } = spawnSync("bwrap", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim().replace(/^bubblewrap /, "") : undefined;
}

/** The program and the arguments in front of the wrapped one's; undefined where there is none. */
export function bwrapCommand(): readonly string[] | undefined {
  const { status, stdout } = spawnSync("/bin/sh", ["-c", "command -v bwrap"], { encoding: "utf8" });
  return status === 0 ? [stdout.trim(), ...PRIVATE] : undefined;
}

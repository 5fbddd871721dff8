// systemd's socket activation, sd_listen_fds(3): what a child gets besides its
// own options so that it finds sockets as its fds from 3 on.
import { InvalidOptionError } from "../../errors.ts";
import type { Variable } from "../../process/env.ts";
import type { StdioEntry, StdioOption } from "../../process/options.ts";

/** The number that the first socket has in the child (SD_LISTEN_FDS_START). */
export const FIRST_FD = 3;

/** An open socket to pass. */
export interface PassedSocket {
  readonly name: string;
  readonly fd: number;
}

/** What to launch the child with. */
export interface Passing {
  readonly stdio: readonly (StdioEntry | null | undefined)[];
  readonly variables: readonly Variable[];
}

/**
 * Adds sockets to a child's stdio; they stay open here.
 *
 * @throws InvalidOptionError where its own stdio takes their places.
 */
export function passSockets(sockets: readonly PassedSocket[], stdio: StdioOption | undefined): Passing {
  const own = typeof stdio === "object" ? Array.from(stdio) : forAll(stdio);
  const last = FIRST_FD + sockets.length - 1;
  const taken = own.findIndex((entry, fd) => fd >= FIRST_FD && entry !== undefined && entry !== null);
  if (taken >= 0) {
    const range = sockets.length === 1 ? `fd ${FIRST_FD}` : `fds ${FIRST_FD} to ${last}`;
    throw new InvalidOptionError(
      `stdio[${taken}]`,
      own[taken],
      `with the option listen, which uses ${range}, it must end at stdio[2]`,
    );
  }
  const standard = Array.from({ length: FIRST_FD }, (_, fd) => own[fd]);
  return { stdio: [...standard, ...sockets.map(({ fd }) => fd)], variables: listenVariables(sockets) };
}

/** A word for all of stdio, as a list. */
function forAll(word: StdioEntry | undefined): (StdioEntry | undefined)[] {
  return word === "capture" ? [undefined, word, word] : [word, word, word];
}

function listenVariables(sockets: readonly PassedSocket[]): Variable[] {
  return [
    { name: "LISTEN_PID", value: undefined },
    { name: "LISTEN_FDS", value: String(sockets.length) },
    { name: "LISTEN_FDNAMES", value: sockets.map(({ name }) => name).join(":") },
    // systemd 258 names the process by its pidfd's inode too. This process's own would make the child refuse its fds.
    { name: "LISTEN_PIDFDID", value: null },
  ];
}

// The sockets of a service: open from its first start until it is stopped, while
// its processes come and go. What connects meanwhile waits in the backlog.
import { close } from "../../native/syscalls.ts";
import type { StdioOption } from "../../process/options.ts";
import type { SocketAddress } from "./address.ts";
import { openSocket, type OpenSocket } from "./open.ts";
import type { ListenPlan } from "./options.ts";
import { passSockets, type Passing } from "./passing.ts";

/** Where a socket of the option `listen` listens, with its name there: a TCP address, or a path. */
export type ListenAddress = SocketAddress & { readonly name: string };

/** Owns the fds and the unix sockets' files. */
export class StandingSockets {
  readonly #sockets: OpenSocket[] = [];

  /**
   * Opens all of them, or none.
   *
   * @throws PidpoolError ERR_LISTEN with the system call and the errno.
   * @throws InvalidOptionError where an fd is no listening socket.
   */
  constructor(plans: readonly ListenPlan[]) {
    try {
      for (const plan of plans) this.#sockets.push(openSocket(plan));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** In the order of the options. */
  get addresses(): readonly ListenAddress[] {
    return this.#sockets.map(({ name, address }) => ({ name, ...address }));
  }

  /**
   * What to launch a process with that is to have them.
   *
   * @throws InvalidOptionError where its own stdio has fds above 2.
   */
  passTo(stdio: StdioOption | undefined): Passing {
    return passSockets(this.#sockets, stdio);
  }

  /**
   * Closes them and removes the unix sockets' files. Only when no launch that uses them is under way: the numbers may
   * soon mean something else. What waits in the backlog is reset, unless a process still has the socket.
   */
  close(): void {
    for (const { fd, file } of this.#sockets.splice(0)) {
      // First the file: nobody shall find one whose socket is closed.
      file?.remove();
      close(fd);
    }
  }
}

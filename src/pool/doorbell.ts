// Wakes the pool's thread when a supervisor has reports for it: a byte in a
// pipe. A message would do, but a port posts it with its lock held: the thread
// that is woken runs into the lock, sleeps, and is woken a second time.
import { Socket, type ConnectOpts, type SocketConstructorOpts } from "node:net";

/** Bytes that are taken at once; there is one, or a few after a supervisor died. */
const SIZE = 64;

/** The end of the pool's thread. Owns the fd. Never keeps Node alive. */
export class Doorbell {
  readonly #socket: Socket;

  constructor(fd: number, onRing: () => void) {
    const options: SocketConstructorOpts & ConnectOpts = {
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: Buffer.alloc(SIZE),
        callback: () => {
          onRing();
          return true;
        },
      },
    };
    this.#socket = new Socket(options);
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.unref();
  }

  close(): void {
    this.#socket.destroy();
  }
}

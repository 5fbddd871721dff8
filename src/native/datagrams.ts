// Receiving datagrams, and who sent them.
import { native } from "./load.ts";
import { receiveMessage } from "./syscalls.ts";

/** `struct msghdr`, behind it a `struct iovec` and room for one control message. */
const MESSAGE = { iov: 16, iovlen: 24, control: 32, controlLength: 40, flags: 48, SIZE: 56 } as const;
/** `struct cmsghdr` with `struct ucred`, 4 bytes of padding included. */
const CREDENTIALS_SIZE = 32;
const SOL_SOCKET = 1;
const SCM_CREDENTIALS = 2;
const MSG_TRUNC = 0x20;

/** A buffer for datagrams, with the credentials of their senders. */
export class DatagramBuffer {
  /** What the last datagram held; its first so many bytes are valid. */
  readonly bytes: Uint8Array;
  /** Whether the last datagram was longer than the buffer. */
  truncated = false;
  /** Who sent it, as this process's pid namespace knows it; 0 where that does not. */
  sender = 0;
  readonly #head = new Int32Array((MESSAGE.SIZE + 16 + CREDENTIALS_SIZE) / 4);
  readonly #address: number;

  constructor(size: number) {
    const { addressOf } = native();
    this.bytes = new Uint8Array(size);
    this.#address = addressOf(this.#head);
    const pointer = (at: number, value: number): void => {
      this.#head[at >> 2] = value | 0;
      this.#head[(at >> 2) + 1] = Math.floor(value / 2 ** 32);
    };
    pointer(MESSAGE.iov, this.#address + MESSAGE.SIZE);
    pointer(MESSAGE.iovlen, 1);
    pointer(MESSAGE.SIZE, addressOf(this.bytes));
    pointer(MESSAGE.SIZE + 8, size);
    pointer(MESSAGE.control, this.#address + MESSAGE.SIZE + 16);
  }

  /**
   * Takes the next datagram: its length within the buffer, or -errno, -EAGAIN where there is none. recvmsg(2).
   *
   * There is room for credentials only: the kernel closes all fds that come along, and none enters this process.
   */
  receive(fd: number): number {
    const head = this.#head;
    const control = (MESSAGE.SIZE + 16) >> 2;
    head[MESSAGE.controlLength >> 2] = CREDENTIALS_SIZE;
    head[control + 3] = 0;
    const result = receiveMessage(fd, this.#address);
    if (result < 0) return result;
    this.truncated = ((head[MESSAGE.flags >> 2] ?? 0) & MSG_TRUNC) !== 0;
    const told = head[control + 2] === SOL_SOCKET && head[control + 3] === SCM_CREDENTIALS;
    this.sender = told ? (head[control + 4] ?? 0) : 0;
    return result;
  }
}

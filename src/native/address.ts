// Arrays of JavaScript for system calls. An address is a number, which keeps
// nothing alive: compiled code lets go of an array after its last use, and
// where that is the taking of its address, a garbage collection before the call
// has the kernel read, or write, memory that is somebody else's by then.
import { native } from "./load.ts";

const lent: ArrayBufferView[] = [];

/** Calls `use` with the native address of an array, which lives until `use` has returned, whatever it is used for afterwards. */
export function withAddress<T>(array: ArrayBufferView, use: (address: number) => T): T {
  lent.push(array);
  try {
    return use(native().addressOf(array));
  } finally {
    lent.pop();
  }
}

// The supervisor thread: sleeps until something happens to its children, and
// does what supervision.ts says.
import { native } from "../native/load.ts";
import type { SupervisorStart } from "./protocol.ts";
import { Supervision } from "./supervision.ts";

/**
 * Milliseconds of the first sleep after something happened; each sleep after it is twice as long, up to the
 * bound that the pool's thread gives. A thread of V8's that works for this isolate in the background (a
 * compilation, say) may wait for a garbage collection here, which takes place only when JavaScript runs; and
 * Node, at its natural end, waits for all background work before it emits "exit".
 */
const FIRST_SLEEP = 16;

/**
 * The task that the thread pool runs. It returns at once, so that the thread counts as free and an idle pool
 * keeps nothing alive; the loop then has the thread to itself.
 */
export default function start(begin: SupervisorStart): void {
  // Until this returns nobody terminates the thread. Where the library cannot be loaded (EMFILE) in one that is being
  // terminated, koffi's exception ends the whole process.
  native();
  setImmediate(() => loop(begin));
}

function loop(begin: SupervisorStart): void {
  const supervision = new Supervision(begin);
  let sleep: number = FIRST_SLEEP;
  while (!supervision.isOver) {
    if (supervision.turn(sleep)) {
      sleep = FIRST_SLEEP;
      supervision.gather();
    } else {
      sleep = Math.min(sleep * 2, begin.longestSleep);
    }
  }
}

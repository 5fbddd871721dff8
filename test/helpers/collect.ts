// A garbage collection, whatever flags Node was started with.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Collects all garbage of this thread's heap. What finalizers free comes a turn of the event loop later. */
export const collectGarbage: () => void = runInNewContext("gc") as () => void;

// Waiting for what the kernel, or this process, does in a moment.
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "./files.ts";

/** How long killed processes may take to leave their group: only those that wait for a device take long. */
const PATIENCE_MS = 10_000;
const LONGEST_NAP_MS = 100;

/** Does again what fails because fds have run out, which others may give back; for {@link PATIENCE_MS} at most. */
export async function withFds<T>(action: () => Promise<T>): Promise<T> {
  let outcome: { value: T } | undefined;
  let failure: unknown;
  await untilTrue(async () => {
    try {
      outcome = { value: await action() };
      return true;
    } catch (error) {
      failure = error;
      const errno = errnoOf(error);
      return errno !== "EMFILE" && errno !== "ENFILE";
    }
  });
  if (outcome === undefined) throw failure;
  return outcome.value;
}

/** Asks again and again, at growing distances, for {@link PATIENCE_MS} at most. */
export async function untilTrue(ask: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let nap = 1; !(await ask()); nap = Math.min(2 * nap, LONGEST_NAP_MS)) {
    if (performance.now() > deadline) return false;
    await sleep(nap);
  }
  return true;
}

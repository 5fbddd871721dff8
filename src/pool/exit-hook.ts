// A supervisor thread sleeps in epoll_wait, where nothing but an event wakes
// it, and Node joins its threads before it exits. One listener, there only
// while pools live, wakes them on the way out.

const wakers = new Set<() => void>();

function wakeAll(): void {
  for (const wake of wakers) wake();
}

/** Calls `wake` when the process (or the worker thread that this runs in) exits by itself or by process.exit. */
export function onExit(wake: () => void): () => void {
  // First in line: a listener that throws would keep later ones from running.
  if (wakers.size === 0) process.prependListener("exit", wakeAll);
  wakers.add(wake);
  return () => {
    wakers.delete(wake);
    if (wakers.size === 0) process.off("exit", wakeAll);
  };
}

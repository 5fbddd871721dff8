// One listener per AbortSignal, however many launches share it: Node warns of
// a leak at the eleventh.

interface Watch {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/** Calls `callback` when the signal fires. Returns what takes that back; the last one out removes the listener. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let watch = watches.get(signal);
  if (watch === undefined) {
    const callbacks = new Set<() => void>();
    watch = {
      callbacks,
      listener: () => {
        watches.delete(signal);
        for (const each of callbacks) each();
      },
    };
    watches.set(signal, watch);
    signal.addEventListener("abort", watch.listener, { once: true });
  }
  const { callbacks, listener } = watch;
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0) return;
    signal.removeEventListener("abort", listener);
    if (watches.get(signal)?.callbacks === callbacks) watches.delete(signal);
  };
}

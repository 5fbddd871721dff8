// What a child says of itself while it runs: a datagram of the sd_notify
// protocol, or the newline that it writes to a notification fd.

/** One thing that a child said. See sd_notify(3). */
export interface Notification {
  /** READY=1, or the newline on a notification fd. */
  readonly ready: boolean;
  /** RELOADING=1: not ready until the next READY=1. */
  readonly reloading: boolean;
  /** STOPPING=1 */
  readonly stopping: boolean;
  /** STATUS=, a line for people; null where this one has none. */
  readonly status: string | null;
  /** ERRNO=, by name where it is known ("EACCES"). */
  readonly errno: string | null;
  /** EXIT_STATUS= */
  readonly exitStatus: number | null;
  /** EXTEND_TIMEOUT_USEC=, in milliseconds: start or stop may take so much longer from now on. */
  readonly extendTimeout: number | null;
  /** All assignments as they came; of a name that is given twice, the last. */
  readonly fields: Readonly<Record<string, string>>;
}

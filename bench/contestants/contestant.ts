// What takes part in a benchmark and runs in Node.

/** One way to start children. All of a child's stdio is ignored. */
export interface Contestant {
  /** Starts the program and resolves when it has exited with code 0. */
  run(file: string): Promise<void>;
  /** Starts the program and resolves once it lives. */
  spawn(file: string): Promise<LiveChild>;
  close(): Promise<void>;
}

/** A child that lives until it is killed. */
export interface LiveChild {
  /** Resolves once the exit has been seen. */
  kill(): Promise<void>;
}

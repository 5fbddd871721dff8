// What takes part in a benchmark.

/** One way to start children. Stdio that a method does not speak of is ignored. */
export interface Contestant {
  /** Starts the program and resolves when it has exited with code 0. */
  run(file: string): Promise<void>;
  /** Starts the program, with this fd as its stdin if one is given, and resolves once it lives. */
  spawn(file: string, stdin?: number): Promise<LiveChild>;
  /** Runs the program and resolves with the number of bytes that it wrote to stdout, all of which were kept. */
  capture(file: string, args: readonly string[]): Promise<number>;
  /** Runs the program with these bytes as its stdin and resolves when it has exited with code 0. */
  feed(file: string, args: readonly string[], input: Uint8Array): Promise<void>;
  /** Keeps so many processes of the program alive from now on: one that ends is started again at once. */
  keep?(file: string, args: readonly string[], count: number): Promise<void>;
  close(): Promise<void>;
  /** Set where exits are taken by threads that the contestant has made, and not by the main thread. */
  readonly reapsInThreads?: true;
}

/** A child that lives until it is killed or its stdin ends. */
export interface LiveChild {
  /** Resolves once the exit, of whatever kind, has been seen. */
  readonly exited: Promise<unknown>;
  /** Kills the child and resolves once the exit has been seen. */
  kill(): Promise<void>;
}

/** What a scenario can need of a contestant; `hold` is `spawn` with an fd as stdin. */
export type Method = "run" | "spawn" | "hold" | "capture" | "feed" | "keep";

/** For methods that the registry says a contestant lacks. */
export function lacking(): Promise<never> {
  return Promise.reject(new Error("not part of this contestant"));
}

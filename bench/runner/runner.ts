// The harness's end of a contestant's process.
import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { CONTESTANTS, type ContestantName } from "../contestants/registry.ts";
import type { User } from "../user.ts";
import type { AnswerMessage, Orders } from "./protocol.ts";

/** After this long without an answer, something hangs. */
const PATIENCE_MS = 300_000;
const GRACE_MS = 10_000;

interface Waiter {
  resolve(answer: AnswerMessage): void;
  reject(error: Error): void;
}

const alive = new Set<ChildProcess>();
process.on("exit", () => alive.forEach((child) => child.kill("SIGKILL")));

/** A contestant's process. Takes one order at a time. */
export class Runner {
  readonly name: ContestantName;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #waiter: Waiter | undefined;

  constructor(name: ContestantName, env: Readonly<Record<string, string>> = {}, user: User = {}) {
    this.name = name;
    const contestant = CONTESTANTS[name];
    if ("missing" in contestant) throw new Error(`${name}: ${contestant.missing}`);
    const { file, args } = contestant.command();
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env }, ...user });
    alive.add(this.#child);
    createInterface({ input: this.#child.stdout }).on("line", (line) =>
      this.#settle(JSON.parse(line) as AnswerMessage),
    );
    this.#child.on("error", (error) => this.#settle({ error: error.message }));
    this.#child.on("exit", (code, signal) => {
      alive.delete(this.#child);
      this.#settle({ error: `ended with ${signal ?? code}` });
    });
    // A runner that died has its exit to tell.
    this.#child.stdin.on("error", () => undefined);
  }

  #settle(answer: AnswerMessage): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if ("error" in answer) waiter?.reject(new Error(`the runner of ${this.name}: ${answer.error}`));
    else waiter?.resolve(answer);
  }

  /** Sends an order and waits for the answer. */
  async ask<K extends keyof Orders>(op: K, order: Orders[K]["order"]): Promise<Orders[K]["answer"]> {
    if (!alive.has(this.#child)) throw new Error(`the runner of ${this.name} has ended`);
    const timer = setTimeout(
      () => this.#settle({ error: `no answer to "${op}" for ${PATIENCE_MS / 1000} s` }),
      PATIENCE_MS,
    );
    try {
      return (await new Promise<AnswerMessage>((resolve, reject) => {
        this.#waiter = { resolve, reject };
        this.#child.stdin.write(`${JSON.stringify({ op, ...order })}\n`);
      })) as Orders[K]["answer"];
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process and waits for that. */
  async close(): Promise<void> {
    if (!alive.has(this.#child)) return;
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), GRACE_MS);
    this.#child.stdin.end();
    await once(this.#child, "exit");
    clearTimeout(timer);
  }
}

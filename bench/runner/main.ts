// A contestant's process: `main.js <module>` with a module of ../contestants.
import { createInterface } from "node:readline";
import type { Contestant } from "../contestants/contestant.ts";
import { startRuntimeThreads, threadTimes } from "./cpu.ts";
import type { AnswerMessage, OrderMessage } from "./protocol.ts";
import { Tasks } from "./tasks.ts";

await startRuntimeThreads();
const others = threadTimes();
const module = (await import(`../contestants/${process.argv[2]}.js`)) as { default: () => Contestant };
const contestant = create();
const tasks = contestant instanceof Error ? contestant : new Tasks(contestant, others);

/** Why a contestant cannot be made is the answer to every order. */
function create(): Contestant | Error {
  try {
    return module.default();
  } catch (error) {
    return error as Error;
  }
}

function perform(message: OrderMessage): AnswerMessage | Promise<AnswerMessage> {
  if (tasks instanceof Error) throw tasks;
  switch (message.op) {
    case "memory":
      return tasks.memory(message);
    case "churn":
      return tasks.churn(message);
    case "capture":
      return tasks.capture(message);
    case "feed":
      return tasks.feed(message);
    case "burst":
      return tasks.burst(message);
    case "latency":
      return tasks.latency(message);
    case "quiet":
      return tasks.quiet(message);
    case "hold":
      return tasks.hold(message);
    case "release":
      return tasks.release();
    case "keep":
      return tasks.keep(message);
    case "watch":
      return tasks.watch();
    case "watched":
      return tasks.watched();
    case "usage":
      return tasks.usage();
  }
}

async function answer(line: string): Promise<void> {
  let message: AnswerMessage;
  try {
    message = await perform(JSON.parse(line) as OrderMessage);
  } catch (error) {
    message = { error: (error as Error).stack ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

// A harness that was killed has nobody left to answer to; stdin ends too.
process.stdout.on("error", () => undefined);
const orders = createInterface({ input: process.stdin });
orders.on("line", (line) => void answer(line));
orders.on("close", () => {
  if (contestant instanceof Error || tasks instanceof Error) process.exit(0);
  // Whatever is under way is of no interest any more, and children that stay must not.
  void tasks
    .release()
    .then(() => contestant.close())
    .finally(() => process.exit(0));
});

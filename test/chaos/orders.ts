// What a child can be told to do (imp.c), and how it ends if nobody interferes.
import { openSync } from "node:fs";
import type { LaunchOptions, RunResult } from "pidpool";
import type { Random } from "./random.ts";

/** Where the children of a host come from. */
export interface Kit {
  /** The compiled imp.c. */
  readonly imp: string;
  /** A copy of it that is open for writing: it cannot be executed. */
  readonly busy: string;
  /** An empty directory for files. */
  readonly dir: string;
}

/** One child to be. */
export interface Order {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly options: LaunchOptions;
  /** The errno with which the launch must fail; undefined where it must not. */
  readonly fails?: string;
  /** What is wrong with this end, of a child with which nobody interfered. */
  wrong(result: RunResult): string | undefined;
}

type Maker = (random: Random, kit: Kit) => Order;

function exits(code: number): Order["wrong"] {
  return ({ exit }) =>
    exit.status === "exited" && exit.code === code && exit.reason === "exit" ? undefined : `not an exit with ${code}`;
}

function dies(signal: string): Order["wrong"] {
  return ({ exit }) =>
    exit.status === "signaled" && exit.signal === signal && exit.reason === "signal" ? undefined : `no ${signal}`;
}

function wrote(code: number, stream: 1 | 2, text: string): Order["wrong"] {
  return (result) => {
    const got = result.output[stream];
    if (result.truncated === "supervisor-lost") return exits(code)(result);
    if (result.truncated !== null) return `truncated: ${result.truncated}`;
    return got === text ? exits(code)(result) : `${got?.length} characters of output instead of ${text.length}`;
  };
}

function order(kit: Kit, name: string, args: readonly (string | number)[], rest: Partial<Order> = {}): Order {
  return { name, file: kit.imp, args: args.map(String), options: {}, wrong: exits(0), ...rest };
}

const FULL = openSync("/dev/full", "w");
const SIZES = [0, 1, 100, 4096, 70_000, 300_000];

const MAKERS = {
  exit: (random, kit) => {
    const code = random.int(0, 255);
    return order(kit, "exit", ["exit", code], { wrong: exits(code) });
  },
  signal: (random, kit) => {
    const [number, name] = random.pick([
      [1, "SIGHUP"],
      [9, "SIGKILL"],
      [10, "SIGUSR1"],
      [15, "SIGTERM"],
    ] as const);
    return order(kit, "signal", ["signal", number], { wrong: dies(name) });
  },
  write: (random, kit) => {
    const size = random.pick(SIZES);
    return order(kit, "write", ["write", size], { wrong: wrote(0, 1, "x".repeat(size)) });
  },
  complain: (random, kit) => {
    const size = random.pick(SIZES);
    return order(kit, "complain", ["complain", size], { wrong: wrote(1, 2, "x".repeat(size)) });
  },
  cat: (random, kit) => {
    const input = "y".repeat(random.pick(SIZES));
    return order(kit, "cat", ["cat"], { options: { input }, wrong: wrote(0, 1, input) });
  },
  sleep: (random, kit) => order(kit, "sleep", ["sleep", random.int(0, 20)]),
  fork: (random, kit) => order(kit, "fork", ["fork", random.int(1, 3)], { wrong: exits(5) }),
  close: (random, kit) => order(kit, "close", ["close", random.int(0, 10)], { wrong: exits(7) }),
  daemon: (random, kit) => order(kit, "daemon", ["daemon", random.int(0, 50)], { wrong: exits(3) }),
  /** A grandchild holds the pipes, longer or shorter than outputGrace. */
  hold: (random, kit) =>
    order(kit, "hold", ["hold", random.int(0, 60)], {
      options: { outputGrace: random.pick([0, 20, 1000]) },
      wrong: (result) => {
        if (result.truncated === "supervisor-lost") return exits(4)(result);
        if (result.truncated !== null && result.truncated !== "held-open") return `truncated: ${result.truncated}`;
        return result.stdout === "xxxx" ? exits(4)(result) : "what was written before the exit is missing";
      },
    }),
  /** Output meets maxOutput. */
  flood: (random, kit) =>
    order(kit, "flood", ["flood"], {
      options: { maxOutput: random.pick([1, 1000, 100_000]), killSignal: random.pick(["SIGTERM", "SIGKILL"]) },
      wrong: ({ exit, truncated }) => {
        if (truncated === "supervisor-lost" && exit.status === "signaled" && exit.signal === "SIGPIPE")
          return undefined;
        if (exit.reason !== "output-limit") return "no output limit";
        return truncated === "output-limit" || truncated === "supervisor-lost" ? undefined : `truncated: ${truncated}`;
      },
    }),
  /** The disk is full: ENOSPC is 28. */
  full: (random, kit) =>
    order(kit, "full", ["write", random.pick([1, 100_000])], {
      options: { stdio: ["ignore", { file: "/dev/full" }, "capture"] },
      wrong: exits(28),
    }),
  /** What is kept of stderr goes on to a full disk. */
  fullTail: (random, kit) =>
    order(kit, "fullTail", ["complain", random.pick([1, 100_000])], {
      options: { stdio: ["ignore", "ignore", FULL], stderrTail: 100 },
      wrong: ({ exit }) => (exit.status === "exited" && (exit.code === 1 || exit.code === 28) ? undefined : "no exit"),
    }),
  file: (random, kit) =>
    order(kit, "file", ["write", random.pick(SIZES)], {
      options: { stdio: ["ignore", { file: `${kit.dir}/out-${process.getuid?.()}-${random.int(0, 7)}` }, "ignore"] },
    }),
  timeout: (random, kit) =>
    order(kit, "timeout", ["sleep", 50_000], {
      options: { timeout: random.int(1, 30) },
      wrong: ({ exit }) => (exit.reason === "timeout" ? undefined : "no timeout"),
    }),
  /** Ignores every signal but one. */
  stubborn: (random, kit) =>
    order(kit, "stubborn", ["stubborn", 50_000], {
      options: { timeout: random.int(1, 20), killAfter: random.int(0, 20) },
      wrong: ({ exit }) => {
        if (exit.reason !== "timeout" || exit.status !== "signaled") return "no timeout";
        // Before it could ignore it, the first signal may have ended it.
        return exit.signal === "SIGKILL" || exit.signal === "SIGTERM" ? undefined : `ended by ${exit.signal}`;
      },
    }),
  /** Stops itself: SIGTERM waits until it goes on, SIGKILL does not. */
  stop: (random, kit) =>
    order(kit, "stop", ["stop"], {
      options: { timeout: random.int(5, 20), killAfter: 10 },
      wrong: ({ exit }) => (exit.reason === "timeout" ? undefined : "no timeout"),
    }),
  missing: (_random, kit) => order(kit, "missing", [], { file: `${kit.dir}/no-such-program`, fails: "ENOENT" }),
  busy: (_random, kit) => order(kit, "busy", ["exit", 0], { file: kit.busy, fails: "ETXTBSY" }),
  nowhere: (_random, kit) =>
    order(kit, "nowhere", ["exit", 0], { options: { cwd: `${kit.dir}/nowhere` }, fails: "ENOENT" }),
} satisfies Record<string, Maker>;

/** All that ends by itself or by its own options. */
export function orderOf(random: Random, kit: Kit): Order {
  const names = Object.keys(MAKERS) as (keyof typeof MAKERS)[];
  return random.chance(0.4) ? MAKERS.exit(random, kit) : MAKERS[random.pick(names)](random, kit);
}

/** What lives until it is ended. */
export function residentOf(random: Random, kit: Kit): Order {
  const args = random.pick([["sleep", 50_000], ["cat"], ["serve"], ["flood"], ["stop"]] as const);
  return order(kit, `resident ${args[0]}`, args, {
    options: { maxOutput: 50_000 },
    wrong: (result) => {
      if (result.exit.reason === "output-limit") return undefined;
      // Its stdin may be /dev/null.
      return args[0] === "cat" ? exits(0)(result) : "it has ended by itself";
    },
  });
}

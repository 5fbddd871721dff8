// pm2, by its documented programmatic interface: its daemon inside this process,
// programs run as they are ("fork" mode without an interpreter), restarted at
// once and without end, their output thrown away, none of its monitoring.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { importPeer } from "../peers/peers.ts";
import { lacking, type Contestant } from "./contestant.ts";

interface StartOptions {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly interpreter: "none";
  readonly exec_mode: "fork";
  readonly instances: number;
  readonly autorestart: true;
  readonly min_uptime: number;
  readonly max_restarts: number;
  readonly restart_delay: number;
  readonly kill_timeout: number;
  readonly out_file: string;
  readonly error_file: string;
  readonly pmx: false;
  readonly vizion: false;
  readonly treekill: false;
}

interface Pm2 {
  connect(noDaemon: boolean, callback: (error: Error | null) => void): void;
  start(options: StartOptions, callback: (error: Error | null) => void): void;
  delete(name: string, callback: (error: Error | null) => void): void;
}

/** Its sockets, pids and logs. */
const home = mkdtempSync(join(tmpdir(), "pidpool-bench-pm2-"));
process.on("exit", () => rmSync(home, { recursive: true, force: true }));
process.env["PM2_HOME"] = home;
process.env["PM2_DISCRETE_MODE"] = "true";
// It talks on stdout, where the runner gives its answers.
console.log = () => undefined;

const { default: pm2 } = (await importPeer("pm2")) as { readonly default: Pm2 };
const NAME = "kept";

export default function create(): Contestant {
  let connected = false;
  return {
    run: lacking,
    spawn: lacking,
    capture: lacking,
    feed: lacking,
    async keep(file, args, count) {
      await promisify(pm2.connect.bind(pm2))(true);
      connected = true;
      await promisify(pm2.start.bind(pm2))({
        name: NAME,
        script: file,
        args,
        interpreter: "none",
        exec_mode: "fork",
        instances: count,
        autorestart: true,
        min_uptime: 0,
        max_restarts: 1e9,
        restart_delay: 0,
        kill_timeout: 100,
        out_file: "/dev/null",
        error_file: "/dev/null",
        pmx: false,
        vizion: false,
        treekill: false,
      });
    },
    async close() {
      if (connected) await promisify(pm2.delete.bind(pm2))(NAME);
    },
  };
}

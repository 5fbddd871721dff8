// Boots a kernel with an initramfs under qemu, passes on what the command in it
// prints, and tells how it ended. There is no disk and no network.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const CORES = 2;

/** The emulator is to end when the kernel panics, which would otherwise wait for a restart. */
const COMMAND_LINE = "quiet loglevel=3 panic=-1";

/** What all machines are: no accelerator of the hardware, which a VM mostly does not offer to VMs of its own. */
const machine = (memory) =>
  [
    ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none"],
    ["-accel", "tcg,thread=multi", "-m", `${memory}`, "-smp", `${CORES}`, "-serial", "stdio"],
  ].flat();

/** How many tests came out how, as node:test counts them. */
const COUNT = /^(?:#|ℹ) (pass|fail|cancelled|skipped|todo) (\d+)$/;

/**
 * @typedef {object} Outcome
 * @property {boolean} ok the command ended with success
 * @property {Record<string, number>} counts by "pass", "fail", …; empty where no tests got to their end
 * @property {string} [failure] why the command has not ended
 */

/**
 * @param {{ file: string, args: string[], env: NodeJS.ProcessEnv }} qemu
 * @param {{ arch: import("./arch.mjs").Arch, kernel: string, initramfs: string, memory: number, seconds: number }} vm
 *   `memory` in MiB; `seconds` is how long it may take
 * @returns {Promise<Outcome>}
 */
export async function boot(qemu, { arch, kernel, initramfs, memory, seconds }) {
  const what = ["-kernel", kernel, "-initrd", initramfs, "-append", `${arch.parameters} ${COMMAND_LINE}`];
  const child = spawn(qemu.file, [...qemu.args, ...machine(memory), ...arch.machine, ...what], {
    env: qemu.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  const stop = () => child.kill("SIGKILL");
  process.once("exit", stop);

  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve(signal ?? status));
  });
  const counts = {};
  const early = [];
  let begun = false;
  let status;
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    const text = line.trimEnd();
    const [, marker] = /pidpool-vm: (begin|exit \d+)$/.exec(text) ?? [];
    if (marker === "begin") begun = true;
    else if (marker !== undefined) status = Number(marker.split(" ")[1]);
    else if (!begun) early.push(text);
    else if (status === undefined) console.log(text);
    const [, name, count] = COUNT.exec(text) ?? [];
    if (name !== undefined) counts[name] = Number(count);
  });

  try {
    const how = await ended;
    if (!begun) console.log(early.join("\n"));
    if (timedOut) return { ok: false, counts, failure: `not done after ${seconds} s` };
    if (status === undefined) return { ok: false, counts, failure: `the VM ended without a result (qemu: ${how})` };
    return { ok: status === 0, counts };
  } finally {
    clearTimeout(timer);
    process.off("exit", stop);
  }
}

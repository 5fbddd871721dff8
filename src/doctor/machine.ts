// The machine as such: what it calls itself, and whether the native layer is there.
import { release } from "node:os";
import { errnoName } from "../native/errno.ts";
import { native } from "../native/load.ts";
import { refusalMeaning, trySystemCalls, type TriedCall } from "../native/probe.ts";
import { limited, no, untried, yes, type Finding, type Findings, type ProbeReport } from "./report.ts";
import { textOf } from "./text-files.ts";

/** What the head of the report says. */
export function describeMachine(): Pick<ProbeReport, "platform" | "kernel" | "arch" | "libc" | "node"> {
  return {
    platform: process.platform,
    kernel: release(),
    arch: process.arch,
    libc: libc(),
    node: process.versions.node,
  };
}

function libc(): "glibc" | "musl" | null {
  const maps = textOf("/proc/self/maps") ?? "";
  if (/\/(?:ld-musl|libc\.musl)-/.test(maps)) return "musl";
  return /\/libc(?:\.so\.6|-2\.\d+\.so)$/m.test(maps) ? "glibc" : null;
}

type CallFeature = "pidfd_open" | "pidfd_send_signal" | "waitid" | "close_range";

const CALLS: Readonly<Record<TriedCall["name"], CallFeature>> = {
  pidfd_open: "pidfd_open",
  pidfd_send_signal: "pidfd_send_signal",
  "waitid(P_PIDFD)": "waitid",
  close_range: "close_range",
};

/** The native layer, and the system calls that every launch needs. */
export function tryBasics(): Findings<"native" | "kernel" | CallFeature> {
  const there = nativeLayer();
  const calls = { pidfd_open: UNTRIED, pidfd_send_signal: UNTRIED, waitid: UNTRIED, close_range: UNTRIED };
  if (there.status === "yes") for (const call of trySystemCalls()) calls[CALLS[call.name]] = systemCall(call);
  return { native: there, kernel: kernel(), ...calls };
}

const UNTRIED = untried("there is no native layer");

function nativeLayer(): Finding {
  try {
    native();
    return yes("the shim and koffi load, and fit each other");
  } catch (error) {
    const remedy =
      process.platform === "linux"
        ? "install pidpool anew, with its optional parts and for this machine"
        : "run it on Linux: in a virtual machine, a container, or WSL 2";
    return no((error as Error).message, remedy);
  }
}

function kernel(): Finding {
  if (process.platform !== "linux") return no(`${process.platform} has no pidfd`);
  const [major = 0, minor = 0] = release().split(".").map(Number.parseFloat);
  if (major > 5 || (major === 5 && minor >= 10)) return yes(`Linux ${release()}`);
  // Vendors carry features back: what decides is what the others say.
  return limited(`Linux ${release()}, older than 5.10`, "use Linux 5.10 or newer");
}

function systemCall(call: TriedCall): Finding {
  if (call.errno === 0) return yes("answers");
  const remedy =
    errnoName(call.errno) === "ENOSYS"
      ? `use Linux ${call.since} or newer, and no emulation of it`
      : `let the seccomp profile of the container or service allow ${call.name}`;
  return no(`failed with ${errnoName(call.errno)}: ${refusalMeaning(call)}`, remedy);
}

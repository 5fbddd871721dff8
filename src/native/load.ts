// Finds and loads koffi and the shim, once per thread and only when first
// needed: importing this package never fails, whatever the machine.
import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type * as Koffi from "koffi";
import { PidpoolError } from "../errors.ts";
import { EXPECTED_LAYOUT } from "./layout.ts";
import { SYSCALL_NUMBERS, type SyscallNumbers } from "./syscall-numbers.ts";

/** `pp_syscall`: any system call; returns its result or -errno. */
export type RawSyscall = (nr: number, a: number, b: number, c: number, d: number, e: number, f: number) => number;

/** What the shim and libc give to the rest of this folder. Addresses are numbers: Linux hands out 47 bits. */
export interface Native {
  readonly syscall: RawSyscall;
  readonly nr: SyscallNumbers;
  /** `pp_launch`: a launch on the calling thread. */
  readonly launch: (launcher: number, slot: number) => number;
  /** Address of the launcher thread's start routine. */
  readonly launcherMain: number;
  readonly pthreadCreate: (thread: number, attr: number, start: number, argument: number) => number;
  readonly pthreadJoin: (thread: number, result: number) => number;
  /**
   * The native address of a typed array's first byte, valid while the array lives: for arrays that a module or a field
   * holds. All others are lent to a call, see address.ts.
   */
  readonly addressOf: (array: ArrayBufferView) => number;
  /**
   * Native memory as an ArrayBuffer that does not own it. Freed by a turn of the event loop after its collection, so
   * never in a supervisor thread, whose loop has none.
   */
  readonly view: (address: number, length: number) => ArrayBuffer;
  /** memcpy(3), between addresses. */
  readonly copy: (to: number, from: number, length: number) => number;
}

let loaded: Native | undefined;

/** Something that was built for this machine. */
function prebuilt(name: string): string {
  return fileURLToPath(new URL(`../../prebuilds/linux-${process.arch}/${name}`, import.meta.url));
}

/** The static program that holds namespaces open; see guard/guard.c. */
export function guardianProgram(): string {
  return prebuilt("pidpool-guardian");
}

/**
 * The native layer of this thread.
 *
 * @throws PidpoolError ERR_UNSUPPORTED where there is none for this machine.
 */
export function native(): Native {
  return (loaded ??= load());
}

function unsupported(message: string, cause?: unknown): PidpoolError {
  return new PidpoolError("ERR_UNSUPPORTED", message, { cause });
}

function load(): Native {
  if (process.platform !== "linux") {
    throw unsupported(`pidpool needs Linux 5.10 or newer; this is ${process.platform}`);
  }
  if (process.arch !== "x64" && process.arch !== "arm64") {
    throw unsupported(`pidpool has no shim for the architecture ${process.arch}; x64 and arm64 are supported`);
  }
  const file = prebuilt("pidpool.so");
  if (!existsSync(file)) {
    throw unsupported(`the shim ${file} is missing; in a checkout, "npm run build" makes it`);
  }
  let koffi: typeof Koffi;
  let shim: Koffi.LibraryHandle;
  try {
    koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
    shim = koffi.load(file);
  } catch (cause) {
    throw unsupported(`the native layer does not load: ${(cause as Error).message}`, cause);
  }
  const layout = shim.func("pp_layout", "int64", ["uint32"]) as (index: number) => number;
  if (layout(EXPECTED_LAYOUT.length) !== -1 || EXPECTED_LAYOUT.some((size, i) => layout(i) !== size)) {
    throw unsupported(`the shim ${file} belongs to another version of pidpool; install or build it anew`);
  }
  const libc = koffi.load(null);
  const long = (name: string, count: number): unknown =>
    shim.func(name, "int64", new Array<string>(count).fill("int64"));
  return {
    syscall: long("pp_syscall", 7) as RawSyscall,
    nr: SYSCALL_NUMBERS[process.arch],
    launch: long("pp_launch", 2) as Native["launch"],
    launcherMain: Number(koffi.address(shim.symbol("pp_launcher_main"))),
    pthreadCreate: libc.func("pthread_create", "int", new Array<string>(4).fill("int64")) as Native["pthreadCreate"],
    pthreadJoin: libc.func("pthread_join", "int", new Array<string>(2).fill("int64")) as Native["pthreadJoin"],
    addressOf: (array) => Number(koffi.address(array)),
    view: (address, length) => koffi.view(BigInt(address), length),
    copy: libc.func("memcpy", "int64", new Array<string>(3).fill("int64")) as Native["copy"],
  };
}

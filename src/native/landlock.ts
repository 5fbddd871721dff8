// What the kernel's Landlock knows: uapi/linux/landlock.h, with the ABI version
// that brought what is younger than the first (Linux 5.13).
import { landlockVersion } from "./syscalls.ts";

/** LANDLOCK_ACCESS_FS_*. */
export const ACCESS_FS = {
  execute: 1,
  writeFile: 2,
  readFile: 4,
  readDir: 8,
  removeDir: 16,
  removeFile: 32,
  makeChar: 64,
  makeDir: 128,
  makeReg: 256,
  makeSock: 512,
  makeFifo: 1024,
  makeBlock: 2048,
  makeSym: 4096,
  /** To another directory, by rename or link; ABI 2, Linux 5.19. Before, that was always refused. */
  refer: 8192,
  /** ABI 3, Linux 6.2. Before, truncate(2) was never refused. */
  truncate: 16384,
  /** ABI 5, Linux 6.10. */
  ioctlDev: 32768,
} as const;

/** LANDLOCK_ACCESS_NET_*; ABI 4, Linux 6.7. */
export const ACCESS_NET = { bindTcp: 1, connectTcp: 2 } as const;

/** LANDLOCK_SCOPE_*; ABI 6, Linux 6.12. */
export const SCOPE = { abstractUnixSocket: 1, signal: 2 } as const;

let abi: number | undefined;

/** The Landlock ABI of this kernel, or -errno; asked once per thread. */
export function landlockAbi(): number {
  return (abi ??= landlockVersion());
}

// Names and plain words for errno values.
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

const names = getSystemErrorMap();
/** libuv's table lacks some that exec has, such as ENOEXEC. */
const more = new Map(Object.entries(constants.errno).map(([name, errno]) => [errno, name]));

/** errno(3)'s name for a positive errno, e.g. 2 → `"ENOENT"`; `"E<n>"` for one that Node does not know. */
export function errnoName(errno: number): string {
  return names.get(-errno)?.[0] ?? more.get(errno) ?? `E${errno}`;
}

/** The number of an errno's name; 0 for none. */
export function errnoNumber(name: string | undefined): number {
  return (constants.errno as Record<string, number>)[name ?? ""] ?? 0;
}

/** What the errno means, e.g. 2 → `"no such file or directory"`. */
export function errnoMeaning(errno: number): string {
  return names.get(-errno)?.[1] ?? `error ${errno}`;
}

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EPIPE = 32;
export const E2BIG = 7;
export const ENOEXEC = 8;
export const EBADF = 9;
export const ECHILD = 10;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EEXIST = 17;
export const ENOTDIR = 20;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOSPC = 28;
export const ENAMETOOLONG = 36;
export const ENOSYS = 38;
export const ENOTSOCK = 88;
export const EOPNOTSUPP = 95;
export const EAFNOSUPPORT = 97;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ECONNREFUSED = 111;

// What the kernel says when a socket cannot be opened, and what to do about it.
import { PidpoolError, quoted } from "../../errors.ts";
import {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EMFILE,
  ENFILE,
  ENOENT,
  errnoMeaning,
  errnoName,
} from "../../native/errno.ts";
import type { ListenPlan } from "./options.ts";

/** The result of a system call, or ERR_LISTEN where it is -errno. */
export function checked(plan: ListenPlan, syscall: string, result: number): number {
  if (result >= 0) return result;
  throw refusal(plan, syscall, -result, adviceFor(plan, -result));
}

/** ERR_LISTEN. */
export function refusal(plan: ListenPlan, syscall: string, errno: number, advice?: string): PidpoolError {
  const why = `${syscall}: ${errnoMeaning(errno)} (${errnoName(errno)})`;
  const message = `cannot listen on ${place(plan)}: ${why}${advice === undefined ? "" : `; ${advice}`}`;
  return new PidpoolError("ERR_LISTEN", message, { syscall, errno: errnoName(errno) });
}

function place(plan: ListenPlan): string {
  switch (plan.kind) {
    case "port":
      return plan.host === undefined ? `port ${plan.port}` : `port ${plan.port} of ${plan.host}`;
    case "path":
      return quoted(plan.path);
    case "fd":
      return `fd ${plan.fd}`;
  }
}

function adviceFor(plan: ListenPlan, errno: number): string | undefined {
  if (errno === EMFILE || errno === ENFILE) return "raise the limit on open files";
  if (plan.kind === "port") {
    switch (errno) {
      case EADDRINUSE:
        return `another program has it ("ss -ltnp sport = :${plan.port}" names it), or connections of its last owner fade; choose another port or end that program`;
      case EACCES:
        return "ports below net.ipv4.ip_unprivileged_port_start (1024) need CAP_NET_BIND_SERVICE: take a higher one, grant it, or let systemd open the socket and give its fd";
      case EADDRNOTAVAIL:
        return "no interface of this machine has that address";
    }
  }
  if (plan.kind === "path") {
    if (errno === EACCES) return "this user may not create files in that directory";
    if (errno === ENOENT) return "its directory must exist";
  }
  return undefined;
}

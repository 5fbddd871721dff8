// Opens one listening socket: socket, setsockopt, bind, listen.
import { InvalidOptionError, PidpoolError } from "../../errors.ts";
import { EADDRNOTAVAIL, EAFNOSUPPORT, errnoName } from "../../native/errno.ts";
import {
  bindSocket,
  close,
  dupFrom,
  listenSocket,
  setNonblocking,
  setSocketOption,
  socketName,
  socketOption,
  streamSocket,
} from "../../native/syscalls.ts";
import { AF_INET6, AF_UNIX, decode, encodeIp, familyOf, type SocketAddress } from "./address.ts";
import type { FdPlan, ListenPlan, PathPlan, PortPlan } from "./options.ts";
import { checked } from "./refusal.ts";
import { SocketFile } from "./socket-file.ts";

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const SO_ACCEPTCONN = 30;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** A socket that listens. Its fd belongs to whoever holds this. */
export interface OpenSocket {
  readonly name: string;
  readonly fd: number;
  readonly address: SocketAddress;
  /** The file of one that was bound to a path here. */
  readonly file: SocketFile | undefined;
}

/**
 * @throws PidpoolError ERR_LISTEN, with nothing left open.
 * @throws InvalidOptionError where an fd is no listening socket.
 */
export function openSocket(plan: ListenPlan): OpenSocket {
  switch (plan.kind) {
    case "port":
      return openPort(plan);
    case "path":
      return openPath(plan);
    case "fd":
      return duplicate(plan);
  }
}

function openPort(plan: PortPlan): OpenSocket {
  if (plan.host !== undefined) return openIp(plan, plan.host);
  try {
    return openIp(plan, "::");
  } catch (error) {
    if (plan.ipv6Only || !lacksIpv6(error)) throw error;
    return openIp(plan, "0.0.0.0");
  }
}

function lacksIpv6(error: unknown): boolean {
  return (
    error instanceof PidpoolError &&
    (error.errno === errnoName(EAFNOSUPPORT) || error.errno === errnoName(EADDRNOTAVAIL))
  );
}

function openIp(plan: PortPlan, host: string): OpenSocket {
  const family = familyOf(host);
  return listening(plan, family, (fd) => {
    // A port whose last owner's connections are in TIME_WAIT is free.
    checked(plan, "setsockopt", setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 1));
    if (plan.reusePort) checked(plan, "setsockopt", setSocketOption(fd, SOL_SOCKET, SO_REUSEPORT, 1));
    // Said either way: the default is net.ipv6.bindv6only.
    if (family === AF_INET6) {
      checked(plan, "setsockopt", setSocketOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, plan.ipv6Only ? 1 : 0));
    }
    checked(plan, "bind", bindSocket(fd, encodeIp(host, plan.port, plan.scope)));
    return undefined;
  });
}

function openPath(plan: PathPlan): OpenSocket {
  return listening(plan, AF_UNIX, (fd) => SocketFile.bind(fd, plan));
}

function listening(
  plan: PortPlan | PathPlan,
  family: number,
  bind: (fd: number) => SocketFile | undefined,
): OpenSocket {
  const fd = checked(plan, "socket", streamSocket(family));
  let file: SocketFile | undefined;
  try {
    file = bind(fd);
    if (plan.nonBlocking) checked(plan, "fcntl", setNonblocking(fd));
    checked(plan, "listen", listenSocket(fd, plan.backlog));
    return { name: plan.name, fd, address: addressOf(plan, fd), file };
  } catch (error) {
    close(fd);
    file?.remove();
    throw error;
  }
}

function duplicate(plan: FdPlan): OpenSocket {
  if (socketOption(plan.fd, SOL_SOCKET, SO_ACCEPTCONN) !== 1) {
    throw new InvalidOptionError(`${plan.option}.fd`, plan.fd, "it must be an open socket that listens");
  }
  const fd = checked(plan, "fcntl", dupFrom(plan.fd, 3));
  try {
    return { name: plan.name, fd, address: addressOf(plan, fd), file: undefined };
  } catch (error) {
    close(fd);
    throw error;
  }
}

function addressOf(plan: ListenPlan, fd: number): SocketAddress {
  const name = socketName(fd);
  if (typeof name === "number") {
    checked(plan, "getsockname", name);
    return { path: "" };
  }
  return decode(name) ?? { path: "" };
}

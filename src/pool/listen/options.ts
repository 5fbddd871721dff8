// The option listen: what users write, checked and resolved into plans. Opens nothing.
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { InvalidOptionError, quoted } from "../../errors.ts";
import { bag, integer, list, oneOf, path, text } from "../../process/validate.ts";
import { MAX_PATH } from "./address.ts";

/** What TCP and unix sockets have in common. */
interface ListenCommon {
  /** What the program finds in LISTEN_FDNAMES: printable ASCII without ":", at most 255 bytes. Default: `"unknown"`. */
  readonly name?: string | undefined;
  /**
   * Connections that wait for accept(2) at most; the kernel lowers it to net.core.somaxconn. A program that calls
   * listen(2) again, as Node does, sets its own. Default: as many as the kernel allows.
   */
  readonly backlog?: number | undefined;
  /**
   * accept(2) fails with EAGAIN instead of waiting. Programs that need it mostly set it themselves, for all who share
   * the socket; nginx does not. systemd's NonBlocking=. Default: false.
   */
  readonly nonBlocking?: boolean | undefined;
}

/** A TCP socket. */
export interface ListenPort extends ListenCommon {
  /** 0: one that the kernel chooses; the socket's address tells which. */
  readonly port: number;
  /** An IPv4 or IPv6 address, no name. Default: `"::"`, which is IPv4 too; `"0.0.0.0"` where there is no IPv6. */
  readonly host?: string | undefined;
  /** Only IPv6, where the host is `"::"`. Default: false. IPV6_V6ONLY in ipv6(7). */
  readonly ipv6Only?: boolean | undefined;
  /** Others of the same user may bind the port too, and get a part of the connections. Default: false. SO_REUSEPORT in socket(7). */
  readonly reusePort?: boolean | undefined;
}

/** A unix stream socket. A file that a dead server has left at its path is replaced. */
export interface ListenPath extends ListenCommon {
  /** Relative to the working directory of this process; at most 107 bytes when resolved. */
  readonly path: string | URL;
  /** Permissions of the file, whatever the umask; to connect needs the right to write. Default: 0777 less the umask. */
  readonly mode?: number | undefined;
}

/** A socket that listens already; it is duplicated, and stays the caller's. */
export interface ListenFd {
  readonly fd: number;
  readonly name?: string | undefined;
}

/** A socket that a service keeps open and gives to each of its replicas. */
export type ListenOptions = ListenPort | ListenPath | ListenFd;

interface CommonPlan {
  readonly name: string;
  readonly backlog: number;
  readonly nonBlocking: boolean;
}

export interface PortPlan extends CommonPlan {
  readonly kind: "port";
  readonly port: number;
  /** Undefined for all addresses. */
  readonly host: string | undefined;
  /** The interface that a link-local address belongs to. */
  readonly scope: number;
  readonly ipv6Only: boolean;
  readonly reusePort: boolean;
}

export interface PathPlan extends CommonPlan {
  readonly kind: "path";
  readonly path: string;
  readonly mode: number | undefined;
}

export interface FdPlan {
  readonly kind: "fd";
  readonly name: string;
  readonly fd: number;
  /** The option's own name. */
  readonly option: string;
}

/** One entry of listen, resolved. */
export type ListenPlan = PortPlan | PathPlan | FdPlan;

const COMMON_KEYS = ["name", "backlog", "nonBlocking"] as const;
const KEYS = {
  port: new Set(["port", "host", "ipv6Only", "reusePort", ...COMMON_KEYS]),
  path: new Set(["path", "mode", ...COMMON_KEYS]),
  fd: new Set(["fd", "name"]),
} as const;
const KINDS = ["port", "path", "fd"] as const;
/** The child's fds end at 255. */
const MAX_SOCKETS = 253;
const MAX_INT = 0x7fffffff;

/** @throws InvalidOptionError */
export function planListen(listen: unknown): readonly ListenPlan[] {
  if (Array.isArray(listen) && listen.length > MAX_SOCKETS) {
    throw new InvalidOptionError("listen", listen, `it must not be longer than ${MAX_SOCKETS}`);
  }
  return list("listen", listen, "{ port }, { path } or { fd }", planOne);
}

function planOne(option: string, entry: unknown): ListenPlan {
  const given = typeof entry === "object" && entry !== null ? entry : {};
  const kinds = KINDS.filter((kind) => (given as Record<string, unknown>)[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    throw new InvalidOptionError(option, entry, "it must be an object with one of port, path and fd");
  }
  const o = bag(option, entry, KEYS[kind]);
  const name = socketName(`${option}.name`, o["name"] ?? "unknown");
  if (kind === "fd") return { kind, name, fd: integer(`${option}.fd`, o["fd"], 0, MAX_INT), option };
  const common = {
    name,
    backlog: integer(`${option}.backlog`, o["backlog"] ?? MAX_INT, 1, MAX_INT),
    nonBlocking: flag(`${option}.nonBlocking`, o["nonBlocking"]),
  };
  if (kind === "path") {
    const file = resolve(path(`${option}.path`, o["path"]));
    if (Buffer.byteLength(file) > MAX_PATH) {
      throw new InvalidOptionError(`${option}.path`, file, `a socket's path must not be longer than ${MAX_PATH} bytes`);
    }
    const mode = o["mode"] === undefined ? undefined : integer(`${option}.mode`, o["mode"], 0, 0o777);
    return { kind, ...common, path: file, mode };
  }
  const { host, scope } = hostOf(`${option}.host`, o["host"]);
  const ipv6Only = flag(`${option}.ipv6Only`, o["ipv6Only"]);
  if (ipv6Only && host !== undefined && host !== "::") {
    throw new InvalidOptionError(`${option}.ipv6Only`, ipv6Only, 'it says something only where the host is "::"');
  }
  return {
    kind,
    ...common,
    port: integer(`${option}.port`, o["port"], 0, 65535),
    host,
    scope,
    ipv6Only,
    reusePort: flag(`${option}.reusePort`, o["reusePort"]),
  };
}

function flag(option: string, value: unknown): boolean {
  return oneOf(option, value ?? false, [true, false]);
}

/** What systemd takes as FileDescriptorName=. */
function socketName(option: string, value: unknown): string {
  const name = text(option, value, false);
  if (!/^[ -9;-~]{1,255}$/.test(name)) {
    throw new InvalidOptionError(option, name, 'it must be at most 255 printable ASCII characters, none of them ":"');
  }
  return name;
}

function hostOf(option: string, value: unknown): { host: string | undefined; scope: number } {
  if (value === undefined) return { host: undefined, scope: 0 };
  const host = text(option, value, false);
  if (isIP(host) === 0) {
    const names = "it must be an IPv4 or IPv6 address; a name may have several, each of which is a socket of its own";
    throw new InvalidOptionError(option, host, host === "localhost" ? 'it must be "127.0.0.1" or "::1"' : names);
  }
  const [address = host, zone] = host.split("%");
  if (zone === undefined) return { host, scope: 0 };
  const found = Object.entries(networkInterfaces()).find(([name]) => name === zone)?.[1];
  const scope = /^\d+$/.test(zone) ? Number(zone) : found?.find(({ family }) => family === "IPv6")?.scopeid;
  if (scope === undefined)
    throw new InvalidOptionError(option, host, `there is no interface ${quoted(zone)} with IPv6`);
  return { host: address, scope };
}

// Socket addresses as the kernel has them: struct sockaddr_in, sockaddr_in6 and
// sockaddr_un of ip(7), ipv6(7) and unix(7), encoded and decoded.
import { isIPv6 } from "node:net";

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

/** Bytes of a unix socket's path, without its NUL. */
export const MAX_PATH = 107;

/** Where a socket listens. */
export type SocketAddress =
  | { readonly host: string; readonly port: number }
  /** Empty for an unnamed socket; `"\0…"` for an abstract one. */
  | { readonly path: string };

/** The family of an IP address. */
export function familyOf(host: string): number {
  return isIPv6(host) ? AF_INET6 : AF_INET;
}

/** `scope` is the index of the interface that a link-local address belongs to. */
export function encodeIp(host: string, port: number, scope = 0): Uint8Array {
  const family = familyOf(host);
  const view = new DataView(new ArrayBuffer(family === AF_INET6 ? 28 : 16));
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  if (family === AF_INET6) {
    groupsOf(host).forEach((group, i) => view.setUint16(8 + 2 * i, group));
    view.setUint32(24, scope, true);
  } else {
    host.split(".").forEach((byte, i) => view.setUint8(4 + i, Number(byte)));
  }
  return new Uint8Array(view.buffer);
}

export function encodePath(path: string): Uint8Array {
  const name = Buffer.from(path, "utf8");
  const bytes = new Uint8Array(2 + name.length + 1);
  bytes[0] = AF_UNIX;
  bytes.set(name, 2);
  return bytes;
}

/** Undefined for a family that is none of the three. */
export function decode(bytes: Uint8Array): SocketAddress | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (view.getUint16(0, true)) {
    case AF_INET:
      return { host: bytes.subarray(4, 8).join("."), port: view.getUint16(2) };
    case AF_INET6: {
      const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(8 + 2 * i).toString(16));
      return { host: canonical(groups.join(":")), port: view.getUint16(2) };
    }
    case AF_UNIX: {
      const name = Buffer.from(bytes.subarray(2)).toString("utf8");
      const end = name.indexOf("\0", 1);
      return { path: name.slice(0, end < 0 ? undefined : end) };
    }
    default:
      return undefined;
  }
}

/** As RFC 5952 writes it, but with an embedded IPv4 address in hexadecimal: the URL parser's work. */
function canonical(ipv6: string): string {
  return new URL(`http://[${ipv6}]`).hostname.slice(1, -1);
}

function groupsOf(ipv6: string): number[] {
  const [head = [], tail] = canonical(ipv6)
    .split("::")
    .map((part) => part.split(":").filter(Boolean));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...new Array<string>(zeros).fill("0"), ...(tail ?? [])].map((group) => Number.parseInt(group, 16));
}

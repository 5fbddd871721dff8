import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { InvalidOptionError } from "pidpool";
import { planListen } from "#pidpool/pool/listen/options.js";

const MOST = 0x7fffffff;

test("defaults", () => {
  assert.deepEqual(planListen([{ port: 80 }, { path: "a/b" }, { fd: 3 }]), [
    {
      kind: "port",
      name: "unknown",
      backlog: MOST,
      nonBlocking: false,
      port: 80,
      host: undefined,
      scope: 0,
      ipv6Only: false,
      reusePort: false,
    },
    { kind: "path", name: "unknown", backlog: MOST, nonBlocking: false, path: resolve("a/b"), mode: undefined },
    { kind: "fd", name: "unknown", fd: 3, option: "listen[2]" },
  ]);
});

test("all that can be said", () => {
  const [port, path, scoped] = planListen([
    { port: 0, host: "::", name: "web api", backlog: 1, nonBlocking: true, ipv6Only: true, reusePort: true },
    { path: pathToFileURL("/run/x.sock"), mode: 0o600 },
    { port: 1, host: "fe80::1%3" },
  ]);
  assert.deepEqual(port, {
    kind: "port",
    name: "web api",
    backlog: 1,
    nonBlocking: true,
    port: 0,
    host: "::",
    scope: 0,
    ipv6Only: true,
    reusePort: true,
  });
  assert.deepEqual(path, { ...path, path: "/run/x.sock", mode: 0o600 });
  assert.deepEqual(scoped, { ...scoped, host: "fe80::1", scope: 3 });
});

const WRONG: readonly [listen: unknown, option: string, says: RegExp][] = [
  [8080, "listen", /an array of \{ port \}, \{ path \} or \{ fd \}/],
  [Array.from({ length: 254 }, () => ({ port: 0 })), "listen", /253/],
  [[8080], "listen[0]", /one of port, path and fd/],
  [[{}], "listen[0]", /one of port, path and fd/],
  [[null], "listen[0]", /one of port, path and fd/],
  [[{ port: 1 }, { port: 1, path: "x" }], "listen[1]", /one of port, path and fd/],
  [[{ port: 65536 }], "listen[0].port", /0 to 65535/],
  [[{ port: "80" }], "listen[0].port", /0 to 65535/],
  [[{ port: 1, host: "localhost" }], "listen[0].host", /"127.0.0.1" or "::1"/],
  [[{ port: 1, host: "example.org" }], "listen[0].host", /an IPv4 or IPv6 address/],
  [[{ port: 1, host: "" }], "listen[0].host", /empty/],
  [[{ port: 1, host: "fe80::1%nowhere9" }], "listen[0].host", /no interface "nowhere9"/],
  [[{ port: 1, host: "127.0.0.1", ipv6Only: true }], "listen[0].ipv6Only", /"::"/],
  [[{ port: 1, reusePort: 1 }], "listen[0].reusePort", /true, false/],
  [[{ port: 1, backlog: 0 }], "listen[0].backlog", /1 to/],
  [[{ port: 1, mode: 0o600 }], "listen[0].mode", /no such option/],
  [[{ port: 1, name: "a:b" }], "listen[0].name", /none of them ":"/],
  [[{ port: 1, name: "" }], "listen[0].name", /empty/],
  [[{ port: 1, name: "ž" }], "listen[0].name", /ASCII/],
  [[{ port: 1, name: "x".repeat(256) }], "listen[0].name", /255/],
  [[{ path: "" }], "listen[0].path", /empty/],
  [[{ path: `/${"x".repeat(107)}` }], "listen[0].path", /107 bytes/],
  [[{ path: "/x", mode: 0o1777 }], "listen[0].mode", /0 to 511/],
  [[{ path: "/x", reusePort: true }], "listen[0].reusePort", /no such option/],
  [[{ fd: -1 }], "listen[0].fd", /from 0/],
  [[{ fd: 3, backlog: 1 }], "listen[0].backlog", /no such option/],
];
for (const [listen, option, says] of WRONG) {
  test(`${JSON.stringify(listen).slice(0, 70)} is refused`, () => {
    assert.throws(
      () => planListen(listen),
      (error) => {
        assert.ok(error instanceof InvalidOptionError);
        assert.equal(error.option, option);
        assert.match(error.message, says);
        return true;
      },
    );
  });
}

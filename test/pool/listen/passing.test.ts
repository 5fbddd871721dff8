import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidOptionError, type StdioOption } from "pidpool";
import { passSockets } from "#pidpool/pool/listen/passing.js";

const SOCKETS = [
  { name: "web", fd: 40 },
  { name: "unknown", fd: 21 },
];

test("sockets come behind stdio, in their order, with the variables of sd_listen_fds(3)", () => {
  assert.deepEqual(passSockets(SOCKETS, undefined), {
    stdio: [undefined, undefined, undefined, 40, 21],
    variables: [
      { name: "LISTEN_PID", value: undefined },
      { name: "LISTEN_FDS", value: "2" },
      { name: "LISTEN_FDNAMES", value: "web:unknown" },
      { name: "LISTEN_PIDFDID", value: null },
    ],
  });
});

const STDIO: readonly [given: StdioOption, standard: readonly unknown[]][] = [
  ["inherit", ["inherit", "inherit", "inherit"]],
  ["ignore", ["ignore", "ignore", "ignore"]],
  ["capture", [undefined, "capture", "capture"]],
  [["ignore"], ["ignore", undefined, undefined]],
  [
    [null, "capture", 7],
    [null, "capture", 7],
  ],
  [
    ["ignore", "pipe", "inherit", null, undefined],
    ["ignore", "pipe", "inherit"],
  ],
];
for (const [given, standard] of STDIO) {
  test(`the child's own stdio ${JSON.stringify(given)} is kept`, () => {
    assert.deepEqual(passSockets(SOCKETS, given).stdio, [...standard, 40, 21]);
  });
}

test("stdio above 2 is refused: those fds are the sockets'", () => {
  const refused = (sockets: typeof SOCKETS, stdio: StdioOption): unknown => {
    try {
      return passSockets(sockets, stdio);
    } catch (error) {
      assert.ok(error instanceof InvalidOptionError);
      return [error.option, error.message];
    }
  };
  assert.deepEqual(refused(SOCKETS, ["ignore", "pipe", "pipe", "pipe"]), [
    "stdio[3]",
    'stdio[3] is the string "pipe"; with the option listen, which uses fds 3 to 4, it must end at stdio[2]',
  ]);
  assert.deepEqual(refused(SOCKETS.slice(0, 1), ["ignore", "pipe", "pipe", null, null, 9]), [
    "stdio[5]",
    "stdio[5] is 9; with the option listen, which uses fd 3, it must end at stdio[2]",
  ]);
});

// The C program's isolated children are where they should be; nothing is
// measured here.
import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { compileChildren } from "../../bench/children.ts";
import { Floors, type IsolatedWay } from "../../bench/floors/floors.ts";
import { ordinaryUser } from "../../bench/user.ts";

const children = compileChildren();
const floors = await Floors.compile();
const NAMESPACES: Readonly<Record<IsolatedWay, readonly string[]>> = {
  shared: ["user", "net"],
  contained: ["user", "net", "pid"],
  "contained by a helper": ["user", "net", "pid"],
  private: ["user", "net"],
  user: ["user"],
  network: ["user", "net"],
  pid: ["user", "pid"],
  mount: ["user", "mnt"],
  ipc: ["user", "ipc"],
  uts: ["user", "uts"],
  cgroup: ["user", "cgroup"],
  // Until Linux 6.1 a program stays in the one that its process was born in.
  time: ["user", "time_for_children"],
};
const KINDS = ["user", "net", "pid", "mnt", "ipc", "uts", "cgroup", "time_for_children"];

/** A shell that succeeds where its namespaces of these kinds, and no others, differ from this process's. */
function looksAround(kinds: readonly string[]): string {
  const checks = KINDS.map((kind) => {
    const own = readlinkSync(`/proc/self/ns/${kind}`);
    return `[ "$(readlink /proc/$self/ns/${kind})" ${kinds.includes(kind) ? "!=" : "="} "${own}" ]`;
  });
  // $$ is another process's number outside of the pid namespace.
  return ["read self rest < /proc/self/stat", ...checks].join(" && ");
}

for (const [way, kinds] of Object.entries(NAMESPACES) as [IsolatedWay, readonly string[]][]) {
  const skip = floors.available([way]).missing[0];
  test(`floor: a child that is isolated by "${way}" is kept apart by ${kinds.join(", ")}`, { skip }, async () => {
    const how = { threads: 2, inFlight: 4, launches: 8, program: "/bin/sh", args: ["-c", looksAround(kinds)] };
    assert.ok((await floors.churn(way, how)) > 0);
    await assert.rejects(floors.churn(way, { ...how, args: ["-c", "exit 1"] }));
  });
}

test(
  "floor: an ordinary user's child is contained by a helper",
  {
    skip: ordinaryUser() === undefined ? "only root can become another user" : floors.available(["shared"]).missing[0],
  },
  async (t) => {
    const how = { threads: 2, inFlight: 16, launches: 100, program: children.nop, user: ordinaryUser() };
    try {
      assert.ok((await floors.churn("contained by a helper", how)) > 0);
    } catch (error) {
      if (!/EACCES|Permission denied|not permitted/.test(String(error))) throw error;
      t.skip(`an ordinary user may not: ${String(error)}`);
    }
  },
);

test("floor: waits until network namespaces are gone", async (t) => {
  const [refused] = floors.available(["network"]).missing;
  if (refused !== undefined) return t.skip(refused);
  await floors.churn("network", { threads: 2, inFlight: 8, launches: 40, program: children.nop });
  try {
    assert.ok((await floors.settle()) > 0);
  } catch (error) {
    if (!/Read-only file system|Permission denied/.test(String(error))) throw error;
    t.skip("limits of namespaces cannot be set here");
  }
});

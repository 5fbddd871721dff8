// Where cgroups are, from what /proc says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { directoryOf, isInsideUnit, parseMountinfo, parseOwnCgroup } from "#pidpool/native/cgroup-mounts.js";

const HYBRID = String.raw`23 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/memory rw,relatime shared:9 master:2 - cgroup cgroup rw,memory
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
42 31 0:38 /a\040b\134x2d /mnt/it\040has\011tabs rw - cgroup2 cgroup2 rw
`;

test("mountinfo: mounts of cgroup v2, and what cgroup v1 holds", () => {
  const { mounts, legacy } = parseMountinfo(HYBRID);
  assert.deepEqual(mounts, [
    { root: "/", point: "/sys/fs/cgroup/unified" },
    { root: "/a b\\x2d", point: "/mnt/it has\ttabs" },
  ]);
  assert.equal(legacy.get("memory"), "/sys/fs/cgroup/memory");
  assert.equal(legacy.get("cpu"), "/sys/fs/cgroup/cpu,cpuacct");
  assert.equal(legacy.get("io"), "/sys/fs/cgroup/blkio");
  assert.equal(legacy.get("pids"), undefined);
  assert.deepEqual(parseMountinfo("").mounts, []);
});

test("our own group: the line of cgroup v2, in which nothing is escaped", () => {
  assert.equal(parseOwnCgroup("9:name=systemd:/\n4:memory:/x\n0::/user.slice/a b\n"), "/user.slice/a b");
  assert.equal(
    parseOwnCgroup(String.raw`0::/system.slice/run-a\x2db.scope`),
    String.raw`/system.slice/run-a\x2db.scope`,
  );
  assert.equal(parseOwnCgroup("0::/a:b::c\n"), "/a:b::c");
  assert.equal(parseOwnCgroup("4:memory:/x\n"), undefined);
  assert.equal(parseOwnCgroup("0::/gone (deleted)\n"), undefined);
});

test("the directory of a group, through the first mount that shows it", () => {
  const everything = [{ root: "/", point: "/sys/fs/cgroup" }];
  assert.equal(directoryOf("/", everything), "/sys/fs/cgroup");
  assert.equal(directoryOf("/a/b", everything), "/sys/fs/cgroup/a/b");
  const part = [
    { root: "/docker/1", point: "/one" },
    { root: "/docker", point: "/all" },
  ];
  assert.equal(directoryOf("/docker/1", part), "/one");
  assert.equal(directoryOf("/docker/1/x", part), "/one/x");
  assert.equal(directoryOf("/docker/12", part), "/all/12");
  assert.equal(directoryOf("/other", part), undefined);
  // Outside of our cgroup namespace.
  assert.equal(directoryOf("/../sibling", everything), undefined);
  assert.equal(directoryOf("/../x", [{ root: "/..", point: "/host" }]), "/host/x");
  assert.equal(directoryOf("/../../x", [{ root: "/..", point: "/host" }]), undefined);
});

test("a parent is ours where a systemd unit that holds processes has it or is it", () => {
  const inside = {
    "/system.slice/app.service/main": true,
    "/user.slice/user-1.slice/user@1.service/app.slice/x.scope/main": true,
    "/system.slice/app.service/a/b": true,
    "/system.slice/app.service": false,
    "/user.slice/user-1.slice/user@1.service/app.slice/x.service": false,
    "/system.slice": false,
    "/docker/1": false,
    "/": false,
  };
  for (const [group, expected] of Object.entries(inside)) assert.equal(isInsideUnit(group), expected, group);
});

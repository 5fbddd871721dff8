// The messages of the sd_notify protocol, as pure functions.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatMessage,
  Gathered,
  LastWords,
  parseMessage,
  readMessage,
  watchdogPeriod,
} from "#pidpool/process/notify-message.js";
import type { Notification } from "pidpool";

const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");
const parsed = (text: string | Uint8Array): Record<string, string> | undefined => {
  const message = parseMessage(typeof text === "string" ? bytes(text) : text);
  return message === undefined ? undefined : Object.fromEntries(message);
};
const meant = (text: string): Notification => readMessage(parseMessage(bytes(text)) ?? new Map());
const gathered = (...texts: string[]): Record<string, string>[] => {
  const all = new Gathered();
  for (const text of texts) all.add(parseMessage(bytes(text)) ?? new Map());
  return all.take().map((message) => Object.fromEntries(message));
};

test("a message is lines of assignments", () => {
  assert.deepEqual(parsed("READY=1\nSTATUS=up and running = good\n"), { READY: "1", STATUS: "up and running = good" });
  assert.deepEqual(parsed("STATUS="), { STATUS: "" });
  assert.deepEqual(parsed(""), {});
});

test("lines that are no assignment do not count", () => {
  assert.deepEqual(parsed("\n\nREADY\n=x\n \nX=1\n"), { X: "1" });
});

test("of a name that is given twice, the last counts", () => {
  assert.deepEqual(parsed("STATUS=a\nX=1\nSTATUS=b"), { X: "1", STATUS: "b" });
});

test("a message with a NUL is none, but for one at its end", () => {
  assert.equal(parsed("READY=1\0STATUS=x"), undefined);
  assert.equal(parsed("READY=1\0\0"), undefined);
  assert.deepEqual(parsed("READY=1\0"), { READY: "1" });
});

test("a line that is no UTF-8 is lost, and no other", () => {
  const bad = Buffer.concat([bytes("READY=1\nSTATUS="), Buffer.from([0xff, 0xc3]), bytes("\nERRNO=2")]);
  assert.deepEqual(parsed(bad), { READY: "1", ERRNO: "2" });
  assert.deepEqual(parsed(Buffer.from([0xff])), {});
});

test("values that are too long for what they mean do not count", () => {
  assert.deepEqual(parsed(`READY=${"1".repeat(33)}\nSTATUS=${"x".repeat(4000)}`), { STATUS: "x".repeat(4000) });
});

test("a hostile name becomes a field like any other", () => {
  const { fields } = meant("__proto__=x\nconstructor=y\nhasOwnProperty=z");
  assert.deepEqual(Object.entries(fields), [
    ["__proto__", "x"],
    ["constructor", "y"],
    ["hasOwnProperty", "z"],
  ]);
});

test("what is read can be written and read again", () => {
  for (const text of ["READY=1\nSTATUS=ä=b", "A=", "X=1\nY=2"]) {
    assert.equal(formatMessage(parseMessage(bytes(text)) ?? new Map()), text);
  }
});

test("what a message means", () => {
  assert.deepEqual(meant("READY=1\nSTATUS=up\nERRNO=13\nEXIT_STATUS=7\nEXTEND_TIMEOUT_USEC=1500000\nX=y"), {
    ready: true,
    reloading: false,
    stopping: false,
    status: "up",
    errno: "EACCES",
    exitStatus: 7,
    extendTimeout: 1500,
    fields: { READY: "1", STATUS: "up", ERRNO: "13", EXIT_STATUS: "7", EXTEND_TIMEOUT_USEC: "1500000", X: "y" },
  });
  const { reloading, stopping } = meant("RELOADING=1\nSTOPPING=1");
  assert.deepEqual([reloading, stopping], [true, true]);
});

test("numbers that are none mean nothing", () => {
  for (const value of ["", "x", "-1", "1.5", "0x10", " 1", "1e3", "99999999999999999999"]) {
    const { errno, exitStatus, extendTimeout } = meant(
      `ERRNO=${value}\nEXIT_STATUS=${value}\nEXTEND_TIMEOUT_USEC=${value}`,
    );
    assert.deepEqual([errno, exitStatus, extendTimeout], [null, null, null], value);
    assert.equal(watchdogPeriod(new Map([["WATCHDOG_USEC", value]])), undefined, value);
  }
  assert.equal(meant("READY=2").ready, false);
  assert.equal(meant("ERRNO=0").errno, null);
  assert.equal(meant("ERRNO=4096").errno, null);
  assert.equal(meant("ERRNO=4000").errno, "E4000");
  assert.equal(meant("EXIT_STATUS=256").exitStatus, null);
});

test("a watchdog's period is in whole milliseconds, rounded up and bounded", () => {
  const period = (usec: string): number | undefined => watchdogPeriod(new Map([["WATCHDOG_USEC", usec]]));
  assert.equal(period("1"), 1);
  assert.equal(period("2000000"), 2000);
  assert.equal(period("0"), 0);
  assert.equal(period("9007199254740991"), 2 ** 31 - 1);
  // USEC_INFINITY
  assert.equal(period("18446744073709551615"), 2 ** 31 - 1);
});

test("a status cannot command a terminal", () => {
  const { status, fields } = meant("STATUS=\u001b[2Jgone\r\u009b1mbold\ttab");
  assert.equal(status, "\ufffd[2Jgone\ufffd\ufffd1mbold\ttab");
  assert.equal(fields["STATUS"], "\u001b[2Jgone\r\u009b1mbold\ttab");
});

test("messages that come at once are one notification, the last of each name", () => {
  assert.deepEqual(gathered("STATUS=a", "STATUS=b\nX=1", "READY=1", "STATUS=c"), [{ STATUS: "c", X: "1", READY: "1" }]);
});

test("pings and barriers are not told", () => {
  assert.deepEqual(gathered("WATCHDOG=1", "BARRIER=1", "WATCHDOG_USEC=5", "WATCHDOG=trigger"), []);
  assert.deepEqual(gathered("WATCHDOG=1\nSTATUS=x"), [{ WATCHDOG: "1", STATUS: "x" }]);
});

test("one state after another stays one after another", () => {
  assert.deepEqual(gathered("READY=1", "RELOADING=1", "STATUS=x", "READY=1"), [
    { READY: "1" },
    { RELOADING: "1", STATUS: "x" },
    { READY: "1" },
  ]);
});

test("whoever floods is told in few notifications, of which the last has the last state and status", () => {
  const flood = Array.from({ length: 999 }, (_, i) => `${i % 2 === 0 ? "READY" : "RELOADING"}=1\nSTATUS=${i}\nN${i}=1`);
  const told = gathered(...flood);
  assert.ok(told.length <= 4);
  assert.equal(told.at(-1)?.["STATUS"], "998");
  assert.equal(told.at(-1)?.["READY"], "1");
  assert.equal(told.at(-1)?.["RELOADING"], undefined);
  for (const message of told) assert.ok(Object.keys(message).length < 80);
});

test("last words are the last status and the last error", () => {
  const message = (...texts: string[]): string | null => {
    const words = new LastWords();
    for (const text of texts) words.hear(meant(text));
    return words.message;
  };
  assert.equal(message(), null);
  assert.equal(message("READY=1"), null);
  assert.equal(message("STATUS=a", "STATUS=b"), "b");
  assert.equal(message("STATUS=cannot open camera\nERRNO=13"), "cannot open camera (EACCES)");
  assert.equal(message("ERRNO=2", "STATUS=x"), "x (ENOENT)");
  assert.equal(message("ERRNO=2"), "ENOENT: no such file or directory");
  assert.equal(message("ERRNO=2", "ERRNO=0"), null);
  assert.equal(message("STATUS=a", "STATUS="), null);
});

// docs/security.md claims nothing without a test: each line of its tables names
// one that there is.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const page = readFileSync(join(root, "docs/security.md"), "utf8");

/** The rows of all tables whose last column is called test, without their heads. */
function rows(): string[][] {
  const found: string[][] = [];
  let inside = false;
  for (const line of page.split("\n")) {
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (cells.length === 0) inside = false;
    else if (cells.at(-1) === "test") inside = true;
    else if (inside && !/^-+:?$/.test(cells[0] ?? "")) found.push(cells);
  }
  return found;
}

/** A cell says `file`: title, and where there are more, with "; `" between them. */
function tests(cell: string): { file: string; title: string }[] {
  return cell.split(/; (?=`)/).map((named) => {
    const [, file = "", title = ""] = /^`([^`]+)`: (.+)$/.exec(named) ?? [];
    return { file, title };
  });
}

/** Titles as they are written, so that parts of a template are places for anything. */
function titles(file: string): RegExp[] {
  const source = readFileSync(join(root, "test", `${file}.test.ts`), "utf8");
  const calls = source.matchAll(/\btest\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)/g);
  return Array.from(calls, ([, literal = ""]) => {
    const text = literal.slice(1, -1).replaceAll(/\\(.)/g, "$1");
    const parts = literal.startsWith("`") ? text.split(/\$\{[^}]*\}/) : [text];
    return new RegExp(`^${parts.map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&")).join(".*")}$`);
  });
}

test("each line of the threat model names tests that there are", () => {
  const all = rows();
  assert.ok(all.length > 30, `only ${all.length} rows were found`);
  for (const cells of all) {
    const named = tests(cells.at(-1) ?? "");
    assert.ok(named.length > 0);
    for (const { file, title } of named) {
      assert.ok(existsSync(join(root, "test", `${file}.test.ts`)), `${cells[0]}: there is no test/${file}.test.ts`);
      const plain = title.replaceAll("\\|", "|");
      assert.ok(
        titles(file).some((known) => known.test(plain)),
        `${cells[0]}: test/${file}.test.ts has no test ${JSON.stringify(plain)}`,
      );
    }
  }
});

test("each test of the attacks is named in the threat model", () => {
  const named = rows().flatMap((cells) => tests(cells.at(-1) ?? ""));
  for (const file of [
    "child",
    "fds",
    "input",
    "listen",
    "notify",
    "pollution",
    "sibling",
    "terminal",
    "tree",
    "user",
  ]) {
    const known = named.filter((one) => one.file === `security/${file}`);
    for (const title of titles(`security/${file}`))
      assert.ok(
        known.some((one) => title.test(one.title)),
        `security/${file}: ${title.source} is not named`,
      );
  }
});

// The command line: what it was asked for, and the exit code.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { probe } from "../doctor/probe.ts";
import { doctorTable } from "./doctor-table.ts";
import { chooseStyle, type Terminal } from "./style.ts";

const USAGE = `Usage: pidpool doctor [--json]

Commands:
  doctor     tries what this machine allows, and says what to do where something is missing

Options:
  --json     print the report of doctor as JSON
  --version  print the version of pidpool
  --help     print this

Exit codes:
  0  all that every launch needs is there; single isolations or limits may be missing
  1  something that every launch needs is missing
  2  the command line is wrong
`;

/** Where the command line writes to. */
export interface Sink extends Terminal {
  write(text: string): unknown;
}

/**
 * Runs a command line.
 *
 * @returns The exit code, see {@link USAGE}.
 */
export async function cli(
  args: readonly string[],
  out: Sink,
  err: Sink,
  env: Readonly<Record<string, string | undefined>>,
): Promise<0 | 1 | 2> {
  const wrong = (message: string): 2 => {
    err.write(`pidpool: ${message}\n\n${USAGE}`);
    return 2;
  };
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return wrong((error as Error).message);
  }
  const {
    values: { help, version, json },
    positionals: [command, ...more],
  } = parsed;
  if (help || version) {
    out.write(help ? USAGE : `${ownVersion()}\n`);
    return 0;
  }
  if (command === undefined) return wrong("no command given");
  if (command !== "doctor") return wrong(`there is no command ${JSON.stringify(command)}`);
  if (more.length > 0) return wrong("doctor takes no arguments");
  const report = await probe();
  out.write(json ? `${JSON.stringify(report, null, 2)}\n` : doctorTable(report, ownVersion(), chooseStyle(out, env)));
  return report.ready ? 0 : 1;
}

interface Parsed {
  readonly values: { readonly help: boolean; readonly version: boolean; readonly json: boolean };
  readonly positionals: readonly string[];
}

function parse(args: readonly string[]): Parsed {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h", default: false },
      version: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
}

function ownVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

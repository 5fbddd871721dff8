// The child's environment, as a table of "NAME=value" strings ready to copy.
import { InvalidOptionError, quoted } from "../errors.ts";
import { PID_ROOM } from "../native/layout.ts";
import { attempt, propertiesOf } from "./snapshot.ts";

/** An environment as bytes, with where each string begins, and the PATH in it. */
export interface EnvBlock {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly path: string | undefined;
  /** Where in it the child writes its own pid. */
  readonly pids: readonly number[];
}

const NONE: EnvBlock = { bytes: new Uint8Array(0), offsets: new Uint32Array(0), path: undefined, pids: [] };

/** A variable that the pool sets, whatever the child's environment has by that name. */
export interface Variable {
  readonly name: string;
  /**
   * Undefined for the child's own pid, as it sees it; null for none at all; a number for so many bytes that each
   * launch fills in, a NUL at their end included.
   */
  readonly value: string | number | null | undefined;
}

let lastInherited: { readonly text: string; readonly block: EnvBlock } | undefined;

/** `process.env` as it is now. Encoded anew only when it has changed. */
export function inheritedEnv(): EnvBlock {
  const { env } = process;
  let text = "";
  for (const name of Object.keys(env)) text += `${name}=${env[name]}\0`;
  if (lastInherited?.text !== text)
    lastInherited = { text, block: encode(text, Object.hasOwn(env, "PATH") ? env["PATH"] : undefined) };
  return lastInherited.block;
}

/** The `env` option where it is kept: what the caller changes later is not ours. What is wrong with it is left to be found. */
export function copyEnv(value: unknown): unknown {
  return isObject(value) ? propertiesOf("env", value, label) : value;
}

/** The `env` option. */
export function givenEnv(value: unknown): EnvBlock {
  if (!isObject(value)) throw new InvalidOptionError("env", value, "it must be an object of strings");
  if (value === process.env) return inheritedEnv();
  let text = "";
  let path: string | undefined;
  for (const [name, entry] of Object.entries(propertiesOf("env", value, label))) {
    if (entry === undefined) continue;
    if (typeof entry !== "string")
      throw new InvalidOptionError(label("env", name), entry, "it must be a string or undefined");
    if (entry.includes("\0")) throw new InvalidOptionError(label("env", name), entry, "it must not hold a NUL byte");
    if (name === "" || name.includes("=") || name.includes("\0")) {
      throw new InvalidOptionError("env", name, "a variable's name must not be empty nor hold = or a NUL byte");
    }
    if (name === "PATH") path = entry;
    text += `${name}=${entry}\0`;
  }
  return encode(text, path);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !attempt("env", () => Array.isArray(value));
}

function label(option: string, name: string): string {
  return `${option}[${quoted(name, 64)}]`;
}

function encode(text: string, path: string | undefined): EnvBlock {
  if (text === "") return NONE;
  const bytes = Buffer.from(text, "utf8");
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length; at = bytes.indexOf(0, at) + 1) offsets.push(at);
  return { bytes, offsets: Uint32Array.from(offsets), path, pids: [] };
}

/** The same environment with the pool's variables in place of those of the same names. */
export function withVariables(env: EnvBlock, variables: readonly Variable[]): EnvBlock {
  if (variables.length === 0) return env;
  const names = new Set(variables.map(({ name }) => name));
  const given = Buffer.from(env.bytes.buffer, env.bytes.byteOffset, env.bytes.length).toString("utf8");
  const kept = given.split("\0").filter((entry) => entry !== "" && !names.has(entry.slice(0, entry.indexOf("="))));
  const set = variables.filter(({ value }) => value !== null);
  const texts = set.map(({ name, value }) => `${name}=${typeof value === "string" ? value : room(value ?? PID_ROOM)}`);
  const entries = [...kept, ...texts].map((entry) => Buffer.from(`${entry}\0`, "utf8"));
  const offsets = new Uint32Array(entries.length);
  const pids: number[] = [];
  let at = 0;
  for (const [i, { length }] of entries.entries()) {
    offsets[i] = at;
    const variable = set[i - kept.length];
    if (variable !== undefined && variable.value === undefined) pids.push(at + Buffer.byteLength(variable.name) + 1);
    at += length;
  }
  return { bytes: Buffer.concat(entries), offsets, path: env.path, pids };
}

function room(bytes: number): string {
  return "\0".repeat(bytes - 1);
}

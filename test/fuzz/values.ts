// Values that no option expects, as recipes: each run makes its own, since some
// are used up, and since to print one may be to run its code.
import { Readable } from "node:stream";
import * as fc from "fast-check";

/** How to make a value. */
export class Recipe {
  readonly label: string;
  readonly make: () => unknown;

  constructor(label: string, make: () => unknown) {
    this.label = label;
    this.make = make;
  }

  toString(): string {
    return this.label;
  }
}

/** What getters and traps throw here; as the cause of an error it is recognised by identity. */
export class Boom extends Error {
  constructor() {
    super("boom");
    this.name = "Boom";
  }
}

function boom(): never {
  throw new Boom();
}

/** Traps that throw. */
export const TRAPS = ["get", "has", "ownKeys", "getOwnPropertyDescriptor", "getPrototypeOf"] as const;
export type Trap = (typeof TRAPS)[number];

const NUMBERS: readonly number[] = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  5,
  9,
  19,
  20,
  -20,
  -21,
  63,
  64,
  65,
  100,
  127,
  128,
  254,
  255,
  256,
  511,
  512,
  1000,
  1024,
  1025,
  65535,
  65536,
  0.1,
  0.5,
  1.5,
  -0.5,
  NaN,
  Infinity,
  -Infinity,
  Number.EPSILON,
  Number.MIN_VALUE,
  Number.MAX_VALUE,
  ...[31, 32, 33, 53, 63, 64].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1, -(2 ** bits)]),
  2 ** 20,
  2 ** 20 + 1,
  0xfffffffe,
  0x80000000,
  1e21,
  1e308,
];

/** Without "/", so that no file is made outside the working directory. */
const STRINGS: readonly string[] = [
  "",
  " ",
  "0",
  "1",
  "true",
  "null",
  "NaN",
  "\0",
  "a\0b",
  "\n",
  "\t",
  "\u001b[31mred",
  "\u007f",
  "\u0085",
  "\u2028",
  "\u202edlrow",
  "\ud800",
  "x\udfff",
  "\u{1f600}",
  "é",
  "%s%n",
  "$(true)",
  "-",
  "--",
  ".",
  "*",
  "=",
  "A=B",
  "%",
  "SIGTERM",
  "SIGNONE",
  "sigterm",
  "__proto__",
  "constructor",
  "toString",
  "utf8",
  "hex",
  "pipe",
  "capture",
  "ignore",
  "inherit",
  "private",
  "shared",
  "host",
  "none",
  "group",
  "kill",
  "CAP_KILL",
  "execve",
  "allow",
  "EPERM",
];

function thenable(): unknown {
  // oxlint-disable-next-line unicorn/no-thenable
  return { then: boom };
}

function heir(of: object | null): unknown {
  return Object.create(of);
}

function sharedBytes(): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(8));
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

/** A view whose memory has shrunk beneath it. */
function outOfBounds(): Uint8Array {
  const buffer = Reflect.construct(ArrayBuffer, [16, { maxByteLength: 32 }]) as ArrayBuffer & {
    resize?(to: number): void;
  };
  const bytes = new Uint8Array(buffer, 8, 8);
  buffer.resize?.(4);
  return bytes;
}

function cyclicObject(): unknown {
  const cycle: Record<string, unknown> = {};
  cycle["file"] = cycle;
  cycle["parts"] = [cycle, cycle];
  return cycle;
}

function cyclicArray(): unknown {
  const cycle: unknown[] = [];
  cycle.push(cycle, cycle);
  return cycle;
}

function deep(): unknown {
  let value: unknown = 1;
  for (let i = 0; i < 2000; i++) value = i % 2 === 0 ? [value] : { fd: value };
  return value;
}

function manyKeys(): unknown {
  return Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`K${i}`, "v"]));
}

/** A Proxy of which one trap throws. */
export function trapped(target: object, trap: Trap, thrown: Error = new Boom()): object {
  return new Proxy(target, {
    [trap]: () => {
      throw thrown;
    },
  });
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

class Instance {
  timeout = 5;
  get file(): string {
    return "true";
  }
}

const OTHERS: readonly (readonly [string, () => unknown])[] = [
  ["null", () => null],
  ["true", () => true],
  ["false", () => false],
  ["10n", () => 10n],
  ["2n ** 64n", () => 2n ** 64n],
  ["a bigint of 30 000 digits", () => 1n << 100_000n],
  ["Symbol()", () => Symbol("s")],
  ["Symbol.iterator", () => Symbol.iterator],
  ["a string of 1 MiB", () => "x".repeat(2 ** 20)],
  ["a string of 1 MiB of NULs", () => "\0".repeat(2 ** 20)],
  ["{}", () => ({})],
  ["[]", () => []],
  ["null-prototype object", () => heir(null)],
  ["inherits options", () => heir({ timeout: 1, file: "true" })],
  ["class instance", () => new Instance()],
  ["Map", () => new Map([["timeout", 1]])],
  ["Date", () => new Date(0)],
  ["Date of NaN", () => new Date(NaN)],
  ["RegExp", () => /x/],
  ["new String", () => Object("SIGTERM") as unknown],
  ["new Number", () => Object(5) as unknown],
  ["Promise", () => Promise.resolve(1)],
  ["thenable", thenable],
  ["function", () => () => undefined],
  ["class", () => Instance],
  ["async function", () => async () => undefined],
  ["WeakMap", () => new WeakMap()],
  ["Error", () => new Error("x".repeat(10_000))],
  ["globalThis", () => globalThis],
  ["sparse array", () => new Array<unknown>(5)],
  ["array of 2^32 - 1 holes", () => new Array<unknown>(2 ** 32 - 1)],
  ["array of 5 000 strings", () => new Array<unknown>(5000).fill("x")],
  ["array of 300 numbers", () => Array.from({ length: 300 }, (_, i) => i)],
  ["array of null", () => [null, null, null, null]],
  ["array of arrays", () => [[[]]]],
  [
    "array that iterates for ever",
    () => Object.assign([1], { [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }),
  ],
  ["array whose iterator throws", () => Object.assign(["x"], { [Symbol.iterator]: boom })],
  ["array with a getter that throws", () => Object.defineProperty(["x"], 0, { get: boom })],
  ["cyclic object", cyclicObject],
  ["cyclic array", cyclicArray],
  ["2 000 deep", deep],
  ["2 000 keys", manyKeys],
  ["own __proto__", () => JSON.parse('{"__proto__":{"timeout":1},"constructor":{"prototype":1}}') as unknown],
  ["getter that throws", () => Object.defineProperty({}, "file", { get: boom, enumerable: true })],
  ["toPrimitive that throws", () => ({ [Symbol.toPrimitive]: boom, toString: boom, valueOf: boom, toJSON: boom })],
  ["toStringTag that throws", () => Object.defineProperty({}, Symbol.toStringTag, { get: boom })],
  ["inspect that throws", () => ({ [Symbol.for("nodejs.util.inspect.custom")]: boom })],
  ["valueOf 5", () => ({ valueOf: () => 5 })],
  ["Uint8Array", () => new Uint8Array(8)],
  ["Float64Array", () => new Float64Array([NaN])],
  ["BigInt64Array", () => new BigInt64Array(2)],
  ["DataView", () => new DataView(new ArrayBuffer(8))],
  ["ArrayBuffer", () => new ArrayBuffer(8)],
  ["SharedArrayBuffer", () => new SharedArrayBuffer(8)],
  ["shared bytes", sharedBytes],
  ["detached bytes", detached],
  ["detached buffer", () => detached().buffer],
  ["bytes out of bounds", outOfBounds],
  ["fake ArrayBuffer", () => heir(ArrayBuffer.prototype)],
  ["fake Uint8Array", () => heir(Uint8Array.prototype)],
  ["fake URL", () => heir(URL.prototype)],
  ["fake Readable", () => heir(Readable.prototype)],
  ["fake AbortSignal", () => heir(AbortSignal.prototype)],
  ["heir of an AbortSignal", () => heir(new AbortController().signal)],
  ["Proxy of an AbortSignal", () => new Proxy(new AbortController().signal, {})],
  ["AbortController", () => new AbortController()],
  ["https: URL", () => new URL("https://example.org/")],
  ["file: URL with a host", () => new URL("file://host/x")],
  ["file: URL with a NUL", () => new URL("file:///a%00b")],
  ["file: URL with %2f", () => new URL("file:///a%2fb")],
  ["URL whose href throws", () => Object.defineProperty(new URL("file:///x"), "href", { get: boom })],
  ["URL with a href of 5", () => Object.defineProperty(new URL("file:///x"), "href", { get: () => 5 })],
  ["heir of a Proxy", () => heir(trapped({}, "getPrototypeOf"))],
  ["destroyed Readable", () => new Readable({ read: () => undefined }).destroy()],
  ["Readable that never ends", () => new Readable({ read: () => undefined })],
  [
    "Readable that fails",
    () =>
      new Readable({
        read() {
          this.destroy(new Boom());
        },
      }),
  ],
  ["Readable of objects", () => Readable.from([{ a: 1 }, 5])],
  ["async iterable that throws", () => ({ [Symbol.asyncIterator]: boom })],
  ["async iterable of nothing", () => ({ [Symbol.asyncIterator]: () => null })],
  ["async iterable that rejects", () => ({ [Symbol.asyncIterator]: () => ({ next: async () => boom() }) })],
  ["async iterator getter that throws", () => Object.defineProperty({}, Symbol.asyncIterator, { get: boom })],
  ["ReadableStream", () => new ReadableStream()],
  ["locked ReadableStream", () => lockedStream()],
  ["Proxy of an object", () => new Proxy({ file: "true" }, {})],
  ["Proxy of an array", () => new Proxy(["x"], {})],
  [
    "Proxy of an array with a length of 2^53",
    () => new Proxy([], { get: (_, key) => (key === "length" ? 2 ** 53 : "x") }),
  ],
  ["Proxy of an array with a length of NaN", () => new Proxy([], { get: (_, key) => (key === "length" ? NaN : "x") })],
  ["Proxy of a function", () => new Proxy(() => undefined, {})],
  ["Proxy of a Map", () => new Proxy(new Map(), {})],
  ["Proxy that has everything", () => new Proxy({}, { get: () => 1, has: () => true })],
  ["revoked Proxy", () => revoked({})],
  ["revoked Proxy of an array", () => revoked([])],
  ["revoked Proxy of a function", () => revoked(() => undefined)],
  ...TRAPS.flatMap((trap) => [
    [`Proxy whose ${trap} throws`, () => trapped({ file: "true" }, trap)] as const,
    [`Proxy of an array whose ${trap} throws`, () => trapped(["x"], trap)] as const,
  ]),
];

function lockedStream(): ReadableStream {
  const stream = new ReadableStream();
  stream.getReader();
  return stream;
}

/** Values of every kind. */
export const HOSTILE: fc.Arbitrary<Recipe> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...NUMBERS).map((n) => new Recipe(Object.is(n, -0) ? "-0" : String(n), () => n)),
  },
  { weight: 2, arbitrary: fc.constantFrom(...STRINGS).map((text) => new Recipe(JSON.stringify(text), () => text)) },
  { weight: 4, arbitrary: fc.constantFrom(...OTHERS).map(([label, make]) => new Recipe(label, make)) },
  { weight: 1, arbitrary: fc.double().map((n) => new Recipe(String(n), () => n)) },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: "binary", maxLength: 200 })
      .map((text) => text.replaceAll("/", "-"))
      .map((text) => new Recipe(JSON.stringify(text), () => text)),
  },
);

/** Names for properties that nobody knows. */
export const KEYS: fc.Arbitrary<string> = fc.constantFrom(
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "length",
  "0",
  "",
  "\0",
  "\u001b[2J",
  "timeOut",
  "\ud800",
  "x".repeat(5000),
  "\u202e",
  "a.b",
  "[0]",
  "__defineGetter__",
  "valueOf",
);

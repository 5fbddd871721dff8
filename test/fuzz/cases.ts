// Options that are right but for one or two places: what gets through the first
// check, and so reaches the others.
import { types } from "node:util";
import * as fc from "fast-check";
import { HOSTILE, KEYS, Recipe, TRAPS, trapped, type Boom, Boom as Thrown, type Trap } from "./values.ts";

type Path = readonly (string | number)[];

type Change =
  /** Another value. */
  | { readonly kind: "value"; readonly recipe: Recipe }
  /** A getter that throws. */
  | { readonly kind: "throws" }
  /** A getter that gives the right value first, and another one from then on. */
  | { readonly kind: "changes"; readonly recipe: Recipe }
  /** A property that nobody knows. */
  | { readonly kind: "key"; readonly key: string; readonly recipe: Recipe }
  /** A Proxy in its place; one of whose traps throws, or none. */
  | { readonly kind: "proxy"; readonly trap: Trap | undefined };

const TRANSPARENT: Change = { kind: "proxy", trap: undefined };

const CHANGES: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: HOSTILE.map((recipe): Change => ({ kind: "value", recipe })) },
  { weight: 2, arbitrary: fc.constant<Change>({ kind: "throws" }) },
  { weight: 2, arbitrary: HOSTILE.map((recipe): Change => ({ kind: "changes", recipe })) },
  { weight: 1, arbitrary: fc.tuple(KEYS, HOSTILE).map(([key, recipe]): Change => ({ kind: "key", key, recipe })) },
  { weight: 2, arbitrary: fc.constantFrom(undefined, ...TRAPS).map((trap): Change => ({ kind: "proxy", trap })) },
);

/** What was made of a case. */
export interface Built {
  readonly value: unknown;
  /** What getters and traps throw, by the option's name. */
  readonly booms: ReadonlyMap<string, Boom>;
  /** How often each getter was read. */
  readonly reads: ReadonlyMap<string, number>;
}

/** One value to call with. */
export class Case {
  readonly #base: unknown;
  readonly #changes: readonly (readonly [Path, Change])[];

  constructor(base: unknown, changes: readonly (readonly [Path, Change])[]) {
    this.#base = base;
    this.#changes = changes;
  }

  /** Where something is changed. */
  get places(): readonly string[] {
    return this.#changes.map(([path]) => nameOf(path));
  }

  /** The changes that give one place another value, if all do. */
  get replacements(): readonly (readonly [path: Path, recipe: Recipe])[] | undefined {
    const all = this.#changes.flatMap(([path, change]) =>
      change.kind === "value" ? [[path, change.recipe] as const] : [],
    );
    return all.length === this.#changes.length ? all : undefined;
  }

  /** Whether all it does is to throw when it is read, in one place. */
  get onlyThrows(): string | undefined {
    const [only, ...others] = this.#changes;
    return only !== undefined && others.length === 0 && only[1].kind === "throws" ? nameOf(only[0]) : undefined;
  }

  build(): Built {
    const booms = new Map<string, Boom>();
    const reads = new Map<string, number>();
    const read = (name: string): number => {
      const times = (reads.get(name) ?? 0) + 1;
      reads.set(name, times);
      return times;
    };
    const changeAt = (path: Path): Change | undefined =>
      this.#changes.find(([other]) => nameOf(other) === nameOf(path) && other.length === path.length)?.[1];
    const boomAt = (name: string): Boom => {
      const thrown = new Thrown();
      booms.set(name, thrown);
      return thrown;
    };
    const made = (value: unknown, path: Path): unknown => {
      const change = changeAt(path);
      if (change?.kind === "value") return change.recipe.make();
      const plain = value instanceof Recipe ? value.make() : isContainer(value) ? container(value, path) : value;
      if (typeof plain !== "object" || plain === null || value instanceof Recipe) return plain;
      if (change?.kind === "key" && !Object.hasOwn(plain, change.key)) {
        Object.defineProperty(plain, change.key, { value: change.recipe.make(), enumerable: true, configurable: true });
      }
      if (change?.kind !== "proxy") return plain;
      return change.trap === undefined ? new Proxy(plain, {}) : trapped(plain, change.trap, boomAt(nameOf(path)));
    };
    const container = (value: object, path: Path): object => {
      const copy: object = Array.isArray(value) ? [] : {};
      for (const [key, entry] of Object.entries(value)) {
        const at = [...path, Array.isArray(value) ? Number(key) : key];
        const change = changeAt(at);
        const name = nameOf(at);
        if (change?.kind === "throws") {
          const thrown = boomAt(name);
          const get = (): never => {
            read(name);
            throw thrown;
          };
          Object.defineProperty(copy, key, { get, enumerable: true, configurable: true });
        } else if (change?.kind === "changes") {
          const first = made(entry, at);
          const get = (): unknown => (read(name) === 1 ? first : change.recipe.make());
          Object.defineProperty(copy, key, { get, enumerable: true, configurable: true });
        } else {
          Object.defineProperty(copy, key, {
            value: made(entry, at),
            enumerable: true,
            configurable: true,
            writable: true,
          });
        }
      }
      return copy;
    };
    return { value: made(this.#base, []), booms, reads };
  }

  toString(): string {
    const changes = this.#changes.map(([path, change]) => {
      const detail = "recipe" in change ? ` ${change.recipe.label}` : "trap" in change ? ` ${change.trap}` : "";
      return `${nameOf(path)}: ${change.kind}${"key" in change ? ` ${JSON.stringify(change.key.slice(0, 40))}` : ""}${detail}`;
    });
    return `${fc.stringify(this.#base)} with { ${changes.join("; ")} }`;
  }
}

function isContainer(value: unknown): value is object {
  return (
    typeof value === "object" &&
    value !== null &&
    (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  );
}

/** As errors name it. */
function nameOf(path: Path): string {
  let name = "";
  for (const [i, key] of path.entries()) {
    if (typeof key === "number") name += `[${key}]`;
    else if (path[i - 1] === "env") name += `[${JSON.stringify(key)}]`;
    else name += name === "" ? key : `.${key}`;
  }
  return name === "" ? "options" : name;
}

function placesIn(value: unknown, path: Path): Path[] {
  if (value instanceof Recipe || !isContainer(value)) return [path];
  const isList = Array.isArray(value);
  return [
    path,
    ...Object.entries(value).flatMap(([key, entry]) => placesIn(entry, [...path, isList ? Number(key) : key])),
  ];
}

/** Cases of what `valid` gives, with so many changes. */
export function cases(valid: fc.Arbitrary<unknown>, most = 2): fc.Arbitrary<Case> {
  return fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(), CHANGES), { minLength: 1, maxLength: most }))
    .map(([base, changes]) => {
      const places = placesIn(base, []);
      return new Case(
        base,
        changes.map(([at, change]) => {
          const path = places[at % places.length] ?? [];
          // The whole has no getter.
          const inPlace = path.length === 0 && (change.kind === "throws" || change.kind === "changes");
          return [path, inPlace ? TRANSPARENT : change] as const;
        }),
      );
    });
}

/** Some of the options of a shape, not too many: most exclude each other. */
export function some(
  shape: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  required: readonly string[] = [],
  most = 4,
): fc.Arbitrary<Record<string, unknown>> {
  const free = Object.keys(shape).filter((key) => !required.includes(key));
  return fc.subarray(free, { maxLength: Math.min(most, free.length) }).chain((keys) => {
    const picked = Object.fromEntries([...required, ...keys].map((key) => [key, shape[key] ?? fc.constant(undefined)]));
    return fc.record(picked);
  });
}

/** Changes all that can be changed in options, however deep. */
export function scramble(value: unknown): void {
  if (typeof value !== "object" || value === null || types.isProxy(value) || value === process.env) return;
  for (const [key, { value: entry }] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    scramble(entry);
    if (isContainer(value) && key !== "length" && entry !== undefined)
      Reflect.set(value, key, key === "PATH" ? "/changed" : "changed");
  }
  if (Array.isArray(value) && value.length < 2 ** 20) value.push("more");
  if (isUrl(value)) value.pathname = "/elsewhere";
}

/** Not one that only inherits from it. */
function isUrl(value: object): value is URL {
  try {
    return value instanceof URL && typeof value.pathname === "string";
  } catch {
    return false;
  }
}

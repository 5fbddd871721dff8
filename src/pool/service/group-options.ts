// The options of groups: defaults and checks, and the making of a group with
// all that is in it.
import { InvalidOptionError } from "../../errors.ts";
import { snapshot } from "../../process/snapshot.ts";
import { bag, integer, list, oneOf, plain, text } from "../../process/validate.ts";
import { Group, type GroupHost } from "./group.ts";
import { GroupParts } from "./group-parts.ts";
import { STRATEGIES, type Strategy } from "./group-plan.ts";
import type { ServiceOptions } from "./options.ts";
import type { Supervised } from "./supervised.ts";

/** Options of {@link ProcessPool.group}. */
export interface GroupOptions {
  /** What it is called in events, errors and paths: not empty, without "/". */
  name: string;
  /** What is restarted when a part has ended: it alone, all parts, or it and those after it. Default: `"one_for_one"`. */
  strategy?: Strategy | undefined;
  /** Ends that it stands within `period`; one more, and it fails. 0–10 000. Default: 1. */
  intensity?: number | undefined;
  /** In milliseconds, 1–2 147 483 647. Default: 5 000. */
  period?: number | undefined;
  /** Services and groups, in start order; at least one. Their names differ. */
  parts: readonly (ServiceOptions | GroupOptions)[];
}

/** Makes a service of its options, without starting it. `name` is its path. */
export type MakeService<P> = (options: unknown, name: string) => P;

const KEYS: ReadonlySet<string> = new Set(["name", "strategy", "intensity", "period", "parts"]);
const DEEPEST = 32;
const WHAT = "the options of services and groups, not empty";

/**
 * Makes a group and all in it, and starts nothing.
 *
 * @throws InvalidOptionError
 */
export function makeGroup<P extends Supervised>(
  options: unknown,
  makeService: MakeService<P>,
  host: GroupHost,
): Group<P> {
  return make(snapshot("options", options), "options", [], makeService, host);
}

function make<P extends Supervised>(
  options: unknown,
  option: string,
  above: readonly string[],
  makeService: MakeService<P>,
  host: GroupHost,
): Group<P> {
  const at = (key: string): string => (option === "options" ? key : `${option}.${key}`);
  const given = bag(option, options, KEYS);
  const path = [...above, partName(at("name"), given["name"])];
  const strategy = oneOf(at("strategy"), given["strategy"] ?? "one_for_one", STRATEGIES);
  const intensity = integer(at("intensity"), given["intensity"] ?? 1, 0, 10_000);
  const period = integer(at("period"), given["period"] ?? 5_000, 1, 2 ** 31 - 1);
  const listed = list(at("parts"), given["parts"], WHAT, partOptions);
  if (listed.length === 0) {
    throw new InvalidOptionError(at("parts"), given["parts"], `it must be an array of ${WHAT}`);
  }
  if (path.length > DEEPEST)
    throw new InvalidOptionError(at("parts"), given["parts"], `groups nest ${DEEPEST} deep at most`);
  const parts = new Map<string, P | Group<P>>();
  for (const [index, part] of listed.entries()) {
    const where = `${at("parts")}[${index}]`;
    const name = partName(`${where}.name`, part["name"]);
    if (parts.has(name))
      throw new InvalidOptionError(`${where}.name`, name, "each part of a group has a name of its own");
    const made =
      "parts" in part
        ? make(part, where, path, makeService, host)
        : within(where, () => makeService(part, [...path, name].join("/")));
    parts.set(name, made);
  }
  return new Group({ name: path.join("/"), strategy, intensity, period }, new GroupParts([...parts]), host);
}

function partOptions(option: string, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return plain(option, value);
  throw new InvalidOptionError(option, value, "it must be the options of a service or of a group");
}

function partName(option: string, value: unknown): string {
  const name = text(option, value, false);
  if (name.includes("/")) throw new InvalidOptionError(option, value, 'it must not hold "/", which joins names');
  return name;
}

/** What is wrong with a service's option is so of an option of the group's. */
function within<T>(option: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof InvalidOptionError ? error.within(option) : error;
  }
}

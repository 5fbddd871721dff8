// The doctor's report: its types, and how one result of it is made.
import { FEATURES, type Feature, type FeatureGroup } from "./features.ts";

/**
 * - `"yes"`: tried, and it works.
 * - `"limited"`: it works in part, or not by itself; `detail` says how far.
 * - `"no"`: it does not work here, or could not be tried.
 */
export type ProbeStatus = "yes" | "no" | "limited";

/** What came of trying one feature. */
export interface ProbeResult {
  readonly feature: Feature;
  readonly group: FeatureGroup;
  readonly status: ProbeStatus;
  /** What was seen, or why not; on one line, for people. */
  readonly detail: string;
  /** What to do about it; null where all is well, or nothing can be done. */
  readonly remedy: string | null;
  /** The Linux version that brought it, e.g. `"6.15"`; null where that says nothing. */
  readonly since: string | null;
  /** The launch options that need it, by their path (`"isolation.pid"`), or what else does. */
  readonly neededFor: readonly string[];
}

/** What this machine allows. Frozen, and plain data: `JSON.stringify` loses nothing. */
export interface ProbeReport {
  /** `process.platform`; anything but `"linux"` can do nothing. */
  readonly platform: string;
  /** The kernel's release as uname(2) tells it, e.g. `"6.1.0-18-amd64"`. */
  readonly kernel: string;
  /** `process.arch`. */
  readonly arch: string;
  /** The C library that Node runs with, where that can be told. */
  readonly libc: "glibc" | "musl" | null;
  /** Node's version without the v, e.g. `"20.20.2"`. */
  readonly node: string;
  /** Whether there is all that a launch with `isolation: "none"` needs. */
  readonly ready: boolean;
  /** All features, always in the same order. */
  readonly features: readonly ProbeResult[];
}

/** What a trial says of its feature. */
export interface Finding {
  readonly status: ProbeStatus;
  readonly detail: string;
  readonly remedy?: string | null | undefined;
}

/** Findings by feature, as one part of the doctor gives them. */
export type Findings<F extends Feature = Feature> = Readonly<Record<F, Finding>>;

export function yes(detail: string): Finding {
  return { status: "yes", detail };
}

export function limited(detail: string, remedy?: string | null): Finding {
  return { status: "limited", detail, remedy };
}

export function no(detail: string, remedy?: string | null): Finding {
  return { status: "no", detail, remedy };
}

/** What could not be tried, because something else is missing. */
export function untried(why: string): Finding {
  return no(`not tried: ${why}`);
}

/** The findings as the report has them. */
export function resultsOf(findings: Findings): readonly ProbeResult[] {
  const features = Object.keys(FEATURES) as Feature[];
  return Object.freeze(
    features.map((feature): ProbeResult => {
      const { group, since, neededFor } = FEATURES[feature];
      const { status, detail, remedy = null } = findings[feature];
      return Object.freeze({
        feature,
        group,
        status,
        detail,
        remedy,
        since,
        neededFor: Object.freeze([...neededFor]),
      });
    }),
  );
}

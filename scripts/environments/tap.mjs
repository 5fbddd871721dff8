// What TAP of node:test comes to: counts, what failed, and the reasons of what was skipped.

const SUMMARY = /^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$/;

/** Adds what one run has printed to `result`, which begins as {@link nothing}. */
export function addTap(result, text) {
  let summary = false;
  for (const line of text.split("\n")) {
    const counted = SUMMARY.exec(line);
    if (counted !== null) {
      summary = true;
      if (Object.hasOwn(result.counts, counted[1])) result.counts[counted[1]] += Number(counted[2]);
      continue;
    }
    const test = /^ *(not ok|ok) \d+ - (.*?)(?: # SKIP ?(.*))?$/.exec(line);
    if (test === null) continue;
    const [, how, name, reason] = test;
    if (reason !== undefined) result.skips.set(reason, (result.skips.get(reason) ?? 0) + 1);
    else if (how === "not ok") result.failures.push(name);
  }
  return summary;
}

export function nothing() {
  return { counts: { pass: 0, fail: 0, cancelled: 0, skipped: 0 }, skips: new Map(), failures: [] };
}

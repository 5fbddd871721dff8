// When a program whose processes die is started again: pure functions, with a
// clock of the test's own.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  afterFailure,
  afterLife,
  afterStart,
  afterSuccess,
  HEALTHY,
  nextStart,
  provenAt,
  type Health,
  type HealthRules,
} from "#pidpool/pool/warm/health.js";

const RULES: HealthRules = {
  backoff: { initial: 100, factor: 2, max: 1000, jitter: 0, resetAfter: 5000 },
  startLimit: { burst: 5, interval: 10_000 },
};
const ENDLESS: HealthRules = { ...RULES, startLimit: { burst: Infinity, interval: 10_000 } };

/** A program that dies `life` after each start; returns when it was started. */
function crash(rules: HealthRules, life: number, until: number, random = 0): { starts: number[]; health: Health } {
  let health = HEALTHY;
  const starts: number[] = [];
  for (let now = 0; now < until; now = Math.max(now, nextStart(health))) {
    starts.push(now);
    health = afterStart(health, rules, now, random);
    const startedAt = now;
    now += life;
    health = afterFailure(health, rules, startedAt, now, random);
  }
  return { starts, health };
}

describe("health of a program", () => {
  it("delays grow by the factor up to the longest", () => {
    const { starts } = crash(ENDLESS, 0, 4000);
    assert.deepEqual(starts, [0, 100, 300, 700, 1500, 2500, 3500]);
  });

  it("jitter takes off at most its share", () => {
    const rules = { ...ENDLESS, backoff: { ...ENDLESS.backoff, jitter: 0.5 } };
    assert.deepEqual(crash(rules, 0, 300, 1).starts, [0, 50, 150]);
    assert.deepEqual(crash(rules, 0, 300, 0).starts, [0, 100]);
  });

  it("after `burst` failures within the interval it has failed, and is tried once each longest delay", () => {
    const { starts, health } = crash(RULES, 0, 5000);
    assert.deepEqual(starts, [0, 100, 300, 700, 1500, 2500, 3500, 4500]);
    assert.equal(health.state, "failed");
    assert.equal(crash(RULES, 0, 1500).health.state, "backoff");
    assert.equal(crash(RULES, 0, 1600).health.state, "failed");
  });

  it("failures that are further apart than the interval are only delayed", () => {
    assert.equal(crash(RULES, 3000, 100_000).health.state, "backoff");
  });

  it("a trial that dies has failed again, one that lives is well", () => {
    const { health } = crash(RULES, 0, 1600);
    const at = nextStart(health);
    const trial = afterStart(health, RULES, at, 0);
    assert.equal(trial.state, "trial");
    assert.equal(afterFailure(trial, RULES, at, at + 4999, 0).state, "failed");
    assert.equal(afterLife(trial, RULES, at, at + 4999), trial);
    assert.equal(afterLife(trial, RULES, at, at + 5000), HEALTHY);
    assert.equal(afterSuccess(trial, at), HEALTHY);
  });

  it("those that were started together and die together fail once", () => {
    let health = HEALTHY;
    for (let i = 0; i < 8; i++) health = afterFailure(health, RULES, 0, 10 + i, 0);
    assert.equal(health.failures, 1);
    assert.equal(nextStart(health), 110);
    health = afterStart(health, RULES, 110, 0);
    assert.equal(afterFailure(health, RULES, 110, 120, 0).failures, 2);
  });

  it("one start a delay, whether or not the last one has died yet", () => {
    const health = afterStart(afterFailure(HEALTHY, RULES, 0, 0, 0), RULES, 100, 0);
    assert.equal(nextStart(health), 200);
    assert.equal(nextStart(afterStart(health, RULES, 200, 0)), 300);
  });

  it("a death after a long life is the first one again", () => {
    let health = HEALTHY;
    for (let i = 0; i < 3; i++) health = afterFailure(health, RULES, i * 1000, i * 1000, 0);
    assert.equal(health.failures, 3);
    assert.equal(afterFailure(health, RULES, 3000, 8000, 0).failures, 1);
    assert.equal(afterFailure(health, RULES, 3000, 7999, 0).failures, 4);
  });

  it("what was started before the last failure proves nothing", () => {
    const health = afterFailure(HEALTHY, RULES, 500, 1000, 0);
    assert.equal(provenAt(health, RULES, 999), Infinity);
    assert.equal(provenAt(health, RULES, 1000), 6000);
    assert.equal(afterSuccess(health, 999), health);
    assert.equal(afterLife(health, RULES, 999, 1e9), health);
    assert.equal(provenAt(HEALTHY, RULES, 0), Infinity);
  });

  it("an endless burst keeps one time, not all", () => {
    assert.equal(crash(ENDLESS, 0, 60_000).health.times.length, 1);
    assert.equal(crash(RULES, 0, 60_000).health.times.length, 5);
  });
});

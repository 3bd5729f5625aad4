/**
 * NUTS on the models of posteriordb, 4 × (1000 + 1000) transitions, in `npm test` 4 × (400 + 400): means and mean squares of all parameters against the reference's, exact where it has
 * them, within four standard errors of both. About 450 checks a seed: were everything right, one run in 40 of other seeds would have one beyond. So with
 * one seed, as here, there may be none; with more, at most MOST_BEYOND of a model and at most as many in all as the script says. None of those beyond four may be in a run
 * that its verdict trusts.
 *
 * ERGODIC_SEEDS: how many, 1 if absent. With ERGODIC_CONFORMANCE naming a file, a row for each model is added to it, as JSON (scripts/conformance.mjs).
 */
import { appendFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mcseMean } from "../../src/engine/statistics/index.ts";
import { type Draws, sample } from "../../src/entries/everything.ts";
import { power } from "../power.ts";
import { dataOf, haveReferences, MODELS, type ReferenceParameter, referenceOf } from "./posteriordb/posteriors.ts";

const CHAINS = 4;
/** Transitions of warm-up, and as many draws. Standard errors follow from the draws, so that the limits do. */
const DRAWS = process.env.ERGODIC_CONFORMANCE ? 1000 : power(400, 1000);
const SEEDS = Number(process.env.ERGODIC_SEEDS ?? 1);
/** Of some 400 checks of a model in ten seeds, each beyond by chance in one of 15,000, and in more where few draws are effective. */
const MOST_BEYOND = SEEDS === 1 ? 0 : 2;

/** Its series: "beta[2,1]" counts from 1. */
function seriesOf(posterior: Draws, name: string): Float64Array | undefined {
  const [, variable, indices] = /^([^[]+)(?:\[(.*)\])?$/.exec(name)!;
  if (!posterior.quantities.some((quantity) => quantity.name === variable)) return undefined;
  return posterior.series(variable, ...(indices ? indices.split(",").map((i) => Number(i) - 1) : []));
}

/** Differences from the reference in standard errors, of the mean and of the mean square. */
function deviations(x: Float64Array, { mean, mean_sq, mcse_mean = 0, mcse_mean_sq = 0, exact }: ReferenceParameter): number[] {
  const one = (y: Float64Array, truth: number, error: number): number =>
    (y.reduce((a, b) => a + b, 0) / y.length - truth) / Math.hypot(mcseMean(y, CHAINS), error);
  return [
    one(x, exact?.mean ?? mean, exact ? 0 : mcse_mean),
    one(
      x.map((v) => v * v),
      exact ? exact.mean ** 2 + exact.sd ** 2 : mean_sq,
      exact ? 0 : mcse_mean_sq,
    ),
  ];
}

interface Result {
  numbers: number;
  worst: [number, number];
  /** Checks beyond four standard errors, and those of them in runs that are trusted. */
  beyond: number;
  trustedBeyond: number;
  trusted: number;
  rhat: number;
  ess: number;
  divergences: number;
  leapfrogs: number;
  seconds: number;
}

async function checked(name: string): Promise<Result> {
  const reference = referenceOf(name);
  const result: Result = {
    numbers: 0,
    worst: [0, 0],
    beyond: 0,
    trustedBeyond: 0,
    trusted: 0,
    rhat: 0,
    ess: Infinity,
    divergences: 0,
    leapfrogs: 0,
    seconds: 0,
  };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const plan = { chains: CHAINS, warmup: DRAWS, draws: DRAWS, seed, workers: 1, deterministic: true };
    const posterior = await sample(MODELS[name], dataOf(reference), plan);
    const { trusted } = posterior.verdict();
    let beyond = 0;
    for (const parameter of reference.parameters) {
      const series = seriesOf(posterior, parameter.name);
      if (!series) continue;
      result.numbers++;
      deviations(series, parameter).forEach((z, j) => {
        result.worst[j] = Math.max(result.worst[j], Math.abs(z));
        if (!(Math.abs(z) < 4)) beyond++;
      });
    }
    result.beyond += beyond;
    if (trusted) result.trusted++;
    if (trusted) result.trustedBeyond += beyond;
    const rows = Object.values(posterior.summary());
    result.rhat = Math.max(result.rhat, ...rows.map(({ rhat }) => rhat));
    result.ess = Math.min(result.ess, ...rows.map(({ essBulk }) => essBulk));
    result.divergences += posterior.divergences;
    result.leapfrogs += posterior.treeDepths()?.leapfrogs ?? 0;
    result.seconds += (posterior.description.run as { seconds: number }).seconds;
  }
  return result;
}

if (!haveReferences)
  console.warn("skipped: posteriordb's reference values are not beside this repository (../shared/data/posteriordb)");

describe.skipIf(!haveReferences)("NUTS on posteriordb", () => {
  it.each(Object.keys(MODELS))("%s", async (name) => {
    const result = await checked(name);
    const { parameters } = referenceOf(name);
    const against = parameters.every(({ exact }) => exact !== undefined) ? "exact" : "reference draws";
    const file = process.env.ERGODIC_CONFORMANCE;
    if (file) appendFileSync(file, `${JSON.stringify({ name, against, seeds: SEEDS, ...result })}\n`);
    expect(result.numbers).toBe(SEEDS * parameters.length);
    expect(result.beyond, "means and mean squares beyond four standard errors").toBeLessThanOrEqual(MOST_BEYOND);
    expect(result.trustedBeyond, "of them in trusted runs").toBe(0);
  });
});

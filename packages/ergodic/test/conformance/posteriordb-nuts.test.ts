/**
 * NUTS on the models of posteriordb, 4 × (1000 + 1000) transitions: means and mean squares of all parameters against the reference's, exact where it has
 * them, within four standard errors of both. About 450 checks: were everything right, one run in 40 of other seeds would fail by chance.
 *
 * With ERGODIC_CONFORMANCE naming a file, a row for each model is added to it, as JSON (scripts/conformance.mjs prints them).
 */
import { appendFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mcseMean } from "../../src/diagnostics/index.ts";
import { type Draws, sample } from "../../src/index.ts";
import { dataOf, haveReferences, MODELS, type ReferenceParameter, referenceOf } from "./posteriordb/posteriors.ts";

const CHAINS = 4;

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

function note(name: string, posterior: Draws, worst: number[], exact: boolean): void {
  const file = process.env.ERGODIC_CONFORMANCE;
  if (!file) return;
  const rows = Object.values(posterior.summary());
  const { seconds } = posterior.description.run as { seconds: number };
  const row = {
    name,
    numbers: rows.length,
    against: exact ? "exact" : "reference draws",
    zMean: worst[0],
    zSquare: worst[1],
    rhat: Math.max(...rows.map(({ rhat }) => rhat)),
    ess: Math.min(...rows.map(({ essBulk }) => essBulk)),
    divergences: posterior.divergences,
    leapfrogs: posterior.treeDepths()?.leapfrogs,
    seconds,
  };
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}

if (!haveReferences)
  console.warn("skipped: posteriordb's reference values are not beside this repository (../shared/data/posteriordb)");

describe.skipIf(!haveReferences)("NUTS on posteriordb", () => {
  it.each(Object.keys(MODELS))(
    "%s",
    async (name) => {
      const reference = referenceOf(name);
      const posterior = await sample(MODELS[name], dataOf(reference), {
        chains: CHAINS,
        seed: 1,
        workers: 1,
        deterministic: true,
      });
      const worst = [0, 0];
      let compared = 0;
      for (const parameter of reference.parameters) {
        const series = seriesOf(posterior, parameter.name);
        if (!series) continue;
        compared++;
        deviations(series, parameter).forEach((z, j) => {
          worst[j] = Math.max(worst[j], Math.abs(z));
        });
      }
      note(
        name,
        posterior,
        worst,
        reference.parameters.every(({ exact }) => exact !== undefined),
      );
      expect(compared).toBe(reference.parameters.length);
      expect(worst[0], "means").toBeLessThan(4);
      expect(worst[1], "mean squares").toBeLessThan(4);
    },
    300_000,
  );
});

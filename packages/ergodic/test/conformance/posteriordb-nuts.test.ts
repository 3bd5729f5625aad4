/**
 * NUTS on the models of posteriordb, 4 × (1000 + 1000) transitions: means and mean squares of all parameters against the reference's, exact where it has
 * them, within four standard errors of both. About 450 checks: were everything right, one run in 40 of other seeds would fail by chance.
 */
import { describe, expect, it } from "vitest";
import { nuts } from "../../src/algorithms/sampling/index.ts";
import { mcseMean } from "../../src/diagnostics/index.ts";
import { openEngine } from "../../src/host/engine.ts";
import type { ConditionedModel } from "../../src/models/statistical/index.ts";
import { dataOf, haveReferences, MODELS, type ReferenceParameter, referenceOf } from "./posteriordb/posteriors.ts";

const [CHAINS, COUNT] = [4, 1000];

/** Its series in the values of all draws: "beta[2,1]" counts from 1. */
function seriesOf(posterior: ConditionedModel, values: Float64Array, name: string): Float64Array | undefined {
  const [, variable, indices] = /^([^[]+)(?:\[(.*)\])?$/.exec(name)!;
  const quantity = posterior.quantities.find((q) => q.name === variable);
  if (!quantity) return undefined;
  const index = indices ? indices.split(",").map((i) => Number(i) - 1) : [];
  const at = quantity.offset + index.reduce((sum, i, axis) => sum * quantity.shape[axis] + i, 0);
  return Float64Array.from({ length: CHAINS * COUNT }, (_, k) => values[k * posterior.valueCount + at]);
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

if (!haveReferences)
  console.warn("skipped: posteriordb's reference values are not beside this repository (../shared/data/posteriordb)");

describe.skipIf(!haveReferences)("NUTS on posteriordb", () => {
  it.each(Object.keys(MODELS))(
    "%s",
    async (name) => {
      const engine = await openEngine();
      const reference = referenceOf(name);
      using posterior = await MODELS[name].condition(dataOf(reference), { deterministic: true });
      const plan = { chains: CHAINS, warmup: 1000, draws: COUNT, seed: 1, workers: 1, deterministic: true };
      const run = nuts().start(posterior, plan, engine);
      while (run.converged === false) await run.advance(200);
      const draws = run.draws();
      run.dispose();
      const values = posterior.valuesOf(draws.values);
      let compared = 0;
      for (const parameter of reference.parameters) {
        const series = seriesOf(posterior, values, parameter.name);
        if (!series) continue;
        compared++;
        for (const z of deviations(series, parameter)) expect(Math.abs(z), parameter.name).toBeLessThan(4);
      }
      expect(compared).toBe(reference.parameters.length);
    },
    300_000,
  );
});

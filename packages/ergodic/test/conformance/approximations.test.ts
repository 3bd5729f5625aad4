/**
 * Variational approximations on the posteriors with exact answers: means within 0.1 sd and sds within 10 %. The
 * full-rank normal and Pathfinder must not be flagged by k̂ > 0.7, because all these posteriors are regressions. The
 * mean-field normal is close on UNCORRELATED. On the others, whose coefficients are correlated, it is either flagged or
 * right.
 *
 * The weights are worth at least 2000 draws (approximation-run.ts). So the standard error of a mean is about 0.022 sd
 * at most, and that of a standard deviation 1.6 %. The bounds are 4.4 and 6 standard errors. With about 200 means, one
 * run in 500 with other seeds would fail by chance.
 *
 * `npm test` runs each approximation on a few posteriors with few rows. The mean-field normal is always run on
 * UNCORRELATED.
 */
import { describe, expect, it } from "vitest";
import type { ConditionedModel } from "../../src/bayes/model/index.ts";
import { fullRank, meanField, pathfinder, type Sampler } from "../../src/bayes/samplers/index.ts";
import { openEngine } from "../../src/engine/memory/engine.ts";
import { isSlow } from "../power.ts";
import { dataOf, haveReferences, MODELS, referenceOf } from "./posteriordb/posteriors.ts";

const [CHAINS, COUNT] = [4, 1000];
const EXACT = haveReferences
  ? Object.keys(MODELS).filter((name) => referenceOf(name).parameters.every(({ exact }) => exact))
  : [];

/** Regressions on standardised columns, or on columns drawn independently. */
const UNCORRELATED = ["kidiq_with_mom_work-kidscore_interaction_z", "sblri-blr"];

if (!haveReferences)
  console.warn("skipped: posteriordb's reference values are not beside this repository (../shared/data/posteriordb)");

/** Approximations that `npm test` runs. All posteriors are regressions and take the same path. */
const USUAL: Readonly<Record<string, string>> = {
  "arK-arK": "pathfinder",
  "nes2000-nes": "pathfinder",
  "mesquite-logmesquite_logvash": "fullRank",
  "kidiq_with_mom_work-kidscore_mom_work": "fullRank",
  "mesquite-mesquite": "meanField",
  ...Object.fromEntries(UNCORRELATED.map((name) => [name, "meanField"])),
};

/** Position of the value of "beta[2]", counted from 1, among the values of a draw. */
function placeOf(posterior: ConditionedModel, name: string): number {
  const [, variable, index = "1"] = /^([^[]+)(?:\[(\d+)\])?$/.exec(name)!;
  return posterior.quantities.find((quantity) => quantity.name === variable)!.offset + Number(index) - 1;
}

async function approximate(posterior: ConditionedModel, sampler: Sampler) {
  const plan = { chains: CHAINS, warmup: 0, draws: COUNT, seed: 1, workers: 1, deterministic: true };
  const run = sampler.start(posterior, plan, await openEngine());
  while (run.converged === false) await run.advance(100);
  const made = { values: posterior.valuesOf(run.draws().values), paretoK: run.report().paretoK };
  run.dispose();
  return made;
}

describe.skipIf(!haveReferences)("approximations of posteriors with exact answers", () => {
  it("finds at least 16 posteriors with exact answers", () => expect(EXACT.length).toBeGreaterThanOrEqual(16));

  const all = [pathfinder(), fullRank(), meanField()];
  const runOn = (name: string): Sampler[] => (isSlow ? all : all.filter((sampler) => sampler.name === USUAL[name]));

  describe.each(EXACT.filter((name) => runOn(name).length > 0))("%s", (name) => {
    it.each(runOn(name))("$name", async (sampler) => {
      const reference = referenceOf(name);
      using posterior = await MODELS[name].condition(dataOf(reference), { deterministic: true });
      const { values, paretoK } = await approximate(posterior, sampler);
      if (sampler.name === "meanField" && !UNCORRELATED.includes(name) && paretoK > 0.7) return;
      expect(paretoK).toBeLessThan(0.7);
      for (const { name: parameter, exact } of reference.parameters) {
        const at = placeOf(posterior, parameter);
        const x = Array.from({ length: CHAINS * COUNT }, (_, k) => values[k * posterior.valueCount + at]);
        const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
        const sd = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (x.length - 1));
        expect(Math.abs(mean - exact!.mean) / exact!.sd, `mean of ${parameter}`).toBeLessThan(0.1);
        expect(Math.abs(sd / exact!.sd - 1), `sd of ${parameter}`).toBeLessThan(0.1);
      }
    });
  });
});

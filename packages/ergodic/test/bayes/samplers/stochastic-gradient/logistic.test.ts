/**
 * Compares Langevin dynamics with control variates with NUTS, in a logistic regression on 10,000 rows (2000 in `npm
 * test`).
 *
 * Means must agree within 0.1 posterior standard deviations, and standard deviations within 5 %, in addition to Monte
 * Carlo error. That error is a Student-t quantile, for the smaller number of chains, times the standard error over
 * independent chains of both. The false alarm rate of the file is below 1e-4, split over six checks. The error must be
 * small enough to reveal twice the tolerance, or 3.2 times in `npm test`. Langevin dynamics without control variates,
 * with the same step and batch, must fail.
 */
import { afterAll, expect, it } from "vitest";
import { bernoulliLogitGlm, matrix, model, normal, vector } from "../../../../src/bayes/model/index.ts";
import { type ChainDraws, nuts, type Sampler, sgld } from "../../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { power } from "../../../power.ts";

const engine = await openEngine();
const N = power(2000, 10_000);
const K = 2;
const CHAINS = 32;
/** |t| with CHAINS − 1 degrees of freedom exceeds this with probability 1e-4 / 6. */
const QUANTILE = 5.09;
const COUNT = power(120, 300);
/** Factor by which errors grow with the fewer draws of `npm test`. */
const LESS = Math.sqrt(300 / COUNT);

const numbers = stream(1, "logistic").at(0);
const x = Float64Array.from({ length: N * K }, () => numbers.normal());
const y = Float64Array.from({ length: N }, (_, i) => {
  const z = -0.5 + 0.8 * x[i * K] - 0.4 * x[i * K + 1];
  return numbers.uniform() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
});
const posterior = await model(({ data, param, observe }) => {
  const given = data({ y: vector("N"), x: matrix("N", "K") });
  const alpha = param("alpha", normal(0, 2.5));
  observe(given.y, bernoulliLogitGlm(given.x, alpha, param("beta", normal(0, 1), { shape: "K" })));
}).condition({ x, y, K }, { rows: "N", deterministic: true });
afterAll(() => posterior.dispose());

async function sampled(sampler: Sampler, warmup: number, draws: number) {
  const plan = {
    chains: CHAINS,
    warmup,
    draws,
    seed: 3,
    workers: 2,
    deterministic: true,
    start: Float64Array.of(-0.5, 0.8, -0.4),
  };
  const run = sampler.start(posterior, plan, engine);
  while (run.converged === false) await run.advance(1000);
  const [made, report] = [run.draws(), run.report()];
  run.dispose();
  return { made, report };
}

interface Moment {
  value: number;
  /** Standard error over chains. */
  error: number;
}

function overChains(values: number[]): Moment {
  const value = values.reduce((sum, v) => sum + v / values.length, 0);
  const squares = values.reduce((sum, v) => sum + (v - value) ** 2, 0);
  return { value, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

/** Mean of coordinate i, and log E (x − m)² / 2, where m is the mean of all chains. */
function momentsOf(made: ChainDraws, i: number): { mean: Moment; logSd: Moment } {
  const of = (c: number) => Float64Array.from({ length: made.count }, (_, k) => made.draw(c, k)[i]);
  const chains = Array.from({ length: made.chains }, (_, c) => of(c));
  const mean = overChains(chains.map((draws) => draws.reduce((sum, v) => sum + v / draws.length, 0)));
  const variance = overChains(chains.map((draws) => draws.reduce((sum, v) => sum + (v - mean.value) ** 2 / draws.length, 0)));
  return { mean, logSd: { value: Math.log(variance.value) / 2, error: variance.error / variance.value / 2 } };
}

const H = 0.04 / (0.2 * N);

it("means are within 0.1 sd and sds within 5 % of those of NUTS", async () => {
  const wanted = await sampled(nuts(), 60, power(100, 250));
  const found = await sampled(sgld({ stepSize: H, batch: 50, thin: 50, controlVariate: "mode" }), 10, COUNT);
  const without = await sampled(sgld({ stepSize: H, batch: 50, thin: 50 }), 10, 50);
  expect(found.report.dataPasses).toBeLessThan(50 + (CHAINS * (COUNT + 10) * 50 * 2 * 50) / N);
  for (let i = 0; i <= K; i++) {
    const [ours, theirs, noisy] = [found, wanted, without].map(({ made }) => momentsOf(made, i));
    const sd = Math.exp(theirs.logSd.value);
    const meanError = QUANTILE * Math.hypot(ours.mean.error, theirs.mean.error);
    const sdError = QUANTILE * Math.hypot(ours.logSd.error, theirs.logSd.error);
    expect(meanError).toBeLessThan(0.2 * sd * LESS);
    expect(sdError).toBeLessThan(2 * 0.05 * LESS);
    expect(Math.abs(ours.mean.value - theirs.mean.value)).toBeLessThan(0.1 * sd + meanError);
    expect(Math.abs(ours.logSd.value - theirs.logSd.value)).toBeLessThan(0.05 + sdError);
    expect(noisy.logSd.value - theirs.logSd.value).toBeGreaterThan(
      0.05 + QUANTILE * Math.hypot(noisy.logSd.error, theirs.logSd.error),
    );
  }
});

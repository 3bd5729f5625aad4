/** Compares diagnostics of draws with R's posterior and loo. diagnostics.R lists the calls. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { betaQuantile } from "../../src/engine/numbers/beta-quantile.ts";
import {
  basicRhat,
  effectiveSize,
  essBulk,
  essMean,
  essQuantile,
  essSd,
  essTail,
  mcseMean,
  mcseQuantile,
  mcseSd,
  psis,
  psisLoo,
  quantiles,
  rhat,
  summary,
  waic,
} from "../../src/engine/statistics/index.ts";

/** R's NA and NaN both become NaN. */
type Value = number | "NA" | "NaN" | "Inf" | "-Inf";
type Fields<Names extends string> = Record<Names, Value>;
type DrawsCase = { chains: number; draws: Value[]; ess_quantile: Value[]; mcse_quantile: Value[]; quantile: Value[] } & Fields<
  "rhat" | "rhat_basic" | "ess_bulk" | "ess_tail" | "ess_mean" | "ess_sd" | "ess_basic" | "mcse_mean" | "mcse_sd" | "mean" | "sd"
>;
interface LooCase {
  chains: number;
  observations: number;
  log_lik: number[];
  r_eff: number[];
  estimates: number[];
  estimates_plain: number[];
  pointwise: Record<"elpd_loo" | "mcse_elpd_loo" | "p_loo" | "looic" | "influence_pareto_k", Value[]>;
  n_eff: number[];
  mcse: Value;
  waic: number[];
}
interface PsisCase {
  log_ratios: Value[];
  r_eff: number;
  log_weights: Value[];
  pareto_k: Value;
  n_eff: number;
}
const golden = JSON.parse(readFileSync(new URL("diagnostics.json", import.meta.url), "utf8")) as {
  probabilities: number[];
  draws: Record<string, DrawsCase>;
  loo: Record<string, LooCase>;
  psis: Record<string, PsisCase>;
  beta: Record<"p" | "a" | "b" | "x", number[]>;
};

const words: Record<string, number> = { NA: Number.NaN, NaN: Number.NaN, Inf: Infinity, "-Inf": -Infinity };
const numberOf = (value: Value): number => (typeof value === "number" ? value : words[value]);
const numbers = (values: readonly Value[]): Float64Array => Float64Array.from(values, numberOf);

/** Requires each value within the relative `tolerance`, or both NaN, or the same infinity. */
function expectClose(found: ArrayLike<number>, wanted: readonly Value[], tolerance: number, floor = 0): void {
  expect(found.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    const want = numberOf(value);
    if (!Number.isFinite(want)) expect(found[i], `value ${i}`).toBe(want);
    else
      expect(Math.abs(found[i] - want), `value ${i}: ${found[i]} for ${want}`).toBeLessThanOrEqual(
        tolerance * Math.max(Math.abs(want), floor),
      );
  });
}

describe.each(Object.entries(golden.draws))("posterior on %s", (_, given) => {
  const draws = numbers(given.draws);
  const at = (of: (x: Float64Array, chains: number, p: number) => number) =>
    golden.probabilities.map((p) => of(draws, given.chains, p));

  it("R-hat agrees", () => {
    expectClose([rhat(draws, given.chains), basicRhat(draws, given.chains)], [given.rhat, given.rhat_basic], 1e-10);
  });

  it("effective sample sizes agree", () => {
    const found = [essBulk, essTail, essMean, essSd, effectiveSize].map((of) => of(draws, given.chains));
    expectClose(found, [given.ess_bulk, given.ess_tail, given.ess_mean, given.ess_sd, given.ess_basic], 1e-10);
    expectClose(at(essQuantile), given.ess_quantile, 1e-10);
  });

  it("Monte Carlo errors agree", () => {
    const found = [mcseMean(draws, given.chains), mcseSd(draws, given.chains)];
    expectClose(found, [given.mcse_mean, given.mcse_sd], 1e-10);
    expectClose(at(mcseQuantile), given.mcse_quantile, 1e-10);
  });

  it("quantiles, mean and sd agree", () => {
    expectClose(quantiles(draws, golden.probabilities), given.quantile, 1e-13);
    const { x } = summary({ x: draws }, { chainCount: given.chains });
    expectClose([x.mean, x.sd], [given.mean, given.sd], 1e-12);
    expectClose([x.rhat, x.essBulk, x.essTail], [given.rhat, given.ess_bulk, given.ess_tail], 1e-10);
    // The table omits an error that heavy tails make unreliable.
    expectClose([x.mcseMean], [Number.isFinite(x.paretoK) && x.paretoK > 0.7 ? "NaN" : given.mcse_mean], 1e-10);
    expectClose(
      [x.quantiles.q5, x.quantiles.q50, x.quantiles.q95],
      [given.quantile[1], given.quantile[4], given.quantile[5]],
      1e-13,
    );
  });
});

describe.each(Object.entries(golden.loo))("loo on %s", (_, given) => {
  const logLikelihood = numbers(given.log_lik);
  const counts = { observationCount: given.observations, chainCount: given.chains };
  const flat = ({ elpd, pLoo, looic }: ReturnType<typeof psisLoo>) =>
    [elpd, pLoo, looic].flatMap(({ estimate, se }) => [estimate, se]);

  it("sums and pointwise values agree", () => {
    const found = psisLoo(logLikelihood, counts);
    const { pointwise } = found;
    expectClose(flat(found), given.estimates, 1e-8);
    expectClose(pointwise.elpd, given.pointwise.elpd_loo, 1e-8);
    expectClose(pointwise.pLoo, given.pointwise.p_loo, 1e-8);
    expectClose(pointwise.looic, given.pointwise.looic, 1e-8);
    expectClose(pointwise.mcse, given.pointwise.mcse_elpd_loo, 1e-8);
    expectClose(pointwise.paretoK, given.pointwise.influence_pareto_k, 1e-8);
    expectClose(pointwise.effectiveSize, given.n_eff, 1e-8);
    expectClose(pointwise.relativeEfficiency, given.r_eff, 1e-10);
    expectClose([found.mcse], [given.mcse], 1e-8);
  });

  it("sums agree for draws declared independent", () => {
    expectClose(flat(psisLoo(logLikelihood, { ...counts, relativeEfficiency: 1 })), given.estimates_plain, 1e-8);
  });

  it("waic agrees", () => {
    const found = waic(logLikelihood, counts);
    const sums = [found.elpd, found.pWaic, found.waic].flatMap(({ estimate, se }) => [estimate, se]);
    expectClose(sums, given.waic, 1e-10);
  });
});

it.each(Object.entries(golden.psis))("importance weights equal loo's psis on %s ratios", (_, given) => {
  const found = psis(numbers(given.log_ratios), { relativeEfficiency: given.r_eff });
  expectClose(found.logWeights, given.log_weights, 1e-8, 1);
  expectClose([found.paretoK, found.effectiveSize], [given.pareto_k, given.n_eff], 1e-8);
});

it("beta quantiles equal R's qbeta", () => {
  const { p, a, b, x } = golden.beta;
  const found = p.map((_, i) => betaQuantile(p[i], a[i], b[i]));
  expectClose(found, x, 1e-10);
});

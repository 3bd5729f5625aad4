import { describe, expect, it } from "vitest";
import { normalQuantile } from "../../../src/engine/numbers/normal-quantile.ts";
import { psisLoo, waic } from "../../../src/engine/statistics/index.ts";
import { autoregressive } from "./draws.ts";

const logNormal = (y: number, mean: number, variance: number): number =>
  -0.5 * Math.log(2 * Math.PI * variance) - (y - mean) ** 2 / (2 * variance);

/**
 * y_i ~ N(θ, 1) under a flat prior has the posterior N(ȳ, 1/N). Without y_i, the predictive distribution is N(ȳ_{−i}, 1
 * + 1/(N − 1)).
 */
const y = [0.3, -1.1, 0.9, 2.2, -0.4, 0.1, 1.3, -0.7, 0.5, -2.0];
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const sum = total(y);
const exact = y.map((value) => logNormal(value, (sum - value) / (y.length - 1), 1 + 1 / (y.length - 1)));

/** Replaces draws by quantiles of the posterior, in an order that mixes them over four chains. */
function logLikelihood(drawCount: number): Float64Array {
  const theta = Array.from({ length: drawCount }, (_, s) => {
    const mixed = (s * 1597) % drawCount;
    return sum / y.length + normalQuantile((mixed + 0.5) / drawCount) / Math.sqrt(y.length);
  });
  return Float64Array.from(theta.flatMap((each) => y.map((value) => logNormal(value, each, 1))));
}

const counts = { observationCount: y.length, chainCount: 4 };

describe("normal mean model", () => {
  const given = logLikelihood(4000);
  const loo = psisLoo(given, { ...counts, relativeEfficiency: 1 });

  it("PSIS-LOO equals the exact leave-one-out density", () => {
    exact.forEach((wanted, i) => {
      expect(Math.abs(loo.pointwise.elpd[i] - wanted)).toBeLessThan(0.003);
    });
    expect(Math.abs(loo.elpd.estimate - total(exact))).toBeLessThan(0.01);
    expect(Math.max(...loo.pointwise.paretoK)).toBeLessThan(loo.threshold);
    expect(loo.mcse).toBeGreaterThan(0);
    expect(loo.looic.estimate).toBeCloseTo(-2 * loo.elpd.estimate, 12);
  });

  it("p_loo and WAIC equal their exact values", () => {
    const mean = sum / y.length;
    const lpd = total(y.map((value) => logNormal(value, mean, 1 + 1 / y.length)));
    // The variance over θ of −(y − θ)²/2.
    const penalty = total(y.map((value) => (value - mean) ** 2 / y.length + 1 / (2 * y.length ** 2)));
    const found = waic(given, counts);
    expect(Math.abs(loo.pLoo.estimate - (lpd - total(exact)))).toBeLessThan(0.01);
    expect(Math.abs(found.pWaic.estimate - penalty)).toBeLessThan(0.01);
    expect(Math.abs(found.elpd.estimate - (lpd - penalty))).toBeLessThan(0.01);
    expect(found.waic.estimate).toBeCloseTo(-2 * found.elpd.estimate, 12);
  });

  it("the standard error is √N times the standard deviation over observations", () => {
    const mean = loo.elpd.estimate / y.length;
    const spread = loo.pointwise.elpd.reduce((total, value) => total + (value - mean) ** 2, 0) / (y.length - 1);
    expect(Math.abs(loo.elpd.se - Math.sqrt(y.length * spread))).toBeLessThanOrEqual(1e-12);
  });
});

it("slow chains make the Monte Carlo error larger", () => {
  const slow = Float64Array.from(
    [...autoregressive(4, 250, 0.95, 12)].flatMap((z) => y.map((value) => logNormal(value, z / 3, 1))),
  );
  const loo = psisLoo(slow, counts);
  const careless = psisLoo(slow, { ...counts, relativeEfficiency: 1 });
  expect(Math.max(...loo.pointwise.relativeEfficiency)).toBeLessThan(0.3);
  loo.pointwise.mcse.forEach((error, i) => {
    expect(error).toBeGreaterThan(1.5 * careless.pointwise.mcse[i]);
  });
});

it("accepts a likelihood that is constant over the draws", () => {
  const loo = psisLoo(new Float64Array(40).fill(-1.5), { observationCount: 2, chainCount: 2 });
  expect(loo.elpd.estimate).toBeCloseTo(-3, 12);
  expect([...loo.pointwise.relativeEfficiency]).toEqual([1, 1]);
});

it("does not underflow for tiny likelihoods", () => {
  const given = logLikelihood(400);
  const near = psisLoo(given, counts);
  const far = psisLoo(
    given.map((value) => value - 5000),
    counts,
  );
  near.pointwise.elpd.forEach((value, i) => {
    expect(far.pointwise.elpd[i] + 5000).toBeCloseTo(value, 8);
  });
  near.pointwise.mcse.forEach((value, i) => {
    expect(far.pointwise.mcse[i]).toBeCloseTo(value, 8);
  });
});

it("describes mismatched input", () => {
  const given = new Float64Array(12).fill(-1);
  expect(() => psisLoo(given, { observationCount: 5, chainCount: 1 })).toThrow(
    /psisLoo: 12 log likelihoods are not a multiple of 5 .* \[DRAWS_SHAPE\]/,
  );
  expect(() => psisLoo(given, { observationCount: 3, chainCount: 3 })).toThrow(/4 draws are not a multiple of 3 chains/);
  expect(() => psisLoo(given, { observationCount: 3, chainCount: 2, relativeEfficiency: [1, 1] })).toThrow(
    /holds 2 numbers for 3 observations/,
  );
  expect(() => waic(given, { observationCount: 0 })).toThrow(/observationCount is 0, .* \[OPTION_RANGE\]/);
  expect(() => waic(given, { observationCount: 12 })).toThrow(
    /waic: there is one draw, which has no variance; .* \[DRAWS_SHAPE\]/,
  );
  expect(waic(given, { observationCount: 6 }).pWaic.estimate).toBe(0);
  given[7] = -Infinity;
  expect(() => waic(given, { observationCount: 3 })).toThrow(
    /observation 1 at draw 2 is -Infinity, but must be finite; .* \[DATA_NOT_FINITE\]/,
  );
});

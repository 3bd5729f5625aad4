import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
  rhat,
} from "../../../src/engine/statistics/index.ts";
import * as reference from "../../reference/diagnostics.ts";
import { autoregressive, chainsOf } from "./draws.ts";

type Diagnostic = (draws: Float64Array, chainCount: number) => number;
const scaleFree: Record<string, Diagnostic> = { rhat, basicRhat, effectiveSize, essBulk, essTail, essMean, essSd };
const errors: Record<string, Diagnostic> = { mcseMean, mcseSd, mcseMedian: (draws, chains) => mcseQuantile(draws, chains, 0.5) };
const all = { ...scaleFree, ...errors };
const near = (found: number, wanted: number, tolerance: number) =>
  expect(Math.abs(found - wanted), `${found} for ${wanted}`).toBeLessThanOrEqual(tolerance * Math.abs(wanted));

describe("agreement with the definitions", () => {
  it.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 100])("agrees on chains of %d draws", (n) => {
    for (const chainCount of [1, 2, 5]) {
      for (const phi of [-0.9, -0.3, 0, 0.5, 0.95]) {
        const draws = autoregressive(chainCount, n, phi, 5);
        const chains = chainsOf(draws, chainCount);
        near(effectiveSize(draws, chainCount), reference.effectiveSize(chains), 1e-10);
        if (chainCount > 1) near(basicRhat(draws, chainCount), reference.potentialScaleReduction(chains), 1e-13);
      }
    }
  });
});

describe("invariances", () => {
  const draws = autoregressive(4, 51, 0.6, 6);
  const parts = chainsOf(draws, 4);

  it.each(Object.entries(scaleFree))("%s is invariant under shifts and scales", (_, of) => {
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -40, max: 40 }), (shift, power) => {
        const moved = draws.map((x) => (x + shift) * 2 ** power);
        near(of(moved, 4), of(draws, 4), 1e-9);
      }),
    );
  });

  it.each(Object.entries(errors))("%s scales with its draws", (_, of) => {
    near(
      of(
        draws.map((x) => 3 + 8 * x),
        4,
      ),
      8 * of(draws, 4),
      1e-9,
    );
  });

  it.each(Object.entries(all))("%s is invariant under the order of chains", (_, of) => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (order) => {
        near(of(Float64Array.from(order.flatMap((chain) => parts[chain])), 4), of(draws, 4), 1e-12);
      }),
    );
  });

  it("bulk and tail diagnostics are invariant under increasing transformations", () => {
    expect(essBulk(draws.map(Math.exp), 4)).toBe(essBulk(draws, 4));
    near(essQuantile(draws.map(Math.exp), 4, 0.1), essQuantile(draws, 4, 0.1), 1e-12);
  });

  it.each(Object.entries(all))("%s is NaN for constants, NaN, and halves of one draw", (_, of) => {
    expect(of(new Float64Array(40).fill(0.1), 2)).toBeNaN();
    expect(
      of(
        draws.map((x, i) => (i === 60 ? Number.NaN : x)),
        4,
      ),
    ).toBeNaN();
    expect(of(new Float64Array([0.3]), 1)).toBeNaN();
  });

  it("halves of one draw have no spread", () => {
    expect([rhat(new Float64Array([1, 2, 4, 8]), 2), rhat(new Float64Array([1, 2, 4, 8, 7, 6]), 2)]).toEqual([
      Number.NaN,
      Number.NaN,
    ]);
  });

  it("essSd ignores rounding", () => {
    const twoValued = Float64Array.from({ length: 40 }, (_, i) => (i % 4 < 2 ? 0.1 : 0.3));
    expect(essSd(twoValued, 2)).toBeNaN();
    expect(essMean(twoValued, 2)).toBeGreaterThan(0);
  });
});

describe("detection of bad chains", () => {
  it("R-hat detects separated chains, unequal spreads, and a drifting chain", () => {
    const good = autoregressive(4, 250, 0.2, 7);
    expect(rhat(good, 4)).toBeLessThan(1.02);
    const last = (change: (x: number, t: number) => number) => good.map((x, at) => (at >= 750 ? change(x, at - 750) : x));
    expect(
      rhat(
        last((x) => x + 2),
        4,
      ),
    ).toBeGreaterThan(1.1);
    expect(
      rhat(
        last((x) => 5 * x),
        4,
      ),
    ).toBeGreaterThan(1.1);
    expect(
      rhat(
        last((x, t) => x + t / 50),
        4,
      ),
    ).toBeGreaterThan(1.1);
    expect(rhat(autoregressive(1, 250, 0, 8), 1)).toBeLessThan(1.02);
    expect(
      rhat(
        autoregressive(1, 250, 0, 8).map((x, t) => x + t / 50),
        1,
      ),
    ).toBeGreaterThan(1.1);
  });

  // 60 runs of 4 × 1000 draws. For Student's t with 59 degrees of freedom, |t| > 5 has a probability of about 6e-6, and
  // below 2e-5 over 3 checks. The bias of the estimate is below 3 % here, and an error of 15 % in τ must be detected.
  it.each([-0.4, 0, 0.7])("finds τ of an autoregressive chain, φ = %d", (phi) => {
    const runs = Array.from({ length: 60 }, (_, run) => 4000 / essMean(autoregressive(4, 1000, phi, 100 + run), 4));
    const centre = runs.reduce((total, tau) => total + tau, 0) / runs.length;
    const error = Math.sqrt(runs.reduce((total, tau) => total + (tau - centre) ** 2, 0) / (59 * 60));
    const wanted = (1 + phi) / (1 - phi);
    const tolerance = 5 * error + 0.03 * wanted;
    expect(Math.abs(centre - wanted)).toBeLessThan(tolerance);
    for (const mutant of [1.15, 0.85]) expect(Math.abs(mutant * centre - wanted)).toBeGreaterThan(tolerance);
  });
});

describe("invalid draws", () => {
  it.each(Object.entries(all))("%s requires chains of equal length", (_, of) => {
    expect(() => of(new Float64Array(10), 3)).toThrow(/10 draws are not a multiple of 3 chains, .* \[DRAWS_SHAPE\]/);
    expect(() => of(new Float64Array(0), 1)).toThrow(/there are no draws, .* \[DRAWS_SHAPE\]/);
    expect(() => of(new Float64Array(10), 0)).toThrow(/chainCount is 0, but must be an integer >= 1 \[OPTION_RANGE\]/);
  });

  it("quantiles requires a probability", () => {
    expect(() => essQuantile(new Float64Array(10), 1, -0.5)).toThrow(/essQuantile: probability is -0.5, .* \[OPTION_RANGE\]/);
    expect(() => mcseQuantile(new Float64Array(10), 1, Number.NaN)).toThrow(/probability is NaN, .* \[OPTION_RANGE\]/);
  });
});

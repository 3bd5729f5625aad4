/**
 * Tests of the exactness checks themselves: independent draws pass, and draws with a small planted bias fail.
 *
 * The false alarm rate of the file is 1e-6. Biases of 1.5 % of a functional's standard deviation are found, or of 3 %
 * in `npm test`.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { log } from "../../../src/engine/numbers/log.ts";
import { type Draws, stream } from "../../../src/engine/random/stream.ts";
import { power } from "../../power.ts";
import { biasFound, checkChains, expectExact, leastP, logGammaTarget, type ManyChains, standardTargets } from "./exactness.ts";

const BIAS = power(0.03, 0.015);
const engine = await openEngine();
const [, correlated] = await standardTargets(engine);
const skewed = await logGammaTarget(engine, [1, 3]);

function independent(names: string, d: number, one: (draws: Draws, i: number) => number[]): ManyChains {
  const [chains, count] = [64, power(1200, 4000)];
  const values = new Float64Array(chains * count * d);
  for (let c = 0; c < chains; c++) {
    const draws = stream(3, names, c).at(0);
    for (let k = 0; k < count; k++) values.set(one(draws, k), (c * count + k) * d);
  }
  return { chains, count, values };
}

/**
 * Normal draws with covariance [[4, 1.8], [1.8, 1]]. `rho` replaces the correlation 0.9, and `shift` is in standard
 * deviations.
 */
const pair = (rho: number, shift: number) =>
  independent("pair", 2, (draws) => {
    const [a, b] = [draws.normal(), draws.normal()];
    return [3 + 2 * (a + shift), -1 + rho * a + Math.sqrt(1 - rho * rho) * b];
  });

/** A gamma variable with a whole shape is a sum of exponentials. */
const logs = (stretch: number) =>
  independent("logs", 2, (draws) => [
    log(draws.exponential()),
    stretch * (log(draws.exponential() + draws.exponential() + draws.exponential()) - skewed.mean[1]) + skewed.mean[1],
  ]);

describe("independent draws", () => {
  it(`pass, and biases of ${100 * BIAS} % would be found`, () => {
    const checks = [...checkChains(correlated, pair(0.9, 0)), ...checkChains(skewed, logs(1))];
    expect(checks).toHaveLength(2 * 11);
    expectExact(checks, 1e-6);
    expect(biasFound(checks, 1e-6)).toBeLessThan(BIAS);
  });

  it("fail with a planted bias in the mean, the correlation or the scale", () => {
    for (const made of [pair(0.9, power(0.04, 0.02)), pair(power(0.86, 0.88), 0)]) {
      const checks = checkChains(correlated, made);
      expect(leastP(checks)).toBeLessThan(1e-6);
      expect(() => expectExact(checks, 1e-6)).toThrow();
    }
    expect(leastP(checkChains(skewed, logs(1 + BIAS)))).toBeLessThan(1e-6);
  });
});

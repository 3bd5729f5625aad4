import fc from "fast-check";
import { expect, it } from "vitest";
import { betaQuantile } from "../../../src/engine/numbers/beta-quantile.ts";
import { betaLower } from "../../../src/engine/numbers/beta-tails.ts";

const probability = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });
const parameter = fc.double({ min: 0.05, max: 500, noNaN: true });

it("betaLower equals a sum of binomial probabilities at integers", () => {
  for (let a = 1; a <= 8; a++) {
    for (let b = 1; b <= 8; b++) {
      for (const x of [0.001, 0.2, 0.5, 0.77, 0.999]) {
        // Probability of at least a successes in n = a + b − 1 trials.
        const n = a + b - 1;
        let wanted = 0;
        let ways = 1;
        for (let k = 0; k <= n; k++) {
          if (k >= a) wanted += ways * x ** k * (1 - x) ** (n - k);
          ways *= (n - k) / (k + 1);
        }
        expect(Math.abs(betaLower(a, b, x) - wanted)).toBeLessThanOrEqual(1e-13 * wanted);
      }
    }
  }
});

it("betaLower is symmetric: I_x(a, b) = 1 − I_(1−x)(b, a)", () => {
  fc.assert(
    fc.property(probability, parameter, parameter, (x, a, b) => {
      expect(Math.abs(betaLower(a, b, x) + betaLower(b, a, 1 - x) - 1)).toBeLessThanOrEqual(1e-11);
    }),
  );
});

it("the quantile inverts betaLower", () => {
  fc.assert(
    fc.property(
      probability,
      fc.double({ min: 0.5, max: 500, noNaN: true }),
      fc.double({ min: 0.5, max: 500, noNaN: true }),
      (p, a, b) => {
        const x = betaQuantile(p, a, b);
        const around = [betaLower(a, b, x * (1 - 1e-10)), betaLower(a, b, Math.min(1, x * (1 + 1e-10)))];
        expect(around[0]).toBeLessThanOrEqual(p + 1e-11);
        expect(around[1]).toBeGreaterThanOrEqual(p - 1e-11);
      },
    ),
  );
});

it("the quantile is near the normal one for large parameters at one standard deviation", () => {
  const sd = 1 / Math.sqrt(4 * 2_000_001);
  expect(Math.abs(betaQuantile(0.8413447460685429, 1e6, 1e6) - 0.5 - sd)).toBeLessThanOrEqual(1e-6 * sd);
});

it("returns limits at the ends, and NaN outside of the domain", () => {
  expect([betaLower(2, 3, 0), betaLower(2, 3, 1), betaQuantile(0, 2, 3), betaQuantile(1, 2, 3)]).toEqual([0, 1, 0, 1]);
  const outside = [
    [-0.1, 1, 1],
    [1.1, 1, 1],
    [Number.NaN, 1, 1],
    [0.5, 0, 1],
    [0.5, 1, -1],
    [0.5, Number.NaN, 1],
    [0.5, 1, Infinity],
  ] as const;
  for (const [x, a, b] of outside) {
    expect(betaQuantile(x, a, b)).toBeNaN();
  }
});

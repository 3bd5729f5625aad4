/**
 * Compares draws of a prior that constraints truncate with exact moments.
 *
 * The false alarm rate of the file is 4e-5, because each of at most 40 checks of |z| < 4.9 fails by chance with
 * probability 10⁻⁶. A bias of 0.1 standard deviations of the averaged quantity is detected, because 4.9/√4000 = 0.08.
 * With the 1500 draws of `npm test`, the numbers are 0.17 and 0.13.
 */
import { describe, expect, it } from "vitest";
import { calibrate } from "../../../src/bayes/calibrate.ts";
import {
  bernoulli,
  exponential,
  halfNormal,
  type ModelContext,
  model,
  multivariateNormalCholesky,
  normal,
  real,
} from "../../../src/bayes/model/index.ts";
import { sample } from "../../../src/bayes/sample.ts";
import { prior } from "../../../src/bayes/samplers/index.ts";
import { add, constantArray, mul, where } from "../../../src/engine/compiler/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { isSlow, power } from "../../power.ts";

const COUNT = power(1500, 4000);

/** z score of the mean of f over draws, with the standard deviation of the draws. */
function score(values: readonly number[], wanted: number): number {
  const mean = values.reduce((sum, x) => sum + x / COUNT, 0);
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2 / (COUNT - 1), 0);
  return (mean - wanted) / Math.sqrt(variance / COUNT);
}

type Moments = Record<string, (x: Record<string, Float64Array>) => number>;

/** For a ~ N(0, 1), x ~ N(a, 1) and x > 0, x is half-normal with variance 2, and E a = E x / 2. */
const HALF = Math.sqrt(2) * Math.sqrt(2 / Math.PI);

const cases: [string, (context: ModelContext) => void, Moments, number[]][] = [
  [
    "a bound that is another parameter",
    ({ param }) => void param("b", normal(0, 1), { lower: param("a", normal(0, 1)) }),
    // The smaller and the larger of two normal numbers.
    { a: ({ a }) => a[0], b: ({ b }) => b[0], "a²": ({ a }) => a[0] ** 2 },
    [-1 / Math.sqrt(Math.PI), 1 / Math.sqrt(Math.PI), 1],
  ],
  [
    "bounds of each element, below and above",
    ({ param }) => {
      const a = param("a", exponential(1));
      param("x", exponential([1, 2]), { lower: 0, upper: a });
    },
    // P(x < a) is 1 − e^−a and 1 − e^−2a by element. With weight e^−a, the integral is 1 − ½ − ⅓ + ¼ = 5/12, and that
    // of a is 1 − ¼ − 1/9 + 1/16.
    { a: ({ a }) => a[0] },
    [(1 - 1 / 4 - 1 / 9 + 1 / 16) / (5 / 12)],
  ],
  [
    "a fixed bound on what another parameter moves",
    ({ param }) => void param("x", normal(param("a", normal(0, 1)), 1), { lower: 0 }),
    { a: ({ a }) => a[0], x: ({ x }) => x[0] },
    [HALF / 2, HALF],
  ],
  [
    "a word on what another parameter moves",
    ({ param }) => void param("x", normal(param("a", normal(0, 1)), 1), { constraint: "positive" }),
    { a: ({ a }) => a[0], x: ({ x }) => x[0] },
    [HALF / 2, HALF],
  ],
  [
    "ordered elements beside another parameter",
    ({ param }) => {
      const a = param("a", normal(0, 1));
      const identity = [
        [1, 0],
        [0, 1],
      ];
      // The means of x are a and 0. x₁ − x₀ + a is N(0, 2), and a is one of its three parts.
      param("x", multivariateNormalCholesky(mul(a, constantArray([1, 0])), identity), { constraint: "ordered" });
    },
    { a: ({ a }) => a[0] },
    [-Math.sqrt(2 / Math.PI) / Math.sqrt(3)],
  ],
  [
    "a whole number that says the bound",
    ({ param }) => {
      const k = param("k", bernoulli(0.5));
      param("x", normal(0, 1), { lower: where(k, 0, -9) });
    },
    { k: ({ k }) => k[0] },
    [1 / 3],
  ],
  [
    "many elements whose share is the same for every scale",
    ({ param }) => {
      const tau = param("tau", halfNormal(1));
      param("x", normal(0, tau), { shape: 50, lower: 0 });
    },
    { tau: ({ tau }) => tau[0], x: ({ tau, x }) => x.reduce((sum, v) => sum + v / 50, 0) / tau[0] },
    [Math.sqrt(2 / Math.PI), Math.sqrt(2 / Math.PI)],
  ],
  [
    "fixed bounds on what nothing moves",
    ({ param }) => {
      const tau = param("tau", normal(0, 1), { lower: 0, shape: 30 });
      param("x", normal(tau, 1));
    },
    { tau: ({ tau }) => tau.reduce((sum, v) => sum + v / 30, 0), x: ({ x, tau }) => x[7] - tau[7] },
    [Math.sqrt(2 / Math.PI), 0],
  ],
];

describe("draws from the prior have its exact moments", () => {
  it.each(cases)("the moments are exact for %s", async (_, body, moments, wanted) => {
    using posterior = await model(body).condition({}, { deterministic: true });
    const at = stream(5, "prior");
    const draws = Array.from({ length: COUNT }, (_, i) => posterior.constrain(posterior.drawPrior(at.at(i))));
    Object.entries(moments).forEach(([name, of], k) => {
      expect(Math.abs(score(draws.map(of), wanted[k])), name).toBeLessThan(4.9);
    });
  });

  it("sample() draws from the same prior, by prior() and by nuts()", async () => {
    const body = model(({ param }) => void param("b", normal(0, 1), { lower: param("a", normal(0, 1)) }));
    const made = await sample(body, {}, { algorithm: prior(), chains: 1, draws: COUNT, seed: 2 });
    expect(Math.abs(score([...made.draws("a")], -1 / Math.sqrt(Math.PI)))).toBeLessThan(4.9);
    // A density rescaled for truncation would have mean 0.
    const { a } = (await sample(body, {}, { warmup: 200, draws: 400, seed: 2 })).summary();
    expect(Math.abs(a.mean + 1 / Math.sqrt(Math.PI))).toBeLessThan(4.9 * a.mcseMean);
    expect(a.mcseMean).toBeLessThan(0.1);
  });
});

// In `npm test`, nuts() and prior() both have the exact moment of this prior above.
it.runIf(isSlow)("calibrate() draws from the prior with uniform ranks", async () => {
  const body = model(({ data, param, observe }) => {
    const { y } = data({ y: real() });
    const a = param("a", normal(0, 1));
    param("b", normal(0, 1), { lower: a });
    observe(y, normal(a, 2), "y");
  });
  const simulations = 200;
  const options = { simulations, draws: 49, bins: 10, warmup: 200, thin: 4, seed: 1 } as const;
  const { numbers } = await calibrate(body, { y: 0 }, options);
  for (const { ranks } of [numbers.a, numbers.b]) {
    const mean = ranks.reduce((sum, rank) => sum + rank / simulations, 0);
    // Ranks are uniform on 0 … 49. Priors rescaled for truncation would shift the mean by 7 deviations.
    expect(Math.abs(mean - 24.5) / Math.sqrt((50 ** 2 - 1) / 12 / simulations)).toBeLessThan(4.9);
  }
});

describe("a prior that rarely meets its constraints is refused", () => {
  it("constraints that depend on other parameters are named", async () => {
    using posterior = await model(({ param }) => {
      const a = param("a", normal(0, 1));
      param("far", normal(0, 0.1), { lower: add(a, 20) });
    }).condition({});
    expect(() => posterior.drawPrior(stream(1, "x").at(0))).toThrow(
      /none of 10000 draws of all parameters satisfied the constraints of "far".*MODEL_PRIOR/,
    );
  });

  it("fixed constraints are named", async () => {
    using posterior = await model(({ param }) => void param("x", normal(0, 1), { lower: 40 })).condition({});
    expect(() => posterior.drawPrior(stream(1, "x").at(0))).toThrow(/param "x": none of 10000 draws of normal.*MODEL_PRIOR/);
  });
});

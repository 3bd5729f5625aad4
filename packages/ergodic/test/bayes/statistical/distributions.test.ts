/**
 * Compares samplers of distributions with their distribution functions (Kolmogorov–Smirnov) or masses (chi-square).
 *
 * With correct code, one seed in 10,000 would fail this file. The level 1e-4 is split evenly over its CHECKS checks,
 * and more checks would fail the file. Each check has a mutant, the same sampler with a slightly wrong parameter, which
 * must be detected with a p-value below the same level. Mutants show that a check has enough draws. That depends on the
 * tests alone, so only `npm run test:slow` draws them. Seeds are fixed and were not selected.
 */
import { afterAll, describe, expect, it } from "vitest";
import { distributionExamples } from "../../../src/bayes/distributions/distribution.ts";
import * as d from "../../../src/bayes/distributions/index.ts";
import { constantArray, interpret } from "../../../src/engine/compiler/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { isSlow } from "../../power.ts";
import { chiSquare, kolmogorovSmirnov, zScore } from "./p-values.ts";

const CHECKS = 90;
const LEVEL = 1e-4 / CHECKS;
const COUNT = 20_000;
let checks = 0;
afterAll(() => expect(checks).toBeLessThanOrEqual(CHECKS));

function expectGood(pValue: number): void {
  checks++;
  expect(pValue).toBeGreaterThan(LEVEL);
}
/** Computes the p-value of a mutant only in `npm run test:slow`. */
function expectCaught(pValue: () => number): void {
  if (isSlow) expect(pValue()).toBeLessThan(LEVEL);
}

const draw = (of: d.Distribution, name: string): Float64Array => of.sample(stream(1, name).at(0), { batch: [COUNT] });
const made = new Map<d.Distribution, Float64Array>();
/** Draws of a distribution, which the test of means and variances uses again. */
function drawn(of: d.Distribution, name: string): Float64Array {
  const known = made.get(of) ?? draw(of, name);
  made.set(of, known);
  return known;
}

type Pair = readonly [name: string, right: d.Distribution, mutant: d.Distribution];

/** Pairs from the examples in definitions. */
const stated = (kind: "continuous" | "discrete"): Pair[] =>
  [...distributionExamples()]
    .map(
      ([name, { parameters, mutant }]): Pair => [
        name,
        d.distributionOf(name)!(...parameters),
        d.distributionOf(name)!(...mutant),
      ],
    )
    .filter(([, right]) => right.family.kind === kind);

const CONTINUOUS: readonly Pair[] = [
  ["normal", d.normal(1, 2), d.normal(1.3, 2)],
  ["halfNormal", d.halfNormal(2), d.halfNormal(2.4)],
  ["student", d.student(3, 1, 2), d.student(3, 1, 2.5)],
  ["student of few degrees", d.student(0.8, 0, 1), d.student(1.4, 0, 1)],
  ["halfStudent", d.halfStudent(3, 2), d.halfStudent(3, 2.4)],
  ["cauchy", d.cauchy(1, 2), d.cauchy(1.5, 2)],
  ["halfCauchy", d.halfCauchy(2), d.halfCauchy(2.5)],
  ["laplace", d.laplace(1, 2), d.laplace(1, 2.5)],
  ["logistic", d.logistic(1, 2), d.logistic(1, 2.5)],
  ["gamma", d.gamma(3.3, 2), d.gamma(3.7, 2)],
  ["gamma of shape 1", d.gamma(1, 2), d.gamma(1.15, 2)],
  ["gamma of small shape", d.gamma(0.2, 2), d.gamma(0.25, 2)],
  ["gamma of large shape", d.gamma(900, 1), d.gamma(905, 1)],
  ["inverseGamma", d.inverseGamma(2.5, 2), d.inverseGamma(2.8, 2)],
  ["beta", d.beta(2, 3.5), d.beta(2.3, 3.5)],
  ["beta of small shapes", d.beta(0.3, 0.2), d.beta(0.36, 0.2)],
  ["lognormal", d.lognormal(1, 0.5), d.lognormal(1.1, 0.5)],
  ["exponential", d.exponential(2), d.exponential(2.3)],
  ["weibull", d.weibull(1.7, 2), d.weibull(2.1, 2)],
  ["pareto", d.pareto(1.5, 3), d.pareto(1.5, 3.5)],
  ["uniform", d.uniform(-1, 3), d.uniform(-1.3, 3)],
  [
    "mixture",
    d.mixture([0.3, 0.7], [d.normal(-2, 1), d.normal(2, 0.5)]),
    d.mixture([0.38, 0.62], [d.normal(-2, 1), d.normal(2, 0.5)]),
  ],
  [
    "truncated, much left",
    d.truncated(d.normal(0, 1), { lower: -0.5, upper: 2 }),
    d.truncated(d.normal(0.3, 1), { lower: -0.5, upper: 2 }),
  ],
  ["truncated, upper tail", d.truncated(d.normal(0, 1), { lower: 9 }), d.truncated(d.normal(1.5, 1), { lower: 9 })],
  ["truncated, lower tail", d.truncated(d.normal(0, 1), { upper: -4 }), d.truncated(d.normal(0, 1.1), { upper: -4 })],
];

describe("continuous distributions", () => {
  it.each([...CONTINUOUS, ...stated("continuous")])("%s", (name, right, mutant) => {
    const cdf = (x: number) => right.cdf(x);
    expectGood(kolmogorovSmirnov(drawn(right, name), cdf));
    expectCaught(() => kolmogorovSmirnov(draw(mutant, name), cdf));
  });
});

describe("von Mises with a distribution function summed here", () => {
  const CELLS = 20_000;
  const width = (2 * Math.PI) / CELLS;
  /** Mass below the grid points by the trapezoidal rule, interpolated linearly. Accurate to 1e-7. */
  function cdfOf(of: d.Distribution): (x: number) => number {
    const grid = constantArray(Array.from({ length: CELLS + 1 }, (_, i) => -Math.PI + i * width));
    const density = interpret([of.logDensity(grid)], {})[0].map(Math.exp);
    const below = new Float64Array(CELLS + 1);
    for (let i = 1; i <= CELLS; i++) below[i] = below[i - 1] + 0.5 * width * (density[i - 1] + density[i]);
    expect(Math.abs(below[CELLS] - 1)).toBeLessThan(1e-10);
    return (x) => {
      const at = Math.min(CELLS - 1, Math.floor((x + Math.PI) / width));
      return below[at] + (below[at + 1] - below[at]) * ((x + Math.PI) / width - at);
    };
  }
  it.each([
    ["nearly uniform", 0.3, 0.45],
    ["across the ends", 2.3, 2.8],
    ["concentrated", 60, 75],
  ])("%s", (name, kappa, off) => {
    const cdf = cdfOf(d.vonMises(2.5, kappa));
    expectGood(kolmogorovSmirnov(drawn(d.vonMises(2.5, kappa), `vonMises ${name}`), cdf));
    expectCaught(() => kolmogorovSmirnov(draw(d.vonMises(2.5, off), `vonMises ${name}`), cdf));
  });
});

const DISCRETE: readonly Pair[] = [
  ["bernoulli", d.bernoulli(0.3), d.bernoulli(0.34)],
  ["bernoulliLogit", d.bernoulliLogit(-1), d.bernoulliLogit(-0.8)],
  ["binomial", d.binomial(7, 0.3), d.binomial(7, 0.33)],
  ["binomial of many trials", d.binomial(5000, 0.37), d.binomial(5000, 0.373)],
  ["binomial of rare successes", d.binomial(100_000, 3e-5), d.binomial(100_000, 3.4e-5)],
  ["binomialLogit", d.binomialLogit(40, 0.7), d.binomialLogit(40, 0.76)],
  ["betaBinomial", d.betaBinomial(20, 2, 0.7), d.betaBinomial(20, 2, 0.8)],
  ["poisson", d.poisson(3.3), d.poisson(3.5)],
  ["poisson of a large mean", d.poisson(480), d.poisson(484)],
  ["poissonLog", d.poissonLog(3.5), d.poissonLog(3.53)],
  ["negativeBinomial", d.negativeBinomial(2.5, 0.6), d.negativeBinomial(2.5, 0.68)],
  ["negativeBinomialMean", d.negativeBinomialMean(4, 0.5), d.negativeBinomialMean(4, 0.56)],
  ["geometric", d.geometric(0.2), d.geometric(0.22)],
  ["discreteUniform", d.discreteUniform(0, 6), d.discreteUniform(0, 7)],
  ["categorical", d.categorical([0.1, 0.4, 0, 0.5]), d.categorical([0.12, 0.4, 0, 0.48])],
  ["categoricalLogit", d.categoricalLogit([0.1, -1, 2]), d.categoricalLogit([0.1, -1, 2.2])],
  ["orderedLogistic", d.orderedLogistic(0.3, [-1, 0.2, 2]), d.orderedLogistic(0.45, [-1, 0.2, 2])],
  ["zeroInflated", d.zeroInflated(0.2, d.poisson(3)), d.zeroInflated(0.24, d.poisson(3))],
  ["truncated poisson", d.truncated(d.poisson(5), { lower: 2, upper: 7 }), d.truncated(d.poisson(5.6), { lower: 2, upper: 7 })],
  ["truncated poisson, tail", d.truncated(d.poisson(5), { lower: 15 }), d.truncated(d.poisson(6.5), { lower: 15 })],
];

const FEWEST = 25;

/** Masses of 0, 1, … from the log density, up to the end of the support. */
function masses(of: d.Distribution): Float64Array {
  const most = of.support.kind === "integers" && of.name !== "truncated" ? interpretedHigh(of) : 200;
  const range = constantArray(Array.from({ length: most + 1 }, (_, k) => k));
  return interpret([of.logDensity(range)], {})[0].map(Math.exp);
}

function interpretedHigh(of: d.Distribution): number {
  const { support } = of;
  const high = support.kind === "integers" && support.high ? interpret([support.high], {})[0][0] : 1200;
  return Math.min(high, 5000);
}

/** p-value of the counts, over cells of neighbouring values that each expect at least FEWEST draws. */
function pValueOfCounts(values: Float64Array, mass: Float64Array): number {
  const cell = new Int32Array(mass.length);
  const expected: number[] = [0];
  mass.forEach((m, k) => {
    if (expected[expected.length - 1] >= FEWEST) expected.push(0);
    expected[expected.length - 1] += COUNT * m;
    cell[k] = expected.length - 1;
  });
  // A last cell with too few draws joins its neighbour.
  if (expected.length > 2 && expected[expected.length - 1] < FEWEST) {
    const rest = expected.pop()!;
    expected[expected.length - 1] += rest;
  }
  const counts = new Float64Array(expected.length);
  expect(values.every((x) => Number.isInteger(x) && x >= 0)).toBe(true);
  for (const x of values) {
    counts[Math.min(cell[Math.min(x, mass.length - 1)], expected.length - 1)]++;
  }
  return chiSquare(counts, (i) => expected[i]);
}

describe("discrete distributions", () => {
  it.each([...DISCRETE, ...stated("discrete")])("%s", (name, right, mutant) => {
    const mass = masses(right);
    expect(Math.abs(mass.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-9);
    expectGood(pValueOfCounts(drawn(right, name), mass));
    expectCaught(() => pValueOfCounts(draw(mutant, name), mass));
  });
});

/** A number computed from each draw. */
const column = (values: Float64Array, size: number, of: (draw: Float64Array) => number): Float64Array =>
  Float64Array.from({ length: values.length / size }, (_, i) => of(values.subarray(i * size, (i + 1) * size)));

describe("distributions of vectors and matrices", () => {
  it("multinomial: each count and the sum of two are binomial", () => {
    const shares = [0.2, 0.5, 0.3];
    const test = (values: Float64Array, check: (p: number) => void) => {
      shares.forEach((p, k) => {
        check(
          pValueOfCounts(
            column(values, 3, (x) => x[k]),
            masses(d.binomial(60, p)),
          ),
        );
      });
      check(
        pValueOfCounts(
          column(values, 3, (x) => x[0] + x[1]),
          masses(d.binomial(60, 0.7)),
        ),
      );
      expect(column(values, 3, (x) => x[0] + x[1] + x[2]).every((n) => n === 60)).toBe(true);
    };
    test(drawn(d.multinomial(60, shares), "multinomial"), expectGood);
    if (isSlow) test(draw(d.multinomial(60, [0.22, 0.47, 0.31]), "multinomial"), (p) => expect(p).toBeLessThan(1e-2));
  });

  it("dirichlet: each share and the sum of two are beta", () => {
    const a = [0.4, 2, 1.3];
    const test = (values: Float64Array, check: (p: number) => void) => {
      a.forEach((own, k) => {
        const wanted = d.beta(own, 3.7 - own);
        check(
          kolmogorovSmirnov(
            column(values, 3, (x) => x[k]),
            (x) => wanted.cdf(x),
          ),
        );
      });
      const sum = d.beta(2.4, 1.3);
      check(
        kolmogorovSmirnov(
          column(values, 3, (x) => x[0] + x[1]),
          (x) => sum.cdf(x),
        ),
      );
    };
    test(drawn(d.dirichlet(a), "dirichlet"), expectGood);
    if (isSlow) test(draw(d.dirichlet([0.5, 1.6, 1.6]), "dirichlet"), (p) => expect(p).toBeLessThan(1e-3));
  });

  const covariance = [
    [2, 0.9, -0.4],
    [0.9, 1.5, 0.3],
    [-0.4, 0.3, 0.8],
  ];
  const factor = [
    [Math.SQRT2, 0, 0],
    [0.9 / Math.SQRT2, Math.sqrt(1.095), 0],
    [-0.4 / Math.SQRT2, 0.48 / Math.sqrt(1.095), Math.sqrt(0.72 - 0.48 ** 2 / 1.095)],
  ];
  /** Adjugate of the covariance divided by its determinant. */
  const precision = (() => {
    const [[a, b, c], [, e, f], [, , i]] = covariance;
    const det = a * (e * i - f * f) - b * (b * i - f * c) + c * (b * f - e * c);
    const rows = [
      [e * i - f * f, c * f - b * i, b * f - c * e],
      [c * f - b * i, a * i - c * c, b * c - a * f],
      [b * f - c * e, b * c - a * f, a * e - b * b],
    ];
    return rows.map((row) => row.map((x) => x / det));
  })();
  const mu = [1, -2, 0.5];
  const forms: [string, d.Distribution][] = [
    ["multivariateNormal", d.multivariateNormal(mu, covariance)],
    ["multivariateNormalCholesky", d.multivariateNormalCholesky(mu, factor)],
    ["multivariateNormalPrecision", d.multivariateNormalPrecision(mu, precision)],
  ];
  it.each(forms)("%s: combinations of the elements are normal", (name, right) => {
    const values = drawn(right, name);
    for (const c of [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [1, 1, 0],
      [1, 0, 1],
      [0, 1, 1],
    ]) {
      const mean = c.reduce((total, x, i) => total + x * mu[i], 0);
      const variance = c.reduce((total, x, i) => total + x * c.reduce((inner, y, j) => inner + y * covariance[i][j], 0), 0);
      const of = (offBy: number) => {
        const wanted = d.normal(mean + offBy, Math.sqrt(variance));
        const combined = column(values, 3, (x) => c.reduce((total, each, i) => total + each * x[i], 0));
        return kolmogorovSmirnov(combined, (x) => wanted.cdf(x));
      };
      expectGood(of(0));
      expectCaught(() => of(0.2));
    }
  });

  it("lkjCholesky: correlations are beta and the determinant has its mean", () => {
    const eta = 1.4;
    const values = drawn(d.lkjCholesky(3, eta), "lkj");
    const mutant = (): Float64Array => draw(d.lkjCholesky(3, 1.8), "lkj");
    const row = (l: Float64Array, i: number) => l.subarray(3 * i, 3 * i + 3);
    const correlation = (i: number, j: number) => (l: Float64Array) =>
      (1 + row(l, i).reduce((total, x, k) => total + x * row(l, j)[k], 0)) / 2;
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      const wanted = d.beta(eta + 0.5, eta + 0.5);
      const cdf = (x: number) => wanted.cdf(x);
      expectGood(kolmogorovSmirnov(column(values, 9, correlation(i, j)), cdf));
      expectCaught(() => kolmogorovSmirnov(column(mutant(), 9, correlation(i, j)), cdf));
    }
    // |R|^k has mean volume(η + k)/volume(η).
    const constant = (e: number) =>
      interpret([d.lkjCholesky(3, e).logDensity(constantArray([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3]))], {})[0][0];
    const moment = (k: number) => Math.exp(constant(eta) - constant(eta + k));
    const score = (draws: Float64Array) => {
      const determinants = column(draws, 9, (l) => (l[4] * l[8]) ** 2);
      const mean = determinants.reduce((a, b) => a + b, 0) / COUNT;
      return (mean - moment(1)) / Math.sqrt((moment(2) - moment(1) ** 2) / COUNT);
    };
    expectGood(zScore(score(values)));
    expectCaught(() => zScore(score(mutant())));
  });
});

it("means and variances match those of the draws", () => {
  const all = [...CONTINUOUS, ...DISCRETE].filter(([, right]) => right.family.mean && right.family.variance);
  let tested = 0;
  for (const [name, right] of all) {
    const [mean, variance] = [right.mean() as number, right.variance() as number];
    if (!Number.isFinite(variance) || /student|pareto|inverseGamma/i.test(name)) continue;
    const values = drawn(right, name);
    const drawnMean = values.reduce((a, b) => a + b, 0) / COUNT;
    const squares = values.map((x) => (x - mean) ** 2);
    const drawnVariance = squares.reduce((a, b) => a + b, 0) / COUNT;
    const spread = Math.sqrt(squares.reduce((total, x) => total + (x - variance) ** 2, 0) / COUNT);
    // Six standard errors have probability 2e-9 each, which is negligible compared with the level of this file.
    expect(Math.abs(drawnMean - mean), name).toBeLessThan(6 * Math.sqrt(variance / COUNT));
    expect(Math.abs(drawnVariance - variance), name).toBeLessThan(6 * Math.max(spread / Math.sqrt(COUNT), 1e-12));
    tested++;
  }
  expect(tested).toBeGreaterThan(25);
});

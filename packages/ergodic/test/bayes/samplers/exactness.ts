/**
 * Compares samplers with targets whose moments and quantiles are known. Every sampler's exactness test uses it.
 *
 *   const checks = await checkExactness(engine, slice(), { seed: 1 }); // DRAWS draws per target in each of 64 chains
 *   expectExact(checks, 1e-6); // false alarm rate of this call
 *
 * Each check is a Student-t test over independent chains, of a chain's average of a functional against its exact
 * expectation. The functionals are each coordinate, its squared deviation from the mean, products of neighbouring
 * deviations, and indicators of the lowest 5, 50 and 95 %. The start biases a chain's average, so warm-up must be long.
 * `biasFound` is the bias that a check would find with probability 0.9, in standard deviations of a functional under
 * the target. A test states it together with its seeds.
 */
import { expect } from "vitest";
import type { Sampler } from "../../../src/bayes/samplers/index.ts";
import type { Engine } from "../../../src/engine/memory/engine.ts";
import { betaLower } from "../../../src/engine/numbers/beta-tails.ts";
import { exp } from "../../../src/engine/numbers/exp.ts";
import { normalQuantile } from "../../../src/engine/numbers/normal-quantile.ts";
import { power } from "../../power.ts";
import { gaussian, logGamma, type TestDensity } from "./densities.ts";

const FULL_DRAWS = 15_625;
/** Draws per chain: 10⁶ per target over 64 chains in `npm run test:slow`, and 38,400 in `npm test`. */
export const DRAWS = power(600, FULL_DRAWS);
/** Transitions of warm-up per chain. A shorter warm-up suffices for fewer draws, whose averages are less exact. */
export const WARMUP = power(300, 1000);
/**
 * Bias that a check should find with this many draws per chain, if it should find `full` with 10⁶ draws in total.
 * Standard errors shrink with the square root of the number of draws.
 */
export const biasAt = (full: number, draws = DRAWS): number => full * Math.sqrt(FULL_DRAWS / draws);

export interface Functional {
  name: string;
  of(x: Float64Array): number;
  expectation: number;
  variance: number;
}

export interface Target {
  name: string;
  density: TestDensity;
  mean: readonly number[];
  covariance: readonly (readonly number[])[];
  functionals: readonly Functional[];
}

/** Draws of several chains, [chain, draw, dimension]. */
export interface ManyChains {
  chains: number;
  count: number;
  values: Float64Array;
}

export interface ExactnessCheck {
  target: string;
  functional: string;
  /** p-value of the two-sided t-test. */
  p: number;
  /** Mean over all chains minus the expectation, in standard deviations of the functional. */
  bias: number;
  /** Monte Carlo standard error of `bias`. */
  standardError: number;
}

export interface ExactnessOptions {
  seed: number;
  /** Default 64. */
  chains?: number;
  /** Draws per chain. Default DRAWS. */
  draws?: number;
  /** Default WARMUP. */
  warmup?: number;
  /** Starting points of the chains. By default the sampler's own. */
  start?: (target: Target) => Float64Array;
  /** Default `standardTargets`. */
  targets?: readonly Target[];
}

/**
 * A target with the fourth central moments of its coordinates and points [x, P(X <= x)] of its marginal distributions.
 */
function target(
  name: string,
  density: TestDensity,
  mean: number[],
  covariance: number[][],
  fourth: (i: number) => number,
  points: (i: number) => [number, number][],
): Target {
  const functionals = mean.flatMap((mu, i): Functional[] => [
    { name: `x${i}`, of: (x) => x[i], expectation: mu, variance: covariance[i][i] },
    {
      name: `square of x${i}`,
      of: (x) => (x[i] - mu) ** 2,
      expectation: covariance[i][i],
      variance: fourth(i) - covariance[i][i] ** 2,
    },
    ...points(i).map(([at, p]) => ({
      name: `x${i} <= ${at.toFixed(3)}`,
      of: (x: Float64Array) => (x[i] <= at ? 1 : 0),
      expectation: p,
      variance: p * (1 - p),
    })),
  ]);
  for (let i = 1; i < mean.length; i++) {
    const [a, b, c] = [covariance[i - 1][i - 1], covariance[i][i], covariance[i - 1][i]];
    functionals.push({
      name: `x${i - 1} x${i}`,
      of: (x) => (x[i - 1] - mean[i - 1]) * (x[i] - mean[i]),
      expectation: c,
      // Holds for a Gaussian and for independent coordinates.
      variance: a * b + c * c,
    });
  }
  return { name, density, mean, covariance, functionals };
}

export async function gaussianTarget(
  engine: Engine,
  name: string,
  mean: number[],
  covariance: number[][],
  precision: number[][],
): Promise<Target> {
  const quantiles = (i: number) =>
    [0.05, 0.5, 0.95].map((p): [number, number] => [mean[i] + Math.sqrt(covariance[i][i]) * normalQuantile(p), p]);
  return target(name, await gaussian(engine, mean, precision), mean, covariance, (i) => 3 * covariance[i][i] ** 2, quantiles);
}

const EULER = 0.5772156649015329;

/** Logs of gamma variables with whole shapes: mean ψ(a), variance ψ′(a), fourth central moment ψ‴(a) + 3 ψ′(a)². */
export async function logGammaTarget(engine: Engine, shapes: number[]): Promise<Target> {
  const sum = (a: number, term: (k: number) => number) =>
    Array.from({ length: a - 1 }, (_, k) => term(k + 1)).reduce((s, x) => s + x, 0);
  const mean = shapes.map((a) => sum(a, (k) => 1 / k) - EULER);
  const variances = shapes.map((a) => Math.PI ** 2 / 6 - sum(a, (k) => k ** -2));
  const covariance = variances.map((v, i) => variances.map((_, j) => (i === j ? v : 0)));
  const fourth = (i: number) => Math.PI ** 4 / 15 - 6 * sum(shapes[i], (k) => k ** -4) + 3 * variances[i] ** 2;
  const below = (a: number, x: number) => {
    const y = exp(x);
    let term = exp(-y);
    let above = term;
    for (let k = 1; k < a; k++) above += term *= y / k;
    return 1 - above;
  };
  const points = (i: number) =>
    [-2, 0, 1.5].map((z): [number, number] => {
      const at = mean[i] + z * Math.sqrt(variances[i]);
      return [at, below(shapes[i], at)];
    });
  return target("logs of gamma variables", await logGamma(engine, shapes), mean, covariance, fourth, points);
}

/**
 * Four targets: N(2, 9), two coordinates with correlation 0.9, scales from 0.1 to 10, and left-skewed logs of gamma
 * variables with shapes 1 and 3.
 */
export async function standardTargets(engine: Engine): Promise<Target[]> {
  const scales = [0.1, 0.5, 2, 10];
  const diagonal = (values: number[]) => values.map((v, i) => values.map((_, j) => (i === j ? v : 0)));
  const correlated = [
    [4, 1.8],
    [1.8, 1],
  ];
  const inverse = [
    [1 / 0.76, -1.8 / 0.76],
    [-1.8 / 0.76, 4 / 0.76],
  ];
  return [
    await gaussianTarget(engine, "a Gaussian", [2], [[9]], [[1 / 9]]),
    await gaussianTarget(engine, "a correlated Gaussian", [3, -1], correlated, inverse),
    await gaussianTarget(
      engine,
      "a Gaussian of many scales",
      [0, 1, -1, 2],
      diagonal(scales.map((s) => s * s)),
      diagonal(scales.map((s) => s ** -2)),
    ),
    await logGammaTarget(engine, [1, 3]),
  ];
}

export function checkChains({ name, functionals, density }: Target, { chains, count, values }: ManyChains): ExactnessCheck[] {
  const d = density.dimension;
  const biases = functionals.map(() => new Array<number>(chains));
  for (let c = 0; c < chains; c++) {
    const sums = new Float64Array(functionals.length);
    for (let k = 0; k < count; k++) {
      const draw = values.subarray((c * count + k) * d, (c * count + k + 1) * d);
      for (let f = 0; f < sums.length; f++) sums[f] += functionals[f].of(draw);
    }
    functionals.forEach(({ expectation, variance }, f) => {
      biases[f][c] = (sums[f] / count - expectation) / Math.sqrt(variance);
    });
  }
  return functionals.map(({ name: functional }, f) => ({ target: name, functional, ...studentTest(biases[f]) }));
}

/** Student's t test of numbers whose expectation should be 0. */
function studentTest(numbers: number[]): { p: number; bias: number; standardError: number } {
  const n = numbers.length;
  const bias = numbers.reduce((sum, x) => sum + x, 0) / n;
  const squares = numbers.reduce((sum, x) => sum + (x - bias) ** 2, 0);
  const standardError = Math.sqrt(squares / (n - 1) / n);
  const t2 = (bias / standardError) ** 2;
  // Identical chains are no evidence, whatever their value.
  const p = squares > 0 ? betaLower((n - 1) / 2, 0.5, (n - 1) / (n - 1 + t2)) : 0;
  return { p, bias, standardError };
}

export async function checkExactness(
  engine: Engine,
  sampler: Sampler,
  { seed, chains = 64, draws = DRAWS, warmup = WARMUP, start, targets }: ExactnessOptions,
): Promise<ExactnessCheck[]> {
  const checks: ExactnessCheck[] = [];
  for (const each of targets ?? (await standardTargets(engine))) {
    const placed = start ? { start: start(each) } : {};
    const plan = { chains, warmup, draws, seed, workers: 1, deterministic: true, ...placed };
    const run = sampler.start(each.density, plan, engine);
    try {
      while (run.converged === false) await run.advance(1 << 20);
      const made = run.draws();
      expect(made.count, `draws of ${each.name}`).toBe(draws);
      checks.push(...checkChains(each, made));
    } finally {
      run.dispose();
    }
  }
  return checks;
}

/** Smallest p-value, multiplied by the number of checks. */
export function leastP(checks: readonly ExactnessCheck[]): number {
  return checks.length * Math.min(...checks.map(({ p }) => p));
}

/** Fails with probability `falseAlarm` for an exact sampler. */
export function expectExact(checks: readonly ExactnessCheck[], falseAlarm: number): void {
  expect(checks.length).toBeGreaterThan(0);
  const refused = checks.filter(({ p }) => !(p > falseAlarm / checks.length));
  expect(refused, `${checks.length} checks, of which these are refused`).toEqual([]);
}

/**
 * Largest bias, in standard deviations of a functional, that a check finds with probability 0.9 at this false alarm
 * rate.
 */
export function biasFound(checks: readonly ExactnessCheck[], falseAlarm: number): number {
  const z = normalQuantile(1 - falseAlarm / checks.length / 2) + normalQuantile(0.9);
  return z * Math.max(...checks.map(({ standardError }) => standardError));
}

/**
 * Posteriors of the example models in plain numbers: closed forms, finite sums, and grids that are accurate to four
 * digits.
 */
import { lgamma } from "../../packages/ergodic/src/engine/numbers/gamma.ts";

/** log Γ of a whole number. */
const logFactorialBelow = (n: number): number =>
  Array.from({ length: n - 1 }, (_, i) => Math.log(i + 1)).reduce((a, b) => a + b, 0);

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Means of functions under weights e^w. */
function averages(logWeights: readonly number[], columns: readonly (readonly number[])[]): number[] {
  const top = Math.max(...logWeights);
  const weights = logWeights.map((w) => Math.exp(w - top));
  return columns.map((column) => sum(column.map((v, i) => v * weights[i])) / sum(weights));
}

/** Beta(a, b) with whole numbers: P(p > 1/2) equals the probability of fewer than a heads in a + b − 1 fair flips. */
export function betaMoments(a: number, b: number): { mean: number; sd: number; aboveHalf: number } {
  const n = a + b - 1;
  const choose = (k: number): number =>
    Math.exp(logFactorialBelow(n + 1) - logFactorialBelow(k + 1) - logFactorialBelow(n - k + 1) - n * Math.LN2);
  return {
    mean: a / (a + b),
    sd: Math.sqrt((a * b) / (a + b + 1)) / (a + b),
    aboveHalf: sum(Array.from({ length: a }, (_, k) => choose(k))),
  };
}

/**
 * P(p_B > p_A) of Beta(1 + bought, 1 + not bought), as Σ_{i < α_B} B(α_A + i, β_A + β_B) / ((β_B + i) B(1 + i, β_B)
 * B(α_A, β_A)).
 */
export function bBeatsA({ visitors, bought }: { visitors: number[]; bought: number[] }): number {
  const [alphaA, alphaB] = bought.map((n) => 1 + n);
  const [betaA, betaB] = visitors.map((n, k) => 1 + n - bought[k]);
  const logBeta = (a: number, b: number): number => logFactorialBelow(a) + logFactorialBelow(b) - logFactorialBelow(a + b);
  return sum(
    Array.from({ length: alphaB }, (_, i) =>
      Math.exp(logBeta(alphaA + i, betaA + betaB) - Math.log(betaB + i) - logBeta(1 + i, betaB) - logBeta(alphaA, betaA)),
    ),
  );
}

/** Rates on either side of a given year are Gamma(1 + Σ y, 1 + n): p(y | s) ∝ Π Γ(1 + Σ y) / (1 + n)^(1 + Σ y). */
export function changePointPosterior(y: readonly number[]): { early: number; late: number; change: number[] } {
  const years = y.map((_, s) => {
    const [before, after] = [y.slice(0, s), y.slice(s)].map((part) => ({ n: 1 + part.length, total: 1 + sum(part) }));
    const log = sum([before, after].map(({ n, total }) => logFactorialBelow(total) - total * Math.log(n)));
    return { log, early: before.total / before.n, late: after.total / after.n };
  });
  const logs = years.map(({ log }) => log);
  const indicator = (s: number): number[] => years.map((_, k) => Number(k === s));
  const [early, late] = averages(logs, [years.map((year) => year.early), years.map((year) => year.late)]);
  return {
    early,
    late,
    change: averages(
      logs,
      years.map((_, s) => indicator(s)),
    ),
  };
}

/**
 * Given τ, everything is normal. τ = 5 tan(πu/2) with uniform u is half-Cauchy(5). E[τ] exists, because the likelihood
 * falls.
 */
export function schoolsPosterior({ y, sigma }: { y: number[]; sigma: number[] }): { mu: number; tau: number } {
  const taus = Array.from({ length: 20000 }, (_, i) => 5 * Math.tan((Math.PI / 2) * ((i + 0.5) / 20000)));
  const rows = taus.map((tau) => {
    const variances = sigma.map((s) => s * s + tau * tau);
    const precision = 1 / 25 + sum(variances.map((v) => 1 / v));
    const mu = sum(y.map((value, j) => value / variances[j])) / precision;
    const square = sum(y.map((value, j) => (value * value) / variances[j])) - precision * mu * mu;
    return { mu, log: -0.5 * (sum(variances.map(Math.log)) + Math.log(precision) + square) };
  });
  const [mu, tau] = averages(
    rows.map(({ log }) => log),
    [rows.map((row) => row.mu), taus],
  );
  return { mu, tau };
}

/** log p(y | σ, τ) of the local level by the Kalman filter, whose initial level is N(10, 5² + τ²). */
function levelLikelihood(y: readonly number[], sigma: number, tau: number): number {
  let [mean, variance, log] = [10, 25 + tau * tau, 0];
  for (const value of y) {
    const spread = variance + sigma * sigma;
    const ahead = value - mean;
    log -= 0.5 * (Math.log(spread) + (ahead * ahead) / spread);
    mean += (variance / spread) * ahead;
    variance += tau * tau - (variance * variance) / spread;
  }
  return log;
}

export function levelPosterior(y: readonly number[]): { sigma: number; tau: number } {
  const grid = (high: number): number[] => Array.from({ length: 150 }, (_, i) => (high * (i + 0.5)) / 150);
  const points = grid(2.5).flatMap((sigma) => grid(2).map((tau) => ({ sigma, tau })));
  const logs = points.map(({ sigma, tau }) => levelLikelihood(y, sigma, tau) - 0.5 * ((sigma / 2) ** 2 + tau ** 2));
  const [sigma, tau] = averages(logs, [points.map((point) => point.sigma), points.map((point) => point.tau)]);
  return { sigma, tau };
}

/**
 * Number of ill boys at the end of each day, by the midpoint method with 100 steps per day. The method differs from the
 * model's, and its relative error is below 1e-4.
 */
function illOf(days: number, boys: number, beta: number, gamma: number): number[] {
  let [s, i] = [boys - 1, 1];
  return Array.from({ length: days }, () => {
    for (let step = 0; step < 100; step++) {
      const infected = (beta * s * i) / boys;
      const [sHalf, iHalf] = [s - infected / 200, i + (infected - gamma * i) / 200];
      const later = (beta * sHalf * iHalf) / boys;
      s -= later / 100;
      i += (later - gamma * iHalf) / 100;
    }
    return i;
  });
}

export function epidemicPosterior({ inBed, boys }: { inBed: number[]; boys: number }): Record<"beta" | "gamma" | "phi", number> {
  const grid = (low: number, high: number, count: number): number[] =>
    Array.from({ length: count }, (_, k) => low + ((high - low) * (k + 0.5)) / count);
  const points = grid(1.3, 2.3, 40).flatMap((beta) =>
    grid(0.2, 1, 40).flatMap((gamma) => {
      const ill = illOf(inBed.length, boys, beta, gamma);
      return grid(0, 1.2, 60).map((phi) => {
        const size = 1 / phi;
        const terms = inBed.map(
          (y, t) =>
            lgamma(y + size) - lgamma(size) + size * Math.log(size / (size + ill[t])) + y * Math.log(ill[t] / (size + ill[t])),
        );
        return { beta, gamma, phi, log: sum(terms) - 0.5 * ((beta - 2) ** 2 + ((gamma - 0.4) / 0.5) ** 2) - 5 * phi };
      });
    }),
  );
  const of = (pick: (point: (typeof points)[number]) => number): number[] => points.map(pick);
  const [beta, gamma, phi] = averages(
    of(({ log }) => log),
    [of((point) => point.beta), of((point) => point.gamma), of((point) => point.phi)],
  );
  return { beta, gamma, phi };
}

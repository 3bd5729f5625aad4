import { exp } from "../../../engine/numbers/exp.ts";
import { log } from "../../../engine/numbers/log.ts";
import { drawLogGamma } from "../../../engine/random/draw-gamma.ts";
import type { Draws } from "../../../engine/random/stream.ts";

export interface ConjugateFamily {
  readonly name: string;
  /** Evaluates f and g at distance d from base. */
  features(base: number, d: number): [f: number, g: number];
  /** Whether p and q define a proper distribution. */
  holds(p: number, q: number): boolean;
  /** Mode of the density of u, and the standard deviation of a normal with the same curvature at the mode. */
  shape(base: number, p: number, q: number): { mode: number; spread: number };
  draw(base: number, p: number, q: number, draws: Draws): number;
}

/** Computes log(1 + x), x > −1. */
function log1p(x: number): number {
  const y = 1 + x;
  return y === 1 ? x : (log(y) * x) / (y - 1);
}

const logSigmoid = (u: number): number => (u < 0 ? u - log1p(exp(u)) : 0 - log1p(exp(-u)));

const normal: ConjugateFamily = {
  name: "normal",
  features: (_, d) => [d, d * d],
  holds: (_, q) => q < 0,
  shape: (base, p, q) => ({ mode: base - p / (2 * q), spread: 1 / Math.sqrt(-2 * q) }),
  draw: (base, p, q, draws) => base - p / (2 * q) + draws.normal() / Math.sqrt(-2 * q),
};

const gamma: ConjugateFamily = {
  name: "gamma",
  features: (_, d) => [d, exp(d) - 1],
  holds: (p, q) => p > 0 && q < 0,
  shape: (base, p, q) => ({ mode: base + log(p / -q), spread: 1 / Math.sqrt(p) }),
  draw: (base, p, q, draws) => base + drawLogGamma(draws, p) - log(-q),
};

const inverseGamma: ConjugateFamily = {
  name: "inverse gamma",
  features: (_, d) => [d, exp(-d) - 1],
  holds: (p, q) => p < 0 && q < 0,
  shape: (base, p, q) => ({ mode: base - log(p / q), spread: 1 / Math.sqrt(-p) }),
  draw: (base, p, q, draws) => base - drawLogGamma(draws, -p) + log(-q),
};

const beta: ConjugateFamily = {
  name: "beta",
  features: (base, d) => [logSigmoid(base + d) - logSigmoid(base), logSigmoid(-base - d) - logSigmoid(-base)],
  holds: (p, q) => p > 0 && q > 0,
  shape: (_, p, q) => ({ mode: log(p / q), spread: Math.sqrt(1 / p + 1 / q) }),
  draw: (_, p, q, draws) => {
    const first = drawLogGamma(draws, p);
    return first - drawLogGamma(draws, q);
  },
};

/**
 * Families of conditionals of one unconstrained number u that can be drawn exactly: ℓ(b + d) − ℓ(b) = p f(d) + q g(d),
 * with features f, g that vanish at d = 0.
 *
 * - normal: f = d, g = d², so that u ~ N(b − p/(2q), −1/(2q)); q < 0.
 *
 * - gamma: f = d, g = eᵈ − 1, so that eᵘ ~ gamma with shape p and rate −q e^−b; p > 0 > q. (For a positive parameter x
 *   = eᵘ, including its log |J|.)
 *
 * - inverse gamma: f = d, g = e^−d − 1, so that e^−u ~ gamma with shape −p and rate −q eᵇ; p, q < 0.
 *
 * - beta: f and g are the changes in log σ(u) and log(1 − σ(u)), so that σ(u) ~ beta(p, q); p, q > 0.
 *
 * If the constrained number is shifted or scaled (because its bounds are not 0 and 1), only b changes.
 */
export const conjugateFamilies: readonly ConjugateFamily[] = [normal, gamma, inverseGamma, beta];

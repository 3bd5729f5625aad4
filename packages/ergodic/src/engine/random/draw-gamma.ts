import { exp } from "../numbers/exp.ts";
import { log } from "../numbers/log.ts";
import type { Draws } from "./stream.ts";

/**
 * Draws exact gamma variates with scale 1. Mean and variance are both `shape` > 0. drawLogGamma and drawBeta build on
 * it.
 *
 * Shape ≥ 1: squeeze-free rejection from a cubed normal. For a shape < 1, a draw for shape + 1 is multiplied by
 * U^(1/shape). The product is computed in logarithms, because draws with small shapes often underflow to 0 in float64.
 * Source: Marsaglia, Tsang 2000.
 */
export function drawGamma(draws: Draws, shape: number): number {
  if (shape < 1) return exp(drawLogGamma(draws, shape));
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = draws.normal();
    const root = 1 + c * z;
    if (root <= 0) continue;
    const v = root * root * root;
    if (log(draws.uniform()) < 0.5 * z * z + d - d * v + d * log(v)) return d * v;
  }
}

/** Draws the logarithm of a gamma variate, which is finite for every shape > 0. */
export function drawLogGamma(draws: Draws, shape: number): number {
  if (shape >= 1) return log(drawGamma(draws, shape));
  return log(drawGamma(draws, shape + 1)) - draws.exponential() / shape;
}

/** Draws a beta variate in [0, 1] as G_a/(G_a + G_b). */
export function drawBeta(draws: Draws, a: number, b: number): number {
  const difference = drawLogGamma(draws, b) - drawLogGamma(draws, a);
  return 1 / (1 + exp(difference));
}

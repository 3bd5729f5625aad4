import { exp } from "../numbers/exp.ts";
import { log } from "../numbers/log.ts";
import type { Draws } from "./stream.ts";

/**
 * Exact draws of gamma variates with scale 1, and what is made of them.
 *
 * Shape ≥ 1: squeeze-free rejection from a cubed normal; below 1 the draw of shape + 1 times U^(1/shape), in logarithms, since for small shapes
 * the draw itself is often 0 in float64. Source: Marsaglia, Tsang 2000.
 *
 * Mean and variance `shape` > 0.
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

/** The logarithm of a gamma variate, finite for every shape > 0. */
export function drawLogGamma(draws: Draws, shape: number): number {
  if (shape >= 1) return log(drawGamma(draws, shape));
  return log(drawGamma(draws, shape + 1)) - draws.exponential() / shape;
}

/** In [0, 1]: G_a/(G_a + G_b). */
export function drawBeta(draws: Draws, a: number, b: number): number {
  const difference = drawLogGamma(draws, b) - drawLogGamma(draws, a);
  return 1 / (1 + exp(difference));
}

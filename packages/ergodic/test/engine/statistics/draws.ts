/** Draws that the tests of this folder share. */
import { stream } from "../../../src/engine/random/stream.ts";

/**
 * Returns chains × draws of x_t = φ·x_{t−1} + √(1 − φ²)·ξ_t from its stationary distribution, whose variance is 1 and
 * whose τ is (1 + φ)/(1 − φ).
 */
export function autoregressive(chainCount: number, drawCount: number, phi: number, seed: number): Float64Array {
  const draws = new Float64Array(chainCount * drawCount);
  for (let chain = 0; chain < chainCount; chain++) {
    const noise = stream(seed, "autoregressive", chain).at(0);
    for (let t = 0; t < drawCount; t++) {
      const at = chain * drawCount + t;
      draws[at] = t === 0 ? noise.normal() : phi * draws[at - 1] + Math.sqrt(1 - phi * phi) * noise.normal();
    }
  }
  return draws;
}

/** The chains as plain arrays, for the reference twins. */
export function chainsOf(draws: Float64Array, chainCount: number): number[][] {
  const length = draws.length / chainCount;
  return Array.from({ length: chainCount }, (_, chain) => [...draws.subarray(chain * length, (chain + 1) * length)]);
}

import { type CentredChains, centredChains } from "./centred.ts";
import { transformBack, transformThere } from "./fourier.ts";

export function autocovariance(x: Float64Array): Float64Array {
  return meanAutocovariance(centredChains(x, 1));
}

/** What transforms of one length write to: one length follows itself thousands of times. */
let room = { real: new Float64Array(0), imaginary: new Float64Array(0), power: new Float64Array(0) };

/**
 * The chains' mean γ_t.
 *
 * Two chains share a transform as z = x + iy, since Σ z̄_i·z_{i+t} has the real part γ_x + γ_y; and all share the one back, since it is
 * linear.
 */
export function meanAutocovariance({ draws, chainCount, means, squares }: CentredChains): Float64Array {
  const n = draws.length / chainCount;
  let size = 1;
  while (size < 2 * n) size *= 2;
  if (room.power.length !== size)
    room = { real: new Float64Array(size), imaginary: new Float64Array(size), power: new Float64Array(size) };
  const { real, imaginary, power } = room;
  power.fill(0);
  for (let chain = 0; chain < chainCount; chain += 2) {
    centre(draws, chain * n, n, means[chain], real);
    // An odd number of chains leaves the last alone.
    centre(draws, (chain + 1) * n, chain + 1 < chainCount ? n : 0, means[chain + 1], imaginary);
    transformThere(real, imaginary);
    for (let k = 0; k < size; k++) power[k] += real[k] * real[k] + imaginary[k] * imaginary[k];
  }
  transformBack(power, imaginary.fill(0));
  const gamma = power.slice(0, n);
  for (let t = 0; t < n; t++) gamma[t] /= size * draws.length;
  // Lag 0 is known without the transform's rounding.
  if (n > 0) gamma[0] = squares.reduce((sum, own) => sum + own, 0) / draws.length;
  return gamma;
}

/** Writes x − x̄ of the draws from `start` on to the front of `out`, and 0 behind it. */
function centre(draws: Float64Array, start: number, length: number, middle: number, out: Float64Array): void {
  for (let i = 0; i < length; i++) out[i] = draws[start + i] - middle;
  out.fill(0, length);
}

/**
 * Autocovariance γ_t = Σ_i (x_i − x̄)(x_{i+t} − x̄)/n for t = 0 … n − 1, and autocorrelation ρ_t = γ_t/γ₀, of one chain.
 *
 * The divisor is n at every lag: biased towards 0, but positive semi-definite and of small variance far out. By Fourier transforms of at
 * least 2n values, in O(n log n). A chain that does not move has γ = 0, and ρ = NaN.
 * Source: Wiener 1930, Khinchin 1934; Geyer 1992 on the divisor.
 */
export function autocorrelation(x: Float64Array): Float64Array {
  const gamma = autocovariance(x);
  const first = gamma[0];
  return gamma.map((value) => value / first);
}

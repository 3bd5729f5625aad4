import { fourierTransform } from "./fourier.ts";
import { mean } from "./moments.ts";

export function autocovariance(x: Float64Array): Float64Array {
  return meanAutocovariance(x, 1);
}

/**
 * The chains' mean γ_t. draws: float64[chains × draws], chain after chain.
 *
 * Two chains share a transform as z = x + iy, since Σ z̄_i·z_{i+t} has the real part γ_x + γ_y; and all share the one back, since it is
 * linear.
 */
export function meanAutocovariance(draws: Float64Array, chainCount: number): Float64Array {
  const n = draws.length / chainCount;
  let size = 1;
  while (size < 2 * n) size *= 2;
  const power = new Float64Array(size);
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  let squares = 0;
  for (let chain = 0; chain < chainCount; chain += 2) {
    squares += centre(draws.subarray(chain * n, (chain + 1) * n), real);
    squares += centre(draws.subarray((chain + 1) * n, Math.min(chain + 2, chainCount) * n), imaginary);
    fourierTransform(real, imaginary);
    for (let k = 0; k < size; k++) power[k] += real[k] * real[k] + imaginary[k] * imaginary[k];
  }
  fourierTransform(power, imaginary.fill(0));
  const gamma = power.slice(0, n);
  for (let t = 0; t < n; t++) gamma[t] /= size * draws.length;
  // Lag 0 is known without the transform's rounding.
  if (n > 0) gamma[0] = squares / draws.length;
  return gamma;
}

/** Writes x − x̄ to the front of `out` and 0 behind it; returns the sum of its squares. */
function centre(x: Float64Array, out: Float64Array): number {
  const middle = mean(x);
  let squares = 0;
  out.fill(0, x.length);
  for (let i = 0; i < x.length; i++) {
    out[i] = x[i] - middle;
    squares += out[i] * out[i];
  }
  return squares;
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

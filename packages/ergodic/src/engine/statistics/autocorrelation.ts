import { type CentredChains, centredChains } from "./centred.ts";
import { transformBack, transformThere } from "./fourier.ts";

export function autocovariance(x: Float64Array): Float64Array {
  return meanAutocovariance(centredChains(x, 1));
}

/**
 * Work arrays of the transforms. The arrays are reused, because the same length usually occurs thousands of times in a
 * row.
 */
let room = { real: new Float64Array(0), imaginary: new Float64Array(0), power: new Float64Array(0) };

/**
 * Returns γ_t averaged over chains.
 *
 * Two chains x and y share one transform of z = x + iy, because the real part of Σ z̄_i·z_{i+t} is γ_x + γ_y. All
 * chains share the inverse transform, because it is linear.
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
    // If the number of chains is odd, the last chain is transformed alone.
    centre(draws, (chain + 1) * n, chain + 1 < chainCount ? n : 0, means[chain + 1], imaginary);
    transformThere(real, imaginary);
    for (let k = 0; k < size; k++) power[k] += real[k] * real[k] + imaginary[k] * imaginary[k];
  }
  transformBack(power, imaginary.fill(0));
  const gamma = power.slice(0, n);
  for (let t = 0; t < n; t++) gamma[t] /= size * draws.length;
  // Lag 0 is computed directly, without the transform's rounding error.
  if (n > 0) gamma[0] = squares.reduce((sum, own) => sum + own, 0) / draws.length;
  return gamma;
}

/**
 * Lags below this are summed directly. Chains that mix well need no larger lags, and a transform would take longer than
 * these sums.
 */
const NEAR_LAGS = 16;
/** Number of draws per chain up to which a transform is at least as fast as direct sums. */
const SHORT = 64;

/**
 * Returns a function that computes γ_t on demand, averaged over chains. Small lags are computed by direct sums, two
 * lags at a time. Larger lags use `meanAutocovariance`.
 */
export function autocovarianceAt(chains: CentredChains): (lag: number) => number {
  const { draws, chainCount, means } = chains;
  const n = draws.length / chainCount;
  let all: Float64Array | undefined = n <= SHORT ? meanAutocovariance(chains) : undefined;
  if (all) return (lag) => all![lag];
  const centred = new Float64Array(draws.length);
  for (let chain = 0; chain < chainCount; chain++)
    for (let i = chain * n; i < (chain + 1) * n; i++) centred[i] = draws[i] - means[chain];
  const near = new Float64Array(NEAR_LAGS);
  near[0] = chains.squares.reduce((sum, own) => sum + own, 0) / draws.length;
  let known = 0;
  return (lag) => {
    if (lag >= NEAR_LAGS) return (all ??= meanAutocovariance(chains))[lag];
    for (; known < lag; known += 2) pairOfLags(centred, n, known + 1, near);
    return near[lag];
  };
}

/** Computes γ at `lag` and at `lag` + 1. */
function pairOfLags(centred: Float64Array, n: number, lag: number, into: Float64Array): void {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let start = 0; start < centred.length; start += n) {
    const end = start + n - lag - 1;
    let i = start;
    for (; i + 1 < end; i += 2) {
      const x = centred[i];
      const y = centred[i + 1];
      const middle = centred[i + lag + 1];
      a += x * centred[i + lag];
      b += x * middle;
      c += y * middle;
      d += y * centred[i + lag + 2];
    }
    for (; i < end; i++) {
      a += centred[i] * centred[i + lag];
      b += centred[i] * centred[i + lag + 1];
    }
    // The sum for lag `lag` has one more product than the sum for the next lag.
    a += centred[end] * centred[end + lag];
  }
  into[lag] = (a + c) / centred.length;
  if (lag + 1 < into.length) into[lag + 1] = (b + d) / centred.length;
}

/**
 * Writes x − x̄ for `length` draws, from index `start` onwards, to the beginning of `out`. Fills the rest of `out` with
 * 0.
 */
function centre(draws: Float64Array, start: number, length: number, middle: number, out: Float64Array): void {
  for (let i = 0; i < length; i++) out[i] = draws[start + i] - middle;
  out.fill(0, length);
}

/**
 * Autocovariance γ_t = Σ_i (x_i − x̄)(x_{i+t} − x̄)/n for t = 0 … n − 1, and autocorrelation ρ_t = γ_t/γ₀, of one
 * chain.
 *
 * The divisor is n at every lag. The estimate is therefore biased towards 0, but it is positive semi-definite and has a
 * small variance at large lags. The computation uses Fourier transforms of at least 2n values, in O(n log n). A chain
 * that does not move has γ = 0 and ρ = NaN.
 * Source: Wiener 1930, Khinchin 1934; Geyer 1992 on the divisor.
 */
export function autocorrelation(x: Float64Array): Float64Array {
  const gamma = autocovariance(x);
  const first = gamma[0];
  return gamma.map((value) => value / first);
}

/**
 * The discrete Fourier transform in place: X_k = Σ_j x_j·e^(−2πi jk/n), for n a power of two.
 *
 * real, imaginary: float64[n]. Without scaling: twice applied, with the imaginary part's sign turned between, it multiplies by n.
 * Error about 2^-52·log₂ n of the root mean square. Source: Cooley, Tukey 1965; radix 2, decimation in time.
 */
import { cosine, sine } from "../base/cosine-sine.ts";
import { assert } from "../base/errors.ts";

export function fourierTransform(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length;
  assert(n > 0 && (n & (n - 1)) === 0 && imaginary.length === n, `a Fourier transform of ${n}, ${imaginary.length} values`);
  reverseBits(real, imaginary);
  const { cosine, sine } = factorsOf(n);
  for (let half = 1; half < n; half *= 2) {
    const stride = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const i = start + k;
        const j = i + half;
        const c = cosine[k * stride];
        const s = sine[k * stride];
        const re = real[j] * c - imaginary[j] * s;
        const im = real[j] * s + imaginary[j] * c;
        real[j] = real[i] - re;
        imaginary[j] = imaginary[i] - im;
        real[i] += re;
        imaginary[i] += im;
      }
    }
  }
}

interface Factors {
  readonly cosine: Float64Array;
  readonly sine: Float64Array;
}

/** One length follows itself hundreds of times. */
let latest: Factors = { cosine: new Float64Array(0), sine: new Float64Array(0) };

/** Each by its own call: a recurrence would lose digits as n grows. */
function factorsOf(n: number): Factors {
  const half = n >> 1;
  if (latest.cosine.length === half) return latest;
  const angle = (k: number): number => (-2 * Math.PI * k) / n;
  latest = {
    cosine: Float64Array.from({ length: half }, (_, k) => cosine(angle(k))),
    sine: Float64Array.from({ length: half }, (_, k) => sine(angle(k))),
  };
  return latest;
}

function reverseBits(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i >= j) continue;
    [real[i], real[j]] = [real[j], real[i]];
    [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
  }
}

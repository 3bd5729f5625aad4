/**
 * The in-place discrete Fourier transform, X_k = Σ_j x_j·e^(−2πi jk/n), where n is a power of two. The forward
 * transform returns the elements of X in a permuted order. The backward transform expects X in this permuted order.
 *
 * Operations on single values X_k, such as taking the power, need no particular order. X is therefore not reordered.
 * Reordering would take a third of the transform's time.
 * real, imaginary: float64[n]. Neither transform scales its result. Both use the same sign, so applying both gives n·x
 * in the order x_0, x_{n−1}, … x_1. The error is about 2^-52·log₂ n times the root mean square of the values. Source:
 * Cooley, Tukey 1965; radix 4, with a single step of radix 2 if n is not a power of 4.
 */

import { assert } from "../errors/errors.ts";
import { cosine } from "../numbers/cosine-sine.ts";

/** Transforms x, which is in natural order, to X in a permuted order (decimation in frequency). */
export function transformThere(real: Float64Array, imaginary: Float64Array): void {
  const n = checkedLength(real, imaginary);
  const w = factorsOf(n);
  let block = n;
  for (; block >= 4; block >>= 2) foursThere(real, imaginary, block, w);
  if (block === 2) twos(real, imaginary);
}

/**
 * Transforms X, which is in the permuted order. The result is in natural order. The steps are the forward steps in
 * reverse order.
 */
export function transformBack(real: Float64Array, imaginary: Float64Array): void {
  const n = checkedLength(real, imaginary);
  const w = factorsOf(n);
  // n is 4^m or 2·4^m.
  const isOdd = (Math.clz32(n) & 1) === 0;
  if (isOdd) twos(real, imaginary);
  for (let block = isOdd ? 8 : 4; block <= n; block *= 4) foursBack(real, imaginary, block, w);
}

function checkedLength(real: Float64Array, imaginary: Float64Array): number {
  const n = real.length;
  assert(n > 0 && (n & (n - 1)) === 0 && imaginary.length === n, `a Fourier transform of ${n}, ${imaginary.length} values`);
  return n;
}

function twos(re: Float64Array, im: Float64Array): void {
  for (let i = 0; i < re.length; i += 2) {
    const a = re[i];
    const b = im[i];
    re[i] = a + re[i + 1];
    im[i] = b + im[i + 1];
    re[i + 1] = a - re[i + 1];
    im[i + 1] = b - im[i + 1];
  }
}

/** Transforms groups of four in every block, and then multiplies each result by its twiddle factor. */
function foursThere(re: Float64Array, im: Float64Array, block: number, { real, imaginary }: Factors): void {
  const quarter = block >> 2;
  for (let start = 0; start < re.length; start += block) {
    // Twiddle factors of a block of this length are contiguous.
    let f = 3 * quarter;
    for (let i0 = start; i0 < start + quarter; i0++) {
      const i1 = i0 + quarter;
      const i2 = i1 + quarter;
      const i3 = i2 + quarter;
      const evenRe = re[i0] + re[i2];
      const evenIm = im[i0] + im[i2];
      const oddRe = re[i0] - re[i2];
      const oddIm = im[i0] - im[i2];
      const sumRe = re[i1] + re[i3];
      const sumIm = im[i1] + im[i3];
      // −i times the difference.
      const turnedRe = im[i1] - im[i3];
      const turnedIm = re[i3] - re[i1];
      re[i0] = evenRe + sumRe;
      im[i0] = evenIm + sumIm;
      const aRe = oddRe + turnedRe;
      const aIm = oddIm + turnedIm;
      re[i1] = aRe * real[f] - aIm * imaginary[f];
      im[i1] = aRe * imaginary[f] + aIm * real[f];
      const bRe = evenRe - sumRe;
      const bIm = evenIm - sumIm;
      re[i2] = bRe * real[f + 1] - bIm * imaginary[f + 1];
      im[i2] = bRe * imaginary[f + 1] + bIm * real[f + 1];
      const cRe = oddRe - turnedRe;
      const cIm = oddIm - turnedIm;
      re[i3] = cRe * real[f + 2] - cIm * imaginary[f + 2];
      im[i3] = cRe * imaginary[f + 2] + cIm * real[f + 2];
      f += 3;
    }
  }
}

/** Reverses the forward step. First, each value is multiplied by its twiddle factor. */
function foursBack(re: Float64Array, im: Float64Array, block: number, { real, imaginary }: Factors): void {
  const quarter = block >> 2;
  for (let start = 0; start < re.length; start += block) {
    let f = 3 * quarter;
    for (let i0 = start; i0 < start + quarter; i0++) {
      const i1 = i0 + quarter;
      const i2 = i1 + quarter;
      const i3 = i2 + quarter;
      const aRe = re[i1] * real[f] - im[i1] * imaginary[f];
      const aIm = re[i1] * imaginary[f] + im[i1] * real[f];
      const bRe = re[i2] * real[f + 1] - im[i2] * imaginary[f + 1];
      const bIm = re[i2] * imaginary[f + 1] + im[i2] * real[f + 1];
      const cRe = re[i3] * real[f + 2] - im[i3] * imaginary[f + 2];
      const cIm = re[i3] * imaginary[f + 2] + im[i3] * real[f + 2];
      f += 3;
      const evenRe = re[i0] + bRe;
      const evenIm = im[i0] + bIm;
      const oddRe = re[i0] - bRe;
      const oddIm = im[i0] - bIm;
      re[i0] = evenRe + (aRe + cRe);
      im[i0] = evenIm + (aIm + cIm);
      re[i2] = evenRe - (aRe + cRe);
      im[i2] = evenIm - (aIm + cIm);
      re[i1] = oddRe + (aIm - cIm);
      im[i1] = oddIm + (cRe - aRe);
      re[i3] = oddRe - (aIm - cIm);
      im[i3] = oddIm - (cRe - aRe);
    }
  }
}

/** Twiddle factors e^(−2πi jk/b), j = 1, 2, 3, k < b/4. The factors for block length b start at index 3b/4. */
interface Factors {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

/** Cached factors for the last length, because one length usually occurs thousands of times in a row. */
let latest: { readonly n: number; readonly factors: Factors } | undefined;

/**
 * Computes a quarter of the cosines, with a separate call for each. A recurrence would lose digits for large n. All
 * other factors follow by symmetry.
 */
function factorsOf(n: number): Factors {
  if (latest?.n === n) return latest.factors;
  const quarter = n / 4;
  const cosines = new Float64Array(quarter + 1);
  for (let m = 0; m <= quarter; m++) cosines[m] = cosine((2 * Math.PI * m) / n);
  /** cos 2πm/n, −n/4 ≤ m < n. */
  const wave = (m: number): number => {
    if (m < 0 || m > 2 * quarter) return m < 0 ? cosines[-m] : wave(Math.abs(n - m));
    return m <= quarter ? cosines[m] : -cosines[2 * quarter - m];
  };
  const real = new Float64Array((3 * n) / 2);
  const imaginary = new Float64Array((3 * n) / 2);
  for (let block = 4; block <= n; block *= 2)
    for (let k = 0, at = (3 * block) / 4; k < block / 4; k++)
      for (let j = 1; j <= 3; j++, at++) {
        const m = (j * k * n) / block;
        real[at] = wave(m);
        imaginary[at] = -wave(m - quarter);
      }
  latest = { n, factors: { real, imaginary } };
  return latest.factors;
}

/**
 * Cholesky factorisation A = L Lᵀ of a symmetric positive definite A; L is lower triangular with a positive diagonal.
 *
 * a, l: [n, n], of type T (f32 or f64), row-major. Only a's lower triangle is read. All elements of l are written; the
 * elements above the diagonal become zero. Nothing may alias; pointers need only the alignment of T. Returns 0, or 1 +
 * the index of the first row whose pivot is not positive and finite. In the latter case, A is not positive definite (up
 * to rounding), and all of l becomes NaN. |L Lᵀ − A| ≤ (n + 2) ε |L||Lᵀ|, element by element.
 *
 * Rows are computed in order, four at a time. Each element is computed from the inner product of two known rows, so
 * that all loads are contiguous.
 */
import { dotDense } from "../data/dot";

function madd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

function sum<T>(a: v128): f64 {
  if (sizeof<T>() == 8) return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  return (<f64>f32x4.extract_lane(a, 0) + <f64>f32x4.extract_lane(a, 1)) + (<f64>f32x4.extract_lane(a, 2) + <f64>f32x4.extract_lane(a, 3));
}

/**
 * Computes l[j] and l[j + 1] of one row. `first` and `second` are the products of that row with rows j and j + 1 of L
 * over the columns before j.
 */
function pair<T>(l: usize, a: usize, j: usize, above: usize, below: usize, first: f64, second: f64): void {
  const at = j * sizeof<T>();
  const left = (<f64>load<T>(a + at) - first) / <f64>load<T>(above + at);
  store<T>(l + at, <T>left);
  const rest = <f64>load<T>(a + at, sizeof<T>()) - second - <f64>load<T>(l + at) * <f64>load<T>(below + at);
  store<T>(l + at, <T>(rest / <f64>load<T>(below + at, sizeof<T>())), sizeof<T>());
}

/** Computes columns 0 … i − 1 of rows i … i + 3, where i is a multiple of 4. The four rows must be zero on entry. */
function fourRows<T>(n: usize, i: usize, a: usize, l: usize): void {
  const width = n * sizeof<T>();
  const l0 = l + i * width, l1 = l0 + width, l2 = l1 + width, l3 = l2 + width;
  const a0 = a + i * width;
  for (let j: usize = 0; j < i; j += 2) {
    const above = l + j * width, below = above + width;
    let s0 = v128.splat<T>(0), s1 = v128.splat<T>(0), s2 = v128.splat<T>(0), s3 = v128.splat<T>(0);
    let t0 = v128.splat<T>(0), t1 = v128.splat<T>(0), t2 = v128.splat<T>(0), t3 = v128.splat<T>(0);
    // Reads whole vectors, so some elements beyond column j are read. In the four rows, these elements are still 0.
    // Nothing beyond column i is read.
    for (let k: usize = 0; k < j * sizeof<T>(); k += 16) {
      const p = v128.load(above + k), q = v128.load(below + k);
      let x = v128.load(l0 + k);
      s0 = madd<T>(x, p, s0);
      t0 = madd<T>(x, q, t0);
      x = v128.load(l1 + k);
      s1 = madd<T>(x, p, s1);
      t1 = madd<T>(x, q, t1);
      x = v128.load(l2 + k);
      s2 = madd<T>(x, p, s2);
      t2 = madd<T>(x, q, t2);
      x = v128.load(l3 + k);
      s3 = madd<T>(x, p, s3);
      t3 = madd<T>(x, q, t3);
    }
    pair<T>(l0, a0, j, above, below, sum<T>(s0), sum<T>(t0));
    pair<T>(l1, a0 + width, j, above, below, sum<T>(s1), sum<T>(t1));
    pair<T>(l2, a0 + 2 * width, j, above, below, sum<T>(s2), sum<T>(t2));
    pair<T>(l3, a0 + 3 * width, j, above, below, sum<T>(s3), sum<T>(t3));
  }
}

/** Computes columns `from` … i of row i. Returns false if the pivot is not positive and finite. */
function finishRow<T>(n: usize, i: usize, from: usize, a: usize, l: usize): bool {
  const width = n * sizeof<T>();
  const row = l + i * width;
  a += i * width;
  for (let j = from; j < i; j++) {
    const other = l + j * width, at = j * sizeof<T>();
    store<T>(row + at, <T>((<f64>load<T>(a + at) - dotDense<T, T>(row, other, <i32>j)) / <f64>load<T>(other + at)));
  }
  const at = i * sizeof<T>();
  const pivot = <f64>load<T>(a + at) - dotDense<T, T>(row, row, <i32>i);
  if (!(pivot > 0 && pivot < Infinity)) return false;
  store<T>(row + at, <T>sqrt<f64>(pivot));
  return true;
}

function factor<T>(n: usize, a: usize, l: usize): i32 {
  const end = l + n * n * sizeof<T>();
  memory.fill(l, 0, end - l);
  for (let i: usize = 0; i < n; i += 4) {
    const whole = i + 4 <= n;
    if (whole) fourRows<T>(n, i, a, l);
    for (let row = i; row < min(i + 4, n); row++) {
      if (finishRow<T>(n, row, whole ? i : 0, a, l)) continue;
      for (; l < end; l += sizeof<T>()) store<T>(l, <T>NaN);
      return <i32>row + 1;
    }
  }
  return 0;
}

export function choleskyF32(n: i32, a: usize, l: usize): i32 {
  return factor<f32>(n, a, l);
}

export function choleskyF64(n: i32, a: usize, l: usize): i32 {
  return factor<f64>(n, a, l);
}

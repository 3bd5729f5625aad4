/**
 * One tile of a product: C[4, w] = A[4, k] B[k, w] (+ C), where w is 32 bytes of columns: 8 of f32, 4 of f64.
 *
 * Element [p, j] of B is at b + p · bStep + j elements. A comes in one of two forms. tileRows reads element [i, p] at a
 * + i · aRow + p elements; for rows i >= `rows` it reads the last row again, so that nothing beyond that row is
 * touched. tileColumns reads element [i, p] at a + p · aStep + i elements. Steps are in bytes, and bStep is not 0. Row
 * i of C is at c + i · cRow; all four rows are written. Each element is one sum over p, in order from 0, followed by
 * one addition to C. Its bits therefore depend neither on the form of A nor on the element's position in the tile.
 *
 * Eight sums and the six loads for one p fill the available registers. The engine issues all loads of a basic block
 * before the first multiplication. Longer or unrolled steps would therefore spill registers. Eight sums are also just
 * enough to hide the latency of two multipliers.
 */

export function madd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** Writes one row of the tile. */
function put<T>(c: usize, left: v128, right: v128, accumulate: i32): void {
  if (accumulate) {
    left = v128.add<T>(v128.load(c), left);
    right = v128.add<T>(v128.load(c, 16), right);
  }
  v128.store(c, left);
  v128.store(c, right, 16);
}

export function tileRows<T>(
  a: usize, aRow: usize, rows: i32, b: usize, bStep: usize, k: i32, c: usize, cRow: usize, accumulate: i32,
): void {
  const a1 = rows > 1 ? a + aRow : a;
  const a2 = rows > 2 ? a1 + aRow : a1;
  const a3 = rows > 3 ? a2 + aRow : a2;
  let p0 = a, p1 = a1, p2 = a2, p3 = a3;
  let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0);
  let c20 = i32x4.splat(0), c21 = i32x4.splat(0), c30 = i32x4.splat(0), c31 = i32x4.splat(0);
  for (const end = b + <usize>k * bStep; b != end; ) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const x0 = v128.load_splat<T>(p0), x1 = v128.load_splat<T>(p1), x2 = v128.load_splat<T>(p2), x3 = v128.load_splat<T>(p3);
    c00 = madd<T>(x0, b0, c00);
    c01 = madd<T>(x0, b1, c01);
    c10 = madd<T>(x1, b0, c10);
    c11 = madd<T>(x1, b1, c11);
    c20 = madd<T>(x2, b0, c20);
    c21 = madd<T>(x2, b1, c21);
    c30 = madd<T>(x3, b0, c30);
    c31 = madd<T>(x3, b1, c31);
    p0 += sizeof<T>();
    p1 += sizeof<T>();
    p2 += sizeof<T>();
    p3 += sizeof<T>();
    b += bStep;
  }
  put<T>(c, c00, c01, accumulate);
  put<T>(c + cRow, c10, c11, accumulate);
  put<T>(c + 2 * cRow, c20, c21, accumulate);
  put<T>(c + 3 * cRow, c30, c31, accumulate);
}

export function tileColumns<T>(
  a: usize, aStep: usize, b: usize, bStep: usize, k: i32, c: usize, cRow: usize, accumulate: i32,
): void {
  let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0);
  let c20 = i32x4.splat(0), c21 = i32x4.splat(0), c30 = i32x4.splat(0), c31 = i32x4.splat(0);
  for (const end = b + <usize>k * bStep; b != end; ) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const x0 = v128.load_splat<T>(a), x1 = v128.load_splat<T>(a, sizeof<T>());
    const x2 = v128.load_splat<T>(a, 2 * sizeof<T>()), x3 = v128.load_splat<T>(a, 3 * sizeof<T>());
    c00 = madd<T>(x0, b0, c00);
    c01 = madd<T>(x0, b1, c01);
    c10 = madd<T>(x1, b0, c10);
    c11 = madd<T>(x1, b1, c11);
    c20 = madd<T>(x2, b0, c20);
    c21 = madd<T>(x2, b1, c21);
    c30 = madd<T>(x3, b0, c30);
    c31 = madd<T>(x3, b1, c31);
    a += aStep;
    b += bStep;
  }
  put<T>(c, c00, c01, accumulate);
  put<T>(c + cRow, c10, c11, accumulate);
  put<T>(c + 2 * cRow, c20, c21, accumulate);
  put<T>(c + 3 * cRow, c30, c31, accumulate);
}

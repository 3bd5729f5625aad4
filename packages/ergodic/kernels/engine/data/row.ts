/**
 * Operations on one data row and float64 parameters, in stored units (no scale): x·p, p += f x (also with concurrent
 * threads), x·x.
 *
 * T: element type of the row (f32, f64, i8, i16). Dense rows: n contiguous elements, 8 partial sums, added pairwise at
 * the end, then the tail from left to right; |error| <= (n/8 + 5) ε Σ|x p|. Sparse rows: n elements and their distinct
 * columns; 4 partial sums. p may not alias the row.
 */
import { dotSparse } from "./dot";

function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

/** Loads elements 2k and 2k + 1 of a row as f64. */
export function pair<T>(x: usize): v128 {
  if (isFloat<T>() && sizeof<T>() == 8) return v128.load(x);
  if (isFloat<T>()) return f64x2.promote_low_f32x4(v128.load64_zero(x));
  if (sizeof<T>() == 2) return f64x2.convert_low_i32x4_s(i32x4.extend_low_i16x8_s(v128.load32_zero(x)));
  return f64x2.convert_low_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(i16x8.splat(load<i16>(x)))));
}

function dotDenseWide<T>(x: usize, p: usize, n: i32): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0), c = f64x2.splat(0), d = f64x2.splat(0);
  const end = x + <usize>(n & ~7) * sizeof<T>();
  while (x < end) {
    a = madd(pair<T>(x), v128.load(p), a);
    b = madd(pair<T>(x + 2 * sizeof<T>()), v128.load(p, 16), b);
    c = madd(pair<T>(x + 4 * sizeof<T>()), v128.load(p, 32), c);
    d = madd(pair<T>(x + 6 * sizeof<T>()), v128.load(p, 48), d);
    x += 8 * sizeof<T>();
    p += 64;
  }
  const total = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let sum = f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
  for (let rest = n & 7; rest > 0; rest--) {
    sum += <f64>load<T>(x) * load<f64>(p);
    x += sizeof<T>();
    p += 8;
  }
  return sum;
}

/** `columns`: u32[n] of a sparse row, or 0 for a dense one. */
export function dotRow<T>(x: usize, columns: usize, n: i32, p: usize): f64 {
  return columns ? dotSparse<T, f64>(x, columns, n, p) : dotDenseWide<T>(x, p, n);
}

export function addRow<T>(x: usize, columns: usize, n: i32, factor: f64, p: usize): void {
  if (columns) {
    for (const end = columns + (<usize>n << 2); columns < end; columns += 4) {
      const at = p + (<usize>load<u32>(columns) << 3);
      store<f64>(at, load<f64>(at) + factor * <f64>load<T>(x));
      x += sizeof<T>();
    }
    return;
  }
  const factors = f64x2.splat(factor);
  for (const end = x + <usize>(n & ~1) * sizeof<T>(); x < end; x += 2 * sizeof<T>()) {
    v128.store(p, madd(pair<T>(x), factors, v128.load(p)));
    p += 16;
  }
  if (n & 1) store<f64>(p, load<f64>(p) + factor * <f64>load<T>(x));
}

/** p[at] += change, atomically, so that no other thread's addition is lost. */
export function addAtomically(at: usize, change: f64): void {
  if (!ASC_FEATURE_THREADS) {
    store<f64>(at, load<f64>(at) + change);
    return;
  }
  let before = load<u64>(at);
  while (true) {
    const found = atomic.cmpxchg<u64>(at, before, reinterpret<u64>(reinterpret<f64>(before) + change));
    if (found == before) return;
    before = found;
  }
}

/** Same as addRow, for a p to which other threads add concurrently. */
export function addRowAtomically<T>(x: usize, columns: usize, n: i32, factor: f64, p: usize): void {
  for (let k = 0; k < n; k++) {
    const j = columns ? <usize>load<u32>(columns + (<usize>k << 2)) : <usize>k;
    const change = factor * <f64>load<T>(x);
    if (change != 0) addAtomically(p + (j << 3), change);
    x += sizeof<T>();
  }
}

export function squareRow<T>(x: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (const end = x + <usize>n * sizeof<T>(); x < end; x += sizeof<T>()) sum += <f64>load<T>(x) * <f64>load<T>(x);
  return sum;
}

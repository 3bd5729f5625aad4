/**
 * Copies a tile of `rows` by `columns` elements between strided memory (strides in elements, any sign) and a contiguous
 * register, and reduces a register into float64 accumulators. Exact except for sums: a row of n elements with one sum
 * uses 4 partial sums, |error| <= (n/4 + 3) ε Σ|x| in float64. NaN propagates.
 */
import { REDUCE_MAXIMUM, REDUCE_SUM } from "../../../src/engine/memory/fields";

/** Copies from memory to a register. */
export function fill<T>(to: usize, from: usize, rows: i32, columns: i32, rowStride: i32, columnStride: i32): void {
  if (columnStride == 0 && rowStride == 0) {
    columns *= rows;
    rows = 1;
  }
  const step = <usize>columnStride * sizeof<T>();
  for (; rows > 0; rows--) {
    const end = to + <usize>columns * sizeof<T>();
    let x = from;
    if (columnStride == 0) for (const value = load<T>(x); to < end; to += sizeof<T>()) store<T>(to, value);
    else {
      if (columnStride == 1) for (; to + 16 <= end; to += 16, x += 16) v128.store(to, v128.load(x));
      for (; to < end; to += sizeof<T>(), x += step) store<T>(to, load<T>(x));
    }
    from += <usize>rowStride * sizeof<T>();
  }
}

/** Copies from a register to memory. */
export function put<T>(to: usize, from: usize, rows: i32, columns: i32, rowStride: i32, columnStride: i32): void {
  if (columnStride == 1 && rowStride == columns) {
    columns *= rows;
    rows = 1;
  }
  const step = <usize>columnStride * sizeof<T>();
  for (; rows > 0; rows--) {
    const end = from + <usize>columns * sizeof<T>();
    let y = to;
    if (columnStride == 1) for (; from + 16 <= end; from += 16, y += 16) v128.store(y, v128.load(from));
    for (; from < end; from += sizeof<T>(), y += step) store<T>(y, load<T>(from));
    to += <usize>rowStride * sizeof<T>();
  }
}

function sumOf<T>(x: usize, end: usize): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0);
  const step: usize = sizeof<T>() == 8 ? 32 : 16;
  for (; x + step <= end; x += step) {
    if (sizeof<T>() == 8) {
      a = f64x2.add(a, v128.load(x));
      b = f64x2.add(b, v128.load(x, 16));
    } else {
      a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(x)));
      b = f64x2.add(b, f64x2.promote_low_f32x4(v128.load64_zero(x, 8)));
    }
  }
  a = f64x2.add(a, b);
  let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  for (; x < end; x += sizeof<T>()) sum += <f64>load<T>(x);
  return sum;
}

function extremeOf<T>(kind: i32, x: usize, end: usize): f64 {
  let most = load<T>(x);
  if (kind == REDUCE_MAXIMUM) for (; x < end; x += sizeof<T>()) most = max<T>(most, load<T>(x));
  else for (; x < end; x += sizeof<T>()) most = min<T>(most, load<T>(x));
  return <f64>most;
}

function combine(kind: i32, at: usize, x: f64): void {
  const before = load<f64>(at);
  store<f64>(at, kind == REDUCE_SUM ? before + x : kind == REDUCE_MAXIMUM ? max<f64>(before, x) : min<f64>(before, x));
}

/**
 * Reduces a register into accumulators. The accumulators of neighbouring elements are rowStride float64 apart along a
 * column, and columnStride float64 apart along a row.
 */
export function reduceTile<T>(kind: i32, to: usize, from: usize, rows: i32, columns: i32, rowStride: i32, columnStride: i32): void {
  if (columnStride == 0 && rowStride == 0) {
    columns *= rows;
    rows = 1;
  }
  const step = <usize>columnStride << 3;
  for (; rows > 0; rows--) {
    const end = from + <usize>columns * sizeof<T>();
    if (columnStride == 0) {
      combine(kind, to, kind == REDUCE_SUM ? sumOf<T>(from, end) : extremeOf<T>(kind, from, end));
      from = end;
    } else {
      let at = to;
      if (kind == REDUCE_SUM && columnStride == 1) {
        for (; from + 2 * sizeof<T>() <= end; from += 2 * sizeof<T>(), at += 16) {
          const pair = sizeof<T>() == 8 ? v128.load(from) : f64x2.promote_low_f32x4(v128.load64_zero(from));
          v128.store(at, f64x2.add(v128.load(at), pair));
        }
      }
      for (; from < end; from += sizeof<T>(), at += step) combine(kind, at, <f64>load<T>(from));
    }
    to += <usize>rowStride << 3;
  }
}

/**
 * Loads a batch of rows of a dense dataset as floats: out[i, j] = scale · source[rows[i] · sourceStride + j] for i <
 * count, j < columns.
 *
 * source: elements of type `sourceKind` (0 f32, 1 f64, 2 i16, 3 i8); rows begin `sourceStride` elements apart
 * (data/layout.ts). rows: u32[count], in any order, unchecked. out: [count, columns], f32 or f64, without padding. The
 * product is computed in f64 and then rounded to f32 if needed, so all builds give the same bits. Nothing may alias;
 * pointers need only the alignment of their elements.
 */

const F32 = 0;
const F64 = 1;
const I16 = 2;

/** Loads two floats as f64x2. */
function pair<S>(x: usize): v128 {
  return sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(x)) : v128.load(x);
}

/** Loads four integers as i32x4. */
function widen<S>(x: usize): v128 {
  if (sizeof<S>() == 2) return v128.load16x4_s(x);
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(x)));
}

/** Stores four elements multiplied by `scale`. */
function four<S, T>(to: usize, x: usize, scale: v128): void {
  let low: v128, high: v128;
  if (isFloat<S>()) {
    low = pair<S>(x);
    high = pair<S>(x + 2 * sizeof<S>());
  } else {
    const integers = widen<S>(x);
    low = f64x2.convert_low_i32x4_s(integers);
    high = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(integers, integers, 1, 1));
  }
  low = f64x2.mul(low, scale);
  high = f64x2.mul(high, scale);
  if (sizeof<T>() == 8) {
    v128.store(to, low);
    v128.store(to, high, 16);
  } else {
    v128.store(to, v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2));
  }
}

function loadRow<S, T>(to: usize, x: usize, columns: i32, scale: f64): void {
  const factor = f64x2.splat(scale);
  let left = columns;
  for (; left >= 4; left -= 4) {
    four<S, T>(to, x, factor);
    to += 4 * sizeof<T>();
    x += 4 * sizeof<S>();
  }
  for (; left > 0; left--) {
    store<T>(to, <T>(scale * <f64>load<S>(x)));
    to += sizeof<T>();
    x += sizeof<S>();
  }
}

function rowsOf<S, T>(count: i32, columns: i32, source: usize, stride: usize, scale: f64, rows: usize, out: usize): void {
  const bytes = stride * sizeof<S>();
  const width = <usize>columns * sizeof<T>();
  const plain = isFloat<S>() && sizeof<S>() == sizeof<T>() && scale == 1;
  for (let i = 0; i < count; i++) {
    const row = source + <usize>load<u32>(rows) * bytes;
    if (plain) memory.copy(out, row, width);
    else loadRow<S, T>(out, row, columns, scale);
    rows += 4;
    out += width;
  }
}

function loadRows<T>(count: i32, columns: i32, source: usize, stride: usize, kind: i32, scale: f64, rows: usize, out: usize): void {
  if (kind == F32) rowsOf<f32, T>(count, columns, source, stride, scale, rows, out);
  else if (kind == F64) rowsOf<f64, T>(count, columns, source, stride, scale, rows, out);
  else if (kind == I16) rowsOf<i16, T>(count, columns, source, stride, scale, rows, out);
  else rowsOf<i8, T>(count, columns, source, stride, scale, rows, out);
}

export function loadRowsF32(count: i32, columns: i32, source: usize, sourceStride: usize, sourceKind: i32, scale: f64, rows: usize, out: usize): void {
  loadRows<f32>(count, columns, source, sourceStride, sourceKind, scale, rows, out);
}

export function loadRowsF64(count: i32, columns: i32, source: usize, sourceStride: usize, sourceKind: i32, scale: f64, rows: usize, out: usize): void {
  loadRows<f64>(count, columns, source, sourceStride, sourceKind, scale, rows, out);
}

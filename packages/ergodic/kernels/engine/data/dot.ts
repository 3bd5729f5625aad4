/**
 * Inner products of one data row with the parameters: Σ stored[k] · p[index(k)], in stored units (no scale).
 *
 * T: element type of the row (f32, f64, i8, i16); P: element type of the parameters (f32, f64, i16). Floats: 16 (f32)
 * or 8 (f64) partial sums, added pairwise at the end, then the tail from left to right; |error| <= (n/16 + 5) ε Σ|x p|.
 * Integers with i16 parameters: exact 32-bit sums of pairs. Every 64 steps, these sums are added to an f64, so that
 * they never overflow. Rows and parameters may not alias; unaligned tails are allowed.
 */

function madd4(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

function madd2(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

function sum4(a: v128): f64 {
  return (<f64>f32x4.extract_lane(a, 0) + <f64>f32x4.extract_lane(a, 1)) + (<f64>f32x4.extract_lane(a, 2) + <f64>f32x4.extract_lane(a, 3));
}

function denseF32(x: usize, p: usize, n: i32): f64 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  const end16 = x + ((<usize>(n & ~15)) << 2);
  while (x < end16) {
    a = madd4(v128.load(x), v128.load(p), a);
    b = madd4(v128.load(x, 16), v128.load(p, 16), b);
    c = madd4(v128.load(x, 32), v128.load(p, 32), c);
    d = madd4(v128.load(x, 48), v128.load(p, 48), d);
    x += 64;
    p += 64;
  }
  let rest = n & 15;
  while (rest >= 4) {
    a = madd4(v128.load(x), v128.load(p), a);
    x += 16;
    p += 16;
    rest -= 4;
  }
  let sum = sum4(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; rest > 0; rest--) {
    sum += <f64>(load<f32>(x) * load<f32>(p));
    x += 4;
    p += 4;
  }
  return sum;
}

function denseF64(x: usize, p: usize, n: i32): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0), c = f64x2.splat(0), d = f64x2.splat(0);
  const end8 = x + ((<usize>(n & ~7)) << 3);
  while (x < end8) {
    a = madd2(v128.load(x), v128.load(p), a);
    b = madd2(v128.load(x, 16), v128.load(p, 16), b);
    c = madd2(v128.load(x, 32), v128.load(p, 32), c);
    d = madd2(v128.load(x, 48), v128.load(p, 48), d);
    x += 64;
    p += 64;
  }
  const total = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let sum = f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
  for (let rest = n & 7; rest > 0; rest--) {
    sum += load<f64>(x) * load<f64>(p);
    x += 8;
    p += 8;
  }
  return sum;
}

/** Loads four 8-bit or 16-bit integers as f32x4. */
function widen<T>(x: usize): v128 {
  if (sizeof<T>() == 1) return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(x))));
  return f32x4.convert_i32x4_s(v128.load16x4_s(x));
}

function denseIntegerF32<T>(x: usize, p: usize, n: i32): f64 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  const end16 = x + (<usize>(n & ~15)) * sizeof<T>();
  while (x < end16) {
    let low: v128, high: v128;
    if (sizeof<T>() == 1) {
      const bytes = v128.load(x);
      low = i16x8.extend_low_i8x16_s(bytes);
      high = i16x8.extend_high_i8x16_s(bytes);
    } else {
      low = v128.load(x);
      high = v128.load(x, 16);
    }
    a = madd4(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), v128.load(p), a);
    b = madd4(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), v128.load(p, 16), b);
    c = madd4(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), v128.load(p, 32), c);
    d = madd4(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), v128.load(p, 48), d);
    x += 16 * sizeof<T>();
    p += 64;
  }
  let rest = n & 15;
  while (rest >= 4) {
    a = madd4(widen<T>(x), v128.load(p), a);
    x += 4 * sizeof<T>();
    p += 16;
    rest -= 4;
  }
  let sum = sum4(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; rest > 0; rest--) {
    sum += <f64>(<f32>load<T>(x) * load<f32>(p));
    x += sizeof<T>();
    p += 4;
  }
  return sum;
}

function sumInt(a: v128): f64 {
  return (<f64>i32x4.extract_lane(a, 0) + <f64>i32x4.extract_lane(a, 1)) + (<f64>i32x4.extract_lane(a, 2) + <f64>i32x4.extract_lane(a, 3));
}

function denseI8I16(x: usize, p: usize, n: i32): f64 {
  let sum: f64 = 0;
  let left = n;
  while (left >= 16) {
    // A pair sum is at most 2 · 128 · 32768 = 2^23, so a lane can hold 128 pair sums. There are two accumulators, each
    // for 64 steps of 16 elements.
    let a = i32x4.splat(0), b = i32x4.splat(0);
    let steps = min(left >> 4, 64);
    left -= steps << 4;
    for (; steps > 0; steps--) {
      const bytes = v128.load(x);
      a = i32x4.add(a, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(bytes), v128.load(p)));
      b = i32x4.add(b, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(bytes), v128.load(p, 16)));
      x += 16;
      p += 32;
    }
    sum += sumInt(a) + sumInt(b);
  }
  for (; left > 0; left--) {
    sum += <f64>(<i32>load<i8>(x) * <i32>load<i16>(p));
    x += 1;
    p += 2;
  }
  return sum;
}

/** Pair sums of 16-bit products can reach 2^31, so each pair sum is widened to 64 bits. */
function denseI16I16(x: usize, p: usize, n: i32): f64 {
  let a = i64x2.splat(0), b = i64x2.splat(0);
  let left = n;
  for (; left >= 8; left -= 8) {
    const pairs = i32x4.dot_i16x8_s(v128.load(x), v128.load(p));
    a = i64x2.add(a, i64x2.extend_low_i32x4_s(pairs));
    b = i64x2.add(b, i64x2.extend_high_i32x4_s(pairs));
    x += 16;
    p += 16;
  }
  const total = i64x2.add(a, b);
  let sum = <f64>(i64x2.extract_lane(total, 0) + i64x2.extract_lane(total, 1));
  for (; left > 0; left--) {
    sum += <f64>(<i32>load<i16>(x) * <i32>load<i16>(p));
    x += 2;
    p += 2;
  }
  return sum;
}

/** For any other pair of types, elements are converted to f64 one at a time. */
function densePlain<T, P>(x: usize, p: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) {
    sum += <f64>load<T>(x) * <f64>load<P>(p);
    x += sizeof<T>();
    p += sizeof<P>();
  }
  return sum;
}

export function dotDense<T, P>(x: usize, p: usize, n: i32): f64 {
  if (isFloat<T>() && isFloat<P>() && sizeof<T>() == 4 && sizeof<P>() == 4) return denseF32(x, p, n);
  if (isFloat<T>() && isFloat<P>() && sizeof<T>() == 8 && sizeof<P>() == 8) return denseF64(x, p, n);
  if (isInteger<T>() && isFloat<P>() && sizeof<P>() == 4) return denseIntegerF32<T>(x, p, n);
  if (isInteger<T>() && isInteger<P>() && sizeof<T>() == 1) return denseI8I16(x, p, n);
  if (isInteger<T>() && isInteger<P>() && sizeof<T>() == 2) return denseI16I16(x, p, n);
  return densePlain<T, P>(x, p, n);
}

/** Uses four partial sums in A, so that consecutive additions do not wait for each other. */
function sparseSums<T, P, A>(values: usize, indices: usize, n: i32, p: usize): f64 {
  let a: A = 0, b: A = 0, c: A = 0, d: A = 0;
  let left = n;
  for (; left >= 4; left -= 4) {
    a += <A>load<T>(values) * <A>load<P>(p + <usize>load<u32>(indices) * sizeof<P>());
    b += <A>load<T>(values, sizeof<T>()) * <A>load<P>(p + <usize>load<u32>(indices, 4) * sizeof<P>());
    c += <A>load<T>(values, 2 * sizeof<T>()) * <A>load<P>(p + <usize>load<u32>(indices, 8) * sizeof<P>());
    d += <A>load<T>(values, 3 * sizeof<T>()) * <A>load<P>(p + <usize>load<u32>(indices, 12) * sizeof<P>());
    values += 4 * sizeof<T>();
    indices += 16;
  }
  let sum = (<f64>a + <f64>b) + (<f64>c + <f64>d);
  for (; left > 0; left--) {
    sum += <f64>(<A>load<T>(values) * <A>load<P>(p + <usize>load<u32>(indices) * sizeof<P>()));
    values += sizeof<T>();
    indices += 4;
  }
  return sum;
}

/** Sums in f64 if the parameters are f64, otherwise in f32. */
export function dotSparse<T, P>(values: usize, indices: usize, n: i32, p: usize): f64 {
  if (isFloat<P>() && sizeof<P>() == 8) return sparseSums<T, P, f64>(values, indices, n, p);
  return sparseSums<T, P, f32>(values, indices, n, p);
}

/**
 * Cumulative sums along the middle axis of [outer, n, inner]: y[o, t, i] = Σ x[o, s, i] over s ≤ t, or over s ≥ t if
 * `reverse` is not 0.
 *
 * T: f32 or f64. Each sum runs in f64 from the first (or last) element in order and is rounded to T when it is stored,
 * so all builds give the same bits. y can be the same as x, but must not overlap x otherwise. Pointers need only the
 * alignment of T. A NaN or ±Inf affects all later sums.
 */

/** `step` is the distance between elements in bytes; it is negative in reverse. */
function one<T>(n: i32, step: isize, x: usize, y: usize): void {
  let sum: f64 = 0;
  for (; n > 0; n--) {
    sum += <f64>load<T>(x);
    store<T>(y, <T>sum);
    x += step;
    y += step;
  }
}

/**
 * Computes four sums simultaneously to hide the latency of an addition. The elements of different sums are `apart`
 * bytes from one another.
 */
function fourApart<T>(n: i32, step: isize, apart: usize, x: usize, y: usize): void {
  let a: f64 = 0, b: f64 = 0, c: f64 = 0, d: f64 = 0;
  const two = apart << 1, three = apart * 3;
  for (; n > 0; n--) {
    a += <f64>load<T>(x);
    b += <f64>load<T>(x + apart);
    c += <f64>load<T>(x + two);
    d += <f64>load<T>(x + three);
    store<T>(y, <T>a);
    store<T>(y + apart, <T>b);
    store<T>(y + two, <T>c);
    store<T>(y + three, <T>d);
    x += step;
    y += step;
  }
}

/** Computes four adjacent sums. */
function fourBeside<T>(n: i32, step: isize, x: usize, y: usize): void {
  let low = f64x2.splat(0), high = f64x2.splat(0);
  for (; n > 0; n--) {
    if (sizeof<T>() == 8) {
      low = f64x2.add(low, v128.load(x));
      high = f64x2.add(high, v128.load(x, 16));
      v128.store(y, low);
      v128.store(y, high, 16);
    } else {
      low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load64_zero(x)));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load64_zero(x, 8)));
      v128.store(y, v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2));
    }
    x += step;
    y += step;
  }
}

function cumulate<T>(outer: i32, n: i32, inner: i32, x: usize, y: usize, reverse: i32): void {
  if (n <= 0) return;
  const width = <usize>inner * sizeof<T>();
  const slab = <usize>n * width;
  const step = reverse ? 0 - <isize>width : <isize>width;
  if (reverse) {
    x += slab - width;
    y += slab - width;
  }
  if (inner == 1) {
    for (; outer >= 4; outer -= 4) {
      fourApart<T>(n, step, slab, x, y);
      x += 4 * slab;
      y += 4 * slab;
    }
  }
  for (; outer > 0; outer--) {
    let i = 0;
    for (; i + 4 <= inner; i += 4) fourBeside<T>(n, step, x + <usize>i * sizeof<T>(), y + <usize>i * sizeof<T>());
    for (; i < inner; i++) one<T>(n, step, x + <usize>i * sizeof<T>(), y + <usize>i * sizeof<T>());
    x += slab;
    y += slab;
  }
}

export function cumulativeSumF32(outer: i32, n: i32, inner: i32, x: usize, y: usize, reverse: i32): void {
  cumulate<f32>(outer, n, inner, x, y, reverse);
}

export function cumulativeSumF64(outer: i32, n: i32, inner: i32, x: usize, y: usize, reverse: i32): void {
  cumulate<f64>(outer, n, inner, x, y, reverse);
}

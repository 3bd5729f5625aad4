/**
 * Fourier transforms of real sequences of length k, one sequence per lane: k a power of two >= 4, T f32 or f64.
 *
 * A spectrum has k/2 slots of a real and an imaginary vector. Slot f holds bin f, Σ x_t exp(−2πi f t / k); slot 0 holds
 * bins 0 and k/2, which are real.
 *
 * forward: transforms `work`, k vectors in bit-reversed order, into slots that are `slotStep` bytes apart, with each
 * imaginary vector `plane` bytes after its real vector. inverse: transforms slots back to k times the sequence, in
 * bit-reversed order. Both overwrite `work`.
 *
 * Each step combines the real transforms of the elements at even and at odd positions, recursively. A step works in
 * place on m vectors. These vectors hold the real parts of bins 0 … m/2, followed by the imaginary parts of bins m/2 −
 * 1 … 1. In this order, each step writes to the same vectors that it reads for a pair of bins (Sorensen, Jones,
 * Heideman and Burrus 1987, "Real-valued fast Fourier transform algorithms").
 *
 * table: k/4 pairs (cos, sin) of 2πf/k. ‖error‖₂ <= 2.2 log2(k) ε ‖exact‖₂, each way.
 */
import { madd } from "../arrays/gemm-tile";

/** Returns c − a b. */
function nmadd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_nmadd<T>(a, b, c);
  return v128.sub<T>(c, v128.mul<T>(a, b));
}

/**
 * Fills `table`, with `work` as scratch for k/4 pairs of f64. Computes the values from halved angles and their sums;
 * the error is within 20 units in the last place of f64.
 */
export function fillTable<T>(k: i32, table: usize, work: usize): void {
  const quarter = k >> 2;
  store<f64>(work, 1);
  store<f64>(work, 0, 8);
  let cosine: f64 = 0, sine: f64 = 1;
  for (let half = quarter >> 1; half > 0; half >>= 1) {
    const next = sqrt<f64>(0.5 * (1 + cosine));
    sine = sine / (2 * next);
    cosine = next;
    for (let f = 0; f < quarter; f += 2 * half) {
      const at = work + (<usize>f << 4), to = at + (<usize>half << 4);
      const c = load<f64>(at), s = load<f64>(at, 8);
      store<f64>(to, c * cosine - s * sine);
      store<f64>(to, s * cosine + c * sine, 8);
    }
  }
  for (let i = 0; i < 2 * quarter; i++) store<T>(table + <usize>i * sizeof<T>(), <T>load<f64>(work + (<usize>i << 3)));
}

/** Transforms groups of four vectors. */
function first<T>(k: i32, work: usize): void {
  for (const end = work + (<usize>k << 4); work < end; work += 64) {
    const a = v128.load(work), b = v128.load(work, 16), c = v128.load(work, 32), d = v128.load(work, 48);
    const even = v128.add<T>(a, b), odd = v128.add<T>(c, d);
    v128.store(work, v128.add<T>(even, odd));
    v128.store(work, v128.sub<T>(a, b), 16);
    v128.store(work, v128.sub<T>(even, odd), 32);
    v128.store(work, v128.sub<T>(d, c), 48);
  }
}

/** Computes spectra of length m from spectra of length m/2, over all of `work`. */
function merge<T>(k: i32, m: i32, work: usize, table: usize): void {
  const width = <usize>m << 4, half = width >> 1, quarter = width >> 2;
  const step = <usize>(2 * (k / m)) * sizeof<T>();
  for (const end = work + (<usize>k << 4); work < end; work += width) {
    const a = v128.load(work), b = v128.load(work + half);
    v128.store(work, v128.add<T>(a, b));
    v128.store(work + half, v128.sub<T>(a, b));
    const middle = work + half + quarter;
    v128.store(middle, v128.neg<T>(v128.load(middle)));
    let up = work, down = work + half, factor = table;
    for (let f: usize = 16; f < quarter; f += 16) {
      up += 16;
      down -= 16;
      factor += step;
      const cosine = v128.load_splat<T>(factor), sine = v128.load_splat<T>(factor, sizeof<T>());
      const er = v128.load(up), ei = v128.load(down), or = v128.load(up + half), oi = v128.load(down + half);
      const tr = madd<T>(sine, oi, v128.mul<T>(cosine, or)), ti = nmadd<T>(sine, or, v128.mul<T>(cosine, oi));
      v128.store(up, v128.add<T>(er, tr));
      v128.store(down + half, v128.add<T>(ei, ti));
      v128.store(down, v128.sub<T>(er, tr));
      v128.store(up + half, v128.sub<T>(ti, ei));
    }
  }
}

/** The last step, which writes to slots. */
function mergeInto<T>(k: i32, work: usize, table: usize, out: usize, slotStep: usize, plane: usize): void {
  const half = <usize>k << 3, quarter = half >> 1;
  const a = v128.load(work), b = v128.load(work + half);
  v128.store(out, v128.add<T>(a, b));
  v128.store(out + plane, v128.sub<T>(a, b));
  const middle = out + <usize>(k >> 2) * slotStep;
  v128.store(middle, v128.load(work + quarter));
  v128.store(middle + plane, v128.neg<T>(v128.load(work + half + quarter)));
  let up = work, down = work + half, low = out, high = out + <usize>(k >> 1) * slotStep;
  for (let f: usize = 16; f < quarter; f += 16) {
    up += 16;
    down -= 16;
    low += slotStep;
    high -= slotStep;
    table += 2 * sizeof<T>();
    const cosine = v128.load_splat<T>(table), sine = v128.load_splat<T>(table, sizeof<T>());
    const er = v128.load(up), ei = v128.load(down), or = v128.load(up + half), oi = v128.load(down + half);
    const tr = madd<T>(sine, oi, v128.mul<T>(cosine, or)), ti = nmadd<T>(sine, or, v128.mul<T>(cosine, oi));
    v128.store(low, v128.add<T>(er, tr));
    v128.store(low + plane, v128.add<T>(ei, ti));
    v128.store(high, v128.sub<T>(er, tr));
    v128.store(high + plane, v128.sub<T>(ti, ei));
  }
}

/** The complete transform for k = 4. */
function firstInto<T>(work: usize, out: usize, slotStep: usize, plane: usize): void {
  first<T>(4, work);
  v128.store(out, v128.load(work));
  v128.store(out + plane, v128.load(work, 32));
  v128.store(out + slotStep, v128.load(work, 16));
  v128.store(out + slotStep + plane, v128.load(work, 48));
}

export function forward<T>(k: i32, work: usize, table: usize, out: usize, slotStep: usize, plane: usize): void {
  if (k == 4) {
    firstInto<T>(work, out, slotStep, plane);
    return;
  }
  first<T>(k, work);
  for (let m = 8; m < k; m <<= 1) merge<T>(k, m, work, table);
  mergeInto<T>(k, work, table, out, slotStep, plane);
}

/** Inverse of mergeInto. */
function splitFrom<T>(k: i32, x: usize, slotStep: usize, plane: usize, work: usize, table: usize): void {
  const half = <usize>k << 3, quarter = half >> 1;
  const a = v128.load(x), b = v128.load(x + plane);
  v128.store(work, v128.add<T>(a, b));
  v128.store(work + half, v128.sub<T>(a, b));
  const middle = x + <usize>(k >> 2) * slotStep;
  const mr = v128.load(middle), mi = v128.neg<T>(v128.load(middle + plane));
  v128.store(work + quarter, v128.add<T>(mr, mr));
  v128.store(work + half + quarter, v128.add<T>(mi, mi));
  let up = work, down = work + half, low = x, high = x + <usize>(k >> 1) * slotStep;
  for (let f: usize = 16; f < quarter; f += 16) {
    up += 16;
    down -= 16;
    low += slotStep;
    high -= slotStep;
    table += 2 * sizeof<T>();
    const cosine = v128.load_splat<T>(table), sine = v128.load_splat<T>(table, sizeof<T>());
    const a = v128.load(low), b = v128.load(low + plane), c = v128.load(high), d = v128.load(high + plane);
    const tr = v128.sub<T>(a, c), ti = v128.add<T>(b, d);
    v128.store(up, v128.add<T>(a, c));
    v128.store(down, v128.sub<T>(b, d));
    v128.store(up + half, nmadd<T>(sine, ti, v128.mul<T>(cosine, tr)));
    v128.store(down + half, madd<T>(sine, tr, v128.mul<T>(cosine, ti)));
  }
}

/** Inverse of merge. */
function split<T>(k: i32, m: i32, work: usize, table: usize): void {
  const width = <usize>m << 4, half = width >> 1, quarter = width >> 2;
  const step = <usize>(2 * (k / m)) * sizeof<T>();
  for (const end = work + (<usize>k << 4); work < end; work += width) {
    const a = v128.load(work), b = v128.load(work + half);
    v128.store(work, v128.add<T>(a, b));
    v128.store(work + half, v128.sub<T>(a, b));
    const mr = v128.load(work + quarter), mi = v128.neg<T>(v128.load(work + half + quarter));
    v128.store(work + quarter, v128.add<T>(mr, mr));
    v128.store(work + half + quarter, v128.add<T>(mi, mi));
    let up = work, down = work + half, factor = table;
    for (let f: usize = 16; f < quarter; f += 16) {
      up += 16;
      down -= 16;
      factor += step;
      const cosine = v128.load_splat<T>(factor), sine = v128.load_splat<T>(factor, sizeof<T>());
      const a = v128.load(up), b = v128.load(down + half), c = v128.load(down), d = v128.load(up + half);
      const tr = v128.sub<T>(a, c), ti = v128.add<T>(b, d);
      v128.store(up, v128.add<T>(a, c));
      v128.store(down, v128.sub<T>(b, d));
      v128.store(up + half, nmadd<T>(sine, ti, v128.mul<T>(cosine, tr)));
      v128.store(down + half, madd<T>(sine, tr, v128.mul<T>(cosine, ti)));
    }
  }
}

function last<T>(k: i32, work: usize): void {
  for (const end = work + (<usize>k << 4); work < end; work += 64) {
    const r0 = v128.load(work), r1 = v128.load(work, 16), r2 = v128.load(work, 32), i1 = v128.load(work, 48);
    const even = v128.add<T>(r0, r2), odd = v128.sub<T>(r0, r2);
    const real = v128.add<T>(r1, r1), imaginary = v128.add<T>(i1, i1);
    v128.store(work, v128.add<T>(even, real));
    v128.store(work, v128.sub<T>(even, real), 16);
    v128.store(work, v128.sub<T>(odd, imaginary), 32);
    v128.store(work, v128.add<T>(odd, imaginary), 48);
  }
}

function lastFrom<T>(x: usize, slotStep: usize, plane: usize, work: usize): void {
  v128.store(work, v128.load(x));
  v128.store(work, v128.load(x + slotStep), 16);
  v128.store(work, v128.load(x + plane), 32);
  v128.store(work, v128.load(x + slotStep + plane), 48);
  last<T>(4, work);
}

export function inverse<T>(k: i32, x: usize, slotStep: usize, plane: usize, work: usize, table: usize): void {
  if (k == 4) {
    lastFrom<T>(x, slotStep, plane, work);
    return;
  }
  splitFrom<T>(k, x, slotStep, plane, work, table);
  for (let m = k >> 1; m >= 8; m >>= 1) split<T>(k, m, work, table);
  last<T>(k, work);
}

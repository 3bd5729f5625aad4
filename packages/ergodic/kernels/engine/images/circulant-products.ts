/**
 * Products of spectra, bin by bin. Real and imaginary parts are stored separately. In slot 0, both parts are real bins
 * (circulant-transform.ts).
 *
 * A band: [k/2 slots][vectors][blocks][2] vectors of T, one row per lane; slots are `slot` bytes apart. Weights: [k/2
 * slots][2 planes][blocks] of T; planes are `plane` bytes apart. Sums run over blocks (or over vectors) in ascending
 * order. The four products of two complex numbers have separate sums, which are combined at the end. Four separate sums
 * give enough independent additions to hide the latency of a multiplier.
 */
import { madd } from "../arrays/gemm-tile";

/**
 * Computes two outputs of one slot: y = Σ a x or, if `conjugate`, Σ ā x. a0 and a1 point to the weights of the two
 * outputs; successive terms are `step` bytes apart.
 */
function twoSums<T>(
  count: i32, a0: usize, a1: usize, step: usize, plane: usize, x: usize, packed: bool, conjugate: bool, y0: usize, y1: usize,
): void {
  let rr0 = i32x4.splat(0), ii0 = i32x4.splat(0), ri0 = i32x4.splat(0), ir0 = i32x4.splat(0);
  let rr1 = i32x4.splat(0), ii1 = i32x4.splat(0), ri1 = i32x4.splat(0), ir1 = i32x4.splat(0);
  let b0 = a0 + plane, b1 = a1 + plane;
  for (; count > 0; count--) {
    const xr = v128.load(x), xi = v128.load(x, 16);
    const r0 = v128.load_splat<T>(a0), i0 = v128.load_splat<T>(b0), r1 = v128.load_splat<T>(a1), i1 = v128.load_splat<T>(b1);
    rr0 = madd<T>(r0, xr, rr0);
    ri0 = madd<T>(r0, xi, ri0);
    ir0 = madd<T>(i0, xr, ir0);
    ii0 = madd<T>(i0, xi, ii0);
    rr1 = madd<T>(r1, xr, rr1);
    ri1 = madd<T>(r1, xi, ri1);
    ir1 = madd<T>(i1, xr, ir1);
    ii1 = madd<T>(i1, xi, ii1);
    x += 32;
    a0 += step;
    b0 += step;
    a1 += step;
    b1 += step;
  }
  join<T>(rr0, ii0, ri0, ir0, packed, conjugate, y0);
  join<T>(rr1, ii1, ri1, ir1, packed, conjugate, y1);
}

function join<T>(rr: v128, ii: v128, ri: v128, ir: v128, packed: bool, conjugate: bool, y: usize): void {
  if (packed) {
    v128.store(y, rr);
    v128.store(y, ii, 16);
  } else if (conjugate) {
    v128.store(y, v128.add<T>(rr, ii));
    v128.store(y, v128.sub<T>(ri, ir), 16);
  } else {
    v128.store(y, v128.sub<T>(rr, ii));
    v128.store(y, v128.add<T>(ri, ir), 16);
  }
}

/**
 * Computes a band of `outs` blocks from a band of `ins` blocks. In each plane, weight (out, in) is out · outStep + in ·
 * inStep bytes from the start.
 */
export function multiply<T>(
  k: i32, vectors: i32, outs: i32, ins: i32, weights: usize, plane: usize, outStep: usize, inStep: usize, conjugate: bool,
  x: usize, xSlot: usize, y: usize, ySlot: usize,
): void {
  for (let slot = 0; slot < k >> 1; slot++) {
    let from = x, to = y;
    for (let v = 0; v < vectors; v++) {
      let a = weights;
      for (let o = 0; o < outs; o += 2) {
        const two = o + 1 < outs;
        twoSums<T>(ins, a, two ? a + outStep : a, inStep, plane, from, slot == 0, conjugate, to, two ? to + 32 : to);
        a += 2 * outStep;
        to += 64;
      }
      if (outs & 1) to -= 32;
      from += <usize>ins << 5;
    }
    weights += 2 * plane;
    x += xSlot;
    y += ySlot;
  }
}


/** Returns the sum of the lanes. */
function lane<T>(a: v128): T {
  if (sizeof<T>() == 8) return <T>(f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1));
  return <T>((f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1)) + (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3)));
}

function add<T>(to: usize, value: v128): void {
  store<T>(to, load<T>(to) + lane<T>(value));
}

function addPair<T>(rr: v128, ii: v128, ri: v128, ir: v128, packed: bool, to: usize, plane: usize): void {
  add<T>(to, packed ? rr : v128.add<T>(rr, ii));
  add<T>(to + plane, packed ? ii : v128.sub<T>(ri, ir));
}

/** Adds Σ over rows of d x̄ to the weights (out, in) and, if `two`, (out, in + 1) of one slot. */
function twoWeights<T>(
  vectors: i32, x: usize, xStep: usize, d: usize, dStep: usize, two: bool, packed: bool, to: usize, plane: usize,
): void {
  const second: usize = two ? 32 : 0;
  let rr0 = i32x4.splat(0), ii0 = i32x4.splat(0), ri0 = i32x4.splat(0), ir0 = i32x4.splat(0);
  let rr1 = i32x4.splat(0), ii1 = i32x4.splat(0), ri1 = i32x4.splat(0), ir1 = i32x4.splat(0);
  for (; vectors > 0; vectors--) {
    const dr = v128.load(d), di = v128.load(d, 16);
    const r0 = v128.load(x), i0 = v128.load(x, 16), r1 = v128.load(x + second), i1 = v128.load(x + second, 16);
    rr0 = madd<T>(r0, dr, rr0);
    ri0 = madd<T>(r0, di, ri0);
    ir0 = madd<T>(i0, dr, ir0);
    ii0 = madd<T>(i0, di, ii0);
    rr1 = madd<T>(r1, dr, rr1);
    ri1 = madd<T>(r1, di, ri1);
    ir1 = madd<T>(i1, dr, ir1);
    ii1 = madd<T>(i1, di, ii1);
    x += xStep;
    d += dStep;
  }
  addPair<T>(rr0, ii0, ri0, ir0, packed, to, plane);
  if (two) addPair<T>(rr1, ii1, ri1, ir1, packed, to + sizeof<T>(), plane);
}

/** Adds a band's contribution to the derivative of the weights. d has p blocks and x has q blocks. */
export function multiplyRows<T>(
  k: i32, vectors: i32, p: i32, q: i32, d: usize, dSlot: usize, x: usize, xSlot: usize, weights: usize, plane: usize,
): void {
  const xStep = <usize>q << 5, dStep = <usize>p << 5;
  for (let slot = 0; slot < k >> 1; slot++) {
    let to = weights;
    for (let i = 0; i < p; i++) {
      const from = d + (<usize>i << 5);
      for (let j = 0; j < q; j += 2) {
        const two = j + 1 < q;
        twoWeights<T>(vectors, x + (<usize>j << 5), xStep, from, dStep, two, slot == 0, to, plane);
        to += two ? 2 * sizeof<T>() : sizeof<T>();
      }
    }
    weights += 2 * plane;
    x += xSlot;
    d += dSlot;
  }
}

/**
 * Updates rows `from` to `to` of one side of a matrix factorisation while the other side is fixed. Each side has one
 * block (learning/fields.ts).
 *
 * A stored row x has STRIDE numbers of type P, f32 or f64: RANK factors (a 0 pads an odd rank) and, with biases, its
 * bias and a 0. A rating's features z are the other side's row with 1 in place of the bias. Target t and weight:
 *   without GRAM  t = value − mean − other bias, weight 1; cells without a rating do not count;
 *   with GRAM     t = 1 if value > 0 else 0, weight 1 + α value; every other cell has t = 0, weight 1. No biases.
 * λ = L2 (for a bias BIAS_L2), times the row's number of ratings if WEIGHTED; Λ is the diagonal matrix of a row's λ.
 * All arithmetic is f64. Rows without ratings become 0, because 0 minimises their objective.
 *
 * factorSolve: solves (Σ weight z zᵀ + Λ) x = Σ weight t z by Cholesky. Returns the number of rows with a numerically
 * singular system; these rows stay unchanged. factorSweep: makes `inner` rounds over the coordinates and moves each to
 * the minimum of the same quadratic. factorObjective: Σ xᵀΛx and, if requested, the loss of the rows' cells; writes
 * RESIDUALS if there are any. factorComponent: updates one component s of all rows against residuals e (Yu et al.
 * 2012): 1 open: e += s; 2 update: x ← Σ e z / (λ + Σ z²); 4 close: e −= s. Both sides compute the same s, so their
 * residuals get the same bits. factorGram: target (f64[STRIDE²], lower triangle) = Σ x xᵀ.
 *
 * Scratch: f64[max(STRIDE² + 5 STRIDE + 4, STRIDE + the most ratings of a row)]. Only rows [from, to) and scratch are
 * written. Each row is computed only from the other side's factors. The bits therefore do not depend on how rows are
 * divided among calls. Sums over ratings process four ratings at a time, in storage order.
 */
import {
  FACTOR_OWN, FACTOR_OTHER, FACTOR_START, FACTOR_INDEX, FACTOR_VALUES, FACTOR_RESIDUALS, FACTOR_RANK, FACTOR_STRIDE, FACTOR_ELEMENT_BYTES,
  FACTOR_GRAM, FACTOR_WEIGHTED, FACTOR_L2_F64, FACTOR_BIAS_L2_F64, FACTOR_MEAN_F64, FACTOR_ALPHA_F64,
} from "../../src/learning/fields";

/** Smallest accepted pivot, as a share of the original diagonal element (64 ε). Smaller pivots are rounding error. */
const LEAST_PIVOT: f64 = 1.4210854715202004e-14;
const OPEN: u32 = 1, UPDATE: u32 = 2, CLOSE: u32 = 4;

function u(side: usize, at: usize): usize {
  return <usize>load<u32>(side + at);
}

function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

function sum2(a: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** Loads two neighbouring factors as f64. */
function pair<P>(at: usize): v128 {
  if (sizeof<P>() == 8) return v128.load(at);
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

/** Inner product of an even number of factors. */
function dot<P>(a: usize, b: usize, count: usize): f64 {
  let sum = f64x2.splat(0);
  for (let k: usize = 0; k < count; k += 2) sum = madd(pair<P>(a + k * sizeof<P>()), pair<P>(b + k * sizeof<P>()), sum);
  return sum2(sum);
}

function dotF64(a: usize, b: usize, count: usize): f64 {
  let sum = f64x2.splat(0);
  const even = count & ~1;
  for (let k: usize = 0; k < even; k += 2) sum = madd(v128.load(a + (k << 3)), v128.load(b + (k << 3)), sum);
  const total = sum2(sum);
  return count > even ? total + load<f64>(a + (even << 3)) * load<f64>(b + (even << 3)) : total;
}

function start(side: usize, row: u32): usize {
  return <usize>load<u32>(u(side, FACTOR_START) + (<usize>row << 2));
}

/** Returns λ of a row's factors, or of its bias. */
function ridge(side: usize, ratings: usize, bias: bool): f64 {
  const l2 = load<f64>(side + (bias ? FACTOR_BIAS_L2_F64 : FACTOR_L2_F64));
  return load<u32>(side + FACTOR_WEIGHTED) ? l2 * <f64>ratings : l2;
}

function other<P>(side: usize, entry: usize): usize {
  return u(side, FACTOR_OTHER) + <usize>load<u32>(u(side, FACTOR_INDEX) + (entry << 2)) * u(side, FACTOR_STRIDE) * sizeof<P>();
}

function value(side: usize, entry: usize): f64 {
  return load<f64>(u(side, FACTOR_VALUES) + (entry << 3));
}

/** Adds Σ_e factor_e z_e z_eᵀ for the four rows z_e of a panel. The panel is preceded by the factors. */
function addFour(matrix: usize, factors: usize, panel: usize, stride: usize): void {
  const rowBytes = stride << 3;
  const z1 = panel + rowBytes, z2 = z1 + rowBytes, z3 = z2 + rowBytes;
  const m0 = load<f64>(factors), m1 = load<f64>(factors, 8), m2 = load<f64>(factors, 16), m3 = load<f64>(factors, 24);
  for (let j: usize = 0; j < stride; j++) {
    const at = j << 3;
    const a0 = f64x2.splat(m0 * load<f64>(panel + at)), a1 = f64x2.splat(m1 * load<f64>(z1 + at));
    const a2 = f64x2.splat(m2 * load<f64>(z2 + at)), a3 = f64x2.splat(m3 * load<f64>(z3 + at));
    const row = matrix + j * rowBytes;
    for (let k: usize = 0; k <= at; k += 16) {
      let sum = madd(a0, v128.load(panel + k), v128.load(row + k));
      sum = madd(a1, v128.load(z1 + k), sum);
      sum = madd(a2, v128.load(z2 + k), sum);
      v128.store(row + k, madd(a3, v128.load(z3 + k), sum));
    }
  }
}

function addScaled(target: usize, factor: f64, z: usize, stride: usize): void {
  const a = f64x2.splat(factor);
  for (let k: usize = 0; k < stride; k += 2) {
    const at = k << 3;
    v128.store(target + at, madd(a, v128.load(z + at), v128.load(target + at)));
  }
}

/** Converts a stored row to f64, with 1 in place of the bias, or 0 if `one` is false. */
function unpack<P>(row: usize, rank: usize, stride: usize, one: bool, z: usize): void {
  for (let k: usize = 0; k < rank; k += 2) v128.store(z + (k << 3), pair<P>(row + k * sizeof<P>()));
  if (stride > rank) {
    store<f64>(z + (rank << 3), one ? 1 : 0);
    store<f64>(z + (rank << 3), 0, 8);
  }
}

/**
 * Cholesky factorisation in place on the lower triangle, and both triangular solves on x; n is even. Returns false if
 * rounding makes a pivot too small.
 *
 * Each column is subtracted from all later columns. Unlike the sums of a row-by-row method, these sums are independent
 * of each other. The upper triangle is overwritten. `scratch`: f64[2n], for a column and the diagonal.
 */
function choleskySolve(matrix: usize, x: usize, n: usize, scratch: usize): bool {
  const rowBytes = n << 3;
  const column = scratch, diagonal = scratch + rowBytes, end = matrix + n * rowBytes;
  for (let j: usize = 0; j < n; j++) store<f64>(diagonal + (j << 3), load<f64>(matrix + j * (rowBytes + 8)));
  for (let j: usize = 0; j < n; j++) {
    const at = j << 3;
    const corner = matrix + j * (rowBytes + 8);
    const pivot = load<f64>(corner);
    if (!(pivot > LEAST_PIVOT * load<f64>(diagonal + at))) return false;
    const inverse = 1 / Math.sqrt(pivot);
    // This element held the pivot, which is no longer needed.
    store<f64>(corner, inverse);
    const solved = load<f64>(x + at) * inverse;
    store<f64>(x + at, solved);
    // Pairs of columns begin at an even column. If the pair begins with column j, the factor 0 leaves column j as it
    // is.
    store<f64>(column + at, 0);
    const from = (j + 1) & ~1;
    let to = (j + 1) << 3;
    for (let row = matrix + (j + 1) * rowBytes; row < end; row += rowBytes) {
      const factor = load<f64>(row + at) * inverse;
      store<f64>(row + at, factor);
      store<f64>(column + to, factor);
      store<f64>(x + to, load<f64>(x + to) - factor * solved);
      to += 8;
    }
    to = (j + 1) << 3;
    for (let row = matrix + (j + 1) * rowBytes; row < end; row += rowBytes) {
      const minus = f64x2.splat(-load<f64>(column + to));
      for (let k = from << 3; k <= to; k += 16) v128.store(row + k, madd(minus, v128.load(column + k), v128.load(row + k)));
      to += 8;
    }
  }
  for (let j = n; j-- > 0; ) {
    const row = matrix + j * rowBytes, at = j << 3;
    const solved = load<f64>(x + at) * load<f64>(row + at);
    store<f64>(x + at, solved);
    const minus = f64x2.splat(-solved);
    const even = (j & ~1) << 3;
    for (let k: usize = 0; k < even; k += 16) v128.store(x + k, madd(minus, v128.load(row + k), v128.load(x + k)));
    if (even < at) store<f64>(x + even, load<f64>(x + even) - load<f64>(row + even) * solved);
  }
  return true;
}

/** Assembles the normal equations of one row: the matrix without λ, and the right-hand side x. */
function assemble<P>(side: usize, first: usize, end: usize, matrix: usize, x: usize, factors: usize, panel: usize): void {
  const rank = u(side, FACTOR_RANK), stride = u(side, FACTOR_STRIDE), gram = u(side, FACTOR_GRAM);
  const rowBytes = stride << 3;
  const mean = load<f64>(side + FACTOR_MEAN_F64), alpha = load<f64>(side + FACTOR_ALPHA_F64);
  if (gram) memory.copy(matrix, gram, stride * rowBytes);
  else memory.fill(matrix, 0, stride * rowBytes);
  memory.fill(x, 0, rowBytes);
  for (let e = first; e < end; e += 4) {
    const count = min(end - e, 4);
    if (count < 4) memory.fill(factors, 0, 32 + 4 * rowBytes);
    for (let i: usize = 0; i < count; i++) {
      const row = other<P>(side, e + i), z = panel + i * rowBytes, r = value(side, e + i);
      unpack<P>(row, rank, stride, true, z);
      store<f64>(factors + (i << 3), gram ? alpha * r : 1);
      const bias: f64 = stride > rank ? <f64>load<P>(row + rank * sizeof<P>()) : 0;
      addScaled(x, gram ? (r > 0 ? 1 + alpha * r : 0) : r - mean - bias, z, stride);
    }
    addFour(matrix, factors, panel, stride);
  }
}

function solve<P>(side: usize, scratch: usize, from: u32, to: u32): u32 {
  const rank = u(side, FACTOR_RANK), stride = u(side, FACTOR_STRIDE);
  const matrix = scratch, x = matrix + ((stride * stride) << 3), factors = x + (stride << 3), panel = factors + 32;
  let failed: u32 = 0;
  for (let row = from; row < to; row++) {
    const first = start(side, row), end = start(side, row + 1);
    const own = u(side, FACTOR_OWN) + <usize>row * stride * sizeof<P>();
    if (first == end) {
      memory.fill(own, 0, stride * sizeof<P>());
      continue;
    }
    assemble<P>(side, first, end, matrix, x, factors, panel);
    for (let j: usize = 0; j < stride; j++) {
      const at = matrix + ((j * (stride + 1)) << 3);
      store<f64>(at, load<f64>(at) + ridge(side, end - first, j >= rank));
    }
    if (choleskySolve(matrix, x, stride, panel)) for (let k: usize = 0; k < stride; k++) store<P>(own + k * sizeof<P>(), <P>load<f64>(x + (k << 3)));
    else failed++;
  }
  return failed;
}

export function factorSolve(side: usize, scratch: usize, from: u32, to: u32): u32 {
  return load<u32>(side + FACTOR_ELEMENT_BYTES) == 4 ? solve<f32>(side, scratch, from, to) : solve<f64>(side, scratch, from, to);
}

/**
 * a_e = weight t − (weight − base) ŝ, where ŝ is the row's own prediction of the target and `base` the weight that the
 * Gram matrix already includes.
 */
function remainders<P>(side: usize, first: usize, end: usize, own: usize, a: usize): void {
  const rank = u(side, FACTOR_RANK), stride = u(side, FACTOR_STRIDE), gram = u(side, FACTOR_GRAM);
  const mean = load<f64>(side + FACTOR_MEAN_F64), alpha = load<f64>(side + FACTOR_ALPHA_F64);
  for (let e = first; e < end; e++) {
    const row = other<P>(side, e), r = value(side, e);
    const product = dot<P>(own, row, rank);
    let left: f64;
    if (gram) left = (r > 0 ? 1 + alpha * r : 0) - alpha * r * product;
    else left = r - mean - product - (stride > rank ? <f64>load<P>(own + rank * sizeof<P>()) + <f64>load<P>(row + rank * sizeof<P>()) : 0);
    store<f64>(a + ((e - first) << 3), left);
  }
}

function sweep<P>(side: usize, scratch: usize, from: u32, to: u32, inner: u32): void {
  const rank = u(side, FACTOR_RANK), stride = u(side, FACTOR_STRIDE), gram = u(side, FACTOR_GRAM);
  const alpha = load<f64>(side + FACTOR_ALPHA_F64);
  const x = scratch, a = x + (stride << 3);
  const count = stride > rank ? rank + 1 : rank;
  for (let row = from; row < to; row++) {
    const first = start(side, row), end = start(side, row + 1);
    const own = u(side, FACTOR_OWN) + <usize>row * stride * sizeof<P>();
    if (first == end) {
      memory.fill(own, 0, stride * sizeof<P>());
      continue;
    }
    remainders<P>(side, first, end, own, a);
    for (let k: usize = 0; k < stride; k++) store<f64>(x + (k << 3), <f64>load<P>(own + k * sizeof<P>()));
    for (let round: u32 = 0; round < inner; round++) {
      for (let k: usize = 0; k < count; k++) {
        const old = load<f64>(x + (k << 3)), lambda = ridge(side, end - first, k == rank);
        let slope: f64 = -lambda * old, curvature: f64 = lambda;
        if (gram) {
          const line = gram + ((k * stride) << 3);
          slope -= dotF64(line, x, stride);
          curvature += load<f64>(line + (k << 3));
        }
        for (let e = first; e < end; e++) {
          const z: f64 = k == rank ? 1 : <f64>load<P>(other<P>(side, e) + k * sizeof<P>());
          slope += load<f64>(a + ((e - first) << 3)) * z;
          curvature += (gram ? alpha * value(side, e) : 1) * z * z;
        }
        if (curvature == 0) continue;
        const step = slope / curvature;
        store<f64>(x + (k << 3), old + step);
        for (let e = first; e < end; e++) {
          const z: f64 = k == rank ? 1 : <f64>load<P>(other<P>(side, e) + k * sizeof<P>());
          const at = a + ((e - first) << 3);
          store<f64>(at, load<f64>(at) - (gram ? alpha * value(side, e) : 1) * z * step);
        }
      }
    }
    for (let k: usize = 0; k < count; k++) store<P>(own + k * sizeof<P>(), <P>load<f64>(x + (k << 3)));
  }
}

export function factorSweep(side: usize, scratch: usize, from: u32, to: u32, inner: u32): void {
  if (load<u32>(side + FACTOR_ELEMENT_BYTES) == 4) sweep<f32>(side, scratch, from, to, inner);
  else sweep<f64>(side, scratch, from, to, inner);
}

/** Returns xᵀ G x, which would be the loss of a row's cells if the row had no ratings. */
function unrated<P>(gram: usize, own: usize, stride: usize): f64 {
  let sum: f64 = 0;
  for (let j: usize = 0; j < stride; j++) {
    const line = gram + ((j * stride) << 3);
    let product: f64 = 0;
    for (let k: usize = 0; k < stride; k++) product += load<f64>(line + (k << 3)) * <f64>load<P>(own + k * sizeof<P>());
    sum += <f64>load<P>(own + j * sizeof<P>()) * product;
  }
  return sum;
}

function objective<P>(side: usize, from: u32, to: u32, loss: u32): f64 {
  const rank = u(side, FACTOR_RANK), stride = u(side, FACTOR_STRIDE), gram = u(side, FACTOR_GRAM), residuals = u(side, FACTOR_RESIDUALS);
  const mean = load<f64>(side + FACTOR_MEAN_F64), alpha = load<f64>(side + FACTOR_ALPHA_F64);
  let sum: f64 = 0;
  for (let row = from; row < to; row++) {
    const first = start(side, row), end = start(side, row + 1);
    const own = u(side, FACTOR_OWN) + <usize>row * stride * sizeof<P>();
    sum += ridge(side, end - first, false) * dot<P>(own, own, rank);
    if (stride > rank) {
      const bias = <f64>load<P>(own + rank * sizeof<P>());
      sum += ridge(side, end - first, true) * bias * bias;
    }
    if (!loss && !residuals) continue;
    let rowLoss: f64 = gram ? unrated<P>(gram, own, stride) : 0;
    for (let e = first; e < end; e++) {
      const at = other<P>(side, e), r = value(side, e);
      const product = dot<P>(own, at, rank);
      if (gram) {
        const error = (r > 0 ? 1 : 0) - product;
        rowLoss += (1 + alpha * r) * error * error - product * product;
      } else {
        const biases: f64 = stride > rank ? <f64>load<P>(own + rank * sizeof<P>()) + <f64>load<P>(at + rank * sizeof<P>()) : 0;
        const error = r - mean - product - biases;
        rowLoss += error * error;
        if (residuals) store<f64>(residuals + (e << 3), error);
      }
    }
    if (loss) sum += rowLoss;
  }
  return sum;
}

export function factorObjective(side: usize, from: u32, to: u32, loss: u32): f64 {
  return load<u32>(side + FACTOR_ELEMENT_BYTES) == 4 ? objective<f32>(side, from, to, loss) : objective<f64>(side, from, to, loss);
}

/** Contribution of component k to a prediction. */
function part(own: f64, theirs: f64, bias: bool): f64 {
  return bias ? own + theirs : own * theirs;
}

function component<P>(side: usize, k: usize, parts: u32, from: u32, to: u32): void {
  const stride = u(side, FACTOR_STRIDE), residuals = u(side, FACTOR_RESIDUALS);
  const bias = k == u(side, FACTOR_RANK);
  const offset = k * sizeof<P>();
  for (let row = from; row < to; row++) {
    const first = start(side, row), end = start(side, row + 1);
    const at = u(side, FACTOR_OWN) + <usize>row * stride * sizeof<P>() + offset;
    const old = <f64>load<P>(at);
    if (parts & OPEN) {
      for (let e = first; e < end; e++) {
        const r = residuals + (e << 3);
        store<f64>(r, load<f64>(r) + part(old, <f64>load<P>(other<P>(side, e) + offset), bias));
      }
    }
    if (parts & UPDATE) {
      let above: f64 = 0, below = ridge(side, end - first, bias);
      for (let e = first; e < end; e++) {
        const theirs = <f64>load<P>(other<P>(side, e) + offset), r = load<f64>(residuals + (e << 3));
        if (bias) {
          above += r - theirs;
          below += 1;
        } else {
          above += r * theirs;
          below += theirs * theirs;
        }
      }
      store<P>(at, below > 0 ? <P>(above / below) : 0);
    }
    if (parts & CLOSE) {
      const own = <f64>load<P>(at);
      for (let e = first; e < end; e++) {
        const r = residuals + (e << 3);
        store<f64>(r, load<f64>(r) - part(own, <f64>load<P>(other<P>(side, e) + offset), bias));
      }
    }
  }
}

export function factorComponent(side: usize, k: usize, parts: u32, from: u32, to: u32): void {
  if (load<u32>(side + FACTOR_ELEMENT_BYTES) == 4) component<f32>(side, k, parts, from, to);
  else component<f64>(side, k, parts, from, to);
}

function gramOf<P>(side: usize, from: u32, to: u32, target: usize, scratch: usize): void {
  const rank = u(side, FACTOR_RANK), stride = u(side, FACTOR_STRIDE);
  const rowBytes = stride << 3;
  const panel = scratch + 32;
  for (let i: usize = 0; i < 4; i++) store<f64>(scratch + (i << 3), 1);
  memory.fill(target, 0, stride * rowBytes);
  for (let row = from; row < to; row += 4) {
    const count = min(to - row, 4);
    if (count < 4) memory.fill(panel, 0, 4 * rowBytes);
    for (let i: u32 = 0; i < count; i++) {
      unpack<P>(u(side, FACTOR_OWN) + <usize>(row + i) * stride * sizeof<P>(), rank, stride, false, panel + <usize>i * rowBytes);
    }
    addFour(target, scratch, panel, stride);
  }
}

export function factorGram(side: usize, from: u32, to: u32, target: usize, scratch: usize): void {
  if (load<u32>(side + FACTOR_ELEMENT_BYTES) == 4) gramOf<f32>(side, from, to, target, scratch);
  else gramOf<f64>(side, from, to, target, scratch);
}

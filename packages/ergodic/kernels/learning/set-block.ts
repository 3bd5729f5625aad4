/**
 * Access to a working set's SET block (learning/fields.ts), for kernels/learning/working-set.ts and its parts: fields,
 * vectors, and columns centred under the weights h.
 *
 * Long computations are split into calls of bounded work. A kernel that has used up its budget of `most` elements
 * returns 0, and its next call continues the computation. A kernel that has finished returns 1. The stopping points
 * depend only on element counts and change no result. STAGE and AT hold the position during a computation and are 0
 * between computations.
 */
import {
  SET_COLUMNS, SET_DOT, SET_ADD_WEIGHTED, SET_ROWS, SET_U, SET_H, SET_TEMPORARY, SET_BETA, SET_PENALTY_WEIGHTS, SET_MEANS, SET_MEMBERS, SET_CAPACITY,
  SET_GRAM, SET_SUPPORT, SET_INTERCEPT, SET_NON_NEGATIVE, SET_ORIGINS, SET_L1_F64, SET_L2_F64, SET_SHIFT_F64, SET_SUM_H_F64, SET_STAGE, SET_AT,
  SET_LEFT_F64, SET_COLUMN_WORK_F64,
} from "../../src/learning/fields";

/** Begins a call that may touch `most` elements. */
export function allow(set: usize, most: f64): void {
  store<f64>(set + SET_LEFT_F64, most);
}

/** Subtracts touched elements from the budget. Returns whether it is used up. */
export function spent(set: usize, elements: f64): bool {
  const left = load<f64>(set + SET_LEFT_F64) - elements;
  store<f64>(set + SET_LEFT_F64, left);
  return !(left > 0);
}

/** Subtracts the elements of `columns` columns from the budget. */
export function spentColumns(set: usize, columns: f64): bool {
  return spent(set, columns * load<f64>(set + SET_COLUMN_WORK_F64));
}

export function stage(set: usize): u32 {
  return load<u32>(set + SET_STAGE);
}

/** Position within the stage. */
export function place(set: usize): u32 {
  return load<u32>(set + SET_AT);
}

export function enter(set: usize, next: u32): void {
  store<u32>(set + SET_STAGE, next);
  store<u32>(set + SET_AT, 0);
}

/** Stores the position and returns 0, so that the kernel's next call continues at this position. */
export function pauseAt(set: usize, at: u32): u32 {
  store<u32>(set + SET_AT, at);
  return 0;
}

/** Resets the position and returns 1, because the kernel has finished. */
export function ended(set: usize): u32 {
  enter(set, 0);
  return 1;
}

export function u(set: usize, at: usize): usize {
  return <usize>load<u32>(set + at);
}

/** Returns element i of the f64 array that the field `at` points to. */
export function get(set: usize, at: usize, i: u32): f64 {
  return load<f64>(u(set, at) + (<usize>i << 3));
}

export function put(set: usize, at: usize, i: u32, value: f64): void {
  store<f64>(u(set, at) + (<usize>i << 3), value);
}

export function member(set: usize, place: u32): u32 {
  return load<u32>(u(set, SET_MEMBERS) + (<usize>place << 2));
}

export function dot(set: usize, j: u32, v: usize): f64 {
  return call_indirect<f64>(load<u32>(set + SET_DOT), load<u32>(set + SET_COLUMNS), j, v);
}

/** v += f h∘(x_j − o_j). */
export function addWeighted(set: usize, j: u32, f: f64, v: u32): void {
  call_indirect<void>(load<u32>(set + SET_ADD_WEIGHTED), load<u32>(set + SET_COLUMNS), j, f, get(set, SET_ORIGINS, j), load<u32>(set + SET_H), v);
}

/** u −= d h∘(x_j − o_j). */
export function moveOutputs(set: usize, j: u32, d: f64): void {
  addWeighted(set, j, -d, load<u32>(set + SET_U));
}

/** a −= f b, both f64[n]. */
export function subtract(a: usize, f: f64, b: usize, n: u32): void {
  const factors = f64x2.splat(f);
  for (const end = a + (<usize>(n & ~1) << 3); a < end; a += 16) {
    v128.store(a, f64x2.sub(v128.load(a), f64x2.mul(factors, v128.load(b))));
    b += 16;
  }
  if (n & 1) store<f64>(a, load<f64>(a) - f * load<f64>(b));
}

export function inner(a: usize, b: usize, n: u32): f64 {
  let sums = f64x2.splat(0);
  for (const end = a + (<usize>(n & ~1) << 3); a < end; a += 16) {
    sums = f64x2.add(sums, f64x2.mul(v128.load(a), v128.load(b)));
    b += 16;
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  if (n & 1) sum += load<f64>(a) * load<f64>(b);
  return sum;
}

export function sumOf(a: usize, n: u32): f64 {
  let sum: f64 = 0;
  for (const end = a + (<usize>n << 3); a < end; a += 8) sum += load<f64>(a);
  return sum;
}

/** Returns the β_j that minimises the penalty plus a quadratic of curvature L whose negative slope at β_j = b is q. */
export function minimiser(set: usize, q: f64, b: f64, L: f64, weight: f64): f64 {
  const target = q + L * b;
  const threshold = load<f64>(set + SET_L1_F64) * weight;
  const curvature = L + load<f64>(set + SET_L2_F64) * weight;
  if (target > threshold) return (target - threshold) / curvature;
  if (target < -threshold && !load<u32>(set + SET_NON_NEGATIVE)) return (target + threshold) / curvature;
  return 0;
}

export function penaltyOf(set: usize, j: u32): f64 {
  const b = get(set, SET_BETA, j);
  return get(set, SET_PENALTY_WEIGHTS, j) * (load<f64>(set + SET_L1_F64) * Math.abs(b) + 0.5 * load<f64>(set + SET_L2_F64) * b * b);
}

/** Returns |x·v|, or max(x·v, 0) if coefficients are non-negative. */
export function pull(set: usize, c: f64): f64 {
  return load<u32>(set + SET_NON_NEGATIVE) ? Math.max(c, 0) : Math.abs(c);
}

/** Sets SHIFT = Σu/Σh: the intercept at its minimum. */
export function centre(set: usize): void {
  if (!load<u32>(set + SET_INTERCEPT) || !(load<f64>(set + SET_SUM_H_F64) > 0)) return;
  store<f64>(set + SET_SHIFT_F64, sumOf(u(set, SET_U), load<u32>(set + SET_ROWS)) / load<f64>(set + SET_SUM_H_F64));
}

/**
 * Sets TEMPORARY, which must be zero, to h∘(x − o), and sets the column's element of MEANS to the sum of TEMPORARY. If
 * o = 0, the sum is xᵀh. For other origins, the elements of TEMPORARY are added up, because a difference of two sums
 * would lose digits if o is large.
 */
export function spread(set: usize, j: u32): void {
  const temporary = u(set, SET_TEMPORARY);
  addWeighted(set, j, 1, <u32>temporary);
  if (!load<u32>(set + SET_INTERCEPT)) return;
  put(set, SET_MEANS, j, get(set, SET_ORIGINS, j) == 0 ? dot(set, j, u(set, SET_H)) : sumOf(temporary, load<u32>(set + SET_ROWS)));
}

/** Subtracts the column from TEMPORARY again. The result is exactly zero: (0 + p) − p = 0. */
export function unspread(set: usize, j: u32): void {
  addWeighted(set, j, -1, load<u32>(set + SET_TEMPORARY));
}

/** Returns x_aᵀ diag(h) x_b for columns centred under h, when TEMPORARY holds h∘(x_a − o_a). */
export function covariance(set: usize, a: u32, b: u32): f64 {
  return centred(set, a, b, dot(set, b, u(set, SET_TEMPORARY)));
}

/**
 * Same as `covariance`, given raw = (x_a − o_a)ᵀ diag(h) x_b. The result is set to 0 if a column is constant where h >
 * 0, because it would otherwise be only rounding error.
 */
export function centred(set: usize, a: u32, b: u32, raw: f64): f64 {
  if (!load<u32>(set + SET_INTERCEPT)) return raw;
  const mean = get(set, SET_MEANS, a);
  const fromOrigin = raw - mean * get(set, SET_ORIGINS, b);
  const rest = fromOrigin - (mean * get(set, SET_MEANS, b)) / load<f64>(set + SET_SUM_H_F64);
  return a == b && rest <= 1e-13 * fromOrigin ? 0 : rest;
}

/** Returns xᵀv for a member of the set, computed from u without forming v. */
export function correlation(set: usize, j: u32): f64 {
  const raw = dot(set, j, u(set, SET_U));
  if (!load<u32>(set + SET_INTERCEPT)) return raw;
  return raw - load<f64>(set + SET_SHIFT_F64) * (get(set, SET_MEANS, j) + get(set, SET_ORIGINS, j) * load<f64>(set + SET_SUM_H_F64));
}

export function row(set: usize, place: u32): usize {
  return u(set, SET_GRAM) + ((<usize>place * u(set, SET_CAPACITY)) << 3);
}

export function support(set: usize, r: u32): u32 {
  return load<u32>(u(set, SET_SUPPORT) + (<usize>r << 2));
}

/** Whether the coefficient is unpenalised and has no sign constraint, so that nothing keeps it at 0. */
export function unbounded(set: usize, j: u32): bool {
  return get(set, SET_PENALTY_WEIGHTS, j) == 0 && !load<u32>(set + SET_NON_NEGATIVE);
}

/**
 * A working set solved by residuals, where its Gram matrix would be too large: passes of coordinate descent that move U column by column, and Anderson's
 * extrapolation of every six points, kept where the objective falls. Source: Bertrand and Massias 2021.
 */
import {
  SET_ROWS, SET_COLUMN_COUNT, SET_U, SET_BETA, SET_PENALTY_WEIGHTS, SET_MEANS, SET_NORMS, SET_FACTOR, SET_Q, SET_CURVATURES, SET_DIRECTION,
  SET_HISTORY, SET_INTERCEPT, SET_NON_NEGATIVE, SET_PASSES, SET_MOST_PASSES, SET_L2_F64, SET_TOLERANCE_F64, SET_SHIFT_F64, SET_SUM_H_F64,
} from "../src/host/fields";
import { correlation, covariance, get, member, minimiser, moveOutputs, penaltyOf, put, spread, sumOf, u, unspread } from "./set-block";

const KEPT: u32 = 5;

export function solveByResiduals(set: usize, size: u32): void {
  for (let a: u32 = 0; a < size; a++) {
    const j = member(set, a);
    spread(set, j);
    put(set, SET_CURVATURES, a, covariance(set, j, j));
    unspread(set, j);
  }
  const tolerance = load<f64>(set + SET_TOLERANCE_F64);
  const most = load<u32>(set + SET_MOST_PASSES);
  let passes: u32 = 0, kept: u32 = 0;
  keep(set, size, kept++);
  while (passes < most) {
    passes++;
    if (passByResiduals(set, size) <= tolerance) break;
    keep(set, size, kept++);
    if (kept <= KEPT) continue;
    extrapolate(set, size);
    kept = 0;
    keep(set, size, kept++);
  }
  store<u32>(set + SET_PASSES, load<u32>(set + SET_PASSES) + passes);
}

function passByResiduals(set: usize, size: u32): f64 {
  const l2 = load<f64>(set + SET_L2_F64);
  const intercept = load<u32>(set + SET_INTERCEPT);
  let lowered: f64 = 0;
  for (let a: u32 = 0; a < size; a++) {
    const L = get(set, SET_CURVATURES, a);
    const j = member(set, a);
    if (!(L > 0) || get(set, SET_NORMS, j) == 0) continue;
    const weight = get(set, SET_PENALTY_WEIGHTS, j), b = get(set, SET_BETA, j);
    const d = minimiser(set, correlation(set, j), b, L, weight) - b;
    if (d == 0) continue;
    move(set, j, b + d, intercept);
    lowered += 0.5 * (L + l2 * weight) * d * d;
  }
  return lowered;
}

function move(set: usize, j: u32, to: f64, intercept: u32): void {
  const d = to - get(set, SET_BETA, j);
  put(set, SET_BETA, j, to);
  moveOutputs(set, j, d);
  if (intercept)
    store<f64>(set + SET_SHIFT_F64, load<f64>(set + SET_SHIFT_F64) - (d * get(set, SET_MEANS, j)) / load<f64>(set + SET_SUM_H_F64));
}

function historyAt(set: usize, k: u32): usize {
  return u(set, SET_HISTORY) + ((<usize>k * u(set, SET_COLUMN_COUNT)) << 3);
}

function keep(set: usize, size: u32, k: u32): void {
  let at = historyAt(set, k);
  for (let a: u32 = 0; a < size; a++) {
    store<f64>(at, get(set, SET_BETA, member(set, a)));
    at += 8;
  }
}

/**
 * Anderson's extrapolation of the last six points (Bertrand and Massias 2021): weights c, Σc = 1, that minimise ‖Σ c_k (β_{k+1} − β_k)‖. The
 * extrapolated point is kept if the objective is lower there.
 */
function extrapolate(set: usize, size: u32): void {
  const weights = u(set, SET_FACTOR), system = weights + 64;
  let trace: f64 = 0;
  for (let r: u32 = 0; r < KEPT; r++) {
    for (let c: u32 = 0; c <= r; c++) {
      let sum: f64 = 0;
      for (let a: u32 = 0; a < size; a++) sum += step(set, r, a) * step(set, c, a);
      store<f64>(system + (<usize>(r * KEPT + c) << 3), sum);
      store<f64>(system + (<usize>(c * KEPT + r) << 3), sum);
      if (r == c) trace += sum;
    }
  }
  if (!(trace > 0)) return;
  for (let r: u32 = 0; r < KEPT; r++) {
    const at = system + (<usize>(r * KEPT + r) << 3);
    store<f64>(at, load<f64>(at) + 1e-12 * trace);
    store<f64>(weights + (<usize>r << 3), 1);
  }
  if (!eliminate(system, weights)) return;
  const total = sumOf(weights, KEPT);
  if (!(Math.abs(total) > 0)) return;
  const direction = u(set, SET_DIRECTION);
  const floor = load<u32>(set + SET_NON_NEGATIVE);
  for (let a: u32 = 0; a < size; a++) {
    let to: f64 = 0;
    for (let k: u32 = 0; k < KEPT; k++)
      to += (load<f64>(weights + (<usize>k << 3)) / total) * load<f64>(historyAt(set, k + 1) + (<usize>a << 3));
    if (!(to - to == 0)) return;
    store<f64>(direction + (<usize>a << 3), floor && to < 0 ? 0 : to);
  }
  tryPoint(set, size, direction);
}

function step(set: usize, k: u32, a: u32): f64 {
  return load<f64>(historyAt(set, k + 1) + (<usize>a << 3)) - load<f64>(historyAt(set, k) + (<usize>a << 3));
}

/** Gauss elimination without pivots, of a positive definite system of KEPT rows; the solution takes the right side's place. */
function eliminate(system: usize, x: usize): bool {
  for (let k: u32 = 0; k < KEPT; k++) {
    const pivot = load<f64>(system + (<usize>(k * KEPT + k) << 3));
    if (!(pivot > 0)) return false;
    for (let r = k + 1; r < KEPT; r++) {
      const f = load<f64>(system + (<usize>(r * KEPT + k) << 3)) / pivot;
      for (let c = k; c < KEPT; c++) {
        const at = system + (<usize>(r * KEPT + c) << 3);
        store<f64>(at, load<f64>(at) - f * load<f64>(system + (<usize>(k * KEPT + c) << 3)));
      }
      store<f64>(x + (<usize>r << 3), load<f64>(x + (<usize>r << 3)) - f * load<f64>(x + (<usize>k << 3)));
    }
  }
  for (let k = <i32>KEPT - 1; k >= 0; k--) {
    let rest = load<f64>(x + (<usize>k << 3));
    for (let c = <u32>k + 1; c < KEPT; c++) rest -= load<f64>(system + (<usize>(<u32>k * KEPT + c) << 3)) * load<f64>(x + (<usize>c << 3));
    store<f64>(x + (<usize>k << 3), rest / load<f64>(system + (<usize>(<u32>k * KEPT + k) << 3)));
  }
  return true;
}

/** Goes to the point `to` (f64 by place) if the objective is lower there: a quadratic falls by ½ δᵀ(slope here + slope there). */
function tryPoint(set: usize, size: u32, to: usize): void {
  const intercept = load<u32>(set + SET_INTERCEPT);
  const rows = load<u32>(set + SET_ROWS);
  const backup = historyAt(set, KEPT + 1);
  memory.copy(backup, u(set, SET_U), <usize>rows << 3);
  const shift = load<f64>(set + SET_SHIFT_F64);
  let change: f64 = 0;
  for (let a: u32 = 0; a < size; a++) {
    const j = member(set, a);
    const c = correlation(set, j);
    put(set, SET_Q, a, c);
    change -= penaltyOf(set, j);
  }
  for (let a: u32 = 0; a < size; a++) {
    const j = member(set, a), target = load<f64>(to + (<usize>a << 3));
    if (target != get(set, SET_BETA, j)) move(set, j, target, intercept);
  }
  const from = historyAt(set, KEPT);
  for (let a: u32 = 0; a < size; a++) {
    const j = member(set, a);
    const delta = get(set, SET_BETA, j) - load<f64>(from + (<usize>a << 3));
    change += penaltyOf(set, j) - 0.5 * delta * (get(set, SET_Q, a) + correlation(set, j));
  }
  if (change < 0) return;
  memory.copy(u(set, SET_U), backup, <usize>rows << 3);
  store<f64>(set + SET_SHIFT_F64, shift);
  for (let a: u32 = 0; a < size; a++) put(set, SET_BETA, member(set, a), load<f64>(from + (<usize>a << 3)));
}

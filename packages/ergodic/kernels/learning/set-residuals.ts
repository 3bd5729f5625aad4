/**
 * Solves a working set by residuals. This method is used if the Gram matrix would be too large. Passes of coordinate
 * descent update U column by column. After every six points, Anderson's method extrapolates a new point, which is
 * accepted if it lowers the objective. Source: Bertrand and Massias 2021.
 */
import {
  SET_ROWS, SET_COLUMN_COUNT, SET_U, SET_BETA, SET_PENALTY_WEIGHTS, SET_MEANS, SET_NORMS, SET_FACTOR, SET_Q, SET_CURVATURES, SET_DIRECTION,
  SET_HISTORY, SET_INTERCEPT, SET_NON_NEGATIVE, SET_MOST_PASSES, SET_L2_F64, SET_TOLERANCE_F64, SET_SHIFT_F64, SET_SUM_H_F64, SET_TURN, SET_NEXT,
  SET_SUM_F64, SET_SHIFT_BEFORE_F64,
} from "../../src/learning/fields";
import {
  correlation, covariance, enter, get, member, minimiser, moveOutputs, pauseAt, penaltyOf, place, put, spentColumns, spread, stage, sumOf, u, unspread,
} from "./set-block";

const KEPT: u32 = 5;

const CURVATURES: u32 = 1;
const PASS: u32 = 2;
/**
 * Stages of an Anderson step. HERE computes correlations at the current point, WAY moves to the extrapolated point, and
 * THERE checks whether the objective is lower there.
 */
const HERE: u32 = 3;
const WAY: u32 = 4;
const THERE: u32 = 5;

export function solveByResiduals(set: usize, size: u32): u32 {
  if (stage(set) == CURVATURES) {
    for (let a = place(set); a < size; a++) {
      const j = member(set, a);
      spread(set, j);
      put(set, SET_CURVATURES, a, covariance(set, j, j));
      unspread(set, j);
      if (spentColumns(set, 3)) return pauseAt(set, a + 1);
    }
    begin(set, size);
  }
  for (let more = true; more; ) {
    if (stage(set) == PASS) {
      if (!passByResiduals(set, size)) return 0;
      more = !endsWith(set, size);
    } else {
      if (!tryPoint(set, size)) return 0;
      begin(set, size);
      more = load<u32>(set + SET_TURN) < load<u32>(set + SET_MOST_PASSES);
    }
  }
  return 1;
}

/** Selects the stage that follows a pass. Returns true if the solve is done. */
function endsWith(set: usize, size: u32): bool {
  const passes = load<u32>(set + SET_TURN) + 1, kept = load<u32>(set + SET_NEXT);
  store<u32>(set + SET_TURN, passes);
  if (load<f64>(set + SET_SUM_F64) <= load<f64>(set + SET_TOLERANCE_F64)) return true;
  keep(set, size, kept);
  if (kept < KEPT) {
    store<u32>(set + SET_NEXT, kept + 1);
    againAt(set, PASS);
  } else if (extrapolate(set, size)) againAt(set, HERE);
  else begin(set, size);
  return stage(set) == PASS && passes >= load<u32>(set + SET_MOST_PASSES);
}

/** Starts passes from the current point. */
function begin(set: usize, size: u32): void {
  keep(set, size, 0);
  store<u32>(set + SET_NEXT, 1);
  againAt(set, PASS);
}

function againAt(set: usize, next: u32): void {
  enter(set, next);
  store<f64>(set + SET_SUM_F64, 0);
}

/** Returns true at the end of a pass. By then, SUM holds the decrease of the objective. */
function passByResiduals(set: usize, size: u32): bool {
  const l2 = load<f64>(set + SET_L2_F64);
  const intercept = load<u32>(set + SET_INTERCEPT);
  let lowered = load<f64>(set + SET_SUM_F64), a = place(set);
  for (let more = true; more && a < size; a++) {
    const L = get(set, SET_CURVATURES, a);
    const j = member(set, a);
    if (!(L > 0) || get(set, SET_NORMS, j) == 0) continue;
    more = !spentColumns(set, 1);
    const weight = get(set, SET_PENALTY_WEIGHTS, j), b = get(set, SET_BETA, j);
    const d = minimiser(set, correlation(set, j), b, L, weight) - b;
    if (d == 0) continue;
    move(set, j, b + d, intercept);
    more = !spentColumns(set, 1);
    lowered += 0.5 * (L + l2 * weight) * d * d;
  }
  store<f64>(set + SET_SUM_F64, lowered);
  return a == size || pauseAt(set, a) != 0;
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
 * Anderson extrapolation of the last six points (Bertrand and Massias 2021): weights c, Σc = 1, that minimise ‖Σ c_k
 * (β_{k+1} − β_k)‖. Writes the extrapolated point to DIRECTION, indexed by place. Returns false if there is no such
 * point.
 */
function extrapolate(set: usize, size: u32): bool {
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
  if (!(trace > 0)) return false;
  for (let r: u32 = 0; r < KEPT; r++) {
    const at = system + (<usize>(r * KEPT + r) << 3);
    store<f64>(at, load<f64>(at) + 1e-12 * trace);
    store<f64>(weights + (<usize>r << 3), 1);
  }
  if (!eliminate(system, weights)) return false;
  const total = sumOf(weights, KEPT);
  if (!(Math.abs(total) > 0)) return false;
  const direction = u(set, SET_DIRECTION);
  const floor = load<u32>(set + SET_NON_NEGATIVE);
  for (let a: u32 = 0; a < size; a++) {
    let to: f64 = 0;
    for (let k: u32 = 0; k < KEPT; k++)
      to += (load<f64>(weights + (<usize>k << 3)) / total) * load<f64>(historyAt(set, k + 1) + (<usize>a << 3));
    if (!(to - to == 0)) return false;
    store<f64>(direction + (<usize>a << 3), floor && to < 0 ? 0 : to);
  }
  return true;
}

function step(set: usize, k: u32, a: u32): f64 {
  return load<f64>(historyAt(set, k + 1) + (<usize>a << 3)) - load<f64>(historyAt(set, k) + (<usize>a << 3));
}

/**
 * Gaussian elimination without pivoting, for a positive definite system of KEPT rows. The solution overwrites the
 * right-hand side x.
 */
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

/**
 * Moves to the point in DIRECTION if the objective is lower there. Along the way, the quadratic part falls by ½
 * δᵀ(slope here + slope there). SUM accumulates the change of the whole objective. Returns true once the point has been
 * accepted or rejected.
 */
function tryPoint(set: usize, size: u32): bool {
  const backup = historyAt(set, KEPT + 1), from = historyAt(set, KEPT), to = u(set, SET_DIRECTION);
  const bytes = <usize>load<u32>(set + SET_ROWS) << 3;
  if (stage(set) == HERE) {
    let change = load<f64>(set + SET_SUM_F64), a = place(set);
    if (a == 0) {
      memory.copy(backup, u(set, SET_U), bytes);
      store<f64>(set + SET_SHIFT_BEFORE_F64, load<f64>(set + SET_SHIFT_F64));
    }
    for (let more = true; more && a < size; a++) {
      const j = member(set, a);
      put(set, SET_Q, a, correlation(set, j));
      change -= penaltyOf(set, j);
      more = !spentColumns(set, 1);
    }
    store<f64>(set + SET_SUM_F64, change);
    if (a < size) return pauseAt(set, a) != 0;
    enter(set, WAY);
  }
  if (stage(set) == WAY) {
    const intercept = load<u32>(set + SET_INTERCEPT);
    for (let a = place(set); a < size; a++) {
      const j = member(set, a), target = load<f64>(to + (<usize>a << 3));
      if (target == get(set, SET_BETA, j)) continue;
      move(set, j, target, intercept);
      if (spentColumns(set, 1)) return pauseAt(set, a + 1) != 0;
    }
    enter(set, THERE);
  }
  let change = load<f64>(set + SET_SUM_F64), a = place(set);
  for (let more = true; more && a < size; a++) {
    const j = member(set, a);
    const delta = get(set, SET_BETA, j) - load<f64>(from + (<usize>a << 3));
    change += penaltyOf(set, j) - 0.5 * delta * (get(set, SET_Q, a) + correlation(set, j));
    more = !spentColumns(set, 1);
  }
  store<f64>(set + SET_SUM_F64, change);
  if (a < size) return pauseAt(set, a) != 0;
  if (change < 0) return true;
  memory.copy(u(set, SET_U), backup, bytes);
  store<f64>(set + SET_SHIFT_F64, load<f64>(set + SET_SHIFT_BEFORE_F64));
  for (a = 0; a < size; a++) put(set, SET_BETA, member(set, a), load<f64>(from + (<usize>a << 3)));
  return true;
}

/**
 * Computes Xᵀv for all columns that can matter, and the parts of the duality gap. Finds columns whose coefficients are
 * provably 0.
 *
 * `setScores`: with v = κ v₀ + e, |x·v| ≤ κ|x·v₀| + ‖x − x̄‖‖e‖, so columns whose bound stays below l1 w can be skipped
 * without loss. `setScreen` marks the columns for which a sphere around the dual point proves that the coefficient is 0
 * (gap safe: Ndiaye et al. 2017).
 */
import {
  SET_ROWS, SET_COLUMN_COUNT, SET_U, SET_H, SET_BETA, SET_PENALTY_WEIGHTS, SET_NORMS, SET_CORRELATIONS, SET_REFERENCE_CORRELATIONS, SET_REFERENCE,
  SET_V, SET_SCREENED, SET_PLACES, SET_SIZE, SET_COMPUTED, SET_SCREENED_COUNT, SET_HAS_REFERENCE, SET_L1_F64, SET_L2_F64, SET_SHIFT_F64, SET_FIT_F64,
  SET_PENALTY_F64, SET_RATIO_F64, SET_EXCESS_F64, SET_VIOLATION_F64, SET_KAPPA_F64, SET_DISTANCE_F64, SET_INNER_F64, SET_TURN,
} from "../../src/learning/fields";
import { allow, centre, dot, ended, get, pauseAt, penaltyOf, place, pull, put, spentColumns, u } from "./set-block";

/** Distance from 0 to the subdifferential of the objective with respect to β_j, given x_j·v = c. */
function violation(set: usize, j: u32, c: f64): f64 {
  const b = get(set, SET_BETA, j), weight = get(set, SET_PENALTY_WEIGHTS, j), threshold = load<f64>(set + SET_L1_F64) * weight;
  if (b == 0) return Math.max(0, pull(set, c) - threshold);
  return Math.abs(c - (b > 0 ? threshold : -threshold) - load<f64>(set + SET_L2_F64) * weight * b);
}

/** Upper bound on |x_j·v|, computed from the correlation at the reference. */
function bound(set: usize, j: u32): f64 {
  return Math.abs(load<f64>(set + SET_KAPPA_F64) * get(set, SET_REFERENCE_CORRELATIONS, j)) + get(set, SET_NORMS, j) * load<f64>(set + SET_DISTANCE_F64);
}

/** If more than 1 / STALE_SHARE of the columns outside the set had to be computed, a new reference is needed. */
const STALE_SHARE: u32 = 8;

export function setScores(set: usize, most: f64): u32 {
  const rows = load<u32>(set + SET_ROWS), count = load<u32>(set + SET_COLUMN_COUNT);
  allow(set, most);
  if (place(set) == 0) {
    centre(set);
    formV(set, rows);
    store<u32>(set + SET_TURN, 0);
    for (let at = SET_PENALTY_F64; at <= SET_VIOLATION_F64; at += 8) store<f64>(set + at, 0);
    store<f64>(set + SET_INNER_F64, 0);
  }
  const l1 = load<f64>(set + SET_L1_F64), l2 = load<f64>(set + SET_L2_F64);
  const fresh = load<u32>(set + SET_HAS_REFERENCE) == 0;
  const v = u(set, SET_V);
  let computed = load<u32>(set + SET_TURN), j = place(set);
  let penalty = load<f64>(set + SET_PENALTY_F64), ratio = load<f64>(set + SET_RATIO_F64), excess = load<f64>(set + SET_EXCESS_F64);
  let worst = load<f64>(set + SET_VIOLATION_F64), products = load<f64>(set + SET_INNER_F64);
  for (let more = true; more && j < count; j++) {
    const weight = get(set, SET_PENALTY_WEIGHTS, j), b = get(set, SET_BETA, j), threshold = l1 * weight;
    const screened = load<u8>(u(set, SET_SCREENED) + j) != 0;
    if (!fresh && b == 0 && weight > 0 && (screened || bound(set, j) <= threshold * (1 - 1e-9))) {
      put(set, SET_CORRELATIONS, j, load<f64>(set + SET_KAPPA_F64) * get(set, SET_REFERENCE_CORRELATIONS, j));
      continue;
    }
    const c = get(set, SET_NORMS, j) > 0 ? dot(set, j, v) : 0;
    computed++;
    more = !spentColumns(set, 1);
    put(set, SET_CORRELATIONS, j, c);
    if (fresh) put(set, SET_REFERENCE_CORRELATIONS, j, c);
    if (screened) continue;
    worst = Math.max(worst, violation(set, j, c));
    if (weight > 0) {
      const pulled = pull(set, c);
      if (pulled > ratio * threshold) ratio = pulled / threshold;
      if (l2 > 0 && pulled > threshold) excess += ((pulled - threshold) * (pulled - threshold)) / (2 * l2 * weight);
    }
    if (b == 0) continue;
    penalty += penaltyOf(set, j);
    products += b * c;
  }
  store<u32>(set + SET_TURN, computed);
  store<f64>(set + SET_PENALTY_F64, penalty);
  store<f64>(set + SET_RATIO_F64, ratio);
  store<f64>(set + SET_EXCESS_F64, excess);
  store<f64>(set + SET_VIOLATION_F64, worst);
  store<f64>(set + SET_INNER_F64, products);
  if (j < count) return pauseAt(set, j);
  if (fresh) {
    memory.copy(u(set, SET_REFERENCE), v, <usize>rows << 3);
    store<u32>(set + SET_HAS_REFERENCE, 1);
    store<f64>(set + SET_KAPPA_F64, 1);
    store<f64>(set + SET_DISTANCE_F64, 0);
  } else if (computed > load<u32>(set + SET_SIZE) + count / STALE_SHARE) store<u32>(set + SET_HAS_REFERENCE, 0);
  store<u32>(set + SET_COMPUTED, load<u32>(set + SET_COMPUTED) + computed);
  return ended(set);
}

/** Computes V = u − SHIFT h, ½ Σ v²/h, and the position of v relative to the reference. */
function formV(set: usize, rows: u32): void {
  const shift = load<f64>(set + SET_SHIFT_F64);
  let uAt = u(set, SET_U), h = u(set, SET_H), v = u(set, SET_V), reference = u(set, SET_REFERENCE);
  let fit: f64 = 0, square: f64 = 0, product: f64 = 0, reach: f64 = 0;
  for (const end = v + (<usize>rows << 3); v < end; v += 8) {
    const curvature = load<f64>(h);
    const x = load<f64>(uAt) - shift * curvature;
    store<f64>(v, x);
    if (curvature > 0) fit += (x * x) / curvature;
    square += x * x;
    const r = load<f64>(reference);
    product += x * r;
    reach += r * r;
    uAt += 8;
    h += 8;
    reference += 8;
  }
  const kappa = reach > 0 ? product / reach : 0;
  store<f64>(set + SET_FIT_F64, 0.5 * fit);
  store<f64>(set + SET_KAPPA_F64, kappa);
  store<f64>(set + SET_DISTANCE_F64, Math.sqrt(Math.max(0, square - kappa * product)) + 1e-12 * Math.sqrt(square));
}

/**
 * Marks columns outside the set whose coefficients are 0 at the optimum: |x·αv| + ‖x − x̄‖ radius < l1 w, where α v is
 * the dual point. For l2 = 0.
 */
export function setScreen(set: usize, alpha: f64, radius: f64): void {
  const count = load<u32>(set + SET_COLUMN_COUNT), l1 = load<f64>(set + SET_L1_F64);
  let screened: u32 = 0;
  for (let j: u32 = 0; j < count; j++) {
    const at = u(set, SET_SCREENED) + j;
    if (load<u8>(at)) {
      screened++;
      continue;
    }
    if (get(set, SET_BETA, j) != 0 || load<u32>(u(set, SET_PLACES) + (<usize>j << 2))) continue;
    const reach = Math.max(Math.abs(get(set, SET_CORRELATIONS, j)), bound(set, j));
    if (alpha * reach + get(set, SET_NORMS, j) * radius >= l1 * get(set, SET_PENALTY_WEIGHTS, j) * (1 - 1e-9)) continue;
    store<u8>(at, 1);
    screened++;
  }
  store<u32>(set + SET_SCREENED_COUNT, screened);
}

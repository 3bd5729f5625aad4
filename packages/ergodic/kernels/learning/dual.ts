/**
 * Coordinate ascent on the dual of mean_i w_i ℓ_i(x_i·p) + l2/2 ‖p‖², with one dual variable β_i per row. The primal
 * vector p = Σ_i β_i x_i is also stored (blocks: learning/fields.ts).
 *
 * With C_i = w_i / (n l2) the objective is l2 [½‖p‖² + Σ_i C_i ℓ_i], and its dual l2 [−½‖p‖² − Σ_i (C_i ℓ_i)*(−β_i)].
 * Losses are given by their duals. Piecewise quadratic losses have bounds, a curvature and ε (fields DUAL_LOW …), and
 * their best β_i has a closed form. The logistic loss, α = yβ in (0, C), uses a safeguarded Newton iteration on s =
 * log(α / (C − α)), which solves s + y x·p = 0. Rows are dense or sparse, of type f32, f64, i16 or i8. Arithmetic is in
 * f64, in the order of the visits.
 *
 * - dualAscend: makes at most `visits` visits of active rows, pass after pass. Returns the number made. Stops early if
 *   a pass has solved the active rows (ASCENT_SOLVED). The result does not depend on how visits are split into calls.
 * - dualGap: computes, over all rows of the lane and at the lane's p: Σ C_i ℓ_i, the gap (as a sum of terms ≥ 0), and
 *   the largest violation. Rebuilds the list of active rows.
 * - dualCollect: into[columns] = Σ_i β_i x_i over the lane's rows. dualSquares: ‖x_i‖² + added for all rows.
 * - dualShuffle: order[0..count), u32, in random order (Fisher–Yates from the end, stream at `counter`).
 *
 * Sources: Hsieh et al. 2008 (hinge, shrinking), Yu, Huang and Lin 2011 (logistic), Ho and Lin 2012 (ε-insensitive).
 */
import {
  ASCENT_ACTIVE, ASCENT_BETA, ASCENT_COUNT, ASCENT_DUAL, ASCENT_FIRST, ASCENT_GAP_F64, ASCENT_KEY_HIGH, ASCENT_KEY_LOW, ASCENT_LARGEST_F64,
  ASCENT_LIMIT_F64, ASCENT_LOGIT, ASCENT_LOSS_F64, ASCENT_OPEN, ASCENT_ORDER, ASCENT_PARAMETERS, ASCENT_PASS_F64, ASCENT_POSITION, ASCENT_RACING,
  ASCENT_SHRINK, ASCENT_SHUFFLE, ASCENT_SOLVED, ASCENT_SPREAD_F64, ASCENT_TARGET_F64, ASCENT_VIOLATION_F64, DUAL_COLUMN_INDEX, DUAL_COLUMNS,
  DUAL_COST_F64, DUAL_CURVATURE_F64, DUAL_EPSILON_F64, DUAL_HIGH_F64, DUAL_INTERCEPT_F64, DUAL_LOGISTIC, DUAL_LOW_F64, DUAL_ROW_BYTES, DUAL_ROW_START,
  DUAL_SCALE_F64, DUAL_SIGNED, DUAL_SKIPPED, DUAL_SQUARES, DUAL_TARGET, DUAL_TYPE, DUAL_VALUES, DUAL_WEIGHTS,
} from "../../src/learning/fields";
import { exp } from "../engine/numbers/exp";
import { log } from "../engine/numbers/log";
import { integer, seek } from "../engine/random/random";
import { addAtomically, addRow, addRowAtomically, dotRow, squareRow } from "../engine/data/row";

/** The Newton iterations of a logistic visit end when the slope has shrunk to this fraction of its initial value. */
const INNER: f64 = 0.1;
const MOST_INNER = 40;
/**
 * A row at a bound leaves the active set when its slope exceeds this fraction of the largest violation. Rows can leave
 * too early, because every gap check restores rows that left wrongly.
 */
const LEAVE: f64 = 0.1;

function u(block: usize, at: usize): usize {
  return <usize>load<u32>(block + at);
}

// The row opened last: the address of its elements, the address of its columns (0 if dense) and the number of entries
// that have a parameter.
let rowValues: usize = 0;
let rowColumns: usize = 0;
let rowLength: i32 = 0;

function openRow<T>(dual: usize, i: usize): void {
  const starts = u(dual, DUAL_ROW_START);
  if (starts) {
    const from = <usize>load<u32>(starts + (i << 2)), to = <usize>load<u32>(starts + (i << 2), 4);
    rowValues = u(dual, DUAL_VALUES) + from * sizeof<T>();
    rowColumns = u(dual, DUAL_COLUMN_INDEX) + (from << 2);
    rowLength = <i32>(to - from) - load<i32>(dual + DUAL_SKIPPED);
  } else {
    rowValues = u(dual, DUAL_VALUES) + i * u(dual, DUAL_ROW_BYTES);
    rowColumns = 0;
    rowLength = load<i32>(dual + DUAL_COLUMNS);
  }
}

/** p += change × the opened row. The last entry, the intercept's, uses a constant other than the stored value. */
function move<T>(dual: usize, p: usize, change: f64, racing: u32): void {
  const factor = change * load<f64>(dual + DUAL_SCALE_F64), extra = change * load<f64>(dual + DUAL_INTERCEPT_F64);
  const last = p + (u(dual, DUAL_COLUMNS) << 3) - 8;
  if (racing) {
    addRowAtomically<T>(rowValues, rowColumns, rowLength, factor, p);
    if (extra != 0) addAtomically(last, extra);
  } else {
    addRow<T>(rowValues, rowColumns, rowLength, factor, p);
    if (extra != 0) store<f64>(last, load<f64>(last) + extra);
  }
}

// Parameters of the dual of a row's loss. If rows have weights, these parameters are set for each row.
let cost: f64 = 0;
let low: f64 = 0;
let high: f64 = 0;
let curvature: f64 = 0;

function openLoss(dual: usize, weight: f64): void {
  cost = load<f64>(dual + DUAL_COST_F64) * weight;
  low = load<f64>(dual + DUAL_LOW_F64) * cost;
  high = load<f64>(dual + DUAL_HIGH_F64) * cost;
  curvature = load<f64>(dual + DUAL_CURVATURE_F64) / cost;
}

function beginPass(lane: usize): void {
  store<u32>(lane + ASCENT_OPEN, 1);
  store<u32>(lane + ASCENT_POSITION, 0);
  store<f64>(lane + ASCENT_LARGEST_F64, 0);
  const pass = load<f64>(lane + ASCENT_PASS_F64);
  store<f64>(lane + ASCENT_PASS_F64, pass + 1);
  if (!load<u32>(lane + ASCENT_SHUFFLE)) return;
  dualShuffle(u(lane, ASCENT_ORDER), load<u32>(lane + ASCENT_ACTIVE), load<u32>(lane + ASCENT_KEY_LOW), load<u32>(lane + ASCENT_KEY_HIGH), pass);
}

export function dualShuffle(order: usize, count: u32, keyLow: u32, keyHigh: u32, counter: f64): void {
  seek(keyLow, keyHigh, counter);
  for (let k = count; k > 1; k--) {
    const here = order + (<usize>(k - 1) << 2), there = order + (<usize>integer(k) << 2);
    const row = load<u32>(here);
    store<u32>(here, load<u32>(there));
    store<u32>(there, row);
  }
}

function endPass(lane: usize): void {
  const largest = load<f64>(lane + ASCENT_LARGEST_F64);
  store<u32>(lane + ASCENT_OPEN, 0);
  if (load<u32>(lane + ASCENT_SHRINK) == 2) store<f64>(lane + ASCENT_LIMIT_F64, largest > 0 ? largest : Infinity);
  store<u32>(lane + ASCENT_SOLVED, largest <= load<f64>(lane + ASCENT_TARGET_F64) ? 1 : 0);
}

/**
 * Amount by which β violates the optimality condition, given the dual's slopes to the right and to the left of β. If it
 * is 0, β stays.
 */
function violation(beta: f64, right: f64, left: f64, from: f64, to: f64): f64 {
  // left ≤ right, so at most one of the two slopes has the wrong sign.
  if (right < 0) return beta < to ? -right : 0;
  return left > 0 && beta > from ? left : 0;
}

/** Whether β stays at its bound, because the slopes exceed `limit` in the direction of the bound. */
function stays(beta: f64, right: f64, left: f64, from: f64, to: f64, limit: f64): boolean {
  return (beta >= to || right > limit) && (beta <= from || left < -limit);
}

// Comparisons are faster than min and max, which take several instructions to handle NaN and −0.
function within(b: f64, from: f64, to: f64): f64 {
  return b < from ? from : b > to ? to : b;
}

/** Returns the minimiser of ½h(b − β)² + g(b − β) + ε|b| over [from, to], for a β that is not optimal yet. */
function best(beta: f64, g: f64, h: f64, epsilon: f64, from: f64, to: f64): f64 {
  if (h == 0) return g < 0 ? to : from;
  const up = beta - (g + epsilon) / h;
  if (epsilon == 0) return within(up, from, to);
  const down = beta - (g - epsilon) / h;
  return within(up > 0 ? up : down < 0 ? down : 0, from, to);
}

// State of the logistic iteration: α and α (C − α) / C at the current s.
let alpha: f64 = 0;
let slope: f64 = 0;

function setLogit(s: f64): void {
  const e = exp(s > 0 ? -s : s);
  const share = 1 / (1 + e);
  alpha = cost * (s > 0 ? share : e * share);
  slope = cost * e * share * share;
}

/**
 * Solves s + margin + q (α(s) − before) = 0 for s, until the left side has shrunk to INNER times its first value. Sets
 * α. The left side's slope is at least 1.
 */
function solveLogit(s: f64, margin: f64, q: f64, before: f64): f64 {
  const off = s + margin;
  let below = off < 0 ? s : s - off, above = off < 0 ? s - off : s;
  let t = s - off / (1 + q * before * (1 - before / cost));
  let k = 0;
  while (true) {
    setLogit(t);
    const f = t + margin + q * (alpha - before);
    if (abs(f) <= INNER * abs(off) || ++k == MOST_INNER) return t;
    if (f < 0) below = t;
    else above = t;
    const next = t - f / (1 + q * slope);
    t = next > below && next < above ? next : 0.5 * (below + above);
  }
}

// Largest violation of the pass.
let largest: f64 = 0;
// New β of the visited row.
let next: f64 = 0;

/** Visits a row of a piecewise quadratic loss, where q = σ′‖x‖². Returns whether the row leaves the active set. */
function visitPiecewise(y: f64, z: f64, beta: f64, q: f64, epsilon: f64, mirrored: boolean, limit: f64): boolean {
  const from = mirrored ? -high : low, to = mirrored ? -low : high;
  const g = z - y + curvature * beta;
  const right = g + (beta >= 0 ? epsilon : -epsilon), left = g + (beta > 0 ? epsilon : -epsilon);
  const off = violation(beta, right, left, from, to);
  next = beta;
  if (off == 0) return stays(beta, right, left, from, to, limit);
  if (off > largest) largest = off;
  next = best(beta, g, q + curvature, epsilon, from, to);
  return false;
}

/** Visits a row of the logistic loss. Such rows never leave the active set. `at` holds s. */
function visitLogistic(y: f64, z: f64, beta: f64, q: f64, at: usize): void {
  const s = load<f64>(at), margin = y * z, off = abs(s + margin);
  next = beta;
  if (off == 0) return;
  if (off > largest) largest = off;
  store<f64>(at, solveLogit(s, margin, q, y * beta));
  next = y * alpha;
}

function visit<T>(lane: usize, dual: usize, visits: u32): u32 {
  const p = u(lane, ASCENT_PARAMETERS), betas = u(lane, ASCENT_BETA), logits = u(lane, ASCENT_LOGIT), order = u(lane, ASCENT_ORDER);
  const targets = u(dual, DUAL_TARGET), squares = u(dual, DUAL_SQUARES), weights = u(dual, DUAL_WEIGHTS);
  const scale = load<f64>(dual + DUAL_SCALE_F64), epsilon = load<f64>(dual + DUAL_EPSILON_F64), spread = load<f64>(lane + ASCENT_SPREAD_F64);
  const logistic = load<u32>(dual + DUAL_LOGISTIC), signed = load<u32>(dual + DUAL_SIGNED), racing = load<u32>(lane + ASCENT_RACING);
  const limit = load<u32>(lane + ASCENT_SHRINK) == 2 ? LEAVE * load<f64>(lane + ASCENT_LIMIT_F64) : Infinity;
  let position = load<u32>(lane + ASCENT_POSITION), active = load<u32>(lane + ASCENT_ACTIVE);
  let made: u32 = 0;
  largest = load<f64>(lane + ASCENT_LARGEST_F64);
  openLoss(dual, 1);
  for (; made < visits && position < active; made++) {
    const at = order + (<usize>position << 2);
    const i = <usize>load<u32>(at);
    const y = load<f64>(targets + (i << 3)), beta = load<f64>(betas + (i << 3)), q = spread * load<f64>(squares + (i << 3));
    if (weights) openLoss(dual, load<f64>(weights + (i << 3)));
    openRow<T>(dual, i);
    const z = scale * dotRow<T>(rowValues, rowColumns, rowLength, p);
    if (logistic) visitLogistic(y, z, beta, q, logits + (i << 3));
    else if (visitPiecewise(y, z, beta, q, epsilon, signed && y < 0, limit)) {
      active--;
      const last = order + (<usize>active << 2);
      store<u32>(at, load<u32>(last));
      store<u32>(last, <u32>i);
      continue;
    }
    if (next != beta) {
      store<f64>(betas + (i << 3), next);
      move<T>(dual, p, spread * (next - beta), racing);
    }
    position++;
  }
  store<u32>(lane + ASCENT_POSITION, position);
  store<u32>(lane + ASCENT_ACTIVE, active);
  store<f64>(lane + ASCENT_LARGEST_F64, largest);
  return made;
}

function ascend<T>(lane: usize, dual: usize, visits: u32): u32 {
  const racing = load<u32>(lane + ASCENT_RACING);
  let made: u32 = 0;
  // A racing lane continues, because other lanes can still change p.
  while (made < visits && (racing || !load<u32>(lane + ASCENT_SOLVED))) {
    if (load<u32>(lane + ASCENT_ACTIVE) == 0) {
      store<u32>(lane + ASCENT_SOLVED, 1);
      break;
    }
    if (!load<u32>(lane + ASCENT_OPEN)) beginPass(lane);
    made += visit<T>(lane, dual, visits - made);
    if (load<u32>(lane + ASCENT_POSITION) >= load<u32>(lane + ASCENT_ACTIVE)) endPass(lane);
  }
  return made;
}

// Contribution of one row to the gap: its loss, its share of primal − dual, its violation, and whether the row is
// active.
let rowLoss: f64 = 0;
let rowGap: f64 = 0;
let rowViolation: f64 = 0;
let rowActive: boolean = true;

/** β r − ε|β| − ½ curvature β². */
function dualValue(beta: f64, r: f64, epsilon: f64): f64 {
  return beta * r - epsilon * abs(beta) - 0.5 * curvature * beta * beta;
}

function gapPiecewise(beta: f64, r: f64, epsilon: f64, from: f64, to: f64, limit: f64): void {
  const beyond = r > epsilon ? r - epsilon : r < -epsilon ? r + epsilon : 0;
  const most = beyond == 0 ? 0 : curvature > 0 ? within(beyond / curvature, from, to) : beyond > 0 ? to : from;
  rowLoss = dualValue(most, r, epsilon);
  rowGap = max(0, rowLoss - dualValue(beta, r, epsilon));
  const g = curvature * beta - r;
  const right = g + (beta >= 0 ? epsilon : -epsilon), left = g + (beta > 0 ? epsilon : -epsilon);
  rowViolation = violation(beta, right, left, from, to);
  rowActive = rowViolation > 0 || !stays(beta, right, left, from, to, limit);
}

/** log(1 + eˢ). */
function softplus(s: f64): f64 {
  return max(s, 0) + log(1 + exp(s > 0 ? -s : s));
}

/**
 * C times the Bregman distance of −margin from s that softplus induces: softplus(−margin) − softplus(s) − (−margin − s)
 * α/C.
 */
function gapLogistic(s: f64, margin: f64, before: f64): void {
  rowLoss = cost * softplus(-margin);
  rowGap = max(0, rowLoss - cost * softplus(s) + before * (s + margin));
  rowViolation = abs(s + margin);
  rowActive = true;
}

function gap<T>(lane: usize, dual: usize): void {
  const p = u(lane, ASCENT_PARAMETERS), betas = u(lane, ASCENT_BETA), logits = u(lane, ASCENT_LOGIT), order = u(lane, ASCENT_ORDER);
  const targets = u(dual, DUAL_TARGET), weights = u(dual, DUAL_WEIGHTS), logistic = load<u32>(dual + DUAL_LOGISTIC);
  const scale = load<f64>(dual + DUAL_SCALE_F64), epsilon = load<f64>(dual + DUAL_EPSILON_F64), signed = load<u32>(dual + DUAL_SIGNED);
  const limit = load<u32>(lane + ASCENT_SHRINK) ? LEAVE * load<f64>(lane + ASCENT_LIMIT_F64) : Infinity;
  const first = u(lane, ASCENT_FIRST), count = u(lane, ASCENT_COUNT);
  let loss: f64 = 0, sum: f64 = 0, largest: f64 = 0;
  let front = order, back = order + (count << 2);
  openLoss(dual, 1);
  for (let i = first; i < first + count; i++) {
    if (weights) openLoss(dual, load<f64>(weights + (i << 3)));
    // A row of weight 0 contributes nothing.
    rowActive = false;
    if (cost > 0) {
      const y = load<f64>(targets + (i << 3)), beta = load<f64>(betas + (i << 3));
      openRow<T>(dual, i);
      const z = scale * dotRow<T>(rowValues, rowColumns, rowLength, p);
      const mirrored = signed && y < 0;
      if (logistic) gapLogistic(load<f64>(logits + (i << 3)), y * z, y * beta);
      else gapPiecewise(beta, y - z, epsilon, mirrored ? -high : low, mirrored ? -low : high, limit);
      loss += rowLoss;
      sum += rowGap;
      largest = max(largest, rowViolation);
    }
    if (rowActive) {
      store<u32>(front, <u32>i);
      front += 4;
    } else {
      back -= 4;
      store<u32>(back, <u32>i);
    }
  }
  store<u32>(lane + ASCENT_ACTIVE, <u32>((front - order) >> 2));
  store<u32>(lane + ASCENT_OPEN, 0);
  store<u32>(lane + ASCENT_POSITION, 0);
  store<f64>(lane + ASCENT_LOSS_F64, loss);
  store<f64>(lane + ASCENT_GAP_F64, sum);
  store<f64>(lane + ASCENT_VIOLATION_F64, largest);
}

function collect<T>(lane: usize, dual: usize, into: usize): void {
  const betas = u(lane, ASCENT_BETA), first = u(lane, ASCENT_FIRST), count = u(lane, ASCENT_COUNT);
  memory.fill(into, 0, u(dual, DUAL_COLUMNS) << 3);
  for (let i = first; i < first + count; i++) {
    const beta = load<f64>(betas + (i << 3));
    if (beta == 0) continue;
    openRow<T>(dual, i);
    move<T>(dual, into, beta, 0);
  }
}

function squares<T>(dual: usize, rows: usize, added: f64): void {
  const scale = load<f64>(dual + DUAL_SCALE_F64), out = u(dual, DUAL_SQUARES);
  for (let i: usize = 0; i < rows; i++) {
    openRow<T>(dual, i);
    store<f64>(out + (i << 3), scale * scale * squareRow<T>(rowValues, rowLength) + added);
  }
}

export function dualAscend(lane: usize, visits: u32): u32 {
  const dual = u(lane, ASCENT_DUAL), type = load<u32>(dual + DUAL_TYPE);
  if (type == 0) return ascend<f32>(lane, dual, visits);
  if (type == 1) return ascend<f64>(lane, dual, visits);
  return type == 2 ? ascend<i16>(lane, dual, visits) : ascend<i8>(lane, dual, visits);
}

export function dualGap(lane: usize): void {
  const dual = u(lane, ASCENT_DUAL), type = load<u32>(dual + DUAL_TYPE);
  if (type == 0) gap<f32>(lane, dual);
  else if (type == 1) gap<f64>(lane, dual);
  else if (type == 2) gap<i16>(lane, dual);
  else gap<i8>(lane, dual);
}

export function dualCollect(lane: usize, into: usize): void {
  const dual = u(lane, ASCENT_DUAL), type = load<u32>(dual + DUAL_TYPE);
  if (type == 0) collect<f32>(lane, dual, into);
  else if (type == 1) collect<f64>(lane, dual, into);
  else if (type == 2) collect<i16>(lane, dual, into);
  else collect<i8>(lane, dual, into);
}

export function dualSquares(dual: usize, rows: usize, added: f64): void {
  const type = load<u32>(dual + DUAL_TYPE);
  if (type == 0) squares<f32>(dual, rows, added);
  else if (type == 1) squares<f64>(dual, rows, added);
  else if (type == 2) squares<i16>(dual, rows, added);
  else squares<i8>(dual, rows, added);
}

/**
 * Solves a working set with the Gram matrix of its members (columns centred under h), so that the cost of a pass
 * depends only on the coefficients that move.
 *
 * Alternates passes of coordinate descent with Newton steps at fixed signs. After the solve, U matches the new
 * coefficients.
 */
import { COLUMNS_START } from "../../src/engine/memory/fields";
import {
  SET_BETA, SET_PENALTY_WEIGHTS, SET_NORMS, SET_SIZE, SET_GRAM_SIZE, SET_CAPACITY, SET_FACTOR, SET_Q, SET_BEFORE, SET_DIRECTION, SET_SUPPORT,
  SET_COLUMNS, SET_ROWS, SET_COLUMN_COUNT, SET_H, SET_MEANS, SET_PLACES, SET_INTERCEPT, SET_PRODUCTS, SET_NON_NEGATIVE, SET_QUADRATIC, SET_MOST_PASSES, SET_L1_F64,
  SET_L2_F64, SET_TOLERANCE_F64, SET_AT, SET_TURN, SET_NEXT,
} from "../../src/learning/fields";
import {
  centred, correlation, covariance, dot, enter, get, inner, member, minimiser, moveOutputs, pauseAt, place, put, row, spent, spentColumns, spread, stage, subtract, support,
  u, unbounded, unspread,
} from "./set-block";

const GRAM: u32 = 1;
const CORRELATIONS: u32 = 2;
const NEWTON: u32 = 3;
const PASS: u32 = 4;
const OUTPUTS: u32 = 5;

export function solveByCovariances(set: usize, size: u32): u32 {
  if (stage(set) == GRAM && !growGram(set)) return 0;
  if (stage(set) == CORRELATIONS) {
    for (let a = place(set); a < size; a++) {
      put(set, SET_Q, a, correlation(set, member(set, a)));
      if (spentColumns(set, 1)) return pauseAt(set, a + 1);
    }
    begin(set, size);
  }
  while (stage(set) != OUTPUTS) {
    const done = stage(set) == NEWTON ? newtonOnSigns(set, size) : turn(set, size);
    if (!done || (stage(set) != OUTPUTS && spent(set, <f64>size * <f64>size))) return 0;
  }
  for (let a = place(set); a < size; a++) {
    const j = member(set, a);
    const moved = get(set, SET_BETA, j) - get(set, SET_BEFORE, a);
    if (moved != 0) moveOutputs(set, j, moved);
    if (spentColumns(set, 1) && a + 1 < size) return pauseAt(set, a + 1);
  }
  return 1;
}

/** Extends the Gram matrix row by row. */
function growGram(set: usize): bool {
  const size = load<u32>(set + SET_SIZE);
  for (let a = load<u32>(set + SET_GRAM_SIZE); a < size; a++) {
    if (place(set) == 0 && growsByRows(set, a)) {
      if (rowByRows(set, a) && a + 1 < size) return false;
      continue;
    }
    if (!rowByColumns(set, a)) return false;
    if (spentColumns(set, 2)) return false;
  }
  enter(set, CORRELATIONS);
  return true;
}

/**
 * Whether the rows in which a sparse column is nonzero hold fewer entries than columns 0 … a. Both numbers are
 * estimated from averages.
 */
function growsByRows(set: usize, a: u32): bool {
  if (!load<u32>(set + SET_PRODUCTS)) return false;
  const columns = u(set, SET_COLUMNS), start = u(columns, COLUMNS_START) + (<usize>member(set, a) << 2);
  const entries = load<u32>(start, 4) - load<u32>(start);
  return <f64>entries * <f64>load<u32>(set + SET_COLUMN_COUNT) < <f64>(a + 1) * <f64>load<u32>(set + SET_ROWS);
}

/** Computes row a for all columns in one pass. Returns whether this call has used up its budget. */
function rowByRows(set: usize, a: u32): bool {
  const j = member(set, a), out = u(set, SET_Q);
  memory.fill(out, 0, (<usize>load<u32>(set + SET_SIZE) + 1) << 3);
  const entries = call_indirect<u32>(load<u32>(set + SET_PRODUCTS), load<u32>(set + SET_COLUMNS), j, load<u32>(set + SET_H), load<u32>(set + SET_PLACES), <u32>out);
  if (load<u32>(set + SET_INTERCEPT)) put(set, SET_MEANS, j, dot(set, j, u(set, SET_H)));
  for (let b: u32 = 0; b <= a; b++) putGram(set, a, b, centred(set, j, member(set, b), get(set, SET_Q, b + 1)));
  store<u32>(set + SET_GRAM_SIZE, a + 1);
  return spent(set, <f64>entries);
}

/**
 * Computes row a, column by column. The stored position is the number of columns already computed. Returns false if it
 * stopped early.
 */
function rowByColumns(set: usize, a: u32): bool {
  const j = member(set, a);
  let b = place(set);
  if (b == 0) spread(set, j);
  for (let more = true; more && b <= a; b++) {
    putGram(set, a, b, covariance(set, j, member(set, b)));
    more = !spentColumns(set, 1);
  }
  if (b <= a) return pauseAt(set, b) != 0;
  unspread(set, j);
  store<u32>(set + SET_GRAM_SIZE, a + 1);
  store<u32>(set + SET_AT, 0);
  return true;
}

function putGram(set: usize, a: u32, b: u32, value: f64): void {
  store<f64>(row(set, a) + (<usize>b << 3), value);
  store<f64>(row(set, b) + (<usize>a << 3), value);
}

/**
 * Selects the first stage. A quadratic loss is solved once for each strength and each working set, and usually many
 * coefficients leave 0 or return to it. Passes find these changes more cheaply than Newton steps with many
 * coefficients, because each Newton step stops at the first coefficient that reaches 0. Other losses are solved
 * repeatedly with nearly the same signs, for which a Newton step suffices.
 */
function begin(set: usize, size: u32): void {
  const count = load<u32>(set + SET_QUADRATIC) ? listSupport(set, size) : 0;
  store<u32>(set + SET_NEXT, 1 + count / COEFFICIENTS_PER_PASS);
  enter(set, count > FEW_COEFFICIENTS ? PASS : NEWTON);
}

/** Makes one pass and selects the next stage. */
function turn(set: usize, size: u32): bool {
  const passes = load<u32>(set + SET_TURN) + 1;
  store<u32>(set + SET_TURN, passes);
  const low = passByCovariances(set, size) <= load<f64>(set + SET_TOLERANCE_F64);
  if (low || passes >= load<u32>(set + SET_MOST_PASSES)) enter(set, OUTPUTS);
  else if (passes >= load<u32>(set + SET_NEXT)) enter(set, NEWTON);
  return true;
}

function passByCovariances(set: usize, size: u32): f64 {
  const q = u(set, SET_Q);
  const l2 = load<f64>(set + SET_L2_F64);
  let lowered: f64 = 0;
  for (let a: u32 = 0; a < size; a++) {
    const j = member(set, a);
    if (get(set, SET_NORMS, j) == 0) continue;
    const g = row(set, a);
    const L = load<f64>(g + (<usize>a << 3)), weight = get(set, SET_PENALTY_WEIGHTS, j), b = get(set, SET_BETA, j);
    if (!(L > 0)) continue;
    const d = minimiser(set, load<f64>(q + (<usize>a << 3)), b, L, weight) - b;
    if (d == 0) continue;
    put(set, SET_BETA, j, b + d);
    subtract(q, d, g, size);
    lowered += 0.5 * (L + l2 * weight) * d * d;
  }
  return lowered;
}

/**
 * Largest system for a Newton step. Beyond this size, the Cholesky factorisation would take longer than the passes that
 * a Newton step saves.
 */
const LARGEST_SYSTEM: u32 = 1024;

const MOST_SIGNS: u32 = 8;
/** Up to this number of nonzero coefficients, a Newton step costs about as much as a pass. */
const FEW_COEFFICIENTS: u32 = 64;
/** Number of nonzero coefficients per pass between two Newton steps, so that passes and steps take about as long. */
const COEFFICIENTS_PER_PASS: u32 = 5;

/**
 * With fixed signs, the objective is quadratic in the nonzero coefficients. Moves to the minimum of this quadratic, or
 * to the first point on the way at which a coefficient reaches 0. That coefficient is set to 0 before the next try. The
 * stored position is the number of tries so far. If columns are dependent, the step instead follows a direction that
 * does not change the outputs. This step ends when a coefficient reaches 0. With many nonzero coefficients, Newton
 * steps become rarer, because their cost grows with the number of coefficients.
 */
function newtonOnSigns(set: usize, size: u32): bool {
  const bounded = load<f64>(set + SET_L1_F64) > 0 || load<u32>(set + SET_NON_NEGATIVE) != 0;
  let count: u32 = 0;
  for (let tried = place(set); tried < MOST_SIGNS; tried++) {
    count = listSupport(set, size);
    if (count == 0 || count > LARGEST_SYSTEM || !stepOnSigns(set, size, count, bounded)) break;
    if (spent(set, (<f64>count * <f64>count * <f64>count) / 6) && tried + 1 < MOST_SIGNS) return pauseAt(set, tried + 1) != 0;
  }
  store<u32>(set + SET_NEXT, load<u32>(set + SET_TURN) + 1 + count / COEFFICIENTS_PER_PASS);
  enter(set, PASS);
  return true;
}

/** Makes one step. Returns whether a coefficient reached 0. In that case, another step follows. */
function stepOnSigns(set: usize, size: u32, count: u32, bounded: bool): bool {
  const whole = direct(set, count, bounded);
  let hit = bounded ? firstZero(set, count, whole ? 1 : Infinity) : count;
  if (!whole && hit == count) {
    for (let r: u32 = 0; r < count; r++) put(set, SET_DIRECTION, r, -get(set, SET_DIRECTION, r));
    hit = firstZero(set, count, Infinity);
    if (hit == count) return false;
  }
  walk(set, size, count, hit < count ? lengthTo(set, hit) : 1, hit);
  return hit < count;
}

/** Step length along DIRECTION at which coefficient r of the support becomes 0. */
function lengthTo(set: usize, r: u32): f64 {
  return -get(set, SET_BETA, member(set, support(set, r))) / get(set, SET_DIRECTION, r);
}

/**
 * Returns the first coefficient of the support that changes its sign along DIRECTION, up to `length`, or `count` if
 * none does.
 */
function firstZero(set: usize, count: u32, length: f64): u32 {
  let hit = count;
  for (let r: u32 = 0; r < count; r++) {
    const j = member(set, support(set, r));
    if (unbounded(set, j) || get(set, SET_BETA, j) * get(set, SET_DIRECTION, r) >= 0) continue;
    const to = lengthTo(set, r);
    if (to >= length) continue;
    length = to;
    hit = r;
  }
  return hit;
}

function listSupport(set: usize, size: u32): u32 {
  let count: u32 = 0;
  for (let a: u32 = 0; a < size; a++) {
    const j = member(set, a);
    const free = unbounded(set, j) && load<f64>(row(set, a) + (<usize>a << 3)) > 0;
    if (!free && get(set, SET_BETA, j) == 0) continue;
    store<u32>(u(set, SET_SUPPORT) + (<usize>count << 2), a);
    count++;
  }
  return count;
}

/** If a pivot is smaller than this share of its diagonal element, the column counts as dependent on earlier columns. */
const DEPENDENT: f64 = 1e-11;

/**
 * Sets DIRECTION = (G + l2 W)⁻¹ (minus the gradient) on the support, by Cholesky. If columns are dependent and
 * `bounded` is true, DIRECTION is set to the descent direction along the first dependence, and the result is false.
 * Otherwise the coefficients of dependent columns stay unchanged, because the other columns suffice to reach the
 * minimum.
 */
function direct(set: usize, count: u32, bounded: bool): bool {
  const factor = u(set, SET_FACTOR), direction = u(set, SET_DIRECTION), stride = u(set, SET_CAPACITY) << 3;
  const l2 = load<f64>(set + SET_L2_F64);
  for (let r: u32 = 0; r < count; r++) {
    const a = support(set, r), out = factor + <usize>r * stride, g = row(set, a);
    const diagonal = load<f64>(g + (<usize>a << 3)) + l2 * get(set, SET_PENALTY_WEIGHTS, member(set, a));
    for (let c: u32 = 0; c < r; c++) {
      const above = factor + <usize>c * stride;
      const rest = load<f64>(g + (<usize>support(set, c) << 3)) - inner(out, above, c);
      store<f64>(out + (<usize>c << 3), rest / load<f64>(above + (<usize>c << 3)));
    }
    let pivot = diagonal - inner(out, out, r);
    if (!(pivot > DEPENDENT * diagonal)) {
      if (bounded) {
        dependence(set, count, r);
        return false;
      }
      pivot = Infinity;
    }
    store<f64>(out + (<usize>r << 3), Math.sqrt(pivot));
    store<f64>(direction + (<usize>r << 3), (descent(set, a) - inner(out, direction, r)) / Math.sqrt(pivot));
  }
  substituteBack(set, count);
  return true;
}

/** Returns minus the slope of the objective along a nonzero coefficient. */
function descent(set: usize, a: u32): f64 {
  const j = member(set, a), b = get(set, SET_BETA, j);
  const sign: f64 = b > 0 ? 1 : b < 0 ? -1 : 0;
  return get(set, SET_Q, a) - get(set, SET_PENALTY_WEIGHTS, j) * (load<f64>(set + SET_L1_F64) * sign + load<f64>(set + SET_L2_F64) * b);
}

/** DIRECTION ← L⁻ᵀ DIRECTION, restricted to the first `count` elements. */
function substituteBack(set: usize, count: u32): void {
  const factor = u(set, SET_FACTOR), direction = u(set, SET_DIRECTION), stride = u(set, SET_CAPACITY) << 3;
  for (let r = <i32>count - 1; r >= 0; r--) {
    const out = factor + <usize>r * stride;
    const x = load<f64>(direction + (<usize>r << 3)) / load<f64>(out + (<usize>r << 3));
    store<f64>(direction + (<usize>r << 3), x);
    subtract(direction, x, out, r);
  }
}

/**
 * Sets DIRECTION to a direction in column r of the support and earlier columns, along which the outputs do not change.
 * The sign is chosen so that the objective falls along DIRECTION.
 */
function dependence(set: usize, count: u32, r: u32): void {
  const direction = u(set, SET_DIRECTION);
  memory.copy(direction, u(set, SET_FACTOR) + <usize>r * (u(set, SET_CAPACITY) << 3), <usize>r << 3);
  substituteBack(set, r);
  let slope: f64 = 0;
  for (let c: u32 = 0; c < count; c++) {
    put(set, SET_DIRECTION, c, c < r ? -get(set, SET_DIRECTION, c) : c == r ? 1 : 0);
    slope += get(set, SET_DIRECTION, c) * descent(set, support(set, c));
  }
  if (slope >= 0) return;
  for (let c: u32 = 0; c <= r; c++) put(set, SET_DIRECTION, c, -get(set, SET_DIRECTION, c));
}

function walk(set: usize, size: u32, count: u32, length: f64, hit: u32): void {
  for (let r: u32 = 0; r < count; r++) {
    const a = support(set, r), j = member(set, a), b = get(set, SET_BETA, j);
    const next = r == hit ? 0 : b + length * get(set, SET_DIRECTION, r);
    put(set, SET_BETA, j, next);
    subtract(u(set, SET_Q), next - b, row(set, a), size);
  }
}

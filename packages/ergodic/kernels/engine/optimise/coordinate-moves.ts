/**
 * Updates of a linear model's coordinates or blocks, one after another, in float64.
 *
 *   F(x) = f(x) + Σ_i L1_i |x_i| + Σ_b GROUP_b ‖x_b‖,  f(x) = Σ_i c_i ℓ(z_i, y_i) + Σ_i L2_i x_i²/2,
 *   z_k = X x_k + ONE × intercept_k,  x_i ≥ FLOORS_i
 *
 * Coordinate i is column i mod WIDTH of output ⌊i / WIDTH⌋; the last coordinate of an output is its intercept. f's
 * partial derivatives are x_jᵀ(c ∂ℓ/∂z_k) + L2 x. For a quadratic loss, the slopes are updated directly by s += δ
 * c∘x_j. Neither z nor the loss is evaluated. Any other loss is evaluated at a trial point: on the column's rows if the
 * column is sparse, otherwise on all rows. Accepted values are written back.
 *
 * An exact move of one coordinate uses Newton's method within a bracket, which the signs of the one-sided slopes give.
 * If the curvature is positive, the move's relative error is about 1e-15. An exact move of a block takes at most
 * MOST_STEPS proximal steps. The steps' curvature bound is found by doubling. Neither kind of move increases F, except
 * by rounding. For a block with a single coordinate, the group weight is included in L1, and GROUP is 0. MOVES block:
 * memory/fields.ts.
 *
 * Long because moves of coordinates and of blocks, with and without a quadratic loss, share the same state.
 */
import {
  MOVES_ROWS, MOVES_WIDTH, MOVES_OUTPUTS, MOVES_QUADRATIC, MOVES_WEIGHTS, MOVES_X, MOVES_Z, MOVES_SLOPES, MOVES_CURVATURES, MOVES_U, MOVES_U_Z,
  MOVES_START, MOVES_MEMBERS, MOVES_L1, MOVES_L2, MOVES_FLOORS, MOVES_GROUP, MOVES_BOUNDS, MOVES_JOINT, MOVES_TRIAL_Z, MOVES_TRIAL_SLOPES,
  MOVES_TRIAL_CURVATURES, MOVES_DIRECTION, MOVES_LIST, MOVES_LENGTH, MOVES_PARTIALS, MOVES_BEFORE,
} from "../../../src/engine/memory/fields";
import {
  u, get, put, over, trial, dot, add, addWeighted, product, listAll, listRows, gather, expand, prepare, takeOutput, take, evaluate, keep,
  evaluateAll, keepAll,
} from "./coordinate-trial";
import { addRow, dotRow } from "../data/row";

/** Largest number of proximal steps in an exact move of a block. */
const MOST_STEPS: u32 = 50;
/** Largest number of points that a search along one coordinate can evaluate. */
const MOST_POINTS: u32 = 200;
/** Factor by which the distance from the start of a search can grow per point. */
const GROWTH: f64 = 16;
/** Bound on the first step, because Newton's step can be arbitrarily long where the loss is nearly flat. */
const FARTHEST: f64 = 1e6;
/** A search ends after a Newton step whose relative length is less than this value. */
const NEAR: f64 = 1e-9;
/** Squared relative steps below this value are only rounding error. */
const ROUNDING: f64 = 1e-29;

function outputOf(s: usize, i: u32): u32 {
  return i / load<u32>(s + MOVES_WIDTH);
}

function columnOf(s: usize, i: u32): u32 {
  return i % load<u32>(s + MOVES_WIDTH);
}

/** Returns f's partial derivative from the stored slopes at x. */
function partial(s: usize, i: u32): f64 {
  return dot(s, columnOf(s, i), over(s, MOVES_SLOPES, outputOf(s, i))) + get(s, MOVES_L2, i) * get(s, MOVES_X, i);
}

/**
 * Applies the proximal operator of a step 1/L along slope g, from x. With L = 0, the step continues for as long as the
 * objective falls along the slope, possibly to infinity.
 */
function stepFrom(s: usize, i: u32, x: f64, g: f64, L: f64): f64 {
  const l1 = get(s, MOVES_L1, i), floor = get(s, MOVES_FLOORS, i);
  if (!(L > 0)) {
    const to = Math.abs(g) > l1 ? (g > 0 ? -Infinity : Infinity) : l1 > 0 ? 0 : x;
    return Math.max(to, floor);
  }
  const there = x - g / L, limit = l1 / L;
  const shrunk = there > limit ? there - limit : there < -limit ? there + limit : 0;
  return Math.max(shrunk, floor);
}

/** Sets x_i to `to`, if the loss is quadratic. */
function moveSlopes(s: usize, i: u32, to: f64): void {
  const delta = to - get(s, MOVES_X, i);
  if (delta == 0) return;
  put(s, MOVES_X, i, to);
  addWeighted(s, columnOf(s, i), delta, u(s, MOVES_WEIGHTS), over(s, MOVES_SLOPES, outputOf(s, i)));
}

/** Computes slopes at x_i + delta. DIRECTION and the loss must be prepared. */
function tryMove(s: usize, k: u32, delta: f64): void {
  take(s, k, 0);
  addRow<f64>(u(s, MOVES_DIRECTION), 0, load<i32>(s + MOVES_LENGTH), delta, trial(s, MOVES_TRIAL_Z, k));
  evaluate(s, k);
}

function ready(s: usize, i: u32): void {
  listRows(s, columnOf(s, i));
  expand(s, columnOf(s, i));
  prepare(s, outputOf(s, i));
}

function triedSlope(s: usize, k: u32): f64 {
  return dotRow<f64>(u(s, MOVES_DIRECTION), 0, load<i32>(s + MOVES_LENGTH), trial(s, MOVES_TRIAL_SLOPES, k));
}

/** Returns Σ h_i x_ij² over the listed rows i, where h holds the curvatures. */
function curvatureAlong(s: usize, h: usize): f64 {
  const direction = u(s, MOVES_DIRECTION);
  let sum: f64 = 0;
  for (let e: usize = 0; e < u(s, MOVES_LENGTH) << 3; e += 8) {
    const x = load<f64>(direction + e);
    sum += load<f64>(h + e) * x * x;
  }
  return sum;
}

/** Takes one proximal step of 1/L. */
function moveOnce(s: usize, i: u32, L: f64): void {
  const k = outputOf(s, i), x = get(s, MOVES_X, i);
  if (!(L > 0) && get(s, MOVES_L1, i) == 0) return;
  const to = stepFrom(s, i, x, partial(s, i), L);
  if (to == x || to - to != 0) return;
  if (load<u32>(s + MOVES_QUADRATIC)) {
    moveSlopes(s, i, to);
    return;
  }
  ready(s, i);
  tryMove(s, k, to - x);
  keep(s, k);
  put(s, MOVES_X, i, to);
}

/**
 * Chooses the next point when Newton's step is unusable: the midpoint of the bracket, or a point further away from the
 * start.
 */
function middle(low: f64, high: f64, from: f64, at: f64): f64 {
  if (low - low == 0 && high - high == 0) return low + (high - low) / 2;
  const far = Math.max(1, GROWTH * Math.abs(at - from));
  return low - low == 0 ? Math.min(high, low + far) : Math.max(low, high - far);
}

/** Moves x_i to its minimum, guided by the signs of F's one-sided slopes. */
function search(s: usize, i: u32): void {
  const k = outputOf(s, i), from = get(s, MOVES_X, i);
  const l1 = get(s, MOVES_L1, i), l2 = get(s, MOVES_L2, i), floor = get(s, MOVES_FLOORS, i);
  ready(s, i);
  gather(s, over(s, MOVES_CURVATURES, k), trial(s, MOVES_TRIAL_CURVATURES, k));
  let slope = dot(s, columnOf(s, i), over(s, MOVES_SLOPES, k));
  let low = floor, high = Infinity, at = from, width = Infinity;
  let last = false;
  for (let n: u32 = 1; n <= MOST_POINTS; n++) {
    const g = slope + l2 * at;
    const finite = g - g == 0;
    const falls = finite ? g + (at >= 0 ? l1 : -l1) < 0 : at < from;
    const rises = finite ? g + (at > 0 ? l1 : -l1) > 0 && at > floor : at > from;
    if (last || !(falls || rises)) break;
    if (falls) low = at;
    else high = at;
    let to = finite ? stepFrom(s, i, at, g, curvatureAlong(s, trial(s, MOVES_TRIAL_CURVATURES, k)) + l2) : NaN;
    last = Math.abs(to - at) <= NEAR * Math.max(Math.abs(to), Math.abs(at));
    // Newton steps can approach a distant end of the bracket very slowly. Every third step that does not halve the
    // bracket is therefore replaced by a bisection.
    const creeps = n % 3 == 0 && high - low > width / 2 && !last;
    width = high - low;
    const reach = n > 1 ? GROWTH * Math.abs(at - from) : FARTHEST * Math.max(1, Math.abs(from));
    if (Math.abs(to - at) > reach && width - width != 0) to = NaN;
    const within = (to > low || (to == floor && low == floor)) && to < high;
    if (creeps || !within || to - to != 0) {
      to = middle(low, high, from, at);
      last = false;
    }
    if (to == at || (to == low && low != floor) || to == high) break;
    tryMove(s, k, to - from);
    slope = triedSlope(s, k);
    at = to;
  }
  if (at == from) return;
  const g = slope + l2 * at;
  if (!(g - g == 0)) return;
  keep(s, k);
  put(s, MOVES_X, i, at);
}

/** Sets block b by a proximal step of 1/L from BEFORE along PARTIALS. Returns the squared length of the step. */
function stepBlock(s: usize, b: u32, L: f64): f64 {
  const start = u(s, MOVES_START) + (<usize>b << 2);
  const first = load<u32>(start), size = load<u32>(start, 4) - first;
  const members = u(s, MOVES_MEMBERS) + (<usize>first << 2);
  let square: f64 = 0;
  for (let e: u32 = 0; e < size; e++) {
    const i = load<u32>(members + (<usize>e << 2));
    const to = stepFrom(s, i, get(s, MOVES_BEFORE, e), get(s, MOVES_PARTIALS, e), L);
    put(s, MOVES_X, i, to);
    square += to * to;
  }
  const limit = get(s, MOVES_GROUP, b) / L;
  const factor = square <= limit * limit ? 0 : 1 - limit / Math.sqrt(square);
  let moved: f64 = 0;
  for (let e: u32 = 0; e < size; e++) {
    const i = load<u32>(members + (<usize>e << 2));
    if (limit > 0) put(s, MOVES_X, i, factor == 0 ? 0 : factor * get(s, MOVES_X, i));
    const d = get(s, MOVES_X, i) - get(s, MOVES_BEFORE, e);
    moved += d * d;
  }
  return moved;
}

function sizeOf(s: usize, b: u32): u32 {
  const start = u(s, MOVES_START) + (<usize>b << 2);
  return load<u32>(start, 4) - load<u32>(start);
}

function memberOf(s: usize, b: u32, e: u32): u32 {
  const first = load<u32>(u(s, MOVES_START) + (<usize>b << 2));
  return load<u32>(u(s, MOVES_MEMBERS) + (<usize>(first + e) << 2));
}

/** Sets BEFORE = x_b. Returns ‖x_b‖². */
function remember(s: usize, b: u32): f64 {
  let square: f64 = 0;
  for (let e: u32 = 0; e < sizeOf(s, b); e++) {
    const x = get(s, MOVES_X, memberOf(s, b, e));
    put(s, MOVES_BEFORE, e, x);
    square += x * x;
  }
  return square;
}

function goBack(s: usize, b: u32): void {
  for (let e: u32 = 0; e < sizeOf(s, b); e++) put(s, MOVES_X, memberOf(s, b, e), get(s, MOVES_BEFORE, e));
}

/**
 * Adds factor X (x_b − BEFORE) to the outputs v_k. For a quadratic loss, adds c times this product to the slopes
 * instead.
 */
function addBlock(s: usize, b: u32, factor: f64, at: usize): void {
  const quadratic = load<u32>(s + MOVES_QUADRATIC);
  for (let e: u32 = 0; e < sizeOf(s, b); e++) {
    const i = memberOf(s, b, e);
    const delta = factor * (get(s, MOVES_X, i) - get(s, MOVES_BEFORE, e));
    if (delta == 0) continue;
    if (quadratic) addWeighted(s, columnOf(s, i), delta, u(s, MOVES_WEIGHTS), over(s, at, outputOf(s, i)));
    else add(s, columnOf(s, i), delta, over(s, at, outputOf(s, i)));
  }
}

/** Returns the trace of the block's curvature at x, which bounds the curvature within the block. */
function traceOf(s: usize, b: u32): f64 {
  let sum: f64 = 0, most: f64 = 0;
  for (let e: u32 = 0; e < sizeOf(s, b); e++) {
    const i = memberOf(s, b, e), j = columnOf(s, i);
    sum += product(s, j, j, over(s, MOVES_CURVATURES, outputOf(s, i)));
    most = Math.max(most, get(s, MOVES_L2, i));
  }
  return sum + most;
}

/**
 * Accepts the new x_b if Σ (∂f(x) − ∂f(BEFORE)) (x − BEFORE) ≤ L ‖x − BEFORE‖², which by convexity guarantees that F
 * does not rise. Otherwise rejects it.
 */
function tryBlock(s: usize, b: u32, least: f64): bool {
  const outputs = load<u32>(s + MOVES_OUTPUTS);
  for (let k: u32 = 0; k < outputs; k++) takeOutput(s, k, 0);
  addBlock(s, b, 1, MOVES_TRIAL_Z);
  evaluateAll(s);
  let along: f64 = 0;
  for (let e: u32 = 0; e < sizeOf(s, b); e++) {
    const i = memberOf(s, b, e), x = get(s, MOVES_X, i);
    const there = dot(s, columnOf(s, i), over(s, MOVES_TRIAL_SLOPES, outputOf(s, i))) + get(s, MOVES_L2, i) * x;
    along += (there - get(s, MOVES_PARTIALS, e)) * (x - get(s, MOVES_BEFORE, e));
  }
  return along <= least;
}

/**
 * Takes one proximal step of 1/L_b. With `exact`, takes further steps until no step makes progress. L_b is found by
 * doubling if there is no bound, or if the local curvature is lower than the bound.
 */
function moveBlock(s: usize, b: u32, exact: bool): void {
  listAll(s);
  const quadratic = load<u32>(s + MOVES_QUADRATIC) != 0;
  const bound = get(s, MOVES_BOUNDS, b);
  let L = bound;
  if (exact && !quadratic) L = Math.min(bound, Math.max(1e-300, traceOf(s, b)));
  if (!(L > 0)) L = 1;
  const most: u32 = exact ? MOST_STEPS : 1;
  for (let n: u32 = 0; n < most; n++) {
    const size = remember(s, b);
    for (let e: u32 = 0; e < sizeOf(s, b); e++) put(s, MOVES_PARTIALS, e, partial(s, memberOf(s, b, e)));
    let moved = stepBlock(s, b, L);
    if (moved == 0) return;
    if (quadratic) addBlock(s, b, 1, MOVES_SLOPES);
    else {
      const first = L;
      while (!tryBlock(s, b, L < bound ? L * moved : Infinity)) {
        L = Math.min(2 * L, bound);
        moved = stepBlock(s, b, L);
        if (moved > ROUNDING * size && L < 1e300) continue;
        goBack(s, b);
        return;
      }
      keepAll(s);
      if (L == first) L *= 0.8;
    }
    if (moved <= ROUNDING * size) return;
  }
}

/** Moves the blocks in `listed`: u32[count]. */
export function coordinateMoves(s: usize, listed: usize, count: u32, exact: u32): void {
  for (const end = listed + (<usize>count << 2); listed < end; listed += 4) {
    const b = load<u32>(listed);
    if (sizeOf(s, b) > 1) moveBlock(s, b, exact != 0);
    else if (exact && !load<u32>(s + MOVES_QUADRATIC)) search(s, memberOf(s, b, 0));
    else moveOnce(s, memberOf(s, b, 0), get(s, MOVES_BOUNDS, b));
  }
}

/**
 * Moves x_b by a proximal step of 1/L along PARTIALS, moves u_b by `ratio` times this step, and updates the outputs (or
 * slopes).
 */
function moveFrom(s: usize, b: u32, L: f64, ratio: f64): void {
  remember(s, b);
  if (!(L > 0) || stepBlock(s, b, L) == 0) return;
  const quadratic = load<u32>(s + MOVES_QUADRATIC) != 0;
  addBlock(s, b, 1, quadratic ? MOVES_SLOPES : MOVES_Z);
  if (ratio == 0) return;
  addBlock(s, b, ratio, MOVES_U_Z);
  for (let e: u32 = 0; e < sizeOf(s, b); e++) {
    const i = memberOf(s, b, e);
    put(s, MOVES_U, i, get(s, MOVES_U, i) + ratio * (get(s, MOVES_X, i) - get(s, MOVES_BEFORE, e)));
  }
}

/**
 * Computes the slopes of block b's outputs at x + scale u on the listed rows, and writes these slopes to the trial
 * arrays.
 */
function trySlopes(s: usize, b: u32, scale: f64): void {
  if (sizeOf(s, b) == 1 || u(s, MOVES_JOINT)) {
    const k = outputOf(s, memberOf(s, b, 0));
    prepare(s, k);
    take(s, k, scale);
    evaluate(s, k);
    return;
  }
  for (let k: u32 = 0; k < load<u32>(s + MOVES_OUTPUTS); k++) takeOutput(s, k, scale);
  evaluateAll(s);
}

/**
 * Takes steps of steps[n]/L_b along the partial derivatives at x + scales[n] u. `numbers` holds scales, steps and
 * ratios as f64[3][count]. Slopes and curvatures are updated only for a quadratic loss.
 */
export function coordinatePairs(s: usize, listed: usize, count: u32, numbers: usize): void {
  const quadratic = load<u32>(s + MOVES_QUADRATIC) != 0;
  const stride = <usize>count << 3;
  for (let n: u32 = 0; n < count; n++) {
    const b = load<u32>(listed + (<usize>n << 2)), at = numbers + (<usize>n << 3);
    const scale = load<f64>(at);
    if (sizeOf(s, b) == 1) listRows(s, columnOf(s, memberOf(s, b, 0)));
    else listAll(s);
    if (!quadratic) trySlopes(s, b, scale);
    for (let e: u32 = 0; e < sizeOf(s, b); e++) {
      const i = memberOf(s, b, e), j = columnOf(s, i), k = outputOf(s, i);
      let g = get(s, MOVES_L2, i) * (get(s, MOVES_X, i) + scale * get(s, MOVES_U, i));
      if (quadratic) g += dot(s, j, over(s, MOVES_SLOPES, k)) + scale * dot(s, j, over(s, MOVES_U_Z, k));
      else if (!u(s, MOVES_LIST)) g += dot(s, j, trial(s, MOVES_TRIAL_SLOPES, k));
      else {
        expand(s, j);
        g += triedSlope(s, k);
      }
      put(s, MOVES_PARTIALS, e, g);
    }
    moveFrom(s, b, get(s, MOVES_BOUNDS, b) / load<f64>(at + stride), load<f64>(at + 2 * stride));
  }
}

/**
 * Takes steps of rates[n]/L_b along partial derivatives estimated from `each` listed rows. The rows of step n are in
 * `rows`: u32[count][each]. Slopes and curvatures are updated only for a quadratic loss.
 */
export function coordinateEstimates(s: usize, listed: usize, count: u32, rows: usize, each: u32, rates: usize): void {
  const quadratic = load<u32>(s + MOVES_QUADRATIC) != 0;
  const share = <f64>load<u32>(s + MOVES_ROWS) / <f64>each;
  for (let n: u32 = 0; n < count; n++) {
    const b = load<u32>(listed + (<usize>n << 2));
    store<u32>(s + MOVES_LIST, <u32>rows + ((n * each) << 2));
    store<u32>(s + MOVES_LENGTH, each);
    if (!quadratic) trySlopes(s, b, 0);
    for (let e: u32 = 0; e < sizeOf(s, b); e++) {
      const i = memberOf(s, b, e), k = outputOf(s, i);
      expand(s, columnOf(s, i));
      if (quadratic) gather(s, over(s, MOVES_SLOPES, k), trial(s, MOVES_TRIAL_SLOPES, k));
      put(s, MOVES_PARTIALS, e, share * triedSlope(s, k) + get(s, MOVES_L2, i) * get(s, MOVES_X, i));
    }
    moveFrom(s, b, get(s, MOVES_BOUNDS, b) / load<f64>(rates + (<usize>n << 3)), 0);
  }
}

// ---- evaluation

/**
 * Recomputes the outputs at x and returns Σ c ℓ. With `stay`, the new outputs, slopes and curvatures replace the stored
 * values.
 */
export function coordinateLoss(s: usize, stay: u32): f64 {
  listAll(s);
  const outputs = load<u32>(s + MOVES_OUTPUTS), width = load<u32>(s + MOVES_WIDTH);
  memory.fill(u(s, MOVES_TRIAL_Z), 0, ((<usize>outputs * u(s, MOVES_ROWS)) << 3));
  for (let i: u32 = 0; i < outputs * width; i++) {
    const x = get(s, MOVES_X, i);
    if (x != 0) add(s, columnOf(s, i), x, over(s, MOVES_TRIAL_Z, outputOf(s, i)));
  }
  const loss = evaluateAll(s);
  if (stay) keepAll(s);
  return loss;
}

/** Recomputes slopes and curvatures at the stored outputs. Returns Σ c ℓ. Not for quadratic losses. */
export function coordinateRefresh(s: usize): f64 {
  listAll(s);
  for (let k: u32 = 0; k < load<u32>(s + MOVES_OUTPUTS); k++) takeOutput(s, k, 0);
  const loss = evaluateAll(s);
  keepAll(s);
  return loss;
}

/** Writes f's partial derivatives, f64[coordinates], from the stored slopes. */
export function coordinatePartials(s: usize, out: usize): void {
  for (let i: u32 = 0; i < load<u32>(s + MOVES_OUTPUTS) * load<u32>(s + MOVES_WIDTH); i++) {
    store<f64>(out, partial(s, i));
    out += 8;
  }
}

/** Writes x_jᵀ diag(c) x_m for the columns listed in `columns`, u32[count]: f64[count²]. */
export function coordinateGram(s: usize, columns: usize, count: u32, out: usize): void {
  for (let a: u32 = 0; a < count; a++) {
    for (let b: u32 = 0; b <= a; b++) {
      const sum = product(s, load<u32>(columns + (<usize>a << 2)), load<u32>(columns + (<usize>b << 2)), u(s, MOVES_WEIGHTS));
      store<f64>(out + (<usize>(a * count + b) << 3), sum);
      store<f64>(out + (<usize>(b * count + a) << 3), sum);
    }
  }
}

/**
 * Calls a compiled program by its slot. Threads use this function if they have no JavaScript function for the program.
 */
export function coordinateCall(slot: u32, count: u32, block: usize): void {
  call_indirect<void>(slot, count, block);
}

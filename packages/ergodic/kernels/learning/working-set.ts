/**
 * Coordinate descent on a working set of columns, for one output of a penalised linear model. The loss is replaced by a
 * quadratic.
 *
 *   min over β, b:  ½ Σ_i v_i²/h_i + Σ_j w_j (l1|β_j| + l2/2 β_j²),  v = u − SHIFT h,
 *   ∂v/∂β_j = −h∘(x_j − o_j),  ∂v/∂SHIFT = −h
 *
 * v is minus the gradient with respect to the outputs; for the squared loss the quadratic is the loss itself. With an
 * intercept, every move also sets b to its minimum, so that Σv = 0, as if columns were centred under the weights h. o:
 * ORIGINS, the unweighted means of dense columns, so that a column far from 0 loses no digits. SHIFT is the change in b
 * + Σ o_j β_j. β_j ≥ 0 if NON_NEGATIVE.
 *
 * `setSolve` minimises over the members: by covariances (set-covariances.ts) while they fit into CAPACITY, otherwise by
 * residuals (set-residuals.ts). Scores of all columns: set-scores.ts. Block: learning/fields.ts.
 */
import { COLUMNS_START } from "../../src/engine/memory/fields";
import {
  SET_COLUMNS, SET_ADD, SET_SPREAD, SET_ROWS, SET_COLUMN_COUNT, SET_TEMPORARY, SET_BETA, SET_PENALTY_WEIGHTS, SET_NORMS, SET_CORRELATIONS,
  SET_SCREENED, SET_PLACES, SET_MEMBERS, SET_SIZE, SET_GRAM_SIZE, SET_CAPACITY, SET_BEFORE, SET_DIRECTION, SET_SUPPORT, SET_INTERCEPT, SET_ORIGINS,
  SET_PASSES, SET_TURN, SET_L1_F64, SET_SHIFT_F64,
} from "../../src/learning/fields";
import { allow, centre, dot, ended, enter, get, member, pauseAt, place, pull, put, row, spentColumns, stage, support, u } from "./set-block";
import { solveByCovariances } from "./set-covariances";
import { solveByResiduals } from "./set-residuals";

/** Computes ‖x − x̄‖ and the origin of every column. Runs once. */
export function setNorms(set: usize, most: f64): u32 {
  const count = load<u32>(set + SET_COLUMN_COUNT), rows = load<u32>(set + SET_ROWS), centred = load<u32>(set + SET_INTERCEPT);
  const origins = centred != 0 && load<u32>(u(set, SET_COLUMNS) + COLUMNS_START) == 0;
  const ones = u(set, SET_TEMPORARY);
  allow(set, most);
  for (let i: u32 = 0; i < rows; i++) put(set, SET_TEMPORARY, i, 1);
  let j = place(set), more = j < count;
  while (more) {
    put(set, SET_NORMS, j, call_indirect<f64>(load<u32>(set + SET_SPREAD), load<u32>(set + SET_COLUMNS), j, centred));
    if (origins) put(set, SET_ORIGINS, j, dot(set, j, ones) / <f64>rows);
    j++;
    more = j < count && !spentColumns(set, 2);
  }
  memory.fill(ones, 0, <usize>rows << 3);
  return j < count ? pauseAt(set, j) : ended(set);
}

/**
 * Minimises over the members. Counts passes. Ends when a pass lowers the objective by less than TOLERANCE, or after
 * MOST_PASSES passes.
 */
export function setSolve(set: usize, most: f64): u32 {
  const size = load<u32>(set + SET_SIZE);
  allow(set, most);
  if (stage(set) == 0) {
    for (let a: u32 = 0; a < size; a++) put(set, SET_BEFORE, a, get(set, SET_BETA, member(set, a)));
    centre(set);
    store<u32>(set + SET_TURN, 0);
    enter(set, 1);
  }
  const done = size <= load<u32>(set + SET_CAPACITY) ? solveByCovariances(set, size) : solveByResiduals(set, size);
  if (!done) return 0;
  store<u32>(set + SET_PASSES, load<u32>(set + SET_PASSES) + load<u32>(set + SET_TURN));
  centre(set);
  return ended(set);
}

function add(set: usize, j: u32): void {
  const size = load<u32>(set + SET_SIZE);
  store<u32>(u(set, SET_MEMBERS) + (<usize>size << 2), j);
  store<u32>(u(set, SET_PLACES) + (<usize>j << 2), size + 1);
  store<u32>(set + SET_SIZE, size + 1);
}

/**
 * Adds the columns with the largest pulls to the set: at most `most` columns, each with a pull above `least` × l1 w.
 * Unpenalised columns are always added. Returns the number added.
 */
export function setGrow(set: usize, most: u32, least: f64): u32 {
  const count = load<u32>(set + SET_COLUMN_COUNT), l1 = load<f64>(set + SET_L1_F64);
  const listed = u(set, SET_SUPPORT), pulls = u(set, SET_DIRECTION);
  let found: u32 = 0, added: u32 = 0;
  for (let j: u32 = 0; j < count; j++) {
    if (load<u32>(u(set, SET_PLACES) + (<usize>j << 2)) || load<u8>(u(set, SET_SCREENED) + j) || get(set, SET_NORMS, j) == 0) continue;
    const weight = get(set, SET_PENALTY_WEIGHTS, j);
    if (weight == 0 || get(set, SET_BETA, j) != 0) {
      add(set, j);
      added++;
      continue;
    }
    const over = pull(set, get(set, SET_CORRELATIONS, j)) - least * l1 * weight;
    if (!(over > 0)) continue;
    store<u32>(listed + (<usize>found << 2), j);
    store<f64>(pulls + (<usize>found << 3), over / weight);
    found++;
  }
  while (found > 0 && added < most) {
    let best: u32 = 0;
    if (found > most - added) for (let k: u32 = 1; k < found; k++) if (load<f64>(pulls + (<usize>k << 3)) > load<f64>(pulls + (<usize>best << 3))) best = k;
    add(set, load<u32>(listed + (<usize>best << 2)));
    added++;
    found--;
    store<u32>(listed + (<usize>best << 2), load<u32>(listed + (<usize>found << 2)));
    store<f64>(pulls + (<usize>best << 3), load<f64>(pulls + (<usize>found << 3)));
  }
  return added;
}

/** Drops members whose coefficient is 0. The remaining members keep their rows of the Gram matrix. */
export function setCompact(set: usize): void {
  const size = load<u32>(set + SET_SIZE), gramSize = load<u32>(set + SET_GRAM_SIZE);
  let kept: u32 = 0, keptGram: u32 = 0;
  for (let a: u32 = 0; a < size; a++) {
    const j = member(set, a);
    const listed = u(set, SET_PLACES) + (<usize>j << 2);
    if (get(set, SET_BETA, j) == 0 && get(set, SET_PENALTY_WEIGHTS, j) > 0) {
      store<u32>(listed, 0);
      continue;
    }
    store<u32>(u(set, SET_MEMBERS) + (<usize>kept << 2), j);
    store<u32>(u(set, SET_SUPPORT) + (<usize>kept << 2), a);
    store<u32>(listed, kept + 1);
    kept++;
    if (a < gramSize) keptGram = kept;
  }
  for (let a: u32 = 0; a < keptGram; a++) {
    const from = row(set, support(set, a)), to = row(set, a);
    for (let b: u32 = 0; b < keptGram; b++) store<f64>(to + (<usize>b << 3), load<f64>(from + (<usize>support(set, b) << 3)));
  }
  store<u32>(set + SET_SIZE, kept);
  store<u32>(set + SET_GRAM_SIZE, keptGram);
}

/**
 * Writes the change in the outputs during the last solve: out = (X − o) (β − BEFORE) + SHIFT (with an intercept).
 * f64[rows].
 */
export function setDirection(set: usize, out: usize, most: f64): u32 {
  const size = load<u32>(set + SET_SIZE);
  allow(set, most);
  if (place(set) == 0) fillRows(set, out, load<u32>(set + SET_INTERCEPT) ? load<f64>(set + SET_SHIFT_F64) : 0);
  for (let a = place(set); a < size; a++) {
    const j = member(set, a);
    const moved = get(set, SET_BETA, j) - get(set, SET_BEFORE, a);
    if (moved == 0) continue;
    addTo(set, j, moved, out);
    if (spentColumns(set, 1) && a + 1 < size) return pauseAt(set, a + 1);
  }
  return ended(set);
}

/** out = base + (X − o) β: f64[rows]. */
export function setOutputs(set: usize, base: f64, out: usize, most: f64): u32 {
  const count = load<u32>(set + SET_COLUMN_COUNT);
  allow(set, most);
  if (place(set) == 0) fillRows(set, out, base);
  for (let j = place(set); j < count; j++) {
    const b = get(set, SET_BETA, j);
    if (b == 0) continue;
    addTo(set, j, b, out);
    if (spentColumns(set, 1) && j + 1 < count) return pauseAt(set, j + 1);
  }
  return ended(set);
}

function fillRows(set: usize, out: usize, value: f64): void {
  for (const end = out + (<usize>load<u32>(set + SET_ROWS) << 3); out < end; out += 8) store<f64>(out, value);
}

/** out += f (x_j − o_j). */
function addTo(set: usize, j: u32, f: f64, out: usize): void {
  call_indirect<void>(load<u32>(set + SET_ADD), load<u32>(set + SET_COLUMNS), j, f, get(set, SET_ORIGINS, j), out);
}

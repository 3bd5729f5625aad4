/**
 * Coordinate descent on a working set of columns: one output of a penalised linear model, its loss replaced by a quadratic.
 *
 *   min over β, b:  ½ Σ_i v_i²/h_i + Σ_j w_j (l1|β_j| + l2/2 β_j²),  v = u − SHIFT h,  ∂v/∂β_j = −h∘(x_j − o_j),  ∂v/∂SHIFT = −h
 *
 * v is minus the gradient with respect to the outputs; for the squared loss the quadratic is the loss itself. With an intercept, b is at its
 * minimum after every move (Σv = 0), as if columns were centred under the weights h. o: ORIGINS, their plain means where they are dense, so that
 * a column that lies far from 0 costs no digits; SHIFT is the move of b + Σ o_j β_j. β_j ≥ 0 where NON_NEGATIVE.
 *
 * `setSolve` minimises over the members: while they fit into CAPACITY by covariances (set-covariances.ts), else by residuals (set-residuals.ts).
 * Scores of all columns: set-scores.ts. Block: host/fields.ts.
 */
import {
  SET_COLUMNS, SET_ADD, SET_SPREAD, SET_ROWS, SET_COLUMN_COUNT, SET_TEMPORARY, SET_BETA, SET_PENALTY_WEIGHTS, SET_NORMS, SET_CORRELATIONS,
  SET_SCREENED, SET_PLACES, SET_MEMBERS, SET_SIZE, SET_GRAM_SIZE, SET_CAPACITY, SET_BEFORE, SET_DIRECTION, SET_SUPPORT, SET_INTERCEPT, SET_ORIGINS,
  SET_L1_F64, SET_SHIFT_F64, COLUMNS_START,
} from "../src/host/fields";
import { centre, dot, get, member, pull, put, row, support, u } from "./set-block";
import { growGram, solveByCovariances } from "./set-covariances";
import { solveByResiduals } from "./set-residuals";

/** ‖x − x̄‖ and the origin of every column, once. */
export function setNorms(set: usize): void {
  const count = load<u32>(set + SET_COLUMN_COUNT), rows = load<u32>(set + SET_ROWS), centred = load<u32>(set + SET_INTERCEPT);
  const origins = centred != 0 && load<u32>(u(set, SET_COLUMNS) + COLUMNS_START) == 0;
  const ones = u(set, SET_TEMPORARY);
  for (let i: u32 = 0; i < rows; i++) put(set, SET_TEMPORARY, i, 1);
  for (let j: u32 = 0; j < count; j++) {
    put(set, SET_NORMS, j, call_indirect<f64>(load<u32>(set + SET_SPREAD), load<u32>(set + SET_COLUMNS), j, centred));
    if (origins) put(set, SET_ORIGINS, j, dot(set, j, ones) / <f64>rows);
  }
  memory.fill(ones, 0, <usize>rows << 3);
}

/** Minimises over the members. Counts passes; ends when one lowers the objective by less than TOLERANCE, or at MOST_PASSES. */
export function setSolve(set: usize): void {
  const size = load<u32>(set + SET_SIZE);
  const byCovariances = size <= load<u32>(set + SET_CAPACITY);
  if (byCovariances) growGram(set);
  for (let a: u32 = 0; a < size; a++) put(set, SET_BEFORE, a, get(set, SET_BETA, member(set, a)));
  centre(set);
  if (byCovariances) solveByCovariances(set, size);
  else solveByResiduals(set, size);
  centre(set);
}

function add(set: usize, j: u32): void {
  const place = load<u32>(set + SET_SIZE);
  store<u32>(u(set, SET_MEMBERS) + (<usize>place << 2), j);
  store<u32>(u(set, SET_PLACES) + (<usize>j << 2), place + 1);
  store<u32>(set + SET_SIZE, place + 1);
}

/** Adds to the set the columns, `most` at most, of the largest pulls above `least` × l1 w; unpenalised ones always. Returns how many. */
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

/** Drops members whose coefficient is 0; their rows leave the Gram matrix, which keeps the others. */
export function setCompact(set: usize): void {
  const size = load<u32>(set + SET_SIZE), gramSize = load<u32>(set + SET_GRAM_SIZE);
  let kept: u32 = 0, keptGram: u32 = 0;
  for (let a: u32 = 0; a < size; a++) {
    const j = member(set, a);
    const place = u(set, SET_PLACES) + (<usize>j << 2);
    if (get(set, SET_BETA, j) == 0 && get(set, SET_PENALTY_WEIGHTS, j) > 0) {
      store<u32>(place, 0);
      continue;
    }
    store<u32>(u(set, SET_MEMBERS) + (<usize>kept << 2), j);
    store<u32>(u(set, SET_SUPPORT) + (<usize>kept << 2), a);
    store<u32>(place, kept + 1);
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

/** out = (X − o) (β − BEFORE) + SHIFT (with an intercept): where a solve went, in outputs. f64[rows]. */
export function setDirection(set: usize, out: usize): void {
  const rows = load<u32>(set + SET_ROWS), size = load<u32>(set + SET_SIZE);
  const shift = load<u32>(set + SET_INTERCEPT) ? load<f64>(set + SET_SHIFT_F64) : 0;
  for (let i: u32 = 0; i < rows; i++) store<f64>(out + (<usize>i << 3), shift);
  for (let a: u32 = 0; a < size; a++) {
    const j = member(set, a);
    const moved = get(set, SET_BETA, j) - get(set, SET_BEFORE, a);
    if (moved != 0) call_indirect<void>(load<u32>(set + SET_ADD), load<u32>(set + SET_COLUMNS), j, moved, get(set, SET_ORIGINS, j), out);
  }
}

/** out = base + (X − o) β: f64[rows]. */
export function setOutputs(set: usize, base: f64, out: usize): void {
  const rows = load<u32>(set + SET_ROWS), count = load<u32>(set + SET_COLUMN_COUNT);
  for (let i: u32 = 0; i < rows; i++) store<f64>(out + (<usize>i << 3), base);
  for (let j: u32 = 0; j < count; j++) {
    const b = get(set, SET_BETA, j);
    if (b != 0) call_indirect<void>(load<u32>(set + SET_ADD), load<u32>(set + SET_COLUMNS), j, b, get(set, SET_ORIGINS, j), out);
  }
}

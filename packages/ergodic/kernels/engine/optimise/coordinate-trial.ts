/**
 * Building blocks for the moves of a linear model's coordinates (coordinate-moves.ts): columns (including the
 * intercept) and trials. A trial evaluates the loss, its slopes and its curvatures at another point, on listed rows or
 * on all rows. The trial is then accepted or dropped. MOVES block: memory/fields.ts.
 *
 * A trial's arrays are f64[outputs][LENGTH]. TEMPORARY is 0 between uses. A joint loss is evaluated on all outputs
 * simultaneously. Other losses are evaluated on one output.
 */
import {
  COLUMNS_START, COLUMNS_ROWS, JOINT_Y, JOINT_WEIGHTS, JOINT_ROWS, MOVES_COLUMNS, MOVES_DOT, MOVES_ADD, MOVES_ADD_WEIGHTED, MOVES_ROWS,
  MOVES_COLUMN_COUNT, MOVES_OUTPUTS, MOVES_WEIGHTS, MOVES_Z, MOVES_SLOPES, MOVES_CURVATURES, MOVES_U_Z, MOVES_LOSSES, MOVES_JOINT, MOVES_AT_Z,
  MOVES_AT_DZ, MOVES_AT_D2Z, MOVES_AT_Y, MOVES_AT_WEIGHT, MOVES_AT_LOSS, MOVES_TRIAL_Z, MOVES_TRIAL_SLOPES, MOVES_TRIAL_CURVATURES, MOVES_TRIAL_Y,
  MOVES_TRIAL_WEIGHTS, MOVES_DIRECTION, MOVES_TEMPORARY, MOVES_LIST, MOVES_LENGTH, MOVES_ONE_F64, MOVES_LOSS_BYTES, MOVES_LOSS_SLOT, MOVES_LOSS_BLOCK,
  MOVES_LOSS_TARGETS,
} from "../../../src/engine/memory/fields";
import { lossRows } from "../../learning/loss-rows";
import { addRow } from "../data/row";

export function u(s: usize, at: usize): usize {
  return <usize>load<u32>(s + at);
}

/** Returns element i of the f64 array whose address is in the field `at`. */
export function get(s: usize, at: usize, i: u32): f64 {
  return load<f64>(u(s, at) + (<usize>i << 3));
}

export function put(s: usize, at: usize, i: u32, value: f64): void {
  store<f64>(u(s, at) + (<usize>i << 3), value);
}

/** Returns the address of output k in an array f64[outputs][rows]. */
export function over(s: usize, at: usize, k: u32): usize {
  return u(s, at) + ((<usize>k * u(s, MOVES_ROWS)) << 3);
}

/** Returns the address of output k in a trial's array. */
export function trial(s: usize, at: usize, k: u32): usize {
  return u(s, at) + ((<usize>k * u(s, MOVES_LENGTH)) << 3);
}

// ---- columns, including the intercept

function isColumn(s: usize, j: u32): bool {
  return j < load<u32>(s + MOVES_COLUMN_COUNT);
}

export function dot(s: usize, j: u32, v: usize): f64 {
  if (isColumn(s, j)) return call_indirect<f64>(load<u32>(s + MOVES_DOT), load<u32>(s + MOVES_COLUMNS), j, v);
  let sum: f64 = 0;
  for (const end = v + (u(s, MOVES_ROWS) << 3); v < end; v += 8) sum += load<f64>(v);
  return load<f64>(s + MOVES_ONE_F64) * sum;
}

/** v += factor x_j. */
export function add(s: usize, j: u32, factor: f64, v: usize): void {
  if (isColumn(s, j)) {
    call_indirect<void>(load<u32>(s + MOVES_ADD), load<u32>(s + MOVES_COLUMNS), j, factor, <f64>0, v);
    return;
  }
  const move = factor * load<f64>(s + MOVES_ONE_F64);
  for (const end = v + (u(s, MOVES_ROWS) << 3); v < end; v += 8) store<f64>(v, load<f64>(v) + move);
}

/** v += factor h∘x_j. */
export function addWeighted(s: usize, j: u32, factor: f64, h: usize, v: usize): void {
  if (isColumn(s, j)) {
    call_indirect<void>(load<u32>(s + MOVES_ADD_WEIGHTED), load<u32>(s + MOVES_COLUMNS), j, factor, <f64>0, h, v);
    return;
  }
  const f = factor * load<f64>(s + MOVES_ONE_F64);
  for (const end = v + (u(s, MOVES_ROWS) << 3); v < end; v += 8) {
    store<f64>(v, load<f64>(v) + f * load<f64>(h));
    h += 8;
  }
}

/** Returns Σ_i h_i x_ij x_im. Uses TEMPORARY for h∘x_j and resets it to exactly 0. */
export function product(s: usize, j: u32, m: u32, h: usize): f64 {
  const temporary = u(s, MOVES_TEMPORARY);
  addWeighted(s, j, 1, h, temporary);
  const sum = dot(s, m, temporary);
  clear(s, j);
  return sum;
}

/** Sets TEMPORARY = 0 where x_j has stored entries. */
function clear(s: usize, j: u32): void {
  const temporary = u(s, MOVES_TEMPORARY);
  const starts = isColumn(s, j) ? u(u(s, MOVES_COLUMNS), COLUMNS_START) : 0;
  if (!starts) {
    memory.fill(temporary, 0, u(s, MOVES_ROWS) << 3);
    return;
  }
  const rows = u(u(s, MOVES_COLUMNS), COLUMNS_ROWS);
  const start = starts + (<usize>j << 2);
  for (let e = load<u32>(start); e < load<u32>(start, 4); e++) {
    store<f64>(temporary + (<usize>load<u32>(rows + (<usize>e << 2)) << 3), 0);
  }
}

// ---- trials: the loss at another point, on listed rows

export function listAll(s: usize): void {
  store<u32>(s + MOVES_LIST, 0);
  store<u32>(s + MOVES_LENGTH, load<u32>(s + MOVES_ROWS));
}

/** Lists the rows in which z changes when column j moves. */
export function listRows(s: usize, j: u32): void {
  const columns = u(s, MOVES_COLUMNS);
  const starts = u(columns, COLUMNS_START);
  if (!starts || !isColumn(s, j)) {
    listAll(s);
    return;
  }
  const start = starts + (<usize>j << 2);
  store<u32>(s + MOVES_LIST, load<u32>(columns + COLUMNS_ROWS) + (load<u32>(start) << 2));
  store<u32>(s + MOVES_LENGTH, load<u32>(start, 4) - load<u32>(start));
}

/** Copies the elements of v for the listed rows to `to`. */
export function gather(s: usize, v: usize, to: usize): void {
  const length = u(s, MOVES_LENGTH);
  let row = u(s, MOVES_LIST);
  if (!row) {
    memory.copy(to, v, length << 3);
    return;
  }
  for (const end = row + (length << 2); row < end; row += 4) {
    store<f64>(to, load<f64>(v + (<usize>load<u32>(row) << 3)));
    to += 8;
  }
}

function scatter(s: usize, from: usize, v: usize): void {
  const length = u(s, MOVES_LENGTH);
  let row = u(s, MOVES_LIST);
  if (!row) {
    memory.copy(v, from, length << 3);
    return;
  }
  for (const end = row + (length << 2); row < end; row += 4) {
    store<f64>(v + (<usize>load<u32>(row) << 3), load<f64>(from));
    from += 8;
  }
}

/** Sets DIRECTION = x_j over the listed rows. */
export function expand(s: usize, j: u32): void {
  const direction = u(s, MOVES_DIRECTION);
  if (u(s, MOVES_LIST)) {
    const temporary = u(s, MOVES_TEMPORARY);
    add(s, j, 1, temporary);
    gather(s, temporary, direction);
    clear(s, j);
    return;
  }
  memory.fill(direction, 0, u(s, MOVES_LENGTH) << 3);
  add(s, j, 1, direction);
}

/** Sets the operands of output k's loss to the listed rows. A joint loss covers all outputs. */
export function prepare(s: usize, k: u32): void {
  const listed = u(s, MOVES_LIST) != 0;
  const loss = u(s, MOVES_LOSSES) + <usize>k * MOVES_LOSS_BYTES;
  let y = u(loss, MOVES_LOSS_TARGETS), weights = u(s, MOVES_WEIGHTS);
  if (listed) {
    gather(s, y, u(s, MOVES_TRIAL_Y));
    gather(s, weights, u(s, MOVES_TRIAL_WEIGHTS));
    y = u(s, MOVES_TRIAL_Y);
    weights = u(s, MOVES_TRIAL_WEIGHTS);
  }
  const joint = u(s, MOVES_JOINT);
  if (joint) {
    store<u32>(joint + JOINT_Y, <u32>y);
    store<u32>(joint + JOINT_WEIGHTS, <u32>weights);
    store<u32>(joint + JOINT_ROWS, load<u32>(s + MOVES_LENGTH));
    return;
  }
  const block = u(loss, 4);
  store<u32>(block + u(s, MOVES_AT_Z), <u32>trial(s, MOVES_TRIAL_Z, k));
  store<u32>(block + u(s, MOVES_AT_DZ), <u32>trial(s, MOVES_TRIAL_SLOPES, k));
  store<u32>(block + u(s, MOVES_AT_D2Z), <u32>trial(s, MOVES_TRIAL_CURVATURES, k));
  store<u32>(block + u(s, MOVES_AT_Y), <u32>y);
  store<u32>(block + u(s, MOVES_AT_WEIGHT), <u32>weights);
}

/** Sets TRIAL_Z of output k to z_k + scale × the companion's output. */
export function takeOutput(s: usize, k: u32, scale: f64): void {
  const to = trial(s, MOVES_TRIAL_Z, k);
  gather(s, over(s, MOVES_Z, k), to);
  if (scale == 0) return;
  gather(s, over(s, MOVES_U_Z, k), u(s, MOVES_TRIAL_CURVATURES));
  addRow<f64>(u(s, MOVES_TRIAL_CURVATURES), 0, load<i32>(s + MOVES_LENGTH), scale, to);
}

/** Calls takeOutput for output k, or for all outputs if the loss is joint. */
export function take(s: usize, k: u32, scale: f64): void {
  if (!u(s, MOVES_JOINT)) {
    takeOutput(s, k, scale);
    return;
  }
  for (let o: u32 = 0; o < load<u32>(s + MOVES_OUTPUTS); o++) takeOutput(s, o, scale);
}

/** Computes slopes and curvatures at TRIAL_Z, for output k or for all. Returns Σ c ℓ. */
export function evaluate(s: usize, k: u32): f64 {
  const joint = u(s, MOVES_JOINT);
  if (joint) return lossRows(joint);
  const loss = u(s, MOVES_LOSSES) + <usize>k * MOVES_LOSS_BYTES;
  call_indirect<void>(load<u32>(loss + MOVES_LOSS_SLOT), load<u32>(s + MOVES_LENGTH), load<u32>(loss + MOVES_LOSS_BLOCK));
  return load<f64>(u(loss, MOVES_LOSS_BLOCK) + u(s, MOVES_AT_LOSS));
}

/** Accepts the trial as the current point. */
export function keep(s: usize, k: u32): void {
  scatter(s, trial(s, MOVES_TRIAL_Z, k), over(s, MOVES_Z, k));
  const joint = u(s, MOVES_JOINT) != 0;
  const first: u32 = joint ? 0 : k, end: u32 = joint ? load<u32>(s + MOVES_OUTPUTS) : k + 1;
  for (let o = first; o < end; o++) {
    scatter(s, trial(s, MOVES_TRIAL_SLOPES, o), over(s, MOVES_SLOPES, o));
    scatter(s, trial(s, MOVES_TRIAL_CURVATURES, o), over(s, MOVES_CURVATURES, o));
  }
}

/** Evaluates a trial on all rows and outputs, from TRIAL_Z. */
export function evaluateAll(s: usize): f64 {
  if (u(s, MOVES_JOINT)) {
    prepare(s, 0);
    return evaluate(s, 0);
  }
  let total: f64 = 0;
  for (let k: u32 = 0; k < load<u32>(s + MOVES_OUTPUTS); k++) {
    prepare(s, k);
    total += evaluate(s, k);
  }
  return total;
}

export function keepAll(s: usize): void {
  for (let k: u32 = 0; k < load<u32>(s + MOVES_OUTPUTS); k++) keep(s, k);
}

/**
 * Gradients of a compiled network on a batch of rows, for kernels/engine/optimise/descend.ts and
 * kernels/learning/sweep.ts.
 *
 * networkGradient(model, parameters, rows, count, control, pieces) → mean loss: copies the rows into the program's
 * inputs, runs the program at `parameters`, and writes one piece: the gradient of the trained parameters.
 * networkObjective computes only the loss. Blocks: NETWORK (memory/fields.ts).
 *
 * A program is compiled for a batch of NETWORK_BATCH rows. To fill a smaller batch, its rows are repeated in order with
 * weight 0. Only the batch's own rows therefore determine the batch statistics. A row's weight in the mean is its own
 * weight (1 if rows have no weights) ÷ count.
 */
import {
  NETWORK_BATCH, NETWORK_COLUMNS, NETWORK_COUNT, NETWORK_DOUBLE, NETWORK_GRADIENT, NETWORK_KIND, NETWORK_LOSS, NETWORK_OBJECTIVE, NETWORK_ROWS,
  NETWORK_SCALE_F64, NETWORK_SOURCE, NETWORK_STRIDE, NETWORK_TARGET, NETWORK_UPDATE, NETWORK_W, NETWORK_WEIGHTS, NETWORK_X, NETWORK_Y, PIECES_FIRST,
  PIECE_COUNT, PIECE_INDICES, PIECE_OFFSET, PIECE_SCALE_F64, PIECE_VALUES, NETWORK_PROGRAM_SLOT, NETWORK_PROGRAM_BLOCK, NETWORK_PROGRAM_PARAMETERS,
  PIECES_COUNT,
} from "../../../src/engine/memory/fields";
import { loadRowsF32, loadRowsF64 } from "./load-rows";

/** Offset of the update's index in a program's block (compiler/array/memory.ts). */
const UPDATE_AT: usize = 8;

function u(block: usize, at: usize): usize {
  return <usize>load<u32>(block + at);
}

/** Writes the row indices of the whole batch. */
function fill(rows: usize, count: i32, batch: i32, to: usize): void {
  memory.copy(to, rows, <usize>count << 2);
  for (let i = count; i < batch; i++) store<u32>(to + (<usize>i << 2), load<u32>(to + (<usize>(i - count) << 2)));
}

function targets<T>(rows: usize, count: i32, batch: i32, target: usize, weights: usize, y: usize, w: usize): void {
  const share = 1 / <f64>count;
  for (let i = 0; i < batch; i++) {
    const row = <usize>load<u32>(rows + (<usize>i << 2)) << 3;
    const at = <usize>i * sizeof<T>();
    store<T>(y + at, <T>load<f64>(target + row));
    store<T>(w + at, i < count ? <T>(weights ? share * load<f64>(weights + row) : share) : <T>0);
  }
}

function run(model: usize, program: usize, parameters: usize, rows: usize, count: i32): f64 {
  const batch = load<i32>(model + NETWORK_BATCH);
  let listed = rows;
  if (count < batch) {
    listed = u(model, NETWORK_ROWS);
    fill(rows, count, batch, listed);
  }
  const isDouble = load<i32>(model + NETWORK_DOUBLE);
  const columns = load<i32>(model + NETWORK_COLUMNS), source = u(model, NETWORK_SOURCE), stride = u(model, NETWORK_STRIDE);
  const kind = load<i32>(model + NETWORK_KIND), scale = load<f64>(model + NETWORK_SCALE_F64), x = u(model, NETWORK_X);
  const target = u(model, NETWORK_TARGET), weights = u(model, NETWORK_WEIGHTS), y = u(model, NETWORK_Y), w = u(model, NETWORK_W);
  if (isDouble) {
    loadRowsF64(batch, columns, source, stride, kind, scale, listed, x);
    targets<f64>(listed, count, batch, target, weights, y, w);
  } else {
    loadRowsF32(batch, columns, source, stride, kind, scale, listed, x);
    targets<f32>(listed, count, batch, target, weights, y, w);
  }
  const atParameters = u(program, NETWORK_PROGRAM_PARAMETERS);
  if (atParameters) store<u32>(atParameters, <u32>parameters);
  call_indirect<void>(load<u32>(program + NETWORK_PROGRAM_SLOT), load<i32>(program + NETWORK_PROGRAM_BLOCK));
  const loss = u(model, NETWORK_LOSS);
  return isDouble ? load<f64>(loss) : <f64>load<f32>(loss);
}

export function networkGradient(model: usize, parameters: usize, rows: usize, count: i32, control: usize, pieces: usize): f64 {
  const loss = run(model, model + NETWORK_UPDATE, parameters, rows, count);
  store<u32>(pieces + PIECES_COUNT, 1);
  const piece = pieces + PIECES_FIRST;
  store<u32>(piece + PIECE_VALUES, load<u32>(model + NETWORK_GRADIENT));
  store<u32>(piece + PIECE_INDICES, 0);
  store<u32>(piece + PIECE_COUNT, load<u32>(model + NETWORK_COUNT));
  store<u32>(piece + PIECE_OFFSET, 0);
  store<f64>(piece + PIECE_SCALE_F64, 1);
  return loss;
}

/**
 * Evaluates the objective with the random draws of the last gradient, so that a search compares values of the same
 * function.
 */
export function networkObjective(model: usize, parameters: usize, rows: usize, count: i32): f64 {
  const to = u(model, NETWORK_OBJECTIVE + NETWORK_PROGRAM_BLOCK), from = u(model, NETWORK_UPDATE + NETWORK_PROGRAM_BLOCK);
  store<f64>(to + UPDATE_AT, load<f64>(from + UPDATE_AT));
  return run(model, model + NETWORK_OBJECTIVE, parameters, rows, count);
}

/** Does not prefetch rows. Rows are copied one after another, so prefetching would not save time. */
export function networkTouch(model: usize, rows: usize, count: i32): u32 {
  return 0;
}

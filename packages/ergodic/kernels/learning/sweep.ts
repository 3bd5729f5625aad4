/**
 * Sums the loss and its gradient over a range of rows, in chunks of at most 256 rows.
 *
 * sweepGradient: accumulator (f64[count], added to, not cleared) += Σ_rows ∂ℓ_i/∂p; returns Σ ℓ_i. The model's pieces
 * must have the parameters' type (a buffered binding), f32 or f64. sweepLoss: Σ ℓ_i, and the outputs of each row if
 * `outputs` is not 0. `rows` is scratch for 256 u32. Sums run in the order of rows, so that a fixed partition gives the
 * same bits for any number of workers.
 */
import {
  PIECE_BYTES, PIECE_COUNT, PIECE_INDICES, PIECE_OFFSET, PIECE_SCALE_F64, PIECE_VALUES, PIECES_FIRST, PIECES_COUNT,
} from "../../src/engine/memory/fields";

const CHUNK: u32 = 256;

function list(rows: usize, from: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) store<u32>(rows + (<usize>i << 2), from + i);
}

function addPieces<P>(pieces: usize, factor: f64, accumulator: usize): void {
  let piece = pieces + PIECES_FIRST;
  for (let left = load<i32>(pieces + PIECES_COUNT); left > 0; left--) {
    const values = <usize>load<u32>(piece + PIECE_VALUES), indices = <usize>load<u32>(piece + PIECE_INDICES);
    const target = accumulator + (<usize>load<u32>(piece + PIECE_OFFSET) << 3);
    const scale = factor * load<f64>(piece + PIECE_SCALE_F64);
    const count = load<i32>(piece + PIECE_COUNT);
    for (let k = 0; k < count; k++) {
      const at = target + ((indices ? <usize>load<u32>(indices + (<usize>k << 2)) : <usize>k) << 3);
      store<f64>(at, load<f64>(at) + scale * <f64>load<P>(values + <usize>k * sizeof<P>()));
    }
    piece += PIECE_BYTES;
  }
}

export function sweepGradient(
  gradient: u32, model: usize, parameters: usize, rows: usize, from: u32, to: u32, control: usize, pieces: usize, accumulator: usize, elementBytes: u32,
): f64 {
  let sum: f64 = 0;
  for (let at = from; at < to; at += CHUNK) {
    const count = min(CHUNK, to - at);
    list(rows, at, count);
    sum += call_indirect<f64>(gradient, model, parameters, rows, <i32>count, control, pieces) * <f64>count;
    if (elementBytes == 4) addPieces<f32>(pieces, <f64>count, accumulator);
    else addPieces<f64>(pieces, <f64>count, accumulator);
  }
  return sum;
}

/** `z`: address at which the model stores the outputs of a batch, `outputCount` f64 per row. */
export function sweepLoss(
  objective: u32, model: usize, parameters: usize, rows: usize, from: u32, to: u32, z: usize, outputCount: u32, outputs: usize,
): f64 {
  let sum: f64 = 0;
  for (let at = from; at < to; at += CHUNK) {
    const count = min(CHUNK, to - at);
    list(rows, at, count);
    sum += call_indirect<f64>(objective, model, parameters, rows, <i32>count) * <f64>count;
    const bytes = <usize>(count * outputCount) << 3;
    if (outputs) memory.copy(outputs + (<usize>((at - from) * outputCount) << 3), z, bytes);
  }
  return sum;
}

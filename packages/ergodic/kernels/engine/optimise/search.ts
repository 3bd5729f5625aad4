/**
 * Stochastic Armijo line search (Vaswani et al. 2019): starts from the last rate, increased by the growth factor, and
 * shrinks α until f_B(p − α d) <= f_B(p) − c α ‖d‖², on the batch B from which the gradient d was computed.
 *
 * The gradient must have the parameters' type and lie in pieces that do not overlap (dense, or touched columns). f_B
 * and d include the L2 penalty, weighted by `share`. After MAX_TRIES failures, the search takes a step of FALLBACK.
 * Block: memory/fields.ts.
 */
import {
  PIECES_FIRST, PIECE_BYTES, PIECE_VALUES, PIECE_INDICES, PIECE_COUNT, PIECE_OFFSET, PIECE_SCALE_F64, SEARCH_OBJECTIVE, SEARCH_ELEMENT_BYTES,
  SEARCH_BACKUP, SEARCH_SHARE, SEARCH_MAX_TRIES, SEARCH_RATE_F64, SEARCH_GROWTH_F64, SEARCH_SUFFICIENT_F64, SEARCH_SHRINK_F64, SEARCH_FALLBACK_F64,
  SEARCH_L2_F64, PIECES_COUNT,
} from "../../../src/engine/memory/fields";

/**
 * Moves the parameters to backup − α d. With α = NaN, makes the backup instead. Returns ‖d‖² and stores Σ share p² / 2
 * in `penalty`.
 */
let penalty: f64 = 0;

function sweep<P>(search: usize, parameters: usize, pieces: usize, rate: f64): f64 {
  const share = <usize>load<u32>(search + SEARCH_SHARE);
  const l2 = load<f64>(search + SEARCH_L2_F64);
  let backup = <usize>load<u32>(search + SEARCH_BACKUP);
  const keep = rate != rate;
  let norm: f64 = 0;
  penalty = 0;
  let piece = pieces + PIECES_FIRST;
  for (let left = load<i32>(pieces + PIECES_COUNT); left > 0; left--) {
    const values = <usize>load<u32>(piece + PIECE_VALUES), indices = <usize>load<u32>(piece + PIECE_INDICES);
    const offset = <usize>load<u32>(piece + PIECE_OFFSET);
    const scale = load<f64>(piece + PIECE_SCALE_F64);
    const count = load<i32>(piece + PIECE_COUNT);
    for (let k = 0; k < count; k++) {
      const j = offset + (indices ? <usize>load<u32>(indices + (<usize>k << 2)) : <usize>k);
      const at = parameters + j * sizeof<P>();
      const weight = share ? l2 * <f64>load<P>(share + j * sizeof<P>()) : 0;
      if (keep) store<P>(backup, load<P>(at));
      const p = <f64>load<P>(backup);
      const d = scale * <f64>load<P>(values + <usize>k * sizeof<P>()) + weight * p;
      norm += d * d;
      const now = keep ? p : p - rate * d;
      if (!keep) store<P>(at, <P>now);
      penalty += 0.5 * weight * now * now;
      backup += sizeof<P>();
    }
    piece += PIECE_BYTES;
  }
  return norm;
}

function move(search: usize, parameters: usize, pieces: usize, rate: f64): f64 {
  if (load<u32>(search + SEARCH_ELEMENT_BYTES) == 4) return sweep<f32>(search, parameters, pieces, rate);
  return sweep<f64>(search, parameters, pieces, rate);
}

export function searchStep(search: usize, model: usize, parameters: usize, rows: usize, size: i32, pieces: usize, loss: f64): void {
  const objective = load<u32>(search + SEARCH_OBJECTIVE);
  const norm = move(search, parameters, pieces, NaN);
  const here = loss + penalty;
  const sufficient = load<f64>(search + SEARCH_SUFFICIENT_F64), shrink = load<f64>(search + SEARCH_SHRINK_F64);
  let rate = load<f64>(search + SEARCH_RATE_F64) * load<f64>(search + SEARCH_GROWTH_F64);
  for (let left = load<i32>(search + SEARCH_MAX_TRIES); left > 0; left--) {
    move(search, parameters, pieces, rate);
    const there = penalty;
    if (call_indirect<f64>(objective, model, parameters, rows, size) + there <= here - sufficient * rate * norm) {
      store<f64>(search + SEARCH_RATE_F64, rate);
      return;
    }
    rate *= shrink;
  }
  move(search, parameters, pieces, load<f64>(search + SEARCH_FALLBACK_F64));
  store<f64>(search + SEARCH_RATE_F64, load<f64>(search + SEARCH_FALLBACK_F64));
}

/**
 * L2 decay for plain gradient descent, p ← (1 − ηλ) p − η g, if gradients touch few coordinates. Parameters are stored
 * as p = s v, with one scale s for all coordinates.
 *
 * An update sets s' = s (1 − ηλ) and v ← v − (η/s') g on the touched coordinates only. The result equals the dense
 * update exactly, at no cost for the other coordinates (Bottou's SGD, Shalev-Shwartz et al. 2007). Exempt coordinates
 * (intercepts) are multiplied by s/s' instead. s is multiplied into v when it falls below 2⁻²⁰ (f32 or f64 v), or below
 * 7/8 (16-bit v, with random rounding, because its range shrinks with s). A factor 1 − ηλ below 2⁻¹⁰ is clamped to
 * 2⁻¹⁰. Block: memory/fields.ts.
 *
 * Racing lanes share v, but each lane has its own s. Each lane multiplies its s by (1 − ηλ)^lanes, as if all lanes
 * advanced equally. The caller synchronises the scales and multiplies them into v between two chunks.
 */
import {
  PIECES_FIRST, PIECE_BYTES, PIECE_SCALE_F64, DECAY_RATE_END, DECAY_RATE_BLOCK, DECAY_RATE_AT_T, DECAY_RATE_AT_RATE, DECAY_RULE_RATE,
  DECAY_MODEL_SCALE, DECAY_PARAMETERS, DECAY_COUNT, DECAY_ELEMENT_BYTES, DECAY_EXEMPT, DECAY_EXEMPT_COUNT, DECAY_POWER, DECAY_L2_F64, DECAY_SCALE_F64,
  DECAY_UNIT_F64, ABSENT, PIECE_VALUES, PIECE_COUNT, PIECE_OFFSET, PIECES_COUNT,
} from "../../../src/engine/memory/fields";
import { fixedStep, scaleOne } from "./fixed";

function u(block: usize, at: usize): usize {
  return <usize>load<u32>(block + at);
}

/**
 * Passes the scale to the model at the start of a call, because the scale might have been restored from a checkpoint.
 */
export function openDecay(decay: usize): void {
  store<f64>(u(decay, DECAY_MODEL_SCALE), load<f64>(decay + DECAY_SCALE_F64) * load<f64>(decay + DECAY_UNIT_F64));
}

function multiply<P>(parameters: usize, count: i32, factor: f64): void {
  for (let i = 0; i < count; i++) {
    store<P>(parameters, <P>(<f64>load<P>(parameters) * factor));
    parameters += sizeof<P>();
  }
}

function multiplyFixed(decay: usize, scale: f64): void {
  let at = u(decay, DECAY_PARAMETERS);
  for (let left = load<i32>(decay + DECAY_COUNT); left > 0; left--) {
    scaleOne(decay, at, scale);
    at += 2;
  }
}

/** Rounds stochastically, because 16-bit parameters would otherwise lose small changes. */
function exemptFixed(decay: usize, factor: f64): void {
  if (factor == 1) return;
  const parameters = u(decay, DECAY_PARAMETERS);
  let at = u(decay, DECAY_EXEMPT);
  for (let left = load<i32>(decay + DECAY_EXEMPT_COUNT); left > 0; left--) {
    scaleOne(decay, parameters + (<usize>load<u32>(at) << 1), factor);
    at += 4;
  }
}

function exempt<P>(decay: usize, factor: f64): void {
  const parameters = u(decay, DECAY_PARAMETERS);
  let at = u(decay, DECAY_EXEMPT);
  for (let left = load<i32>(decay + DECAY_EXEMPT_COUNT); left > 0; left--) {
    multiply<P>(parameters + (<usize>load<u32>(at)) * sizeof<P>(), 1, factor);
    at += 4;
  }
}

/**
 * Runs after the gradient and before the rule: computes this update's rate and scale. After this step, the pieces are
 * gradients with respect to v.
 */
export function decayStep(decay: usize, pieces: usize, t: f64): void {
  let rate: f64;
  if (load<u32>(decay + DECAY_RATE_END) != ABSENT) {
    const block = u(decay, DECAY_RATE_BLOCK);
    store<f64>(block + u(decay, DECAY_RATE_AT_T), t);
    call_indirect<void>(load<u32>(decay + DECAY_RATE_END), block);
    rate = load<f64>(block + u(decay, DECAY_RATE_AT_RATE));
    store<f64>(u(decay, DECAY_RULE_RATE), rate);
  } else {
    rate = load<f64>(u(decay, DECAY_RULE_RATE));
  }
  const bytes = load<u32>(decay + DECAY_ELEMENT_BYTES);
  const wide = bytes == 8;
  const factor = max(1 - rate * load<f64>(decay + DECAY_L2_F64), 0.0009765625);
  const power = load<i32>(decay + DECAY_POWER);
  let scale = load<f64>(decay + DECAY_SCALE_F64);
  for (let k = 0; k < power; k++) scale *= factor;
  if (bytes == 2) exemptFixed(decay, 1 / factor);
  else if (wide) exempt<f64>(decay, 1 / factor);
  else exempt<f32>(decay, 1 / factor);
  if (power == 1 && scale < (bytes == 2 ? 0.875 : 9.5367431640625e-7)) {
    if (bytes == 2) multiplyFixed(decay, scale);
    else if (wide) multiply<f64>(u(decay, DECAY_PARAMETERS), load<i32>(decay + DECAY_COUNT), scale);
    else multiply<f32>(u(decay, DECAY_PARAMETERS), load<i32>(decay + DECAY_COUNT), scale);
    scale = 1;
  }
  store<f64>(decay + DECAY_SCALE_F64, scale);
  store<f64>(u(decay, DECAY_MODEL_SCALE), scale * load<f64>(decay + DECAY_UNIT_F64));
  let piece = pieces + PIECES_FIRST;
  for (let left = load<i32>(pieces + PIECES_COUNT); left > 0; left--) {
    store<f64>(piece + PIECE_SCALE_F64, load<f64>(piece + PIECE_SCALE_F64) / scale);
    piece += PIECE_BYTES;
  }
}

/**
 * Makes the update itself for 16-bit parameters and integer rows of `bytes` bytes per element: v ← v − round(η/(s·unit)
 * g).
 */
export function decayFixed(decay: usize, pieces: usize, bytes: i32): void {
  const rate = load<f64>(u(decay, DECAY_RULE_RATE)) / load<f64>(decay + DECAY_UNIT_F64);
  const parameters = u(decay, DECAY_PARAMETERS);
  let piece = pieces + PIECES_FIRST;
  for (let left = load<i32>(pieces + PIECES_COUNT); left > 0; left--) {
    fixedStep(decay, parameters + (u(piece, PIECE_OFFSET) << 1), u(piece, PIECE_VALUES), load<i32>(piece + PIECE_COUNT), bytes, rate * load<f64>(piece + PIECE_SCALE_F64));
    piece += PIECE_BYTES;
  }
}

/**
 * One dimension of a convolution: the source cells and the weight taps that contribute to a destination cell.
 *
 * In the forward direction the source is the input. In the adjoint, the source is the convolution's output. The input
 * cells then fall into `stride` phases, and each phase uses different taps. Cell q · phases + phase uses source cells q
 * · stride + origin + m · step and taps first + m · tapStep, for m = 0 … taps − 1. The step is positive, and source
 * cells outside [0, size) are skipped. The phases' records are stored from `at` onwards, with AXIS_BYTES per record, as
 * i32.
 */
import { AXIS_BYTES, AXIS_FIRST, AXIS_ORIGIN, AXIS_STEP, AXIS_STRIDE, AXIS_TAPS, AXIS_TAP_STEP } from "../../../src/engine/memory/fields";

function commonDivisor(a: i32, b: i32): i32 {
  while (b) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

function writeRecord(at: usize, taps: i32, origin: i32, step: i32, first: i32, tapStep: i32, stride: i32): void {
  store<i32>(at, taps, AXIS_TAPS);
  store<i32>(at, origin, AXIS_ORIGIN);
  store<i32>(at, step, AXIS_STEP);
  store<i32>(at, first, AXIS_FIRST);
  store<i32>(at, tapStep, AXIS_TAP_STEP);
  store<i32>(at, stride, AXIS_STRIDE);
}

/** Writes the records. Returns the number of phases. */
export function writeAxis(at: usize, kernel: i32, stride: i32, pad: i32, dilation: i32, adjoint: i32): i32 {
  if (!adjoint) {
    writeRecord(at, kernel, -pad, dilation, 0, 1, stride);
    return 1;
  }
  const divisor = commonDivisor(dilation, stride);
  const period = stride / divisor;
  for (let phase = 0; phase < stride; phase++) {
    let tap = 0;
    while (tap < period && (phase + pad - tap * dilation) % stride != 0) tap++;
    const taps = tap < min(kernel, period) ? (kernel - 1 - tap) / period + 1 : 0;
    const last = tap + (taps - 1) * period;
    writeRecord(at, taps, taps ? (phase + pad - last * dilation) / stride : 0, dilation / divisor, last, -period, 1);
    at += AXIS_BYTES;
  }
  return stride;
}

/** Returns the first m with origin + m · step >= 0. */
export function firstTap(origin: i32, step: i32): i32 {
  return origin < 0 ? (step - 1 - origin) / step : 0;
}

/** Returns the first m with origin + m · step >= size, at most `taps`. */
export function endTap(origin: i32, step: i32, size: i32, taps: i32): i32 {
  // Avoids the slow division, because most cells use all of their taps.
  if (origin + (taps - 1) * step < size) return taps;
  return origin < size ? min((size - origin + step - 1) / step, taps) : 0;
}

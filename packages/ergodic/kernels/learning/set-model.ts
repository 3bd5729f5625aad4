/**
 * Quadratic model for Newton steps (learning/coordinates/column-newton.ts), and the row sums that control these steps.
 *
 * slopes, curvatures, direction: f64[rows]. Sums run from the first row to the last.
 */
import {
  SET_ROWS, SET_U, SET_H, SET_GRAM_SIZE, SET_SHIFT_F64, SET_SUM_H_F64, SET_SLOPE_F64, SET_SLOPE_SIZE_F64, SET_SLOPE_CURVATURE_F64,
} from "../../src/learning/fields";
import { u } from "./set-block";

/**
 * Sets u = −slopes, h = max(curvatures, least × weights), SHIFT = 0. The old h and its Gram matrix are kept if the new
 * h differs from the old h by at most `drift` times the sum of h. Steps with the old h still lower the objective, but
 * more slowly.
 */
export function setModel(set: usize, slopes: usize, curvatures: usize, weights: usize, least: f64, drift: f64): void {
  const bytes = <usize>load<u32>(set + SET_ROWS) << 3, to = u(set, SET_U), h = u(set, SET_H);
  let sum: f64 = 0, off: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 8) {
    store<f64>(to + at, -load<f64>(slopes + at));
    const curvature = Math.max(load<f64>(curvatures + at), least * load<f64>(weights + at));
    off += Math.abs(curvature - load<f64>(h + at));
    sum += curvature;
  }
  store<f64>(set + SET_SHIFT_F64, 0);
  if (off <= drift * sum) return;
  for (let at: usize = 0; at < bytes; at += 8) store<f64>(h + at, Math.max(load<f64>(curvatures + at), least * load<f64>(weights + at)));
  store<f64>(set + SET_SUM_H_F64, sum);
  store<u32>(set + SET_GRAM_SIZE, 0);
}

/** Sums along the intercept: Σ slopes, Σ |slopes|, Σ curvatures. */
export function setSlope(set: usize, slopes: usize, curvatures: usize): void {
  const bytes = <usize>load<u32>(set + SET_ROWS) << 3;
  let sum: f64 = 0, size: f64 = 0, curvature: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 8) {
    const slope = load<f64>(slopes + at);
    sum += slope;
    size += Math.abs(slope);
    curvature += load<f64>(curvatures + at);
  }
  store<f64>(set + SET_SLOPE_F64, sum);
  store<f64>(set + SET_SLOPE_SIZE_F64, size);
  store<f64>(set + SET_SLOPE_CURVATURE_F64, curvature);
}

/** Sums along a direction: Σ slopes direction and Σ h direction². */
export function setAlong(set: usize, slopes: usize, direction: usize): void {
  const bytes = <usize>load<u32>(set + SET_ROWS) << 3, h = u(set, SET_H);
  let slope: f64 = 0, curvature: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 8) {
    const d = load<f64>(direction + at);
    slope += load<f64>(slopes + at) * d;
    curvature += load<f64>(h + at) * d * d;
  }
  store<f64>(set + SET_SLOPE_F64, slope);
  store<f64>(set + SET_SLOPE_CURVATURE_F64, curvature);
}

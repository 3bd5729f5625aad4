/**
 * Log density of a statistical model and its gradient at a point, for samplers: one call of the model's compiled
 * program.
 *
 * logDensityGradient(model, x, gradient) → log density. model: a LOG_DENSITY block (bayes/fields.ts). x:
 * f64[dimension], read. gradient: f64[dimension], written; must not overlap x. Returns exactly the bits that the
 * program computes.
 */
import { LOG_DENSITY_BLOCK, LOG_DENSITY_GRADIENT, LOG_DENSITY_POINT, LOG_DENSITY_RUN, LOG_DENSITY_VALUE } from "../../src/bayes/fields";

export function logDensityGradient(model: usize, x: usize, gradient: usize): f64 {
  const point = <usize>load<u32>(model, LOG_DENSITY_POINT);
  if (point) store<u32>(point, <u32>x);
  store<u32>(<usize>load<u32>(model, LOG_DENSITY_GRADIENT), <u32>gradient);
  call_indirect<void>(load<u32>(model, LOG_DENSITY_RUN), load<i32>(model, LOG_DENSITY_BLOCK));
  return load<f64>(<usize>load<u32>(model, LOG_DENSITY_VALUE));
}

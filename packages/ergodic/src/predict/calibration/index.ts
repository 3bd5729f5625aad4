/**
 * Calibrated probabilities, and conformal sets and intervals. Calibrations are fitted on held-out rows and stored in
 * the model's file.
 */
export { type CalibratedOptions, calibrated } from "./calibrated.ts";
export { type ConformalOptions, conformal } from "./conformal.ts";
export { type Coverage, coverage } from "./coverage.ts";
export type { RowPredictor } from "./description.ts";

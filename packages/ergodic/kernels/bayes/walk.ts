/**
 * Shared parts of the Metropolis and slice sampling kernels: vector operations, the density at a changed point, and
 * transition records.
 */
import {
  WALK_SLOT, WALK_MODEL, WALK_GRADIENT, WALK_LOG_DENSITY_F64, WALK_TRANSITION_LOG_DENSITY_F64, WALK_TRANSITION_ACCEPTANCE_F64,
  WALK_TRANSITION_STEP_F64, WALK_TRANSITION_EVALUATIONS_F64,
} from "../../src/bayes/fields";
export { dotVectors } from "./hamiltonian";

export function copyVector(to: usize, from: usize, count: usize): void {
  for (const end = to + (count << 3); to < end; to += 8, from += 8) store<f64>(to, load<f64>(from));
}

/** Returns ℓ(x). Returns −∞ if ℓ(x) is not finite, so that no sampler moves to x. */
export function densityAt(chain: usize, x: usize): f64 {
  const value = call_indirect<f64>(load<u32>(chain + WALK_SLOT), load<u32>(chain + WALK_MODEL), <u32>x, load<u32>(chain + WALK_GRADIENT));
  return isFinite(value) ? value : -Infinity;
}

/** Writes a WALK_TRANSITION record. */
export function keepTransition(chain: usize, at: usize, acceptance: f64, step: f64, evaluations: f64): void {
  store<f64>(at, load<f64>(chain + WALK_LOG_DENSITY_F64), WALK_TRANSITION_LOG_DENSITY_F64);
  store<f64>(at, acceptance, WALK_TRANSITION_ACCEPTANCE_F64);
  store<f64>(at, step, WALK_TRANSITION_STEP_F64);
  store<f64>(at, evaluations, WALK_TRANSITION_EVALUATIONS_F64);
}

export function meanOf(values: usize, count: usize): f64 {
  let sum: f64 = 0;
  for (let k: usize = 0; k < count; k++) sum += load<f64>(values + (k << 3));
  return sum / <f64>count;
}

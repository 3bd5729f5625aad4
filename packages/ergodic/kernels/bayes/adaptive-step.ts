/**
 * Adapts a step size during warm-up towards a target acceptance rate δ. After transition m = 1, 2, … with acceptance a:
 *
 *   x ← x + min(1, 3 m^−0.6) (a − δ),  x̄ ← (1 − w) x̄ + w x with w = m^−0.75.
 *
 * The step size is eˣ. x̄ is the average that is used after warm-up (Robbins & Monro 1951; averaging: Polyak & Juditsky
 * 1992).
 *
 * adaptStep(state, a) → eˣ. `state` is an ADAPTATION record (bayes/fields.ts) and is updated. If `a` is NaN, it counts
 * as 0.
 */
import { exp } from "../engine/numbers/exp";
import { log } from "../engine/numbers/log";
import { ADAPTATION_TARGET_F64, ADAPTATION_COUNT_F64, ADAPTATION_LOG_STEP_F64, ADAPTATION_AVERAGE_F64 } from "../../src/bayes/fields";

export function adaptStep(state: usize, a: f64): f64 {
  const m = load<f64>(state, ADAPTATION_COUNT_F64) + 1, logM = log(m);
  const gain = min(1, 3 * exp(-0.6 * logM)), weight = exp(-0.75 * logM);
  const x = load<f64>(state, ADAPTATION_LOG_STEP_F64) + gain * ((a >= 0 ? a : 0) - load<f64>(state, ADAPTATION_TARGET_F64));
  store<f64>(state, m, ADAPTATION_COUNT_F64);
  store<f64>(state, x, ADAPTATION_LOG_STEP_F64);
  store<f64>(state, (1 - weight) * load<f64>(state, ADAPTATION_AVERAGE_F64) + weight * x, ADAPTATION_AVERAGE_F64);
  return exp(x);
}

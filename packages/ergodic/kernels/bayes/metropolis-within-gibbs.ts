/**
 * Metropolis within Gibbs: moves one coordinate at a time by σ_k z and accepts with probability min(1, exp(ℓ(x') −
 * ℓ(x))).
 *
 * coordinateWalkRun(chain, first, count, adapt, draws, transitions): arguments as for randomWalkRun
 * (kernels/bayes/random-walk.ts), with σ_k = STEPS[k]. A transition visits the coordinates in order or, with MODE = 1,
 * visits d coordinates drawn at random. Random draws of a visit: the coordinate (if random), a normal, the acceptance.
 * Records the mean acceptance of the visits, the mean σ, and d evaluations. Scratch: 1 vector of d.
 */
import { adaptStep } from "./adaptive-step";
import { exp } from "../engine/numbers/exp";
import { integer, normal, seek, uniform } from "../engine/random/random";
import { copyVector, densityAt, keepTransition, meanOf } from "./walk";
import {
  WALK_DIMENSION, WALK_POSITION, WALK_WORK, WALK_KEY_LOW, WALK_KEY_HIGH, WALK_STEPS, WALK_ADAPTATION, WALK_MODE, WALK_LOG_DENSITY_F64,
  WALK_TRANSITION_BYTES, ADAPTATION_BYTES,
} from "../../src/bayes/fields";

export function coordinateWalkRun(chain: usize, first: f64, count: u32, adapt: u32, draws: usize, transitions: usize): u32 {
  const d = <usize>load<u32>(chain + WALK_DIMENSION);
  const position = <usize>load<u32>(chain + WALK_POSITION), steps = <usize>load<u32>(chain + WALK_STEPS);
  const proposal = <usize>load<u32>(chain + WALK_WORK), adaptation = <usize>load<u32>(chain + WALK_ADAPTATION);
  copyVector(proposal, position, d);
  for (let i: u32 = 0; i < count; i++) {
    seek(load<u32>(chain + WALK_KEY_LOW), load<u32>(chain + WALK_KEY_HIGH), first + <f64>i);
    const step = meanOf(steps, d);
    let sum: f64 = 0;
    for (let visit: usize = 0; visit < d; visit++) {
      const k = load<u32>(chain + WALK_MODE) ? <usize>integer(<u32>d) : visit, at = k << 3;
      store<f64>(proposal + at, load<f64>(position + at) + load<f64>(steps + at) * normal());
      const after = densityAt(chain, proposal);
      const acceptance = min(1, exp(after - load<f64>(chain + WALK_LOG_DENSITY_F64)));
      if (uniform() < acceptance) {
        store<f64>(position + at, load<f64>(proposal + at));
        store<f64>(chain + WALK_LOG_DENSITY_F64, after);
      } else store<f64>(proposal + at, load<f64>(position + at));
      sum += acceptance;
      if (adapt) store<f64>(steps + at, adaptStep(adaptation + k * ADAPTATION_BYTES, acceptance));
    }
    copyVector(draws, position, d);
    keepTransition(chain, transitions, sum / <f64>d, step, <f64>d);
    draws += d << 3;
    transitions += WALK_TRANSITION_BYTES;
  }
  return 0;
}

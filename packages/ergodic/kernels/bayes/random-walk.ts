/**
 * Random-walk Metropolis: x' = x + σ L z, z ~ N(0, I), accepted with probability min(1, exp(ℓ(x') − ℓ(x))).
 *
 * randomWalkRun(chain, first, count, adapt, draws, transitions): runs transitions first … first + count − 1 of a WALK
 * block (bayes/fields.ts), with σ = STEPS[0] and L = FACTOR: f64[d], or if DENSE f64[d, d], lower. draws: f64[count,
 * d]; transitions: f64[count, 4]: log density, min(1, ratio), σ, evaluations. Random draws of a transition: d normals,
 * then the acceptance. A proposal whose density is not finite is rejected. With adapt = 1, σ is adapted after each
 * transition. Scratch: 2 vectors of d. L z uses inner products like `dotVectors`. Nothing may alias.
 */
import { adaptStep } from "./adaptive-step";
import { exp } from "../engine/numbers/exp";
import { copyVector, densityAt, dotVectors, keepTransition } from "./walk";
import { fill, uniform } from "../engine/random/random";
import {
  WALK_DIMENSION, WALK_DENSE, WALK_FACTOR, WALK_POSITION, WALK_WORK, WALK_KEY_LOW, WALK_KEY_HIGH, WALK_STEPS, WALK_ADAPTATION, WALK_LOG_DENSITY_F64,
  WALK_TRANSITION_BYTES,
} from "../../src/bayes/fields";

export function randomWalkRun(chain: usize, first: f64, count: u32, adapt: u32, draws: usize, transitions: usize): u32 {
  const d = <usize>load<u32>(chain + WALK_DIMENSION), bytes = d << 3;
  const position = <usize>load<u32>(chain + WALK_POSITION), steps = <usize>load<u32>(chain + WALK_STEPS);
  const z = <usize>load<u32>(chain + WALK_WORK), proposal = z + bytes;
  for (let i: u32 = 0; i < count; i++) {
    fill(z, <u32>d, 1, load<u32>(chain + WALK_KEY_LOW), load<u32>(chain + WALK_KEY_HIGH), first + <f64>i);
    const step = load<f64>(steps);
    propose(chain, d, step, position, z, proposal);
    const before = load<f64>(chain + WALK_LOG_DENSITY_F64);
    const after = densityAt(chain, proposal);
    const acceptance = min(1, exp(after - before));
    if (uniform() < acceptance) {
      copyVector(position, proposal, d);
      store<f64>(chain + WALK_LOG_DENSITY_F64, after);
    }
    copyVector(draws, position, d);
    keepTransition(chain, transitions, acceptance, step, 1);
    if (adapt) store<f64>(steps, adaptStep(<usize>load<u32>(chain + WALK_ADAPTATION), acceptance));
    draws += bytes;
    transitions += WALK_TRANSITION_BYTES;
  }
  return 0;
}

function propose(chain: usize, d: usize, step: f64, position: usize, z: usize, proposal: usize): void {
  const factor = <usize>load<u32>(chain + WALK_FACTOR), dense = load<u32>(chain + WALK_DENSE);
  for (let k: usize = 0; k < d; k++) {
    const at = k << 3;
    const move = dense ? dotVectors(factor + at * d, z, k + 1) : load<f64>(factor + at) * load<f64>(z + at);
    store<f64>(proposal + at, load<f64>(position + at) + step * move);
  }
}

/**
 * Static Hamiltonian Monte Carlo. A transition takes L leapfrog steps, and accepts the end of this trajectory with
 * probability min(1, exp(H₀ − H)).
 *
 * hmcRun(chain, first, count, adapt, draws, gradients, transitions): arguments as for nutsRun (kernels/bayes/nuts.ts).
 * L = LEAPFROGS, or if that is 0, max(1, ⌊TIME / step⌋) with the step size before jitter. Random draws of a transition:
 * d normals, the jitter if any, the acceptance. If a trajectory reaches a point without a finite density, it ends there
 * and is rejected. The reversed trajectory would be rejected too, so detailed balance holds. The recorded depth is 0.
 * Scratch: 4 vectors of d.
 */
import { exp } from "../engine/numbers/exp";
import { uniform } from "../engine/random/random";
import { averageStep, copyVector, drawMomentum, drawStep, energyOf, leapfrog, openChain, velocity } from "./hamiltonian";
import {
  CHAIN_DIMENSION, CHAIN_POSITION, CHAIN_GRADIENT, CHAIN_WORK, CHAIN_LEAPFROGS, CHAIN_STEP_F64, CHAIN_TIME_F64, CHAIN_LOG_DENSITY_F64,
  TRANSITION_BYTES, TRANSITION_LOG_DENSITY_F64, TRANSITION_ACCEPTANCE_F64, TRANSITION_STEP_F64, TRANSITION_DEPTH_F64, TRANSITION_LEAPFROGS_F64,
  TRANSITION_DIVERGENT_F64, TRANSITION_ENERGY_F64,
} from "../../src/bayes/fields";

const MOST_ENERGY: f64 = 1000;

function steps(chain: usize): f64 {
  const fixed = <f64>load<u32>(chain + CHAIN_LEAPFROGS);
  return fixed > 0 ? fixed : max(1, floor(load<f64>(chain + CHAIN_TIME_F64) / load<f64>(chain + CHAIN_STEP_F64)));
}

export function hmcRun(chain: usize, first: f64, count: u32, adapt: u32, draws: usize, gradients: usize, transitions: usize): u32 {
  openChain(chain);
  const bytes = <usize>load<u32>(chain + CHAIN_DIMENSION) << 3;
  const position = <usize>load<u32>(chain + CHAIN_POSITION), gradient = <usize>load<u32>(chain + CHAIN_GRADIENT);
  const q = <usize>load<u32>(chain + CHAIN_WORK), p = q + bytes, g = p + bytes, s = g + bytes;
  for (let i: u32 = 0; i < count; i++) {
    copyVector(q, position);
    copyVector(g, gradient);
    drawMomentum(chain, first + <f64>i, p);
    const energy0 = velocity(s, p) - load<f64>(chain + CHAIN_LOG_DENSITY_F64);
    const step = drawStep(chain), length = steps(chain);
    let logDensity: f64 = 0, made: f64 = 0;
    while (made < length && (made == 0 || isFinite(logDensity))) {
      logDensity = leapfrog(step, q, p, g, s);
      made += 1;
    }
    let energy = isFinite(logDensity) ? energyOf(velocity(s, p), logDensity) : Infinity;
    const change = energy0 - energy;
    const acceptance: f64 = change > 0 ? 1 : exp(change);
    const accepted = uniform() < acceptance;
    if (accepted) {
      copyVector(position, q);
      copyVector(gradient, g);
      store<f64>(chain + CHAIN_LOG_DENSITY_F64, logDensity);
    }
    copyVector(draws, position);
    copyVector(gradients, gradient);
    store<f64>(transitions, load<f64>(chain + CHAIN_LOG_DENSITY_F64), TRANSITION_LOG_DENSITY_F64);
    store<f64>(transitions, acceptance, TRANSITION_ACCEPTANCE_F64);
    store<f64>(transitions, step, TRANSITION_STEP_F64);
    store<f64>(transitions, 0, TRANSITION_DEPTH_F64);
    store<f64>(transitions, made, TRANSITION_LEAPFROGS_F64);
    store<f64>(transitions, 0 - change > MOST_ENERGY ? 1 : 0, TRANSITION_DIVERGENT_F64);
    store<f64>(transitions, accepted ? energy : energy0, TRANSITION_ENERGY_F64);
    if (adapt) averageStep(chain, acceptance);
    draws += bytes;
    gradients += bytes;
    transitions += TRANSITION_BYTES;
  }
  return 0;
}

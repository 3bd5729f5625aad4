/**
 * Densities of the particles of sequential Monte Carlo, and moves that leave the tempered density invariant.
 *
 * block: a PARTICLES block (bayes/fields.ts). X: f64[count, d]; LOG_DENSITY, LIKELIHOOD, ACCEPTANCE: f64[count]. The
 * function in the density's slot computes the tempered density (model, x, gradient) → log prior + β log likelihood.
 * This function also stores the log likelihood at LIKELIHOOD_AT.
 *
 * particleDensities(block): computes LOG_DENSITY and LIKELIHOOD at X.
 *
 * particleMoves(block, first): makes MOVES moves of each particle. Move i draws from update first + i of the block's
 * stream. ACCEPTANCE receives the mean acceptance probability. With LEAPFROGS = 0, x' = x + s L z, z standard normal,
 * accepted with probability min(1, exp(ℓ' − ℓ)). Otherwise a move takes LEAPFROGS leapfrog steps with the metric M⁻¹ =
 * L Lᵀ: x = L y, p standard normal, y += h p, p += h Lᵀ∇ℓ, h uniform in (0.8, 1.2) s, accepted by the energy
 * difference. L: f64[d, d], lower, row-major. WORK: 4 vectors of d. Points whose density is not finite are rejected.
 */
import { exp } from "../engine/numbers/exp";
import { normal, seek, uniform } from "../engine/random/random";
import {
  PARTICLES_SLOT, PARTICLES_MODEL, PARTICLES_DIMENSION, PARTICLES_COUNT, PARTICLES_X, PARTICLES_LOG_DENSITY, PARTICLES_LIKELIHOOD,
  PARTICLES_LIKELIHOOD_AT, PARTICLES_FACTOR, PARTICLES_WORK, PARTICLES_MOVES, PARTICLES_LEAPFROGS, PARTICLES_KEY_LOW, PARTICLES_KEY_HIGH,
  PARTICLES_ACCEPTANCE, PARTICLES_STEP_F64,
} from "../../src/bayes/fields";

let slot: u32 = 0;
let model: u32 = 0;
let dimension: usize = 0;
let factor: usize = 0;

function openParticles(block: usize): void {
  slot = load<u32>(block, PARTICLES_SLOT);
  model = load<u32>(block, PARTICLES_MODEL);
  dimension = <usize>load<u32>(block, PARTICLES_DIMENSION);
  factor = <usize>load<u32>(block, PARTICLES_FACTOR);
}

export function particleDensities(block: usize): u32 {
  openParticles(block);
  const count = <usize>load<u32>(block, PARTICLES_COUNT), bytes = dimension << 3;
  const gradient = load<u32>(block, PARTICLES_WORK);
  const at = <usize>load<u32>(block, PARTICLES_LIKELIHOOD_AT);
  for (let i: usize = 0; i < count; i++) {
    const value = call_indirect<f64>(slot, model, <u32>(<usize>load<u32>(block, PARTICLES_X) + i * bytes), gradient);
    store<f64>(<usize>load<u32>(block, PARTICLES_LOG_DENSITY) + (i << 3), value);
    store<f64>(<usize>load<u32>(block, PARTICLES_LIKELIHOOD) + (i << 3), load<f64>(at));
  }
  return 0;
}

/** to ← from + a L z. */
function addProduct(to: usize, from: usize, a: f64, z: usize): void {
  for (let i: usize = 0; i < dimension; i++) {
    let sum: f64 = 0;
    const row = factor + ((i * dimension) << 3);
    for (let j: usize = 0; j <= i; j++) sum += load<f64>(row + (j << 3)) * load<f64>(z + (j << 3));
    store<f64>(to + (i << 3), load<f64>(from + (i << 3)) + a * sum);
  }
}

/** p ← p + a Lᵀ g. */
function addTransposed(p: usize, a: f64, g: usize): void {
  for (let j: usize = 0; j < dimension; j++) {
    let sum: f64 = 0;
    for (let i = j; i < dimension; i++) sum += load<f64>(factor + ((i * dimension + j) << 3)) * load<f64>(g + (i << 3));
    store<f64>(p + (j << 3), load<f64>(p + (j << 3)) + a * sum);
  }
}

function halfSquare(p: usize): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < dimension; i++) sum += load<f64>(p + (i << 3)) * load<f64>(p + (i << 3));
  return 0.5 * sum;
}

export function particleMoves(block: usize, first: f64): u32 {
  openParticles(block);
  const count = <usize>load<u32>(block, PARTICLES_COUNT), bytes = dimension << 3;
  const moves = load<u32>(block, PARTICLES_MOVES), leapfrogs = load<u32>(block, PARTICLES_LEAPFROGS);
  const step = load<f64>(block, PARTICLES_STEP_F64), likelihoodAt = <usize>load<u32>(block, PARTICLES_LIKELIHOOD_AT);
  const next = <usize>load<u32>(block, PARTICLES_WORK), z = next + bytes, g = z + bytes, gNow = g + bytes;
  for (let i: usize = 0; i < count; i++) {
    seek(load<u32>(block, PARTICLES_KEY_LOW), load<u32>(block, PARTICLES_KEY_HIGH), first + <f64>i);
    const x = <usize>load<u32>(block, PARTICLES_X) + i * bytes;
    const densityAt = <usize>load<u32>(block, PARTICLES_LOG_DENSITY) + (i << 3);
    if (leapfrogs) call_indirect<f64>(slot, model, <u32>x, <u32>gNow);
    let acceptance: f64 = 0;
    for (let move: u32 = 0; move < moves; move++) {
      for (let j: usize = 0; j < bytes; j += 8) store<f64>(z + j, normal());
      let before = load<f64>(densityAt), density: f64 = 0, after: f64 = 0;
      if (leapfrogs) {
        const h = step * (0.8 + 0.4 * uniform());
        before -= halfSquare(z);
        memory.copy(next, x, bytes);
        memory.copy(g, gNow, bytes);
        for (let l: u32 = 0; l < leapfrogs && isFinite(density); l++) {
          addTransposed(z, 0.5 * h, g);
          addProduct(next, next, h, z);
          density = call_indirect<f64>(slot, model, <u32>next, <u32>g);
          addTransposed(z, 0.5 * h, g);
        }
        after = density - halfSquare(z);
      } else {
        addProduct(next, x, step, z);
        density = call_indirect<f64>(slot, model, <u32>next, <u32>g);
        after = density;
      }
      const change = after - before;
      const probability: f64 = !isFinite(density) || isNaN(change) ? 0 : change > 0 ? 1 : exp(change);
      acceptance += probability;
      if (!(uniform() < probability)) continue;
      memory.copy(x, next, bytes);
      memory.copy(gNow, g, bytes);
      store<f64>(densityAt, density);
      store<f64>(<usize>load<u32>(block, PARTICLES_LIKELIHOOD) + (i << 3), load<f64>(likelihoodAt));
    }
    store<f64>(<usize>load<u32>(block, PARTICLES_ACCEPTANCE) + (i << 3), acceptance / <f64>moves);
  }
  return 0;
}

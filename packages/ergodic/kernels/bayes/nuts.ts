/**
 * The no-U-turn sampler. Each transition doubles a trajectory until one end turns back, and draws a state from the
 * trajectory with weight exp(H₀ − H).
 *
 * nutsRun(chain, first, count, adapt, draws, gradients, transitions): runs `count` transitions numbered from `first`.
 * Transition t draws from update t of the chain's stream: d normals, the jitter if any, and then, for each doubling,
 * its direction and the choices between subtrees in the order of the merges. draws, gradients: f64[count, d];
 * transitions: TRANSITION records (bayes/fields.ts). With `adapt`, each transition is followed by a dual averaging
 * update.
 *
 * Merges follow Stan (Betancourt 2017, appendix A). Inside a subtree, the later half's state is chosen in proportion to
 * its weight. A new subtree's state is chosen with probability min(1, w_new / w_old) (biased progressive sampling). At
 * every merge, the whole trajectory must satisfy the criterion of `goesOn`. Each half, extended by the nearest point of
 * the other half, must also satisfy the criterion. H − H₀ > 1000 is a divergence; a subtree that contains one is
 * discarded. The acceptance is the mean of min(1, exp(H₀ − H)) over all new states, including states in discarded
 * subtrees.
 *
 * Scratch: `work` holds, in vectors of d: two ends (q, p, g, s); p and s of the inner end; p and s of the new subtree's
 * first point and p of its last; the momentum sums of the old and the new trajectory; six vectors per level; then depth
 * + 1 proposals of (q, g, ℓ, H) and their addresses. When a proposal is chosen, nothing is copied. Instead, the memory
 * of the rejected proposal becomes the level's spare.
 */
import { exp } from "../engine/numbers/exp";
import { log } from "../engine/numbers/log";
import { uniform } from "../engine/random/random";
import {
  addVectors, averageStep, copyVector, drawMomentum, drawStep, energyOf, goesOn, leapfrog, openChain, velocity,
} from "./hamiltonian";
import {
  CHAIN_DIMENSION, CHAIN_POSITION, CHAIN_GRADIENT, CHAIN_WORK, CHAIN_MAX_DEPTH, CHAIN_LOG_DENSITY_F64, TRANSITION_BYTES, TRANSITION_LOG_DENSITY_F64,
  TRANSITION_ACCEPTANCE_F64, TRANSITION_STEP_F64, TRANSITION_DEPTH_F64, TRANSITION_LEAPFROGS_F64, TRANSITION_DIVERGENT_F64, TRANSITION_ENERGY_F64,
} from "../../src/bayes/fields";

const MOST_ENERGY: f64 = 1000;
/** Offsets of the fields that follow q and g in a proposal. */
const PROPOSAL_LOG_DENSITY: usize = 0;
const PROPOSAL_ENERGY: usize = 8;
const PROPOSAL_BYTES: usize = 16;
const LEVEL_VECTORS: usize = 6;
const TOP_VECTORS: usize = 15;

// State of the current transition.
let bytes: usize = 0;
let levels: usize = 0;
let spares: usize = 0;
let step: f64 = 0;
let energy0: f64 = 0;
let acceptance: f64 = 0;
let leapfrogs: f64 = 0;
let divergent: f64 = 0;
// The end that is being extended.
let endQ: usize = 0;
let endP: usize = 0;
let endG: usize = 0;
// Result of the subtree built last.
let chosen: usize = 0;
let logWeight: f64 = 0;

function logAdd(a: f64, b: f64): f64 {
  const top = max(a, b);
  if (top == -Infinity) return top;
  return top + log(1 + exp(min(a, b) - top));
}

/** One leapfrog step. Returns false if the step diverged. */
function leaf(proposal: usize, pBegin: usize, sBegin: usize, pEnd: usize, sEnd: usize, sum: usize): bool {
  const logDensity = leapfrog(step, endQ, endP, endG, sEnd);
  const energy = energyOf(velocity(sEnd, endP), logDensity);
  copyVector(pBegin, endP);
  copyVector(sBegin, sEnd);
  copyVector(pEnd, endP);
  copyVector(sum, endP);
  copyVector(proposal, endQ);
  copyVector(proposal + bytes, endG);
  store<f64>(proposal + 2 * bytes, logDensity, PROPOSAL_LOG_DENSITY);
  store<f64>(proposal + 2 * bytes, energy, PROPOSAL_ENERGY);
  chosen = proposal;
  logWeight = energy0 - energy;
  leapfrogs += 1;
  acceptance += logWeight > 0 ? 1 : exp(logWeight);
  if (energy - energy0 <= MOST_ENERGY) return true;
  divergent = 1;
  return false;
}

/**
 * Extends the trajectory by 2^depth steps at its growing end. Writes the first and last p and s, Σ p, `chosen` and
 * `logWeight`. Returns false if the subtree is invalid.
 */
function build(depth: u32, proposal: usize, pBegin: usize, sBegin: usize, pEnd: usize, sEnd: usize, sum: usize): bool {
  if (depth == 0) return leaf(proposal, pBegin, sBegin, pEnd, sEnd, sum);
  const level = levels + <usize>(depth - 1) * LEVEL_VECTORS * bytes;
  const pLast = level, sLast = pLast + bytes, sumEarly = sLast + bytes;
  const pFirst = sumEarly + bytes, sFirst = pFirst + bytes, sumLate = sFirst + bytes;
  if (!build(depth - 1, proposal, pBegin, sBegin, pLast, sLast, sumEarly)) return false;
  const early = chosen, earlyWeight = logWeight;
  const spare = spares + (<usize>depth << 2);
  const valid = build(depth - 1, <usize>load<u32>(spare), pFirst, sFirst, pEnd, sEnd, sumLate);
  const late = chosen;
  chosen = early;
  store<u32>(spare, <u32>late);
  if (!valid) return false;
  const both = logAdd(earlyWeight, logWeight);
  if (uniform() < exp(logWeight - both)) {
    chosen = late;
    store<u32>(spare, <u32>early);
  }
  logWeight = both;
  addVectors(sum, sumEarly, sumLate);
  return goesOn(sBegin, sEnd, sumEarly, sumLate) && goesOn(sBegin, sFirst, sumEarly, pFirst) && goesOn(sLast, sEnd, sumLate, pLast);
}

/**
 * Doubles the trajectory from the chain's point, for which a momentum has been drawn. Returns the depth. `chosen`
 * becomes the selected proposal, or 0 for the starting point itself.
 */
function grow(chain: usize): u32 {
  const work = <usize>load<u32>(chain + CHAIN_WORK);
  const side = 4 * bytes;
  const pInner = work + 2 * side, sInner = pInner + bytes;
  const pFirst = sInner + bytes, sFirst = pFirst + bytes, pLast = sFirst + bytes, sumOld = pLast + bytes, sumNew = sumOld + bytes;
  copyVector(sumOld, work + bytes);
  const length = step;
  let sample: usize = 0, weight: f64 = 0;
  const maxDepth = load<u32>(chain + CHAIN_MAX_DEPTH);
  let depth: u32 = 0;
  while (depth < maxDepth) {
    const forward = uniform() > 0.5;
    endQ = work + (forward ? side : 0);
    endP = endQ + bytes;
    endG = endP + bytes;
    const sEnd = endG + bytes;
    const sOuter = work + (forward ? 0 : side) + 3 * bytes;
    step = forward ? length : -length;
    copyVector(pInner, endP);
    copyVector(sInner, sEnd);
    const valid = build(depth, <usize>load<u32>(spares), pFirst, sFirst, pLast, sEnd, sumNew);
    store<u32>(spares, <u32>chosen);
    if (!valid) break;
    depth++;
    if (logWeight > weight || uniform() < exp(logWeight - weight)) {
      // The first proposal replaces the starting point. The starting point has no proposal memory to reuse, so the last
      // pair of `spares` is used instead.
      store<u32>(spares, sample ? <u32>sample : load<u32>(spares + ((<usize>maxDepth + 1) << 2)));
      sample = chosen;
    }
    weight = logAdd(weight, logWeight);
    if (!(goesOn(sOuter, sEnd, sumOld, sumNew) && goesOn(sOuter, sFirst, sumOld, pFirst) && goesOn(sInner, sEnd, sumNew, pInner))) break;
    addVectors(sumOld, sumOld, sumNew);
  }
  step = length;
  chosen = sample;
  return depth;
}

/** Sets the addresses in scratch memory and places both ends at the chain's point with a fresh momentum. */
function begin(chain: usize, transition: f64): void {
  bytes = <usize>load<u32>(chain + CHAIN_DIMENSION) << 3;
  const work = <usize>load<u32>(chain + CHAIN_WORK), maxDepth = <usize>load<u32>(chain + CHAIN_MAX_DEPTH);
  levels = work + TOP_VECTORS * bytes;
  const proposals = levels + maxDepth * LEVEL_VECTORS * bytes;
  spares = proposals + (maxDepth + 2) * (2 * bytes + PROPOSAL_BYTES);
  for (let i: usize = 0; i < maxDepth + 2; i++) store<u32>(spares + (i << 2), <u32>(proposals + i * (2 * bytes + PROPOSAL_BYTES)));
  const p = work + bytes, s = work + 3 * bytes;
  copyVector(work, <usize>load<u32>(chain + CHAIN_POSITION));
  drawMomentum(chain, transition, p);
  copyVector(work + 2 * bytes, <usize>load<u32>(chain + CHAIN_GRADIENT));
  energy0 = velocity(s, p) - load<f64>(chain + CHAIN_LOG_DENSITY_F64);
  memory.copy(work + 4 * bytes, work, 4 * bytes);
  step = drawStep(chain);
  acceptance = 0;
  leapfrogs = 0;
  divergent = 0;
}

export function nutsRun(chain: usize, first: f64, count: u32, adapt: u32, draws: usize, gradients: usize, transitions: usize): u32 {
  openChain(chain);
  const position = <usize>load<u32>(chain + CHAIN_POSITION), gradient = <usize>load<u32>(chain + CHAIN_GRADIENT);
  for (let i: u32 = 0; i < count; i++) {
    begin(chain, first + <f64>i);
    const depth = grow(chain);
    let energy = energy0;
    if (chosen) {
      copyVector(position, chosen);
      copyVector(gradient, chosen + bytes);
      store<f64>(chain + CHAIN_LOG_DENSITY_F64, load<f64>(chosen + 2 * bytes, PROPOSAL_LOG_DENSITY));
      energy = load<f64>(chosen + 2 * bytes, PROPOSAL_ENERGY);
    }
    const mean = leapfrogs > 0 ? acceptance / leapfrogs : 0;
    copyVector(draws, position);
    copyVector(gradients, gradient);
    store<f64>(transitions, load<f64>(chain + CHAIN_LOG_DENSITY_F64), TRANSITION_LOG_DENSITY_F64);
    store<f64>(transitions, mean, TRANSITION_ACCEPTANCE_F64);
    store<f64>(transitions, step, TRANSITION_STEP_F64);
    store<f64>(transitions, <f64>depth, TRANSITION_DEPTH_F64);
    store<f64>(transitions, leapfrogs, TRANSITION_LEAPFROGS_F64);
    store<f64>(transitions, divergent, TRANSITION_DIVERGENT_F64);
    store<f64>(transitions, energy, TRANSITION_ENERGY_F64);
    if (adapt) averageStep(chain, mean);
    draws += bytes;
    gradients += bytes;
    transitions += TRANSITION_BYTES;
  }
  return 0;
}

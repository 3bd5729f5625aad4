/**
 * Shared parts of the Hamiltonian kernels: H(q, p) = p·M⁻¹p/2 − ℓ(q), momenta p ~ N(0, M), the leapfrog step, dual
 * averaging and the initial step size.
 *
 * q, p, g = ∇ℓ(q) and s = M⁻¹p are f64[d]. M⁻¹ is diagonal f64[d], dense f64[d, d] (symmetric), or of low rank: D + Σₖ
 * (λₖ − 1) bₖ bₖᵀ, bₖ = D^½ uₖ, u orthonormal (for the layout see CHAIN_RANK_F64 in bayes/fields.ts). Nothing may alias
 * unless stated.
 *
 * The log density is a table slot of (model, x, gradient) → ℓ(x). The log density must not draw random numbers, because
 * the open stream belongs to the chain. Multiplications and additions are rounded separately. Every build therefore
 * gives the same bits, provided that the density does. Inner products use four sums over k mod 4, combined as (0 + 2) +
 * (1 + 3), then the tail.
 */
import { exp } from "../engine/numbers/exp";
import { log } from "../engine/numbers/log";
import { fill, normal, seek, uniform } from "../engine/random/random";
import {
  CHAIN_SLOT, CHAIN_MODEL, CHAIN_DIMENSION, CHAIN_DENSE, CHAIN_INVERSE, CHAIN_FACTOR, CHAIN_POSITION, CHAIN_GRADIENT, CHAIN_WORK, CHAIN_KEY_LOW,
  CHAIN_KEY_HIGH, CHAIN_STEP_F64, CHAIN_JITTER_F64, CHAIN_LOG_DENSITY_F64, CHAIN_AVERAGING, CHAIN_RANK_F64, AVERAGING_COUNT_F64, AVERAGING_T0_F64,
  AVERAGING_ERROR_F64, AVERAGING_TARGET_F64, AVERAGING_CENTRE_F64, AVERAGING_GAMMA_F64, AVERAGING_KAPPA_F64, AVERAGING_LOG_STEP_F64,
} from "../../src/bayes/fields";

/**
 * Logarithm of 0.8. The search for the initial step size stops at this acceptance rate. The rate does not depend on the
 * δ of dual averaging.
 */
const LOG_FIRST_ACCEPTANCE: f64 = -0.2231435513142097;

let slot: u32 = 0;
let model: u32 = 0;
let dimension: usize = 0;
let dense: u32 = 0;
let inverse: usize = 0;
let factor: usize = 0;
let rank: usize = 0;

/** Selects the chain for the functions below. */
export function openChain(chain: usize): void {
  slot = load<u32>(chain + CHAIN_SLOT);
  model = load<u32>(chain + CHAIN_MODEL);
  dimension = <usize>load<u32>(chain + CHAIN_DIMENSION);
  dense = load<u32>(chain + CHAIN_DENSE);
  inverse = <usize>load<u32>(chain + CHAIN_INVERSE);
  factor = <usize>load<u32>(chain + CHAIN_FACTOR);
  rank = <usize>load<f64>(chain + CHAIN_RANK_F64);
}

function seekTransition(chain: usize, transition: f64): void {
  seek(load<u32>(chain + CHAIN_KEY_LOW), load<u32>(chain + CHAIN_KEY_HIGH), transition);
}

export function dotVectors(a: usize, b: usize, count: usize): f64 {
  const end = a + (count << 3), whole = a + ((count & ~3) << 3);
  let first = f64x2.splat(0), second = first;
  for (; a < whole; a += 32, b += 32) {
    first = f64x2.add(first, f64x2.mul(v128.load(a), v128.load(b)));
    second = f64x2.add(second, f64x2.mul(v128.load(a, 16), v128.load(b, 16)));
  }
  first = f64x2.add(first, second);
  let sum = f64x2.extract_lane(first, 0) + f64x2.extract_lane(first, 1);
  for (; a < end; a += 8, b += 8) sum += load<f64>(a) * load<f64>(b);
  return sum;
}

/** Returns a·(b + c), summed in the order of `dotVectors`. */
function dotSum(a: usize, b: usize, c: usize): f64 {
  const end = a + (dimension << 3), whole = a + ((dimension & ~3) << 3);
  let first = f64x2.splat(0), second = first;
  for (; a < whole; a += 32, b += 32, c += 32) {
    first = f64x2.add(first, f64x2.mul(v128.load(a), f64x2.add(v128.load(b), v128.load(c))));
    second = f64x2.add(second, f64x2.mul(v128.load(a, 16), f64x2.add(v128.load(b, 16), v128.load(c, 16))));
  }
  first = f64x2.add(first, second);
  let sum = f64x2.extract_lane(first, 0) + f64x2.extract_lane(first, 1);
  for (; a < end; a += 8, b += 8, c += 8) sum += load<f64>(a) * (load<f64>(b) + load<f64>(c));
  return sum;
}

/**
 * Generalised no-U-turn criterion for a trajectory with total momentum b + c. The trajectory continues while both of
 * its ends, s₀ and s₁, still move along this sum.
 */
export function goesOn(s0: usize, s1: usize, b: usize, c: usize): bool {
  return dotSum(s0, b, c) > 0 && dotSum(s1, b, c) > 0;
}

export function copyVector(to: usize, from: usize): void {
  // Use a loop, because a call of memory.copy would take longer than copying a short vector.
  const end = to + (dimension << 3), whole = to + ((dimension & ~1) << 3);
  for (; to < whole; to += 16, from += 16) v128.store(to, v128.load(from));
  if (to < end) store<f64>(to, load<f64>(from));
}

/** y ← y + a x. */
function addScaled(y: usize, a: f64, x: usize, count: usize): void {
  const end = y + (count << 3), whole = y + ((count & ~1) << 3);
  const scale = f64x2.splat(a);
  for (; y < whole; y += 16, x += 16) v128.store(y, f64x2.add(v128.load(y), f64x2.mul(scale, v128.load(x))));
  if (y < end) store<f64>(y, load<f64>(y) + a * load<f64>(x));
}

/** to ← a + b; `to` can be the same as a or b. */
export function addVectors(to: usize, a: usize, b: usize): void {
  const end = to + (dimension << 3), whole = to + ((dimension & ~1) << 3);
  for (; to < whole; to += 16, a += 16, b += 16) v128.store(to, f64x2.add(v128.load(a), v128.load(b)));
  if (to < end) store<f64>(to, load<f64>(a) + load<f64>(b));
}

/**
 * y ← y + Σₖ cₖ (vₖ·x) vₖ, added in order of k, with vectors vₖ and coefficients cₖ from `metric`. y can be the same as
 * x.
 */
function addDirections(y: usize, x: usize, metric: usize): void {
  const bytes = dimension << 3;
  let row = metric + bytes, coefficient = row + rank * bytes;
  for (const last = coefficient; row < last; row += bytes, coefficient += 8)
    addScaled(y, load<f64>(coefficient) * dotVectors(row, x, dimension), row, dimension);
}

/** s ← M⁻¹p; returns p·s / 2. */
export function velocity(s: usize, p: usize): f64 {
  const end = dimension << 3;
  if (dense) for (let i: usize = 0; i < end; i += 8) store<f64>(s + i, dotVectors(inverse + i * dimension, p, dimension));
  else {
    const whole = (dimension & ~1) << 3;
    let i: usize = 0;
    for (; i < whole; i += 16) v128.store(s + i, f64x2.mul(v128.load(inverse + i), v128.load(p + i)));
    if (i < end) store<f64>(s + i, load<f64>(inverse + i) * load<f64>(p + i));
    if (rank) addDirections(s, p, inverse);
  }
  return 0.5 * dotVectors(p, s, dimension);
}

/**
 * Turns the standard normals z in p into a draw from N(0, M): √M z for a diagonal metric; L⁻ᵀ z for a dense one, solved
 * from the last coordinate to the first; D^−½ Πₖ (I + (λₖ^−½ − 1) uₖuₖᵀ) z for low rank.
 */
function scaleMomentum(p: usize): void {
  const end = dimension << 3;
  if (!dense) {
    if (rank) addDirections(p, p, factor);
    for (let i: usize = 0; i < end; i += 8) store<f64>(p + i, load<f64>(factor + i) * load<f64>(p + i));
    return;
  }
  for (let i = dimension; i-- > 0; ) {
    const row = factor + ((i * dimension) << 3);
    const value = load<f64>(p + (i << 3)) / load<f64>(row + (i << 3));
    store<f64>(p + (i << 3), value);
    addScaled(p, -value, row, i);
  }
}

/**
 * Opens the transition's stream and computes p from the stream's first d normals. Later draws continue in the same
 * stream.
 */
export function drawMomentum(chain: usize, transition: f64, p: usize): void {
  fill(p, <u32>dimension, 1, load<u32>(chain + CHAIN_KEY_LOW), load<u32>(chain + CHAIN_KEY_HIGH), transition);
  scaleMomentum(p);
}

/** Returns the step size of this transition: the chain's step size, varied uniformly within ± jitter. */
export function drawStep(chain: usize): f64 {
  const step = load<f64>(chain + CHAIN_STEP_F64), jitter = load<f64>(chain + CHAIN_JITTER_F64);
  return jitter > 0 ? step * (1 + jitter * (2 * uniform() - 1)) : step;
}

/**
 * Advances (q, p, g) by one leapfrog step of length h (negative: backwards in time) and updates s. Returns ℓ(q). Call
 * `velocity` afterwards for the kinetic energy.
 */
export function leapfrog(h: f64, q: usize, p: usize, g: usize, s: usize): f64 {
  addScaled(p, 0.5 * h, g, dimension);
  velocity(s, p);
  addScaled(q, h, s, dimension);
  const logDensity = call_indirect<f64>(slot, model, <u32>q, <u32>g);
  addScaled(p, 0.5 * h, g, dimension);
  return logDensity;
}

/** Returns H. A NaN energy or a log density of +∞ counts as infinite energy. */
export function energyOf(kinetic: f64, logDensity: f64): f64 {
  const energy = kinetic - logDensity;
  return energy > -Infinity ? energy : Infinity;
}

/**
 * Dual averaging of the log step size (Nesterov 2009; Hoffman & Gelman 2014, eq. 6): m ← m + 1, η = 1/(m + t₀), s̄ ← (1
 * − η) s̄ + η (δ − a), x = μ − √m s̄ / γ, w = m^−κ, x̄ ← (1 − w) x̄ + w x; the chain's step size becomes eˣ.
 */
export function averageStep(chain: usize, acceptance: f64): void {
  const at = chain + CHAIN_AVERAGING;
  const m = load<f64>(at, AVERAGING_COUNT_F64) + 1;
  const eta = 1 / (m + load<f64>(at, AVERAGING_T0_F64));
  const mean = (1 - eta) * load<f64>(at, AVERAGING_ERROR_F64) + eta * (load<f64>(at, AVERAGING_TARGET_F64) - min(acceptance, 1));
  const x = load<f64>(at, AVERAGING_CENTRE_F64) - (mean * sqrt<f64>(m)) / load<f64>(at, AVERAGING_GAMMA_F64);
  const weight = exp(0 - load<f64>(at, AVERAGING_KAPPA_F64) * log(m));
  store<f64>(at, m, AVERAGING_COUNT_F64);
  store<f64>(at, mean, AVERAGING_ERROR_F64);
  store<f64>(at, (1 - weight) * load<f64>(at, AVERAGING_LOG_STEP_F64) + weight * x, AVERAGING_LOG_STEP_F64);
  store<f64>(chain + CHAIN_STEP_F64, exp(x));
}

/**
 * Searches for the initial step size: the chain's step size is doubled or halved until the acceptance of one leapfrog
 * step with fresh momenta crosses 0.8. Random numbers come from update `counter` of the chain's stream. Returns 0 after
 * setting the chain's step size, or returns 1 if the search left the range (0, 10⁷]. The density is flat or has no
 * gradient if the search leaves this range.
 */
export function firstStep(chain: usize, counter: f64): i32 {
  openChain(chain);
  seekTransition(chain, counter);
  const bytes = dimension << 3;
  const q = <usize>load<u32>(chain + CHAIN_WORK), p = q + bytes, g = p + bytes, s = g + bytes;
  let step = load<f64>(chain + CHAIN_STEP_F64);
  let direction = 0;
  for (;;) {
    copyVector(q, <usize>load<u32>(chain + CHAIN_POSITION));
    copyVector(g, <usize>load<u32>(chain + CHAIN_GRADIENT));
    for (let i: usize = 0; i < bytes; i += 8) store<f64>(p + i, normal());
    scaleMomentum(p);
    const before = velocity(s, p) - load<f64>(chain + CHAIN_LOG_DENSITY_F64);
    const logDensity = leapfrog(step, q, p, g, s);
    const up = before - energyOf(velocity(s, p), logDensity) > LOG_FIRST_ACCEPTANCE;
    if (direction == 0) direction = up ? 1 : -1;
    else if (up != direction > 0) break;
    step = up ? 2 * step : 0.5 * step;
    if (!(step > 0 && step <= 1e7)) return 1;
  }
  store<f64>(chain + CHAIN_STEP_F64, step);
  return 0;
}

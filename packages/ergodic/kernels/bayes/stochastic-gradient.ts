/**
 * Stochastic-gradient Monte Carlo: runs of updates along g, an unbiased estimate of ∇ℓ(x). Each update adds noise ξ ~
 * N(0, I) to every coordinate.
 *
 *   LANGEVIN           x ← x + h g + τ √(2h) ξ
 *   PRECONDITIONED     V ← ρ V + (1 − ρ) g²; G = 1/(ε + √V); x ← x + h G g + τ √(2hG) ξ; ρ: FRICTION, ε: NOISE_ESTIMATE
 *   HAMILTONIAN        x ← x + v; v ← v + h g − a v + τ √(2(a − b)h) ξ; before every RESET_EVERY-th update v ← √h ξ
 *   THERMOSTATTED      v ← v + h g − α v + √(2ah) ξ; x ← x + v; α ← α + v·v/d − h; before update 0, v ← √h ξ
 *
 * The caller gives h and τ for each update: τ = 1, or 0 for an update without noise. g is ∇ℓ_B on a batch B of
 * consecutive rows, which start at a random row and wrap around. With a centre x* (control variate), g is ∇ℓ(x*) +
 * ∇ℓ_B(x) − ∇ℓ_B(x*). If BATCH is 0, g is ∇ℓ itself.
 *
 * stochasticGradientRun(chain, updates u32[count], count, first, steps, temperatures, draws, transitions) → 0, or 1 if
 * a coordinate of x is no longer finite. chain: a STOCHASTIC block (bayes/fields.ts). Transition i makes updates[i]
 * updates. The first update has index `first`. steps (h), temperatures (τ): one f64 per update. draws: f64[count, d];
 * transitions: STOCHASTIC_TRANSITION_BYTES each. Update k draws its normals from update 2k of the noise stream, a fresh
 * v from update 2k + 1, and its first row from update k of the rows stream. Products and sums are rounded separately.
 * Every build therefore gives the same bits, provided that the density does. Nothing may overlap.
 */
import { fill, integer, seek } from "../engine/random/random";
import {
  STOCHASTIC_SLOT, STOCHASTIC_MODEL, STOCHASTIC_DIMENSION, STOCHASTIC_BATCH, STOCHASTIC_ROW_COUNT, STOCHASTIC_ROWS, STOCHASTIC_GATHER_SLOT,
  STOCHASTIC_GATHER_BLOCK, STOCHASTIC_CENTRE, STOCHASTIC_CENTRE_GRADIENT, STOCHASTIC_CENTRE_ESTIMATE, STOCHASTIC_CENTRE_EVERY, STOCHASTIC_FULL_SLOT,
  STOCHASTIC_FULL_MODEL, STOCHASTIC_POSITION, STOCHASTIC_MOMENTUM, STOCHASTIC_GRADIENT, STOCHASTIC_NOISE, STOCHASTIC_NOISE_KEY_LOW,
  STOCHASTIC_NOISE_KEY_HIGH, STOCHASTIC_ROWS_KEY_LOW, STOCHASTIC_ROWS_KEY_HIGH, STOCHASTIC_KIND, STOCHASTIC_RESET_EVERY, STOCHASTIC_FRICTION_F64,
  STOCHASTIC_NOISE_ESTIMATE_F64, STOCHASTIC_THERMOSTAT_F64, STOCHASTIC_CENTRE_VALUE_F64, STOCHASTIC_LANGEVIN, STOCHASTIC_PRECONDITIONED,
  STOCHASTIC_HAMILTONIAN, STOCHASTIC_THERMOSTATTED, STOCHASTIC_TRANSITION_BYTES, STOCHASTIC_TRANSITION_LOG_DENSITY_F64,
  STOCHASTIC_TRANSITION_STEP_F64, STOCHASTIC_TRANSITION_THERMOSTAT_F64,
} from "../../src/bayes/fields";

function copyNumbers(to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 8) store<f64>(to + i, load<f64>(from + i));
}

function isMultiple(update: f64, every: u32): bool {
  return every > 0 && <u64>update % <u64>every == 0;
}

/** Draws f64[d] standard normals from update `counter` of the chain's noise stream. */
function drawNormals(chain: usize, out: usize, bytes: usize, counter: f64): void {
  fill(out, <u32>(bytes >> 3), 1, load<u32>(chain, STOCHASTIC_NOISE_KEY_LOW), load<u32>(chain, STOCHASTIC_NOISE_KEY_HIGH), counter);
}

/** Moves the centre to x and computes its gradient on all rows. */
function moveCentre(chain: usize, x: usize, bytes: usize): void {
  const centre = <usize>load<u32>(chain, STOCHASTIC_CENTRE);
  copyNumbers(centre, x, bytes);
  const slot = load<u32>(chain, STOCHASTIC_FULL_SLOT), model = load<u32>(chain, STOCHASTIC_FULL_MODEL);
  const gradient = load<u32>(chain, STOCHASTIC_CENTRE_GRADIENT);
  store<f64>(chain, call_indirect<f64>(slot, model, <u32>centre, gradient), STOCHASTIC_CENTRE_VALUE_F64);
}

/** Selects `batch` consecutive rows, starting at a random row and wrapping around after the last. */
function drawBlock(chain: usize, batch: u32, update: f64): void {
  seek(load<u32>(chain, STOCHASTIC_ROWS_KEY_LOW), load<u32>(chain, STOCHASTIC_ROWS_KEY_HIGH), update);
  const rowCount = load<u32>(chain, STOCHASTIC_ROW_COUNT);
  let row = integer(rowCount), out = <usize>load<u32>(chain, STOCHASTIC_ROWS);
  for (let i: u32 = 0; i < batch; i++, out += 4) {
    store<u32>(out, row);
    row = row + 1 == rowCount ? 0 : row + 1;
  }
}

/** Writes g to the gradient. Returns ℓ(x) or its estimate. */
function estimate(chain: usize, update: f64, x: usize, bytes: usize): f64 {
  const slot = load<u32>(chain, STOCHASTIC_SLOT), model = load<u32>(chain, STOCHASTIC_MODEL);
  const g = <usize>load<u32>(chain, STOCHASTIC_GRADIENT);
  const batch = load<u32>(chain, STOCHASTIC_BATCH);
  if (batch > 0) {
    drawBlock(chain, batch, update);
    call_indirect<u32>(load<u32>(chain, STOCHASTIC_GATHER_SLOT), load<u32>(chain, STOCHASTIC_GATHER_BLOCK));
  }
  const value = call_indirect<f64>(slot, model, <u32>x, <u32>g);
  const centre = load<u32>(chain, STOCHASTIC_CENTRE);
  if (centre == 0) return value;
  const own = <usize>load<u32>(chain, STOCHASTIC_CENTRE_ESTIMATE), whole = <usize>load<u32>(chain, STOCHASTIC_CENTRE_GRADIENT);
  const valueThere = call_indirect<f64>(slot, model, centre, <u32>own);
  for (let i: usize = 0; i < bytes; i += 8) store<f64>(g + i, load<f64>(whole + i) + (load<f64>(g + i) - load<f64>(own + i)));
  return load<f64>(chain, STOCHASTIC_CENTRE_VALUE_F64) + (value - valueThere);
}

function langevin(x: usize, g: usize, z: usize, bytes: usize, h: f64, temperature: f64): void {
  const spread = temperature * sqrt<f64>(2 * h);
  for (let i: usize = 0; i < bytes; i += 8) store<f64>(x + i, load<f64>(x + i) + (h * load<f64>(g + i) + spread * load<f64>(z + i)));
}

function preconditioned(chain: usize, x: usize, g: usize, z: usize, bytes: usize, h: f64, temperature: f64): void {
  const squares = <usize>load<u32>(chain, STOCHASTIC_MOMENTUM);
  const past = load<f64>(chain, STOCHASTIC_FRICTION_F64), least = load<f64>(chain, STOCHASTIC_NOISE_ESTIMATE_F64);
  for (let i: usize = 0; i < bytes; i += 8) {
    const slope = load<f64>(g + i);
    const square = past * load<f64>(squares + i) + (1 - past) * (slope * slope);
    store<f64>(squares + i, square);
    const scale = 1 / (least + sqrt<f64>(square));
    store<f64>(x + i, load<f64>(x + i) + (h * scale * slope + temperature * sqrt<f64>(2 * (h * scale)) * load<f64>(z + i)));
  }
}

/** v ← v + h g − friction v + spread ξ. */
function push(v: usize, g: usize, z: usize, bytes: usize, h: f64, friction: f64, spread: f64): void {
  for (let i: usize = 0; i < bytes; i += 8) {
    const old = load<f64>(v + i);
    store<f64>(v + i, old + (h * load<f64>(g + i) - friction * old + spread * load<f64>(z + i)));
  }
}

function drift(x: usize, v: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 8) store<f64>(x + i, load<f64>(x + i) + load<f64>(v + i));
}

function freshMomentum(chain: usize, v: usize, bytes: usize, h: f64, counter: f64): void {
  drawNormals(chain, v, bytes, counter);
  const scale = sqrt<f64>(h);
  for (let i: usize = 0; i < bytes; i += 8) store<f64>(v + i, scale * load<f64>(v + i));
}

/**
 * Makes one update. Returns the log density ℓ(x), or an estimate of ℓ(x), at the point where the gradient was computed.
 */
function step(chain: usize, update: f64, h: f64, temperature: f64): f64 {
  const bytes = <usize>load<u32>(chain, STOCHASTIC_DIMENSION) << 3;
  const x = <usize>load<u32>(chain, STOCHASTIC_POSITION), v = <usize>load<u32>(chain, STOCHASTIC_MOMENTUM);
  const g = <usize>load<u32>(chain, STOCHASTIC_GRADIENT), z = <usize>load<u32>(chain, STOCHASTIC_NOISE);
  const kind = load<u32>(chain, STOCHASTIC_KIND);
  if (isMultiple(update, load<u32>(chain, STOCHASTIC_CENTRE_EVERY))) moveCentre(chain, x, bytes);
  const moves = kind == STOCHASTIC_HAMILTONIAN || kind == STOCHASTIC_THERMOSTATTED;
  if (moves && (update == 0 || isMultiple(update, load<u32>(chain, STOCHASTIC_RESET_EVERY)))) freshMomentum(chain, v, bytes, h, 2 * update + 1);
  if (kind == STOCHASTIC_HAMILTONIAN) drift(x, v, bytes);
  const value = estimate(chain, update, x, bytes);
  drawNormals(chain, z, bytes, 2 * update);
  if (kind == STOCHASTIC_LANGEVIN) langevin(x, g, z, bytes, h, temperature);
  else if (kind == STOCHASTIC_PRECONDITIONED) preconditioned(chain, x, g, z, bytes, h, temperature);
  else {
    const a = load<f64>(chain, STOCHASTIC_FRICTION_F64);
    if (kind == STOCHASTIC_HAMILTONIAN) {
      const spread = temperature * sqrt<f64>(2 * (a - load<f64>(chain, STOCHASTIC_NOISE_ESTIMATE_F64)) * h);
      push(v, g, z, bytes, h, a, spread);
    } else {
      const alpha = load<f64>(chain, STOCHASTIC_THERMOSTAT_F64);
      push(v, g, z, bytes, h, alpha, temperature * sqrt<f64>(2 * a * h));
      drift(x, v, bytes);
      let squares: f64 = 0;
      for (let i: usize = 0; i < bytes; i += 8) squares += load<f64>(v + i) * load<f64>(v + i);
      store<f64>(chain, alpha + (squares / <f64>(bytes >> 3) - h), STOCHASTIC_THERMOSTAT_F64);
    }
  }
  return value;
}

export function stochasticGradientRun(
  chain: usize, updates: usize, count: u32, first: f64, steps: usize, temperatures: usize, draws: usize, transitions: usize,
): u32 {
  const bytes = <usize>load<u32>(chain, STOCHASTIC_DIMENSION) << 3;
  const x = <usize>load<u32>(chain, STOCHASTIC_POSITION);
  for (let i: u32 = 0; i < count; i++) {
    let value: f64 = NaN, h: f64 = NaN;
    for (let left = load<u32>(updates); left > 0; left--) {
      h = load<f64>(steps);
      value = step(chain, first, h, load<f64>(temperatures));
      first += 1;
      steps += 8;
      temperatures += 8;
    }
    updates += 4;
    copyNumbers(draws, x, bytes);
    store<f64>(transitions, value, STOCHASTIC_TRANSITION_LOG_DENSITY_F64);
    store<f64>(transitions, h, STOCHASTIC_TRANSITION_STEP_F64);
    store<f64>(transitions, load<f64>(chain, STOCHASTIC_THERMOSTAT_F64), STOCHASTIC_TRANSITION_THERMOSTAT_F64);
    draws += bytes;
    transitions += STOCHASTIC_TRANSITION_BYTES;
  }
  for (let i: usize = 0; i < bytes; i += 8) if (!isFinite(load<f64>(x + i))) return 1;
  return 0;
}

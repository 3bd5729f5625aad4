/**
 * One Gibbs sweep over integer variables: each site in turn is drawn from its conditional distribution or updated by
 * slice sampling.
 *
 * gibbsDiscrete(block, sweep, adapt) → log density at the final point. block: a DISCRETE block (bayes/fields.ts). Each
 * site is one coordinate of u: f64[dimension]. The coordinate holds an integer.
 *
 * - SUPPORT[site] = n > 0: the density is evaluated at all values LOW … LOW + n − 1 (the current value's density is
 *   known). One uniform number then selects a value with weight exp(ℓ − max ℓ).
 * - SUPPORT[site] = 0: slice sampling on the integers LOW … HIGH, with stepping out in cells of WIDTH[site] and
 *   shrinkage (Neal 2003, applied to the piecewise constant density of k + U). With `adapt`, WIDTH becomes 1 + ⌈2 ×
 *   mean move⌉; sweeps then count from 0.
 *
 * Random numbers come from update `sweep` of the block's stream. Densities that are not finite count as −∞; the density
 * at the start must be finite. GRADIENT: f64[dimension], scratch that the density can overwrite.
 */
import { exp } from "../engine/numbers/exp";
import { exponential, integer, seek, uniform } from "../engine/random/random";
import {
  DISCRETE_SLOT, DISCRETE_MODEL, DISCRETE_POINT, DISCRETE_GRADIENT, DISCRETE_COUNT, DISCRETE_COORDINATES, DISCRETE_SUPPORT, DISCRETE_LOW,
  DISCRETE_HIGH, DISCRETE_WIDTH, DISCRETE_MOVES, DISCRETE_VALUES, DISCRETE_KEY_LOW, DISCRETE_KEY_HIGH,
} from "../../src/bayes/fields";

let slot: u32 = 0;
let model: u32 = 0;
let point: usize = 0;
let gradient: u32 = 0;

function densityWith(at: usize, value: f64): f64 {
  store<f64>(at, value);
  const density = call_indirect<f64>(slot, model, <u32>point, gradient);
  return isFinite(density) ? density : -Infinity;
}

/** Draws one of the `count` values from `low` upwards. Returns the log density at the drawn value. */
function enumerated(at: usize, low: f64, count: u32, values: usize, present: f64): f64 {
  const known = <u32>nearest(load<f64>(at) - low);
  let largest: f64 = -Infinity;
  for (let k: u32 = 0; k < count; k++) {
    const density = k == known ? present : densityWith(at, low + <f64>k);
    store<f64>(values + (<usize>k << 3), density);
    largest = max(largest, density);
  }
  let total: f64 = 0;
  for (let k: u32 = 0; k < count; k++) total += exp(load<f64>(values + (<usize>k << 3)) - largest);
  let left = uniform() * total;
  let chosen: u32 = known;
  for (let k: u32 = 0; k < count; k++) {
    const weight = exp(load<f64>(values + (<usize>k << 3)) - largest);
    if (!(weight > 0)) continue;
    // If rounding leaves a remainder, it goes to the last value with a positive weight.
    chosen = k;
    if (left < weight) break;
    left -= weight;
  }
  store<f64>(at, low + <f64>chosen);
  return load<f64>(values + (<usize>chosen << 3));
}

/** Updates the site by slice sampling on low … high. Returns the log density at the new value. */
function sliced(at: usize, low: f64, high: f64, width: f64, present: f64): f64 {
  const from = load<f64>(at);
  const level = present - exponential();
  // The interval is [left, right).
  let left = from - <f64>integer(<u32>width);
  let right = left + width;
  while (left > low && densityWith(at, left) > level) left -= width;
  while (right <= high && densityWith(at, right) > level) right += width;
  left = max(left, low);
  right = min(right, high + 1);
  let k = from, density = present;
  do {
    if (k < from) left = k + 1;
    else if (k > from) right = k;
    k = min(left + floor(uniform() * (right - left)), right - 1);
    density = k == from ? present : densityWith(at, k);
  } while (k != from && !(density > level));
  store<f64>(at, k);
  return density;
}

export function gibbsDiscrete(block: usize, sweep: f64, adapt: u32): f64 {
  slot = load<u32>(block, DISCRETE_SLOT);
  model = load<u32>(block, DISCRETE_MODEL);
  point = <usize>load<u32>(block, DISCRETE_POINT);
  gradient = load<u32>(block, DISCRETE_GRADIENT);
  seek(load<u32>(block, DISCRETE_KEY_LOW), load<u32>(block, DISCRETE_KEY_HIGH), sweep);
  let density = call_indirect<f64>(slot, model, <u32>point, gradient);
  const count = <usize>load<u32>(block, DISCRETE_COUNT), values = <usize>load<u32>(block, DISCRETE_VALUES);
  for (let i: usize = 0; i < count; i++) {
    const at = point + (<usize>load<u32>(<usize>load<u32>(block, DISCRETE_COORDINATES) + (i << 2)) << 3);
    const support = load<u32>(<usize>load<u32>(block, DISCRETE_SUPPORT) + (i << 2));
    const low = load<f64>(<usize>load<u32>(block, DISCRETE_LOW) + (i << 3));
    if (support) {
      density = enumerated(at, low, support, values, density);
      continue;
    }
    const width = <usize>load<u32>(block, DISCRETE_WIDTH) + (i << 3), moves = <usize>load<u32>(block, DISCRETE_MOVES) + (i << 3);
    const from = load<f64>(at);
    density = sliced(at, low, load<f64>(<usize>load<u32>(block, DISCRETE_HIGH) + (i << 3)), load<f64>(width), density);
    if (!adapt) continue;
    const mean = load<f64>(moves) + (abs(load<f64>(at) - from) - load<f64>(moves)) / (sweep + 1);
    store<f64>(moves, mean);
    store<f64>(width, min(1 + ceil(2 * mean), 1073741824));
  }
  return density;
}

/**
 * Slice sampling, one coordinate at a time (Neal 2003). Draws the level ℓ(x) − e, e ~ Exp(1). Places an interval around
 * x_k and expands it by stepping out or doubling. Finally, draws points from the interval until a point lies in the
 * slice. Each rejected point shrinks the interval.
 *
 * sliceRun(chain, first, count, adapt, draws, transitions): arguments as for randomWalkRun
 * (kernels/bayes/random-walk.ts), with widths w_k = STEPS[k].
 *
 * - MODE 0: steps out to at most LIMIT widths, split at random between both ends (LIMIT 1: no stepping out).
 * - MODE 1: doubles at most LIMIT times, with the acceptance test that doubling needs.
 *
 * Random draws of a coordinate: the level, the position of the interval, the split of the steps (MODE 0) or the side of
 * each doubling, the points. Records three numbers: the number of coordinates ÷ the number of points tried, the mean
 * width, and the number of evaluations. Adaptation aims for equal numbers of expansions and shrinkages. x_k stays
 * unchanged if the interval shrinks to x_k itself, or if the interval's width is not finite. Scratch: 1 vector of d.
 */
import { adaptStep } from "./adaptive-step";
import { exponential, seek, uniform } from "../engine/random/random";
import { copyVector, densityAt, keepTransition, meanOf } from "./walk";
import {
  WALK_DIMENSION, WALK_POSITION, WALK_WORK, WALK_KEY_LOW, WALK_KEY_HIGH, WALK_STEPS, WALK_ADAPTATION, WALK_MODE, WALK_LIMIT, WALK_LOG_DENSITY_F64,
  WALK_TRANSITION_BYTES, ADAPTATION_BYTES,
} from "../../src/bayes/fields";

// State of the current coordinate: its chain, the point, the coordinate's offset in the point, the current value, the
// level, the interval and the counts.
let chain: usize = 0;
let point: usize = 0;
let at: usize = 0;
let x0: f64 = 0;
let level: f64 = 0;
let left: f64 = 0;
let right: f64 = 0;
let evaluations: f64 = 0;
let expansions: f64 = 0;

/** Evaluates ℓ with coordinate k set to x. */
function densityOf(x: f64): f64 {
  store<f64>(point + at, x);
  evaluations += 1;
  return densityAt(chain, point);
}

function stepOut(width: f64, limit: f64): void {
  let before = floor(limit * uniform());
  let after = limit - 1 - before;
  for (; before > 0 && densityOf(left) > level; before -= 1, expansions += 1) left -= width;
  for (; after > 0 && densityOf(right) > level; after -= 1, expansions += 1) right += width;
}

function double(limit: f64): void {
  let inLeft = densityOf(left) > level, inRight = densityOf(right) > level;
  for (; limit > 0 && (inLeft || inRight); limit -= 1, expansions += 1) {
    const width = right - left;
    if (uniform() < 0.5) {
      left -= width;
      inLeft = densityOf(left) > level;
    } else {
      right += width;
      inRight = densityOf(right) > level;
    }
  }
}

/**
 * Whether doubling an interval around x could have produced the same interval. Halves the interval repeatedly, to
 * reverse the doubling from x (Neal 2003, figure 6).
 */
function reachable(x: f64, width: f64, from: f64, to: f64): bool {
  let apart = false;
  while (to - from > 1.1 * width) {
    const middle = 0.5 * (from + to);
    if (x0 < middle != x < middle) apart = true;
    if (x < middle) to = middle;
    else from = middle;
    if (apart && !(densityOf(from) > level) && !(densityOf(to) > level)) return false;
  }
  return true;
}

/** Updates coordinate k. Returns the number of points tried. */
function move(width: f64, doubling: u32, limit: f64): f64 {
  level = load<f64>(chain + WALK_LOG_DENSITY_F64) - exponential();
  left = x0 - width * uniform();
  right = left + width;
  expansions = 0;
  if (doubling) double(limit);
  else stepOut(width, limit);
  const from = left, to = right;
  let tried: f64 = 0, done = false;
  while (!done) {
    const x = left + uniform() * (right - left);
    const value = densityOf(x);
    tried += 1;
    if (value > level && (!doubling || reachable(x, width, from, to))) {
      store<f64>(point + at, x);
      store<f64>(chain + WALK_LOG_DENSITY_F64, value);
      done = true;
    } else {
      if (x < x0) left = x;
      else right = x;
      if (x == x0 || !isFinite(x)) {
        store<f64>(point + at, x0);
        done = true;
      }
    }
  }
  return tried;
}

export function sliceRun(walk: usize, first: f64, count: u32, adapt: u32, draws: usize, transitions: usize): u32 {
  const d = <usize>load<u32>(walk + WALK_DIMENSION), limit = <f64>load<u32>(walk + WALK_LIMIT), mode = load<u32>(walk + WALK_MODE);
  const position = <usize>load<u32>(walk + WALK_POSITION), steps = <usize>load<u32>(walk + WALK_STEPS);
  const adaptation = <usize>load<u32>(walk + WALK_ADAPTATION);
  chain = walk;
  point = <usize>load<u32>(walk + WALK_WORK);
  copyVector(point, position, d);
  for (let i: u32 = 0; i < count; i++) {
    seek(load<u32>(walk + WALK_KEY_LOW), load<u32>(walk + WALK_KEY_HIGH), first + <f64>i);
    const width = meanOf(steps, d);
    let tried: f64 = 0;
    evaluations = 0;
    for (let k: usize = 0; k < d; k++) {
      at = k << 3;
      x0 = load<f64>(position + at);
      const own = move(load<f64>(steps + at), mode, limit);
      store<f64>(position + at, load<f64>(point + at));
      tried += own;
      const changes = expansions + own - 1;
      if (adapt) store<f64>(steps + at, adaptStep(adaptation + k * ADAPTATION_BYTES, changes > 0 ? expansions / changes : 0.5));
    }
    copyVector(draws, position, d);
    keepTransition(walk, transitions, <f64>d / tried, width, evaluations);
    draws += d << 3;
    transitions += WALK_TRANSITION_BYTES;
  }
  return 0;
}

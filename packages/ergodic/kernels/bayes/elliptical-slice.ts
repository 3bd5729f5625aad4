/**
 * Elliptical slice sampling (Murray, Adams & MacKay 2010) with respect to a Gaussian N(m, C), C = L Lᵀ.
 *
 * The target is L(x) = ℓ(x) + ‖w‖²/2 with w = L⁻¹(x − m). Each transition first draws the level L(x) − e with e ~
 * Exp(1), and a direction v ~ N(0, C). The transition then tries points x' = m + (x − m) cos θ + v sin θ until L(x') is
 * above the level. θ is drawn from (0, 2π) first, then from a bracket that shrinks towards 0.
 *
 * ellipticalSliceRun(chain, first, count, adapt, draws, transitions): arguments as for randomWalkRun
 * (kernels/bayes/random-walk.ts), with m = MEAN and L = FACTOR; `adapt` has no effect. Random draws of a transition: d
 * normals, the level, the angles. Records 1 ÷ the number of points tried, |θ|, and the number of evaluations. If the
 * bracket shrinks to zero width, the transition leaves x unchanged. Every transition solves for w again. Updating w
 * instead would let rounding errors accumulate, so that w would drift away from x. ‖w'‖² = ‖w‖² cos² + 2 w·z cos sin +
 * ‖z‖² sin². Scratch: 5 vectors of d.
 */
import { cosine, sine, turn } from "../engine/numbers/cosine-sine";
import { exponential, fill, uniform } from "../engine/random/random";
import { copyVector, densityAt, dotVectors, keepTransition } from "./walk";
import {
  WALK_DIMENSION, WALK_DENSE, WALK_MEAN, WALK_FACTOR, WALK_POSITION, WALK_WORK, WALK_KEY_LOW, WALK_KEY_HIGH, WALK_LOG_DENSITY_F64,
  WALK_TRANSITION_BYTES,
} from "../../src/bayes/fields";

const TURN: f64 = 6.283185307179586;

/** Computes v = L z, c = x − m and w = L⁻¹ c from standard normals z and the position x. */
function place(chain: usize, d: usize, z: usize, v: usize, c: usize, w: usize): void {
  const factor = <usize>load<u32>(chain + WALK_FACTOR), dense = load<u32>(chain + WALK_DENSE);
  const mean = <usize>load<u32>(chain + WALK_MEAN), position = <usize>load<u32>(chain + WALK_POSITION);
  for (let k: usize = 0; k < d; k++) {
    const at = k << 3, row = factor + at * d;
    const centred = load<f64>(position + at) - load<f64>(mean + at);
    store<f64>(c + at, centred);
    store<f64>(v + at, dense ? dotVectors(row, z, k + 1) : load<f64>(factor + at) * load<f64>(z + at));
    store<f64>(w + at, dense ? (centred - dotVectors(row, w, k)) / load<f64>(row + at) : centred / load<f64>(factor + at));
  }
}

export function ellipticalSliceRun(chain: usize, first: f64, count: u32, adapt: u32, draws: usize, transitions: usize): u32 {
  const d = <usize>load<u32>(chain + WALK_DIMENSION), bytes = d << 3;
  const position = <usize>load<u32>(chain + WALK_POSITION), mean = <usize>load<u32>(chain + WALK_MEAN);
  const z = <usize>load<u32>(chain + WALK_WORK), v = z + bytes, c = v + bytes, w = c + bytes, point = w + bytes;
  for (let i: u32 = 0; i < count; i++) {
    fill(z, <u32>d, 1, load<u32>(chain + WALK_KEY_LOW), load<u32>(chain + WALK_KEY_HIGH), first + <f64>i);
    place(chain, d, z, v, c, w);
    const ww = dotVectors(w, w, d), wz = dotVectors(w, z, d), zz = dotVectors(z, z, d);
    const level = load<f64>(chain + WALK_LOG_DENSITY_F64) + 0.5 * ww - exponential();
    let angle = TURN * uniform(), low = angle - TURN, high = angle;
    let tried: f64 = 0;
    for (;;) {
      turn(angle);
      const a = cosine, b = sine;
      for (let at: usize = 0; at < bytes; at += 8)
        store<f64>(point + at, load<f64>(mean + at) + (load<f64>(c + at) * a + load<f64>(v + at) * b));
      const after = densityAt(chain, point);
      tried += 1;
      if (after + 0.5 * (ww * a * a + 2 * wz * a * b + zz * b * b) > level) {
        copyVector(position, point, d);
        store<f64>(chain + WALK_LOG_DENSITY_F64, after);
        break;
      }
      if (angle < 0) low = angle;
      else high = angle;
      angle = low + uniform() * (high - low);
      if (angle == 0) break;
    }
    copyVector(draws, position, d);
    keepTransition(chain, transitions, 1 / tried, abs(angle), tried);
    draws += bytes;
    transitions += WALK_TRANSITION_BYTES;
  }
  return 0;
}

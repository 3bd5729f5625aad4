/** Plain twin of kernels/bayes/particle-moves.ts with the same bits. */
import { exp } from "../../src/engine/numbers/exp.ts";
import type { Stream } from "../../src/engine/random/stream.ts";

/** log prior + β L at x, and L. The gradient is written. */
export type TemperedFunction = (x: Float64Array, gradient: Float64Array) => { value: number; likelihood: number };

export interface Particle {
  x: Float64Array;
  logDensity: number;
  likelihood: number;
}

export interface MoveSettings {
  moves: number;
  leapfrogs: number;
  step: number;
  /** L, [d, d], lower. */
  factor: Float64Array;
}

/** Moves the particle and returns the mean acceptance probability. */
export function movedParticle(
  density: TemperedFunction,
  particle: Particle,
  { moves, leapfrogs, step, factor }: MoveSettings,
  stream: Stream,
  update: number,
): number {
  const d = particle.x.length;
  const draws = stream.at(update);
  const gradient = new Float64Array(d);
  if (leapfrogs > 0) density(particle.x, gradient);
  let acceptance = 0;
  for (let move = 0; move < moves; move++) {
    const z = Float64Array.from({ length: d }, () => draws.normal());
    const next = particle.x.slice();
    const g = gradient.slice();
    let before = particle.logDensity;
    let found = { value: 0, likelihood: 0 };
    const shift = (a: number) => {
      const from = next.slice();
      for (let i = 0; i < d; i++) {
        let sum = 0;
        for (let j = 0; j <= i; j++) sum += factor[i * d + j] * z[j];
        next[i] = from[i] + a * sum;
      }
    };
    const push = (a: number) => {
      for (let j = 0; j < d; j++) {
        let sum = 0;
        for (let i = j; i < d; i++) sum += factor[i * d + j] * g[i];
        z[j] += a * sum;
      }
    };
    const kinetic = () => 0.5 * z.reduce((sum, p) => sum + p * p, 0);
    let after: number;
    if (leapfrogs > 0) {
      const h = step * (0.8 + 0.4 * draws.uniform());
      before -= kinetic();
      for (let l = 0; l < leapfrogs && Number.isFinite(found.value); l++) {
        push(0.5 * h);
        shift(h);
        found = density(next, g);
        push(0.5 * h);
      }
      after = found.value - kinetic();
    } else {
      shift(step);
      found = density(next, g);
      after = found.value;
    }
    const change = after - before;
    const probability = !Number.isFinite(found.value) || Number.isNaN(change) ? 0 : change > 0 ? 1 : exp(change);
    acceptance += probability;
    if (!(draws.uniform() < probability)) continue;
    particle.x = next;
    particle.logDensity = found.value;
    particle.likelihood = found.likelihood;
    gradient.set(g);
  }
  return acceptance / moves;
}

/**
 * Plain twins of kernels/bayes/random-walk.ts, metropolis-within-gibbs.ts, slice.ts and elliptical-slice.ts, in their
 * order of operations, so the bits are the same. `mutant` plants a known mistake for tests that must detect it.
 */
import { cosineSine } from "../../src/engine/numbers/cosine-sine.ts";
import { exp } from "../../src/engine/numbers/exp.ts";
import { log } from "../../src/engine/numbers/log.ts";
import type { Draws } from "../../src/engine/random/stream.ts";
import { type Density, dot, type Vector } from "./nuts.ts";

export type WalkMutant = "moves only" | "stale density" | "centred interval" | "no test of doubling" | "reference left in";

export interface WalkTwinOptions {
  factor: Vector;
  dense: boolean;
  mean: Vector;
  steps: Vector;
  mode: number;
  limit: number;
  /** Per step: target, m, log step, and its average. Absent: step sizes are constant. */
  adaptation?: Vector;
  mutant?: WalkMutant;
}

export interface WalkPoint {
  x: Vector;
  logDensity: number;
}

export interface WalkTransition extends WalkPoint {
  acceptance: number;
  step: number;
  evaluations: number;
}

export type WalkKernel = "randomWalkRun" | "coordinateWalkRun" | "sliceRun" | "ellipticalSliceRun";

/** Updates [δ, m, x, x̄] and returns the next step. */
export function adaptStep(state: Vector, a: number): number {
  const m = ++state[1];
  const gain = Math.min(1, 3 * exp(-0.6 * log(m)));
  const weight = exp(-0.75 * log(m));
  state[2] += gain * ((Number.isNaN(a) ? 0 : a) - state[0]);
  state[3] = (1 - weight) * state[3] + weight * state[2];
  return exp(state[2]);
}

export class WalkTwin {
  readonly options: WalkTwinOptions;
  private readonly density: Density;
  private evaluations = 0;

  constructor(density: Density, options: WalkTwinOptions) {
    this.density = density;
    this.options = options;
  }

  transition(kernel: WalkKernel, from: WalkPoint, draws: Draws): WalkTransition {
    this.evaluations = 0;
    if (kernel === "randomWalkRun") return this.randomWalk(from, draws);
    if (kernel === "ellipticalSliceRun") return this.ellipticalSlice(from, draws);
    return this.byCoordinate(kernel, from, draws);
  }

  private at(x: Vector): number {
    this.evaluations++;
    const value = this.density(x, new Float64Array(x.length));
    return Number.isFinite(value) ? value : -Infinity;
  }

  private scaled(z: Vector): Vector {
    const { factor, dense } = this.options;
    const d = z.length;
    return z.map((value, k) => (dense ? dot(factor.subarray(k * d, k * d + k + 1), z.subarray(0, k + 1)) : factor[k] * value));
  }

  private adapt(k: number, a: number): void {
    const { adaptation, steps } = this.options;
    if (adaptation) steps[k] = adaptStep(adaptation.subarray(4 * k, 4 * k + 4), a);
  }

  private randomWalk({ x, logDensity }: WalkPoint, draws: Draws): WalkTransition {
    const { steps, mutant } = this.options;
    for (;;) {
      const move = this.scaled(Float64Array.from(x, () => draws.normal()));
      const step = steps[0];
      const proposal = x.map((value, k) => value + step * move[k]);
      const after = this.at(proposal);
      const acceptance = Math.min(1, exp(after - logDensity));
      const accepted = draws.uniform() < acceptance;
      this.adapt(0, acceptance);
      if (!accepted && mutant === "moves only") continue;
      const point = accepted ? { x: proposal, logDensity: after } : { x, logDensity };
      return { ...point, acceptance, step, evaluations: 1 };
    }
  }

  private byCoordinate(kernel: WalkKernel, from: WalkPoint, draws: Draws): WalkTransition {
    const { steps, mode } = this.options;
    const d = from.x.length;
    const step = steps.reduce((sum, value) => sum + value, 0) / d;
    let point = from;
    let sum = 0;
    for (let visit = 0; visit < d; visit++) {
      if (kernel === "sliceRun") {
        const { moved, tried, signal } = this.slice(point, visit, draws);
        point = moved;
        sum += tried;
        this.adapt(visit, signal);
        continue;
      }
      const k = mode ? draws.integer(d) : visit;
      const proposal = point.x.slice();
      proposal[k] += steps[k] * draws.normal();
      const after = this.at(proposal);
      const before = this.options.mutant === "stale density" ? from.logDensity : point.logDensity;
      const acceptance = Math.min(1, exp(after - before));
      if (draws.uniform() < acceptance) point = { x: proposal, logDensity: after };
      sum += acceptance;
      this.adapt(k, acceptance);
    }
    return { ...point, acceptance: kernel === "sliceRun" ? d / sum : sum / d, step, evaluations: this.evaluations };
  }

  private slice({ x, logDensity }: WalkPoint, k: number, draws: Draws) {
    const { steps, mode, limit, mutant } = this.options;
    const of = (value: number) => this.at(x.with(k, value));
    const level = logDensity - draws.exponential();
    const width = steps[k];
    const [left, right, expansions] = expand(x[k], width, mode === 1, limit, level, of, draws, mutant === "centred interval");
    let [from, to] = [left, right];
    for (let tried = 1; ; tried++) {
      const at = from + draws.uniform() * (to - from);
      const value = of(at);
      const changes = expansions + tried - 1;
      const found = { tried, signal: changes > 0 ? expansions / changes : 0.5 };
      const tested = mode === 1 && mutant !== "no test of doubling";
      if (value > level && (!tested || reachable(x[k], at, width, left, right, level, of)))
        return { ...found, moved: { x: x.with(k, at), logDensity: value } };
      if (at < x[k]) from = at;
      else to = at;
      if (at === x[k]) return { ...found, moved: { x, logDensity } };
    }
  }

  private ellipticalSlice({ x, logDensity }: WalkPoint, draws: Draws): WalkTransition {
    const { factor, dense, mean, mutant } = this.options;
    const d = x.length;
    const z = Float64Array.from(x, () => draws.normal());
    const v = this.scaled(z);
    const c = x.map((value, k) => value - mean[k]);
    const w = new Float64Array(d);
    for (let k = 0; k < d; k++)
      w[k] = dense ? (c[k] - dot(factor.subarray(k * d, k * d + k), w.subarray(0, k))) / factor[k * d + k] : c[k] / factor[k];
    const share = mutant === "reference left in" ? 0 : 0.5;
    const [ww, wz, zz] = [dot(w, w), dot(w, z), dot(z, z)];
    const level = logDensity + share * ww - draws.exponential();
    const turn = 6.283185307179586;
    let angle = turn * draws.uniform();
    let [low, high] = [angle - turn, angle];
    const turned = new Float64Array(2);
    for (;;) {
      cosineSine(angle, 1, turned, 0);
      const [a, b] = turned;
      const point = x.map((_, k) => mean[k] + (c[k] * a + v[k] * b));
      const after = this.at(point);
      const kept = { acceptance: 1 / this.evaluations, step: Math.abs(angle), evaluations: this.evaluations };
      if (after + share * (ww * a * a + 2 * wz * a * b + zz * b * b) > level) return { x: point, logDensity: after, ...kept };
      if (angle < 0) low = angle;
      else high = angle;
      angle = low + draws.uniform() * (high - low);
      if (angle === 0) return { x, logDensity, ...kept, step: 0 };
    }
  }
}

/** The interval around x, and the number of its expansions. */
function expand(
  x: number,
  width: number,
  doubling: boolean,
  limit: number,
  level: number,
  of: (value: number) => number,
  draws: Draws,
  centred: boolean,
): [number, number, number] {
  let left = x - width * (centred ? 0.5 : draws.uniform());
  let right = left + width;
  let expansions = 0;
  if (!doubling) {
    const before = Math.floor(limit * draws.uniform());
    for (let k = 0; k < before && of(left) > level; k++, expansions++) left -= width;
    for (let k = 0; k < limit - 1 - before && of(right) > level; k++, expansions++) right += width;
    return [left, right, expansions];
  }
  let [inLeft, inRight] = [of(left) > level, of(right) > level];
  for (; expansions < limit && (inLeft || inRight); expansions++) {
    const whole = right - left;
    if (draws.uniform() < 0.5) {
      left -= whole;
      inLeft = of(left) > level;
    } else {
      right += whole;
      inRight = of(right) > level;
    }
  }
  return [left, right, expansions];
}

function reachable(
  x0: number,
  x: number,
  width: number,
  left: number,
  right: number,
  level: number,
  of: (value: number) => number,
): boolean {
  let [from, to] = [left, right];
  let apart = false;
  while (to - from > 1.1 * width) {
    const middle = 0.5 * (from + to);
    if (x0 < middle !== x < middle) apart = true;
    if (x < middle) to = middle;
    else from = middle;
    if (apart && !(of(from) > level) && !(of(to) > level)) return false;
  }
  return true;
}

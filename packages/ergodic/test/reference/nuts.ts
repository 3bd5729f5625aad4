/**
 * Plain twins of kernels/bayes/hamiltonian.ts, nuts.ts and hmc.ts, in their order of operations, so the bits are the
 * same. Trees are values, and nothing is reused. `mutant` plants a known mistake for tests that must detect it.
 */
import { exp } from "../../src/engine/numbers/exp.ts";
import { log } from "../../src/engine/numbers/log.ts";
import type { Draws, Stream } from "../../src/engine/random/stream.ts";

export type Vector = Float64Array;
export type Density = (x: Vector, gradient: Vector) => number;
export type Mutant = "equal weights" | "unbiased top" | "end state" | "whole criterion only";

export interface TwinOptions {
  inverse: Vector;
  factor: Vector;
  dense: boolean;
  /**
   * Directions of a low-rank metric: rows after the first d numbers of `inverse` and `factor`, then a number per
   * direction.
   */
  rank?: number;
  step: number;
  jitter: number;
  maxDepth: number;
  leapfrogs: number;
  time: number;
  mutant?: Mutant;
}

export interface Point {
  q: Vector;
  g: Vector;
  logDensity: number;
}

export interface Transition {
  point: Point;
  acceptance: number;
  step: number;
  depth: number;
  leapfrogs: number;
  divergent: number;
  energy: number;
}

interface State {
  q: Vector;
  p: Vector;
  g: Vector;
  s: Vector;
}

interface Tree {
  pFirst: Vector;
  sFirst: Vector;
  pLast: Vector;
  sLast: Vector;
  sum: Vector;
  logWeight: number;
  proposal: Point & { energy: number };
}

export function dot(a: Vector, b: Vector): number {
  const whole = a.length - (a.length % 4);
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < whole; i++) sums[i % 4] += a[i] * b[i];
  let sum = sums[0] + sums[2] + (sums[1] + sums[3]);
  for (let i = whole; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

const add = (a: Vector, b: Vector): Vector => a.map((x, i) => x + b[i]);
const goesOn = (s0: Vector, s1: Vector, sum: Vector): boolean => dot(s0, sum) > 0 && dot(s1, sum) > 0;
const energyOf = (kinetic: number, logDensity: number): number =>
  kinetic - logDensity > -Infinity ? kinetic - logDensity : Infinity;

function logAdd(a: number, b: number): number {
  const top = Math.max(a, b);
  return top === -Infinity ? top : top + log(1 + exp(Math.min(a, b) - top));
}

/** Dual averaging: updates δ, γ, κ, t₀, μ, m, s̄, x̄ and returns the next step. */
export function averageStep(state: Float64Array, acceptance: number): number {
  const [delta, gamma, kappa, t0, mu] = state;
  const m = ++state[5];
  const eta = 1 / (m + t0);
  state[6] = (1 - eta) * state[6] + eta * (delta - Math.min(acceptance, 1));
  const x = mu - (state[6] * Math.sqrt(m)) / gamma;
  const weight = exp(0 - kappa * log(m));
  state[7] = (1 - weight) * state[7] + weight * x;
  return exp(x);
}

export class HamiltonianTwin {
  readonly density: Density;
  readonly options: TwinOptions;
  private acceptance = 0;
  private leapfrogs = 0;
  private divergent = 0;
  private energy0 = 0;

  constructor(density: Density, options: TwinOptions) {
    this.density = density;
    this.options = options;
  }

  velocity(p: Vector): Vector {
    const { inverse, dense } = this.options;
    const d = p.length;
    if (dense) return p.map((_, i) => dot(inverse.subarray(i * d, i * d + d), p));
    return this.addDirections(
      p.map((x, i) => inverse[i] * x),
      () => p,
      inverse,
    );
  }

  /** y + Σ c (v·x) v, applied in order. x can alias the current y. */
  private addDirections(y: Vector, x: (sum: Vector) => Vector, metric: Vector): Vector {
    const [d, rank] = [y.length, this.options.rank ?? 0];
    let sum = y;
    for (let k = 0; k < rank; k++) {
      const v = metric.subarray(d + k * d, 2 * d + k * d);
      const a = metric[d + rank * d + k] * dot(v, x(sum));
      sum = sum.map((s, i) => s + a * v[i]);
    }
    return sum;
  }

  momentum(draws: Draws, d: number): Vector {
    const { factor, dense } = this.options;
    const p = Float64Array.from({ length: d }, () => draws.normal());
    if (!dense) return this.addDirections(p, (sum) => sum, factor).map((z, i) => factor[i] * z);
    for (let i = d - 1; i >= 0; i--) {
      p[i] /= factor[i * d + i];
      for (let k = 0; k < i; k++) p[k] += -p[i] * factor[i * d + k];
    }
    return p;
  }

  /** Moves the state in place and returns ℓ there. */
  leapfrog(h: number, state: State): number {
    const half = 0.5 * h;
    state.p = state.p.map((x, i) => x + half * state.g[i]);
    const s = this.velocity(state.p);
    state.q = state.q.map((x, i) => x + h * s[i]);
    state.g = state.g.slice();
    const logDensity = this.density(state.q, state.g);
    state.p = state.p.map((x, i) => x + half * state.g[i]);
    return logDensity;
  }

  nuts(from: Point, stream: Stream, transition: number): Transition {
    const { maxDepth, mutant } = this.options;
    const draws = stream.at(transition);
    const start = this.open(from, draws);
    const step = this.drawStep(draws);
    const ends = [start, { ...start }];
    let sum = start.p;
    let weight = 0;
    let sample: Point & { energy: number } = { ...from, energy: this.energy0 };
    let depth = 0;
    while (depth < maxDepth) {
      const side = draws.uniform() > 0.5 ? 1 : 0;
      const inner = { p: ends[side].p, s: ends[side].s };
      const outer = ends[1 - side].s;
      const tree = this.build(depth, side ? step : -step, ends[side], draws);
      if (!tree) break;
      depth++;
      const { logWeight } = tree;
      const share = mutant === "unbiased top" ? 2 * logWeight - weight : logWeight - weight;
      if ((!mutant && logWeight > weight) || mutant === "end state" || draws.uniform() < exp(share)) sample = tree.proposal;
      weight = logAdd(weight, logWeight);
      ends[side].s = tree.sLast;
      const whole = goesOn(outer, tree.sLast, add(sum, tree.sum));
      const halves =
        mutant === "whole criterion only" ||
        (goesOn(outer, tree.sFirst, add(sum, tree.pFirst)) && goesOn(inner.s, tree.sLast, add(tree.sum, inner.p)));
      if (!(whole && halves)) break;
      sum = add(sum, tree.sum);
    }
    const { energy, ...point } = sample;
    return { ...this.report(step, depth), point, energy };
  }

  hmc(from: Point, stream: Stream, transition: number): Transition {
    const draws = stream.at(transition);
    const state = this.open(from, draws);
    const step = this.drawStep(draws);
    const length = this.options.leapfrogs || Math.max(1, Math.floor(this.options.time / this.options.step));
    let logDensity = 0;
    while (this.leapfrogs < length && (this.leapfrogs === 0 || Number.isFinite(logDensity))) {
      logDensity = this.leapfrog(step, state);
      this.leapfrogs++;
    }
    const finite = Number.isFinite(logDensity);
    const energy = finite ? energyOf(0.5 * dot(state.p, this.velocity(state.p)), logDensity) : Infinity;
    const change = this.energy0 - energy;
    this.acceptance = this.leapfrogs * (change > 0 ? 1 : exp(change));
    this.divergent = -change > 1000 ? 1 : 0;
    const acceptance = change > 0 ? 1 : exp(change);
    const accepted = draws.uniform() < (this.options.mutant === "equal weights" ? 1 : acceptance);
    const point = accepted ? { q: state.q, g: state.g, logDensity } : from;
    return { ...this.report(step, 0), acceptance, point, energy: accepted ? energy : this.energy0 };
  }

  /** NaN if the step leaves (0, 10⁷]. */
  firstStep(from: Point, stream: Stream, counter: number, acceptance = 0.8): number {
    const draws = stream.at(counter);
    let { step } = this.options;
    for (let direction = 0; step > 0 && step <= 1e7; ) {
      const state = this.open(from, draws);
      const logDensity = this.leapfrog(step, state);
      const energy = energyOf(0.5 * dot(state.p, this.velocity(state.p)), logDensity);
      const towards = this.energy0 - energy > Math.log(acceptance) ? 1 : -1;
      if (direction !== 0 && towards !== direction) return step;
      direction = towards;
      step *= 2 ** direction;
    }
    return Number.NaN;
  }

  private open(from: Point, draws: Draws): State {
    const p = this.momentum(draws, from.q.length);
    const s = this.velocity(p);
    this.energy0 = 0.5 * dot(p, s) - from.logDensity;
    this.acceptance = 0;
    this.leapfrogs = 0;
    this.divergent = 0;
    return { q: from.q, p, g: from.g, s };
  }

  private drawStep(draws: Draws): number {
    const { step, jitter } = this.options;
    return jitter > 0 ? step * (1 + jitter * (2 * draws.uniform() - 1)) : step;
  }

  private report(step: number, depth: number) {
    const { acceptance, leapfrogs, divergent } = this;
    return { step, depth, leapfrogs, divergent, acceptance: leapfrogs > 0 ? acceptance / leapfrogs : 0 };
  }

  private build(depth: number, h: number, end: State, draws: Draws): Tree | undefined {
    if (depth === 0) return this.leaf(h, end);
    const early = this.build(depth - 1, h, end, draws);
    const late = early && this.build(depth - 1, h, end, draws);
    if (!early || !late) return undefined;
    const logWeight = logAdd(early.logWeight, late.logWeight);
    const proposal = draws.uniform() < exp(late.logWeight - logWeight) ? late.proposal : early.proposal;
    const sum = add(early.sum, late.sum);
    const halves =
      this.options.mutant === "whole criterion only" ||
      (goesOn(early.sFirst, late.sFirst, add(early.sum, late.pFirst)) &&
        goesOn(early.sLast, late.sLast, add(late.sum, early.pLast)));
    if (!(goesOn(early.sFirst, late.sLast, sum) && halves)) return undefined;
    const { pFirst, sFirst } = early;
    const { pLast, sLast } = late;
    return { pFirst, sFirst, pLast, sLast, sum, logWeight, proposal };
  }

  private leaf(h: number, end: State): Tree | undefined {
    const logDensity = this.leapfrog(h, end);
    const { q, p, g } = end;
    const s = this.velocity(p);
    const energy = energyOf(0.5 * dot(p, s), logDensity);
    const change = this.energy0 - energy;
    const logWeight = this.options.mutant === "equal weights" ? 0 : change;
    this.leapfrogs++;
    this.acceptance += change > 0 ? 1 : exp(change);
    if (!(energy - this.energy0 <= 1000)) {
      this.divergent = 1;
      return undefined;
    }
    return { pFirst: p, sFirst: s, pLast: p, sLast: s, sum: p, logWeight, proposal: { q, g, logDensity, energy } };
  }
}

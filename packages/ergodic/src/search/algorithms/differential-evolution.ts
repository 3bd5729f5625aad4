import { OptionError } from "../../engine/errors/errors.ts";
import { checkRoom, MOST_OBJECTS } from "../../engine/memory/room.ts";
import type { Draws } from "../../engine/random/stream.ts";
import { defineSearch, type KeptState, keepState, type SearchOptionsOf } from "./define-search.ts";
import { randomPoint } from "./fresh-start.ts";
import type { SearchStart, SearchState } from "./search.ts";

const DEFAULTS = {
  /** Member to which differences are added: "rand" (a random member) or "best" (the best one). */
  base: "rand",
  /** Smallest factor F of the differences, 0 to 2. */
  weightLow: 0.5,
  /** Largest factor F of the differences, from `weightLow` to 2. */
  weightHigh: 1,
  /** Probability that a coordinate is taken from the new point, 0 to 1. */
  crossover: 0.9,
  /** Number of members, a whole number >= 4. Default 10 d. */
  population: null as number | null,
  /** Range of the population in every coordinate, in initial steps, at which the search stops, >= 0. */
  tolerance: 1e-12,
};
type Options = SearchOptionsOf<typeof DEFAULTS>;

/** Number of generations of equal values that end the search. */
const STILL = 20;
/**
 * Largest batch of the first generation. A search of many coordinates can end before the first generation, whose 10 d
 * points have 10 d² coordinates, is complete.
 */
const PART = 500;

/**
 * Differential evolution (rand/1/bin and best/1/bin): each member moves by the difference between two other members of
 * the population.
 *
 * For each of the N members x_i: v = b + F (x_r − x_s), where r ≠ s are random and x_r, x_s differ from x_i and b. Each
 * coordinate of the trial u is taken from v with probability C, and from x_i otherwise. One random coordinate is always
 * taken from v. x_i ← u if f(u) ≤ f(x_i). All N trials of a generation are one batch, except in the first generation,
 * which has batches of at most 500 points.
 *   `base` b: "rand" takes another random member. "best" takes the best one: faster, but can end in a wrong minimum
 *   F: uniform in [`weightLow`, `weightHigh`], drawn once per generation (dither)
 *   C: `crossover`; N: `population`, default 10 d
 * A coordinate of v outside the box is replaced by a random point between the side of the box and b's coordinate. The
 * first generation consists of the start and of random points. These are uniform in the box or, if the box is open,
 * normal about the start with a standard deviation of 3. Invariant under monotone transformations of f. Stops if the
 * population's range is at most `tolerance` (initial steps) in every coordinate, or if all values have been equal for
 * 20 generations. State: N (d + 1) float64. An injected point replaces the worst member if the point is better.
 * Source: Storn, Price 1997; Price, Storn, Lampinen 2005 (bounce-back, dither). Differs: nothing.
 *
 * @throws OptionError unless 0 ≤ weightLow ≤ weightHigh ≤ 2, 0 ≤ crossover ≤ 1, population is an integer >= 4 and
 * tolerance >= 0
 */
export const differentialEvolution = defineSearch(
  "differentialEvolution",
  DEFAULTS,
  (options, given) => new DifferentialEvolution(options, given),
  {
    conformance: { sphere: 6000, scaled: 12_000, random: true, monotone: true },
    summary: "population that steps along its own differences; robust on rugged functions of few coordinates",
    source: "Storn, Price 1997",
    ranges: {
      base: ["rand", "best"],
      weightLow: { low: 0, high: 2 },
      weightHigh: { low: 0, high: 2 },
      crossover: { low: 0, high: 1 },
      population: { low: 4, integer: true },
      tolerance: { low: 0 },
    },
    check({ weightLow, weightHigh }) {
      if (weightLow <= weightHigh) return;
      throw new OptionError(
        "differentialEvolution",
        `weightLow is ${weightLow}, but must be at most weightHigh, ${weightHigh}`,
        "OPTION_RANGE",
      );
    },
  },
);

class DifferentialEvolution implements SearchState {
  readonly snapshot: SearchState["snapshot"];
  readonly restore: SearchState["restore"];
  private readonly options: Options;
  private readonly given: SearchStart;
  private readonly d: number;
  private readonly count: number;
  /** Number of batches of the first generation. */
  private readonly parts: number;
  private readonly kept;

  constructor(options: Options, given: SearchStart) {
    this.options = options;
    this.given = given;
    this.d = given.start.length;
    this.count = options.population ?? 10 * this.d;
    this.parts = Math.ceil(this.count / PART);
    const what = `a population of ${this.count} points of ${this.d} numbers`;
    checkRoom("differentialEvolution", what, this.count * (16 * this.d + 128), MOST_OBJECTS);
    /** `still`: number of successive generations in which all values were equal. */
    this.kept = {
      numbers: { batch: 0, still: 0 },
      arrays: { members: new Float64Array(this.count * this.d), values: new Float64Array(this.count).fill(Infinity) },
    } satisfies KeptState;
    const { snapshot, restore } = keepState(this.kept);
    this.snapshot = snapshot;
    this.restore = restore;
  }

  get stopped(): string | null {
    const { batch, still } = this.kept.numbers;
    if (batch < this.parts) return null;
    if (still >= STILL)
      return this.kept.arrays.values[0] === Infinity ? "no evaluation succeeded" : "the values no longer differ";
    return this.spread() <= this.options.tolerance ? "the population has contracted to a point" : null;
  }

  propose(): Float64Array[] {
    const { batch } = this.kept.numbers;
    const draws = this.given.stream.at(batch);
    if (batch < this.parts) {
      const count = Math.min(PART, this.count - batch * PART);
      return Array.from({ length: count }, (_, i) =>
        batch === 0 && i === 0 ? this.given.start.slice() : randomPoint(this.given, draws),
      );
    }
    const { weightLow, weightHigh } = this.options;
    const weight = weightLow + (weightHigh - weightLow) * draws.uniform();
    const best = this.ranked().best;
    return Array.from({ length: this.count }, (_, i) => this.trial(i, best, weight, draws));
  }

  update(points: readonly Float64Array[], values: Float64Array): void {
    const { numbers, arrays } = this.kept;
    const first = numbers.batch < this.parts ? numbers.batch * PART : 0;
    numbers.batch++;
    for (let i = 0; i < points.length; i++)
      if (!(values[i] > arrays.values[first + i])) this.replace(first + i, points[i], values[i]);
    if (numbers.batch < this.parts) return;
    const { best, worst } = this.ranked();
    numbers.still = arrays.values[best] === arrays.values[worst] ? numbers.still + 1 : 0;
  }

  inject(point: Float64Array, value: number): void {
    const { worst } = this.ranked();
    if (value < this.kept.arrays.values[worst]) this.replace(worst, point, value);
  }

  report(): Record<string, number> {
    return { population: this.count, ...(this.kept.numbers.batch < this.parts ? {} : { spread: this.spread() }) };
  }

  private trial(i: number, best: number, weight: number, draws: Draws): Float64Array {
    const { d } = this;
    const { members } = this.kept.arrays;
    const base = this.options.base === "best" ? best : this.another(draws, i, i, i);
    const plus = this.another(draws, i, base, i);
    const minus = this.another(draws, i, base, plus);
    const sure = draws.integer(d);
    const trial = members.slice(i * d, (i + 1) * d);
    for (let j = 0; j < d; j++) {
      if (!(draws.uniform() < this.options.crossover || j === sure)) continue;
      const from = members[base * d + j];
      trial[j] = this.inside(j, from, from + weight * (members[plus * d + j] - members[minus * d + j]), draws);
    }
    return trial;
  }

  private inside(j: number, from: number, to: number, draws: Draws): number {
    const side = Math.min(Math.max(to, this.given.lower[j]), this.given.upper[j]);
    return side === to ? to : from + draws.uniform() * (side - from);
  }

  private another(draws: Draws, a: number, b: number, c: number): number {
    let index = draws.integer(this.count);
    while (index === a || index === b || index === c) index = draws.integer(this.count);
    return index;
  }

  private replace(i: number, point: Float64Array, value: number): void {
    this.kept.arrays.members.set(point, i * this.d);
    this.kept.arrays.values[i] = Number.isNaN(value) ? Infinity : value;
  }

  /** Among members of equal value, the first counts as best and the last as worst. */
  private ranked(): { best: number; worst: number } {
    const { values } = this.kept.arrays;
    let best = 0;
    let worst = 0;
    for (let i = 1; i < values.length; i++) {
      if (values[i] < values[best]) best = i;
      if (values[i] >= values[worst]) worst = i;
    }
    return { best, worst };
  }

  /** Returns the largest range that any coordinate has over the population. */
  private spread(): number {
    const { members } = this.kept.arrays;
    let widest = 0;
    for (let j = 0; j < this.d; j++) {
      let low = Infinity;
      let high = -Infinity;
      for (let at = j; at < members.length; at += this.d) {
        low = Math.min(low, members[at]);
        high = Math.max(high, members[at]);
      }
      widest = Math.max(widest, high - low);
    }
    return widest;
  }
}

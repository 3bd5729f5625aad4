import { KeptPart } from "../../engine/loop/kept-part.ts";
import { checkRoom, MOST_OBJECTS } from "../../engine/memory/room.ts";
import { type Constants, type CovarianceKind, constantsOf, defaultPopulation } from "./cma/constants.ts";
import { Distribution, type Ranked } from "./cma/distribution.ts";
import { type RestartKind, Restarts } from "./cma/restarts.ts";
import { REASONS, Reason, Termination } from "./cma/termination.ts";
import { defineSearch, type KeptState, keepState, type SearchOptionsOf } from "./define-search.ts";
import { freshStart } from "./fresh-start.ts";
import type { SearchSnapshot, SearchStart, SearchState } from "./search.ts";

const DEFAULTS = {
  /** Form of the covariance: "full", "active" (also learns from the worse half) or "separable" (diagonal). */
  covariance: "full",
  /** Number λ of points per generation, a whole number >= 2. Default 4 + ⌊3 ln d⌋. */
  population: null as number | null,
  /** Kind of restarts, each from a random point: "none", "ipop" or "bipop". */
  restarts: "none",
  /** Maximum number of restarts, a whole number >= 0. */
  maxRestarts: 9,
  /** Spread of the points, in initial steps, below which a descent ends, >= 0. */
  pointTolerance: 1e-12,
  /** Spread of the values below which a descent ends, >= 0. */
  valueTolerance: 1e-12,
};
type Options = SearchOptionsOf<typeof DEFAULTS>;

/**
 * First update index for restarts. Restart r uses the random numbers of updates RESTARTS + 2r and RESTARTS + 2r + 1;
 * batches use smaller indices.
 */
const RESTARTS = 2 ** 52;

/** Bytes of memory per entry of a d × d matrix, in total for C, its axes, the work arrays and a snapshot. */
const MATRICES = 32;

/**
 * CMA-ES: draws points from N(m, σ²C) and moves m, σ and C so that good points become more likely.
 *
 * x_k = m + σ B D z_k; the λ points are ranked by value, so that only their order matters. The update is in
 * cma/distribution.ts, the constants in cma/constants.ts, the criteria that end a descent in cma/termination.ts, and
 * restarts in cma/restarts.ts. σ starts at 1.
 * `covariance`: "full" learns C from the better half of the points. "active" also learns from the worse half, with
 * negative weights. It is faster if C is badly conditioned. "separable" learns a diagonal C, with larger constants. The
 * separable form costs O(d) per point and suits functions whose coordinates do not interact.
 * λ: `population`, default 4 + ⌊3 ln d⌋. A larger population is slower, but finds better minima if the function is
 * rugged or noisy. `restarts`: "none", "ipop" or "bipop", `maxRestarts` times, each from a random point: uniform in the
 * box, or normal about the start with a standard deviation of 3 if the box is open.
 * An injected point replaces one draw in the next generation. `centre` is the mean m of the descent with the lowest
 * median value. State: 2d² float64. Failed points rank worst. If all points of a generation fail, the distribution does
 * not change. Evaluations to f ≤ 1e-8 in 10 dimensions from x = 3·1, medians of 25 seeds: sphere 1502, ellipsoid of
 * condition 1e6 5957, Rosenbrock 6272 (published: 1570, 6140, 6070); with "active" 1513, 4244, 5399.
 * Source: Hansen 2016, arXiv:1604.00772; Jastrebski, Arnold 2006 (active); Ros, Hansen 2008 (separable); Hansen 2011
 * (injection). Differs: pycma has "active" as its default, and ¼ more in c_μ's numerator.
 * `pointTolerance`, `valueTolerance`: a descent ends if the spread of its points (in initial steps) and the spread of
 * its values are below these (1e-12 each).
 *
 * @throws OptionError unless population is an integer >= 2, maxRestarts one >= 0 and the tolerances are >= 0
 */
export const cmaEs = defineSearch("cmaEs", DEFAULTS, (options, given) => new Cma(options, given), {
  conformance: { sphere: 1000, scaled: 5000, random: true, monotone: true },
  summary: "CMA-ES: a normal distribution that learns the objective's shape; first choice for up to a few hundred coordinates",
  source: "Hansen 2016, arXiv:1604.00772",
  ranges: {
    covariance: ["full", "active", "separable"],
    population: { low: 2, integer: true },
    restarts: ["none", "ipop", "bipop"],
    maxRestarts: { low: 0, integer: true },
    pointTolerance: { low: 0 },
    valueTolerance: { low: 0 },
  },
});

/**
 * Largest population that is accepted from a checkpoint. With a larger population, the points would not fit into
 * memory.
 */
const MOST_POPULATION = 2 ** 24;

interface Candidate extends Ranked {
  value: number;
}

class Cma implements SearchState {
  private readonly options: Options;
  private readonly given: SearchStart;
  private readonly d: number;
  private readonly restarts: Restarts;
  private distribution: Distribution;
  private termination: Termination;
  private readonly kept;
  /**
   * Injected points. `waiting` holds the points for the next generation, and `joined` holds the points in the open
   * generation.
   */
  private waiting: Candidate[] = [];
  private joined: Candidate[] = [];

  constructor(options: Options, given: SearchStart) {
    this.options = options;
    this.given = given;
    this.d = given.start.length;
    const population = options.population ?? defaultPopulation(this.d);
    const full = options.covariance === "separable" ? 0 : MATRICES * this.d ** 2;
    checkRoom("cmaEs", `a covariance of ${this.d} coordinates`, full, undefined, 'use covariance: "separable"');
    checkRoom("cmaEs", `a population of ${population} points of ${this.d} numbers`, bytesOf(population, this.d), MOST_OBJECTS);
    this.restarts = new Restarts(options.restarts as RestartKind, population, options.maxRestarts);
    this.distribution = new Distribution(this.covarianceKind, this.constants(population), given.start, 1);
    this.termination = new Termination(options, this.d);
    /**
     * `used`, `limit`: number of evaluations of this descent so far, and its maximum. `median`: median value of its
     * last generation. `centreMedian`: the same for `centre`, which can come from an earlier descent.
     */
    this.kept = {
      numbers: { population, batch: 0, used: 0, limit: Infinity, reason: 0, median: Infinity, centreMedian: Infinity },
      arrays: { centre: given.start.slice() },
    } satisfies KeptState;
  }

  get stopped(): string | null {
    const reason = REASONS[this.kept.numbers.reason];
    const { restarts } = this.restarts.kept.numbers;
    return reason === null || restarts === 0 ? reason : `${reason}, after ${restarts} restarts`;
  }

  propose(): Float64Array[] {
    const points = this.proposal();
    return Array.from({ length: points.length }, (_, k) => points.at(k));
  }

  /** Draws each point when its first evaluation is requested. */
  proposal(): { length: number; at(k: number): Float64Array } {
    const { population, batch } = this.kept.numbers;
    const draws = this.given.stream.at(batch);
    this.joined = this.waiting;
    this.waiting = [];
    const made: Float64Array[] = [];
    const at = (k: number): Float64Array => {
      while (made.length <= k) made.push(this.distribution.sample(draws));
      return made[k];
    };
    return { length: population - this.joined.length, at };
  }

  update(points: readonly Float64Array[], values: Float64Array): void {
    const { numbers } = this.kept;
    numbers.batch++;
    numbers.used += points.length;
    const ranked: Candidate[] = points.map((point, k) => candidate(point, values[k], false));
    ranked.push(...this.joined);
    this.joined = [];
    ranked.sort(byValue);
    if (ranked[0].value < Infinity) this.distribution.update(ranked);
    const ascending = ranked.map(({ value }) => value);
    numbers.median = ascending[ascending.length >> 1];
    const reason = this.termination.judge(this.distribution, ascending);
    if (reason !== 0 || numbers.used >= numbers.limit) this.restart(reason);
  }

  /** Keeps at most as many injected points as the better half of a generation contains. */
  inject(point: Float64Array, value: number): void {
    this.waiting.push(candidate(point.slice(), value, true));
    this.waiting.sort(byValue);
    this.waiting.length = Math.min(this.waiting.length, this.distribution.constants.parents);
  }

  report(): Record<string, number> {
    const { shortest, longest } = this.distribution.covariance.extremes();
    return {
      stepSize: this.distribution.kept.numbers.sigma,
      population: this.kept.numbers.population,
      restarts: this.restarts.kept.numbers.restarts,
      axisRatio: longest / shortest,
    };
  }

  centre(): Float64Array {
    const { median, centreMedian } = this.kept.numbers;
    return (centreMedian < median ? this.kept.arrays.centre : this.distribution.kept.arrays.mean).slice();
  }

  snapshot(): SearchSnapshot {
    const tensors: SearchSnapshot["tensors"] = { ...this.termination.tensors() };
    for (const [name, part] of Object.entries(this.parts())) {
      for (const [key, tensor] of Object.entries(keepState(part).snapshot().tensors)) tensors[`${name}.${key}`] = tensor;
    }
    tensors.waiting = Float64Array.from(this.waiting.flatMap(({ point, value }) => [value, ...point]));
    return { tensors, state: {} };
  }

  restore(snapshot: SearchSnapshot): void {
    const kept = new KeptPart("cmaEs", snapshot);
    const restorePart = (name: string, part: KeptState) => keepState(part).restore(kept.part("cmaEs", `${name}.`).snapshot);
    restorePart("search", this.kept);
    const { population, reason } = this.kept.numbers;
    if (!(Number.isInteger(population) && population >= 2 && population <= MOST_POPULATION) || REASONS[reason] === undefined)
      kept.refuse(`its population is ${population}`);
    this.begin(this.constants(population), this.given.start, 1);
    for (const [name, part] of Object.entries(this.parts())) restorePart(name, part);
    this.termination.restore(kept.floats("best"), kept.floats("median"));
    const { d } = this;
    const waiting = kept.floats("waiting");
    if (waiting.length % (d + 1) !== 0 || waiting.length / (d + 1) > population)
      kept.refuse("the waiting points from outside are invalid");
    this.waiting = Array.from({ length: waiting.length / (d + 1) }, (_, i) => {
      const at = i * (d + 1);
      return candidate(waiting.slice(at + 1, at + 1 + d), waiting[at], true);
    });
    this.joined = [];
  }

  private get covarianceKind(): CovarianceKind {
    return this.options.covariance as CovarianceKind;
  }

  private constants(population: number): Constants {
    return constantsOf(this.covarianceKind, this.d, population);
  }

  private parts(): Record<string, KeptState> {
    const { kept, restarts, distribution } = this;
    return { search: kept, restarts: restarts.kept, distribution: distribution.kept, covariance: distribution.covariance.kept };
  }

  private begin(constants: Constants, mean: Float64Array, sigma: number): void {
    this.distribution = new Distribution(this.covarianceKind, constants, mean, sigma);
    this.termination = new Termination(this.options, this.d);
  }

  private restart(reason: number): void {
    const { numbers, arrays } = this.kept;
    const update = RESTARTS + 2 * this.restarts.kept.numbers.restarts;
    const next = this.restarts.next(numbers.used, this.given.stream.at(update));
    if (next === null || bytesOf(next.population, this.d) > MOST_OBJECTS) {
      numbers.reason = reason || Reason.used;
      return;
    }
    if (numbers.median < numbers.centreMedian) {
      arrays.centre = this.distribution.kept.arrays.mean.slice();
      numbers.centreMedian = numbers.median;
    }
    const { population, sigma, limit } = next;
    Object.assign(numbers, { population, limit, used: 0, median: Infinity });
    this.begin(this.constants(population), freshStart(this.given, update + 1), sigma);
  }
}

/** Returns the number of bytes for the points, their steps, and the objects by which they are ranked. */
const bytesOf = (population: number, dimension: number): number => population * (16 * dimension + 256);

function candidate(point: Float64Array, value: number, foreign: boolean): Candidate {
  return { point, value: Number.isNaN(value) ? Infinity : value, foreign };
}

/** Orders candidates by value. Candidates of equal value keep their order. */
function byValue(a: Candidate, b: Candidate): number {
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

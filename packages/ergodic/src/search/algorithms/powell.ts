import { checkRoom } from "../../engine/memory/room.ts";
import { defineSearch, FEWER, keepState } from "./define-search.ts";
import { freshStart } from "./fresh-start.ts";
import { beginLine, type Line, learnLine, newLine, Stage } from "./line-search.ts";
import type { SearchStart, SearchState } from "./search.ts";

const DEFAULTS = {
  /** Continuation after convergence: "repeat" (along the axes), "fresh" (also from random points) or "none". */
  restarts: "repeat",
  /** Relative tolerance of each line search, > 0 and at most 0.5. */
  lineTolerance: 1e-2,
  /** Steps, in initial steps, at which the search has converged, > 0. */
  pointTolerance: 1e-8,
  /** Gain of an iteration at which the search has converged, >= 0. */
  valueTolerance: 1e-10,
};
type Options = Readonly<typeof DEFAULTS>;

/**
 * Kind of point that is proposed: the start, a point on the line along direction `index` (d is the displacement), or 2x
 * − x_0.
 */
const Phase = { start: 0, line: 1, extrapolation: 2 } as const;
const REASONS = [null, "an iteration gained nothing", "an iteration along the axes gained nothing"];
/**
 * Smallest ratio between successive first steps along a direction. The limit ensures that a single flat line does not
 * freeze the direction.
 */
const SLOWEST_FALL = 0.1;

/**
 * Powell's direction set: line minimisations along d directions. The displacement of a whole iteration can replace one
 * of these directions.
 *
 * An iteration goes from x_0 to x by a line minimisation along each direction u_i. Initially, the u_i are the axes. Δ
 * is the largest decrease along a single direction, which is called u_m. Let f_0, f and f_e be the values at x_0, x and
 * 2x − x_0. If f_e < f_0 and 2 (f_0 − 2f + f_e)(f_0 − f − Δ)² < Δ (f_0 − f_e)², x is also minimised along x − x_0,
 * which replaces u_m. If f is quadratic, the directions become conjugate.
 *
 * One value per batch. The first step along each direction is the last move in that direction (initially 1), and lines
 * are searched to `lineTolerance` (line-search.ts). Lines can leave the box, because points outside the box are folded
 * back into it. If an iteration gained no more than `valueTolerance` (absolute), all steps are then multiplied by
 * `lineTolerance`. The search has converged once the steps are also within `pointTolerance` (initial steps). Then
 *   `restarts: "repeat"`  it continues from there along the axes, with steps of 1, until that gains no more, and stops
 *   `restarts: "fresh"`   the same, but then it restarts at a random point (fresh-start.ts); it never stops on its own
 *   `restarts: "none"`    it stops
 * On the BBOB functions in 5 and 10 dimensions, searching lines to a tolerance of a hundredth solves as many problems
 * as finer searches, with fewer values. NaN is +Infinity. Throws no errors. Source: Powell 1964; the replacement
 * criterion from Acton 1970; Brent 1973. Differs: restarts are added, and each direction has its own first step, which
 * is shortened at the end.
 * Options: `restarts` ("repeat"), `lineTolerance` (1e-2), `pointTolerance` (1e-8), `valueTolerance` (1e-10).
 *
 * @throws OptionError unless 0 < lineTolerance <= 0.5, pointTolerance > 0, valueTolerance >= 0 and restarts is one of
 * the three
 */
export const powell = defineSearch("powell", DEFAULTS, (options, given) => new DirectionSet(options, given), {
  conformance: { sphere: 500, scaled: 2000 },
  summary: "Powell's direction set: line minimisations along directions that become conjugate, for smooth functions",
  source: "Powell 1964; Brent 1973",
  ranges: {
    restarts: ["repeat", "fresh", "none"],
    lineTolerance: { low: 0, open: true, high: 0.5 },
    pointTolerance: { low: 0, open: true },
    valueTolerance: { low: 0 },
  },
});

interface PowellNumbers {
  phase: number;
  /** Index of the direction being searched. */
  index: number;
  /** Values f and f_0. */
  value: number;
  valueBefore: number;
  largestFall: number;
  largestIndex: number;
  /** 1 while the axes are searched again after convergence, otherwise 0. */
  repeating: number;
  iterations: number;
  restarts: number;
  updates: number;
  reason: number;
}

interface PowellArrays {
  point: Float64Array;
  before: Float64Array;
  /** Row by row, the d directions and the displacement; and the first step along each of these. */
  directions: Float64Array;
  steps: Float64Array;
}

class DirectionSet implements SearchState {
  readonly proposesPurely = true;
  readonly snapshot: SearchState["snapshot"];
  readonly restore: SearchState["restore"];
  private readonly options: Options;
  private readonly given: SearchStart;
  private readonly d: number;
  private readonly kept: { numbers: Line & PowellNumbers; arrays: PowellArrays & Record<string, Float64Array> };

  constructor(options: Options, given: SearchStart) {
    const d = given.start.length;
    checkRoom("powell", `directions of ${d} coordinates`, 8 * (d + 1) * d, undefined, FEWER);
    this.options = options;
    this.given = given;
    this.d = d;
    this.kept = {
      numbers: {
        ...newLine(),
        phase: Phase.start,
        index: 0,
        value: Infinity,
        valueBefore: Infinity,
        largestFall: 0,
        largestIndex: 0,
        repeating: 0,
        iterations: 0,
        restarts: 0,
        updates: 0,
        reason: 0,
      },
      arrays: {
        point: given.start.slice(),
        before: given.start.slice(),
        directions: new Float64Array((d + 1) * d),
        steps: new Float64Array(d + 1).fill(1),
      },
    };
    const { snapshot, restore } = keepState(this.kept);
    this.snapshot = snapshot;
    this.restore = restore;
    this.takeAxes();
  }

  get stopped(): string | null {
    return REASONS[this.kept.numbers.reason];
  }

  propose(): Float64Array[] {
    const { numbers, arrays } = this.kept;
    if (numbers.phase === Phase.start) return [arrays.point.slice()];
    if (numbers.phase === Phase.line) return [this.along(numbers.at)];
    return [arrays.point.map((v, j) => 2 * v - arrays.before[j])];
  }

  update(_points: readonly Float64Array[], [given]: Float64Array): void {
    const { numbers } = this.kept;
    const value = Number.isNaN(given) ? Infinity : given;
    numbers.updates++;
    if (numbers.phase === Phase.start) {
      numbers.value = value;
      this.beginIteration();
    } else if (numbers.phase === Phase.extrapolation) {
      if (this.shouldReplace(value)) this.beginLine(this.d);
      else this.endIteration();
    } else {
      learnLine(numbers, value, this.options.lineTolerance);
      if (numbers.stage === Stage.done) this.endLine();
    }
  }

  report(): Record<string, number> {
    const { iterations, restarts } = this.kept.numbers;
    return { iterations, restarts };
  }

  private beginIteration(): void {
    const { numbers, arrays } = this.kept;
    arrays.before = arrays.point.slice();
    numbers.valueBefore = numbers.value;
    numbers.largestFall = 0;
    numbers.largestIndex = 0;
    this.beginLine(0);
  }

  private beginLine(index: number): void {
    const { numbers, arrays } = this.kept;
    const { d } = this;
    numbers.phase = Phase.line;
    numbers.index = index;
    if (index === d) {
      for (let j = 0; j < d; j++) arrays.directions[d * d + j] = arrays.point[j] - arrays.before[j];
      arrays.steps[d] = 1;
    }
    beginLine(numbers, numbers.value, arrays.steps[index]);
  }

  private endLine(): void {
    const { numbers, arrays } = this.kept;
    const { index, best, bestValue } = numbers;
    const fall = numbers.value - bestValue;
    arrays.point = this.along(best);
    numbers.value = bestValue;
    // Keep the sign, because f is more likely to decrease again in the same direction.
    if (best !== 0)
      arrays.steps[index] = Math.sign(best) * Math.max(Math.abs(best), SLOWEST_FALL * Math.abs(arrays.steps[index]));
    else arrays.steps[index] *= SLOWEST_FALL;
    if (index === this.d) {
      this.replace();
      this.endIteration();
      return;
    }
    if (fall > numbers.largestFall) [numbers.largestFall, numbers.largestIndex] = [fall, index];
    if (index < this.d - 1) this.beginLine(index + 1);
    else if (this.d > 1 && numbers.valueBefore > bestValue) numbers.phase = Phase.extrapolation;
    else this.endIteration();
  }

  /** Returns whether Acton's criterion holds, which means that the displacement is more useful than u_m. */
  private shouldReplace(extrapolated: number): boolean {
    const { value, valueBefore, largestFall } = this.kept.numbers;
    const curvature = valueBefore - 2 * value + extrapolated;
    const rest = valueBefore - value - largestFall;
    const whole = valueBefore - extrapolated;
    return whole > 0 && 2 * curvature * rest * rest < largestFall * whole * whole;
  }

  /** Removes u_m and appends the displacement. */
  private replace(): void {
    const { numbers, arrays } = this.kept;
    const { d } = this;
    arrays.directions.copyWithin(numbers.largestIndex * d, d * d - d, d * d);
    arrays.directions.copyWithin(d * d - d, d * d);
    arrays.steps[numbers.largestIndex] = arrays.steps[d - 1];
    arrays.steps[d - 1] = arrays.steps[d];
  }

  private endIteration(): void {
    const { numbers, arrays } = this.kept;
    const { restarts, valueTolerance } = this.options;
    numbers.iterations++;
    if (numbers.valueBefore - numbers.value > valueTolerance) {
      numbers.repeating = 0;
      this.beginIteration();
      return;
    }
    if (this.longestStep() > this.options.pointTolerance) {
      // At a kink, a coarse line search can miss a gain. Before the search ends, lines are therefore searched more
      // finely.
      arrays.steps = arrays.steps.map((step) => step * this.options.lineTolerance);
      this.beginIteration();
      return;
    }
    if (restarts === "none") numbers.reason = 1;
    else if (numbers.repeating && restarts === "repeat") numbers.reason = 2;
    if (numbers.reason > 0) return;
    numbers.restarts++;
    this.takeAxes();
    if (numbers.repeating) {
      arrays.point = freshStart(this.given, numbers.updates);
      numbers.repeating = 0;
      numbers.phase = Phase.start;
    } else {
      numbers.repeating = 1;
      this.beginIteration();
    }
  }

  /** Returns the largest change of a coordinate by any of the first steps. */
  private longestStep(): number {
    const { directions, steps } = this.kept.arrays;
    let longest = 0;
    for (let k = 0; k < this.d * this.d; k++)
      longest = Math.max(longest, Math.abs(directions[k] * steps[Math.floor(k / this.d)]));
    return longest;
  }

  private takeAxes(): void {
    const { directions, steps } = this.kept.arrays;
    directions.fill(0);
    for (let i = 0; i < this.d; i++) directions[i * this.d + i] = 1;
    steps.fill(1);
  }

  /** Returns x + t u. */
  private along(t: number): Float64Array {
    const { numbers, arrays } = this.kept;
    return arrays.point.map((v, j) => v + t * arrays.directions[numbers.index * this.d + j]);
  }
}

import type { Advance, CurvatureBinding, Penalty, Problem, Progression, Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import { nullVectors, shortening, solving } from "./factor.ts";

/** Smallest decrease that Armijo's rule accepts, relative to the decrease that the slope predicts. */
const SUFFICIENT = 1e-4;
const SHORTEST = 1e-12;
/** Largest relative change of the objective that rounding can cause. */
const NOISE = 1e-13;
/**
 * The loss is assumed to have no finite minimum if the ratio of successive gains stays in this range for `steps`
 * successive steps. Losses like e⁻ᶻ approach their minimum only at infinity. Each step then gains 1/e of the previous
 * gain. Near a finite minimum, each gain is proportional to the square of the previous one.
 */
const RATIO = { low: 0.32, high: 0.42, steps: 4 };
const UNBOUNDED =
  "the loss still falls as weights grow without end: some classes are separable, or some counts are always 0, so no weights are the best; give l2, or leave out the columns that tell them apart";
const HIDDEN = "the objective falls by less than rounding error";

/** Result of a line search. */
interface Walked {
  readonly to: Float64Array;
  /** Loss at `to`, without the penalty. */
  readonly loss: number;
  readonly evaluations: number;
  /** Whether the change of the objective is too small to be distinguished from rounding. */
  readonly hidden: boolean;
}

/** `advance` pauses within a step after this many milliseconds. */
const STRETCH_MS = 20;

/**
 * A run of Newton's method (newton-cholesky.ts). Each step is one update, and it is split into stretches. The point
 * does not move until the step is complete, so a checkpoint within a step stores the point before the step.
 */
export class Newton implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  step = 0;
  converged: boolean | string = false;
  readonly converges = true;
  private readonly curvature: CurvatureBinding;
  private readonly penalty: Penalty;
  private readonly tolerance: number;
  private readonly rows: number;
  private readonly x: Float64Array;
  private readonly direction: Float64Array;
  /** Copy of the Hessian. A copy is needed because other computations can move the engine's memory. */
  private readonly matrix: Float64Array;
  /** Objective at the start of the run. */
  private first = Number.NaN;
  private decrement = Number.NaN;
  private evaluations = 0;
  /** Mean loss, without the penalty, at the point that the last complete step reached. */
  private loss = Number.NaN;
  private underWay: Generator<void, void> | undefined;
  /** Number of successive steps in which the gain was about 1/e of the previous gain. */
  private falling = 0;

  constructor({ rowGradient, rowCount, parameterCount, start }: Problem, curvature: CurvatureBinding, tolerance: number) {
    this.curvature = curvature;
    this.penalty = rowGradient!.penalty;
    this.tolerance = tolerance;
    this.rows = rowCount;
    this.x = start?.slice() ?? new Float64Array(parameterCount);
    this.direction = new Float64Array(parameterCount);
    this.matrix = new Float64Array(curvature.width ** 2);
  }

  get updates(): number {
    return this.step;
  }

  async advance(): Promise<Advance> {
    this.underWay ??= this.one();
    const start = performance.now();
    let within: boolean;
    do within = !this.underWay.next().done;
    while (within && performance.now() - start < STRETCH_MS);
    if (within) return { updates: 0, lossSum: 0, rows: 0, within };
    this.underWay = undefined;
    return { updates: 1, lossSum: this.loss * this.rows, rows: this.rows };
  }

  /** One Newton step. */
  private *one(): Generator<void, void> {
    const { loss, slope, evaluations } = yield* this.direct();
    const here = loss + this.penaltyAt(this.x);
    const decrement = -slope / 2;
    const stays = { to: this.x, loss, evaluations: 0, hidden: false };
    const walked = decrement > 0 ? yield* this.walk(here, slope) : stays;
    if (this.step === 0) this.first = here;
    const ratio = decrement / this.decrement;
    this.x.set(walked.to);
    this.loss = walked.loss;
    this.decrement = decrement;
    this.evaluations += evaluations + walked.evaluations;
    this.step++;
    if (walked.hidden) this.converged = HIDDEN;
    // With a penalty the minimum is finite.
    const isFree = this.penalty.l2 === 0;
    this.falling = isFree && ratio > RATIO.low && ratio < RATIO.high ? this.falling + 1 : 0;
    if (this.falling === RATIO.steps) this.converged ||= UNBOUNDED;
    // Near the minimum, each step roughly squares the decrement, so the point after this step is accurate enough.
    if (!(decrement > this.tolerance * Math.abs(this.first))) this.converged ||= true;
  }

  /**
   * Sets `direction` to −H⁻¹g, part by part. Returns the loss at x and the slope gᵀ · direction.
   *
   * Columns that depend on each other, such as the levels of a category next to the intercept, make H singular. Of all
   * points with the same outputs, the step then ends at the one whose weights are shortest, each in units of the
   * curvature of its column. A row whose category has an unknown level is thus predicted near the mean of the known
   * levels. Otherwise its output would depend on the order of the columns.
   */
  private *direct(): Generator<void, { loss: number; slope: number; evaluations: number }> {
    const { x, direction, penalty, matrix } = this;
    const { width } = this.curvature;
    direction.fill(0);
    const total = { loss: 0, slope: 0, evaluations: 1 };
    for (const [k, { first, count }] of this.curvature.parts.entries()) {
      const { loss, gradient, hessian } = yield* this.curvature.at(x, k);
      const to = direction.subarray(first, first + count);
      const downhill = gradient.map((slope) => -slope);
      matrix.set(hessian);
      for (let j = 0; j < count; j++) {
        const pull = penalty.l2 * penalty.weights[first + j];
        matrix[j * (width + 1)] += pull;
        downhill[j] -= pull * x[first + j];
      }
      to.set(downhill);
      const dependent = yield* solving({ values: matrix, width }, to, count);
      if (dependent.length > 0) {
        const metric = Float64Array.from(to, (_, j) => (penalty.weights[first + j] > 0 ? hessian[j * (width + 1)] : 0));
        const vectors = yield* nullVectors({ values: matrix, width }, dependent);
        yield* shortening(to, x.subarray(first, first + count), vectors, metric);
      }
      total.loss += loss;
      for (let j = 0; j < count; j++) total.slope -= downhill[j] * to[j];
    }
    return total;
  }

  /**
   * Line search along the direction: halves the length until the objective falls enough. If the objective changes by no
   * more than rounding, the point remains x.
   */
  private *walk(here: number, slope: number): Generator<void, Walked> {
    const { x, direction } = this;
    const to = new Float64Array(x.length);
    for (let length = 1, evaluations = 1; ; length /= 2, evaluations++) {
      if (length < SHORTEST) {
        const loss = here - this.penaltyAt(x);
        return { to: x, loss, evaluations: evaluations - 1, hidden: true };
      }
      for (let j = 0; j < x.length; j++) to[j] = x[j] + length * direction[j];
      const loss = yield* this.curvature.value(to);
      const change = loss + this.penaltyAt(to) - here;
      const hidden = Math.abs(change) <= NOISE * Math.abs(here) && -slope <= NOISE * Math.abs(here);
      if (change <= SUFFICIENT * length * slope || hidden) return { to, loss, evaluations, hidden: false };
    }
  }

  private penaltyAt(x: Float64Array): number {
    const { l2, weights } = this.penalty;
    if (l2 === 0) return 0;
    let sum = 0;
    for (let j = 0; j < x.length; j++) sum += weights[j] * x[j] * x[j];
    return 0.5 * l2 * sum;
  }

  parameters(): Float64Array {
    return this.x.slice();
  }

  report(): Record<string, number> {
    return { decrement: this.decrement, evaluations: this.evaluations };
  }

  snapshot(): Snapshot {
    const { x, step, converged, evaluations, falling } = this;
    const numbers = Float64Array.of(this.first, this.decrement);
    return { tensors: { x: x.slice(), numbers }, state: { step, converged, evaluations, falling } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("Newton's method", snapshot);
    const { converged } = kept.state;
    const numbers = kept.floats("numbers", 2);
    kept.into(this.x, "x");
    [this.first, this.decrement] = numbers;
    this.step = kept.count("step");
    this.evaluations = kept.count("evaluations");
    this.falling = kept.count("falling", 0, RATIO.steps);
    this.converged = typeof converged === "string" ? converged : kept.flag("converged");
  }

  dispose(): void {
    this.curvature.dispose();
  }
}

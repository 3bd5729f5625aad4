import type { Advance, CurvatureBinding, Penalty, Problem, Progression, Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import { solving } from "./factor.ts";

/** Armijo's share of the decrease that the slope promises. */
const SUFFICIENT = 1e-4;
const SHORTEST = 1e-12;
/** Of a difference of objectives, what rounding may make. */
const NOISE = 1e-13;
/** On the way to a minimum at infinity (losses like e⁻ᶻ) each step gains 1/e of what the last one gained; near a finite minimum the gain is squared. So many such steps in a row are no accident. */
const RATIO = { low: 0.32, high: 0.42, steps: 4 };
const UNBOUNDED =
  "the loss still falls as weights grow without end: some classes are separable, or some counts always 0, so that no weights are the best; give l2, or leave out the columns that tell them apart";
const HIDDEN = "the objective falls by less than rounding shows";

/** Where a search along a direction ended. */
interface Walked {
  readonly to: Float64Array;
  /** There, without the penalty. */
  readonly loss: number;
  readonly evaluations: number;
  /** Rounding hides whether the objective falls. */
  readonly hidden: boolean;
}

/** Milliseconds of an `advance` that stops within a step. */
const STRETCH_MS = 20;

/**
 * Newton's method as a run: a step is an update (newton-cholesky.ts), made in stretches. Until it is done the point is where it began, which is what is kept
 * meanwhile.
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
  /** A copy of the Hessian: where it was made may move while others work. */
  private readonly matrix: Float64Array;
  /** The objective where the run began. */
  private first = Number.NaN;
  private decrement = Number.NaN;
  private evaluations = 0;
  /** The mean loss at the point, without the penalty, once a step is done. */
  private loss = Number.NaN;
  private underWay: Generator<void, void> | undefined;
  /** Steps in a row that gained 1/e of the last gain. */
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

  /** A step. */
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
    // A penalty ends what seems to have no end.
    const isFree = this.penalty.l2 === 0;
    this.falling = isFree && ratio > RATIO.low && ratio < RATIO.high ? this.falling + 1 : 0;
    if (this.falling === RATIO.steps) this.converged ||= UNBOUNDED;
    // The step from here squared what was left.
    if (!(decrement > this.tolerance * Math.abs(this.first))) this.converged ||= true;
  }

  /** `direction` = −H⁻¹g, part by part; the loss at x, and gᵀdirection. */
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
      yield* solving({ values: matrix, width }, to, count);
      total.loss += loss;
      for (let j = 0; j < count; j++) total.slope -= downhill[j] * to[j];
    }
    return total;
  }

  /** Along the direction, half as far until the objective falls enough; stays where rounding hides whether it falls. */
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

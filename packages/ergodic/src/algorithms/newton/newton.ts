import { KeptPart } from "../../base/kept-part.ts";
import type { Advance, CurvatureBinding, Penalty, Problem, Progression, Snapshot } from "../../contract.ts";
import { solveInPlace } from "./factor.ts";

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

/** Newton's method as a run: a step is an update (newton-cholesky.ts). */
export class Newton implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  step = 0;
  converged: boolean | string = false;
  private readonly curvature: CurvatureBinding;
  private readonly penalty: Penalty;
  private readonly tolerance: number;
  private readonly rows: number;
  private readonly x: Float64Array;
  private readonly direction: Float64Array;
  /** The objective where the run began. */
  private first = Number.NaN;
  private decrement = Number.NaN;
  private evaluations = 0;
  /** Steps in a row that gained 1/e of the last gain. */
  private falling = 0;

  constructor({ rowGradient, rowCount, parameterCount, start }: Problem, curvature: CurvatureBinding, tolerance: number) {
    this.curvature = curvature;
    this.penalty = rowGradient!.penalty;
    this.tolerance = tolerance;
    this.rows = rowCount;
    this.x = start?.slice() ?? new Float64Array(parameterCount);
    this.direction = new Float64Array(parameterCount);
  }

  get updates(): number {
    return this.step;
  }

  async advance(): Promise<Advance> {
    // A run that is resumed at its end.
    if (this.converged !== false) return { updates: 0, lossSum: 0, rows: 0 };
    const before = this.decrement;
    const { loss, slope } = this.direct();
    const here = loss + this.penaltyAt(this.x);
    if (this.step === 0) this.first = here;
    this.decrement = -slope / 2;
    const now = this.decrement > 0 ? this.walk(here, slope) : loss;
    this.step++;
    const ratio = this.decrement / before;
    // A penalty ends what seems to have no end.
    const isFree = this.penalty.l2 === 0;
    this.falling = isFree && ratio > RATIO.low && ratio < RATIO.high ? this.falling + 1 : 0;
    if (this.falling === RATIO.steps) this.converged ||= UNBOUNDED;
    // The step from here squared what was left.
    if (!(this.decrement > this.tolerance * Math.abs(this.first))) this.converged ||= true;
    return { updates: 1, lossSum: now * this.rows, rows: this.rows };
  }

  /** `direction` = −H⁻¹g, part by part; the loss at x, and gᵀdirection. */
  private direct(): { loss: number; slope: number } {
    const { x, direction, penalty } = this;
    direction.fill(0);
    const total = { loss: 0, slope: 0 };
    for (const [k, { first, count }] of this.curvature.parts.entries()) {
      const { loss, gradient, hessian } = this.curvature.at(x, k);
      const to = direction.subarray(first, first + count);
      for (let j = 0; j < count; j++) {
        const pull = penalty.l2 * penalty.weights[first + j];
        hessian.values[j * (hessian.width + 1)] += pull;
        gradient[j] += pull * x[first + j];
        to[j] = -gradient[j];
      }
      solveInPlace(hessian, to, count);
      total.loss += loss;
      for (let j = 0; j < count; j++) total.slope += gradient[j] * to[j];
    }
    this.evaluations++;
    return total;
  }

  /** Along the direction, half as far until the objective falls enough; stays where rounding hides whether it falls. Returns the loss. */
  private walk(here: number, slope: number): number {
    const { x, direction } = this;
    const before = x.slice();
    for (let length = 1; ; length /= 2) {
      if (length < SHORTEST) {
        x.set(before);
        this.converged = HIDDEN;
        return here - this.penaltyAt(x);
      }
      for (let j = 0; j < x.length; j++) x[j] = before[j] + length * direction[j];
      const loss = this.curvature.value(x);
      this.evaluations++;
      const change = loss + this.penaltyAt(x) - here;
      const hidden = Math.abs(change) <= NOISE * Math.abs(here) && -slope <= NOISE * Math.abs(here);
      if (change <= SUFFICIENT * length * slope || hidden) return loss;
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

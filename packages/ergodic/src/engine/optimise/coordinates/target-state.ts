import type { Companion, CoordinateMove, CoordinateState, Snapshot } from "../../contract/index.ts";
import { OptionError } from "../../errors/errors.ts";
import { KeptPart } from "../../loop/kept-part.ts";
import type { CoordinateTarget } from "./coordinate-target.ts";
import { lineNewton } from "./line-newton.ts";

const EPSILON = 2 ** -52;

/**
 * A point of a user-defined target, with its residual. Moves change one coordinate.
 *
 * With g = ∂f/∂x_j + l2 x_j, F decreases to the right of x_j at the rate −(g + l1) or −(g + l1 sign x_j), and similarly
 * to the left. The violation is the larger of the two rates, where only directions that the bounds allow count. A step
 * of size s/L moves to u = clip(soft(x_j − sg/L, sl1/L) / (1 + sl2/L)), which is exact for a quadratic f at s = 1.
 */
export class TargetState implements CoordinateState {
  readonly curvature?: Float64Array;
  readonly companion?: Companion;
  private readonly target: CoordinateTarget;
  private readonly x: Float64Array;
  private residual: Float64Array;
  /** Vector u of the companion. */
  private readonly u: Float64Array;

  constructor(target: CoordinateTarget, start: Float64Array) {
    this.target = target;
    this.x = start.slice();
    this.u = new Float64Array(start.length);
    this.residual = this.freshResidual();
    if (target.curvature) this.curvature = target.curvature;
    // Without a residual, a companion is possible: it evaluates at other points, for which no residual is stored.
    if (!target.moved) this.companion = { move: (...args) => this.moveBoth(...args), merge: (scale) => this.merge(scale) };
    const value = this.value();
    if (Number.isNaN(value)) refuse(`value(x) is NaN at the start`, "TARGET_VALUE");
  }

  value(): number {
    const { x, target } = this;
    const { l1, l2, lower, upper } = target;
    let penalty = 0;
    for (let j = 0; j < x.length; j++) {
      if (!(x[j] >= lower[j] && x[j] <= upper[j])) return Infinity;
      penalty += l1[j] * Math.abs(x[j]) + (l2[j] / 2) * x[j] * x[j];
    }
    return target.value(x, this.residual) + penalty;
  }

  move(blocks: Uint32Array, { step, estimate }: CoordinateMove): void {
    for (let k = 0; k < blocks.length; k++) {
      const j = blocks[k];
      if (estimate) this.put(j, this.proximal(j, this.x[j], this.estimated(j, estimate, k), estimate.rates[k]));
      else if (step === "lipschitz") this.put(j, this.proximal(j, this.x[j], this.partial(j), 1));
      else this.put(j, this.exact(j));
    }
  }

  violations(): Float64Array {
    return Float64Array.from(this.x, (_, j) => {
      const { left, right } = this.descents(j, this.partial(j));
      return Math.max(0, left, right);
    });
  }

  point(): Float64Array {
    return this.x.slice();
  }

  moveTo(x: Float64Array): void {
    this.x.set(x);
    this.u.fill(0);
    this.residual = this.freshResidual();
  }

  parameters(): Float64Array {
    return this.point();
  }

  snapshot(): Snapshot {
    return { tensors: { x: this.x.slice(), u: this.u.slice(), residual: this.residual.slice() }, state: {} };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the point", snapshot);
    kept.into(this.x, "x");
    kept.into(this.u, "u");
    this.residual = kept.floats("residual", this.residual.length).slice();
  }

  dispose(): void {}

  private moveBoth(blocks: Uint32Array, { scales, steps, ratios }: Parameters<Companion["move"]>[1]): void {
    const { x, u, target } = this;
    const y = new Float64Array(x.length);
    for (let k = 0; k < blocks.length; k++) {
      const j = blocks[k];
      for (let i = 0; i < x.length; i++) y[i] = x[i] + scales[k] * u[i];
      const to = this.proximal(j, x[j], checked(j, y[j], target.partial(y, j, this.residual)), steps[k]);
      u[j] += ratios[k] * (to - x[j]);
      x[j] = to;
    }
  }

  private merge(scale: number): void {
    const { x, u } = this;
    for (let j = 0; j < x.length; j++) x[j] += scale * u[j];
    this.moveTo(x);
  }

  /** Returns the result of a proximal step of size s/L_j along g, from x_j. */
  private proximal(j: number, from: number, g: number, s: number): number {
    const { l1, l2, lower, upper, curvature } = this.target;
    const step = s / curvature![j];
    const there = from - step * g;
    const shrunk = l1[j] === 0 ? there : Math.sign(there) * Math.max(0, Math.abs(there) - step * l1[j]);
    return Math.min(Math.max(shrunk / (1 + step * l2[j]), lower[j]), upper[j]);
  }

  private exact(j: number): number {
    const { target, x } = this;
    if (target.minimiser) {
      const to = target.minimiser(x, j, this.residual);
      if (Number.isNaN(to)) refuse(`minimiser(x, ${j}) is NaN at x[${j}] = ${x[j]}`, "TARGET_VALUE");
      return Math.min(Math.max(to, target.lower[j]), target.upper[j]);
    }
    return target.quadratic ? this.proximal(j, x[j], this.partial(j), 1) : this.searched(j);
  }

  /**
   * Searches downhill along x_j for the point where the slope changes its sign. Continues past the kink at 0 if F still
   * decreases there.
   */
  private searched(j: number): number {
    const { l1, l2, lower, upper } = this.target;
    const from = this.x[j];
    const { left, right } = this.descents(j, this.partial(j));
    if (!(left > 0 || right > 0)) return from;
    const sign = right > 0 ? 1 : -1;
    const guess = this.guess(j, Math.max(left, right));
    if (from + sign * guess === from) return from;
    let base = from;
    let limit = sign > 0 ? upper[j] - from : from - lower[j];
    let slopeAtZero = -Math.max(left, right);
    /** Slope of the smooth part of F in the downhill direction. */
    const slope = (at: number) => sign * (this.partialAt(j, at) + l2[j] * at);
    let kink = from * sign < 0 ? -l1[j] : l1[j];
    if (kink < 0 && -from * sign <= limit) {
      const atZero = slope(0);
      if (Math.abs(atZero) <= l1[j]) return 0;
      if (atZero < 0) [base, limit, kink, slopeAtZero] = [0, limit + from * sign, l1[j], atZero + l1[j]];
    }
    const { curvature } = this;
    const t = lineNewton({
      slope: (r) => slope(base + sign * r) + kink,
      curvature: this.target.secondPartial && ((r) => this.secondAt(j, base + sign * r)),
      slopeAtZero,
      guess: curvature ? -slopeAtZero / curvature[j] : guess,
      limit,
      resolution: EPSILON * Math.abs(from),
    });
    if (t === Infinity) refuse(`value falls without end along coordinate ${j}; give it a bound or a penalty`, "TARGET_UNBOUNDED");
    if (t === limit) return sign > 0 ? upper[j] : lower[j];
    return base + sign * t;
  }

  private guess(j: number, slope: number): number {
    if (this.curvature) return slope / this.curvature[j];
    const { x, target } = this;
    const second = target.secondPartial ? this.secondAt(j, x[j]) : 0;
    return second > 0 ? slope / second : Math.min(slope, Math.max(1, Math.abs(x[j])));
  }

  /**
   * Returns the rates at which F decreases to the left and to the right of x_j, given ∂f/∂x_j. A rate is negative if F
   * increases in its direction, and −Infinity at a bound.
   */
  private descents(j: number, partial: number): { left: number; right: number } {
    const { l1, l2, lower, upper } = this.target;
    const at = this.x[j];
    const g = partial + l2[j] * at;
    return {
      right: at < upper[j] ? -g - (at >= 0 ? l1[j] : -l1[j]) : -Infinity,
      left: at > lower[j] ? g + (at > 0 ? l1[j] : -l1[j]) : -Infinity,
    };
  }

  private partial(j: number): number {
    return checked(j, this.x[j], this.target.partial(this.x, j, this.residual));
  }

  /** Moves x_j to `at` and returns the partial derivative there, which can be infinite or NaN. */
  private partialAt(j: number, at: number): number {
    const from = this.x[j];
    this.put(j, at);
    const partial = this.target.partial(this.x, j, this.residual);
    if (!Number.isFinite(partial) && this.target.moved) {
      // Recomputes the residual, because moving back could leave an invalid one.
      this.x[j] = from;
      this.residual = this.freshResidual();
    }
    return partial;
  }

  private secondAt(j: number, at: number): number {
    this.put(j, at);
    const second = this.target.secondPartial!(this.x, j, this.residual);
    return second > 0 ? second : Number.NaN;
  }

  private estimated(j: number, { rows, stream, first }: NonNullable<CoordinateMove["estimate"]>, k: number): number {
    const { target, x, residual } = this;
    const draws = stream.at(first + k);
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += target.rowPartial!(x, j, draws.integer(target.rows!), residual);
    return checked(j, x[j], sum / rows);
  }

  private put(j: number, to: number): void {
    const { target, x } = this;
    const delta = to - x[j];
    x[j] = to;
    if (delta !== 0) target.moved?.(x, j, delta, this.residual);
  }

  private freshResidual(): Float64Array {
    return this.target.residual?.(this.x) ?? new Float64Array(0);
  }
}

function checked(j: number, at: number, partial: number): number {
  if (!Number.isFinite(partial))
    refuse(`partial(x, ${j}) is ${partial} at x[${j}] = ${at}, but must be a finite number`, "TARGET_PARTIAL");
  return partial;
}

function refuse(message: string, code: string): never {
  throw new OptionError("coordinateTarget", message, code);
}

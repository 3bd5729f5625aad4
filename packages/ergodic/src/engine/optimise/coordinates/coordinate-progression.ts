import { evaluateScalar, scalar } from "../../compiler/index.ts";
import type { Advance, CoordinateState, Progression, Snapshot, Tensor } from "../../contract/index.ts";
import { ErgodicError } from "../../errors/errors.ts";
import { KeptPart } from "../../loop/kept-part.ts";
import { type Stream, stream } from "../../random/stream.ts";
import { isSchedule, type Schedule } from "../schedule.ts";
import { extrapolate, HISTORY } from "./anderson.ts";
import type { ResolvedOptions } from "./coordinate-options.ts";
import { Momentum } from "./nesterov.ts";
import { type PickName, type Picks, picksOf } from "./picks.ts";

export interface ProgressionOptions {
  options: ResolvedOptions;
  pick: PickName;
  blocks: number;
  state: CoordinateState;
  seed: number;
}

/**
 * A running coordinate descent. At the end of each epoch, the descent extrapolates and evaluates the objective. Once
 * every few epochs, the descent also checks for convergence.
 */
export class CoordinateProgression implements Progression {
  readonly stepsPerEpoch: number;
  readonly updatesPerStep = 1;
  step = 0;
  converged = false;
  private readonly options: ResolvedOptions;
  private readonly state: CoordinateState;
  private readonly picks: Picks;
  private readonly rowStream: Stream;
  /** Returns the rate of a move. Moves are counted from 0. */
  private readonly rateAt: (move: number) => number;
  private readonly momentum: Momentum | undefined;
  /** The points after the last few passes, for Anderson extrapolation. */
  private points: Float64Array[] = [];
  /** F at the end of the last epoch. */
  private objective: number;
  /**
   * Measure of convergence at the last check: the relative gap, or the ratio of the largest violation to its initial
   * value.
   */
  private distance = Number.NaN;
  private readonly firstViolation: number;

  constructor({ options, pick, blocks, state, seed }: ProgressionOptions) {
    this.options = options;
    this.state = state;
    this.stepsPerEpoch = blocks;
    this.picks = picksOf(pick, {
      blocks,
      block: options.block,
      stream: stream(seed, "coordinate", "picks"),
      curvature: () => state.curvature!,
      violations: () => state.violations(),
    });
    this.rowStream = stream(seed, "coordinate", "rows");
    this.rateAt = rateOver(options.estimate?.rate ?? 1);
    if (options.acceleration === "nesterov") this.momentum = new Momentum(blocks);
    this.objective = state.value();
    this.firstViolation = state.gap ? 1 : largest(state.violations());
    if (options.acceleration === "anderson") this.points.push(state.point());
  }

  get updates(): number {
    return this.step;
  }

  async advance(steps: number): Promise<Advance> {
    const count = Math.min(steps, this.stepsPerEpoch - (this.step % this.stepsPerEpoch));
    const before = this.objective;
    for (let made = 0; made < count; ) {
      const picked = this.picks.next(this.step, count - made);
      this.move(picked);
      this.step += picked.length;
      made += picked.length;
    }
    if (this.step % this.stepsPerEpoch === 0) this.endEpoch();
    return { updates: count, lossSum: before * count, rows: count };
  }

  parameters(): Float64Array {
    return this.atPoint(() => this.state.parameters());
  }

  report(): Record<string, number> {
    const { objective, distance } = this;
    if (Number.isNaN(distance)) return { objective };
    return { objective, [this.state.gap ? "gap" : "violation"]: distance };
  }

  snapshot(): Snapshot {
    const { step, converged, state, picks, momentum } = this;
    const inner = state.snapshot();
    const tensors: Record<string, Tensor> = {
      numbers: Float64Array.of(this.objective, this.distance, ...(momentum?.numbers ?? [])),
      listed: picks.listed.slice(),
    };
    for (const [name, tensor] of Object.entries(inner.tensors)) tensors[`state.${name}`] = tensor;
    for (const [k, point] of this.points.entries()) tensors[`point.${k}`] = point.slice();
    return { tensors, state: { step, converged, points: this.points.length, inner: inner.state } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the descent", snapshot);
    const own = this.momentum?.numbers.length ?? 0;
    const [objective, distance, ...momentum] = kept.floats("numbers", 2 + own);
    const { length } = this.state.point();
    this.state.restore(kept.part("the point", "state.", kept.object("inner")).snapshot);
    [this.objective, this.distance] = [objective, distance];
    if (this.momentum) this.momentum.numbers = momentum;
    this.picks.listed = kept.indices("listed", this.stepsPerEpoch).slice();
    this.points = Array.from({ length: kept.count("points", 0, HISTORY) }, (_, k) => kept.floats(`point.${k}`, length).slice());
    this.step = kept.count("step");
    this.converged = kept.flag("converged");
  }

  dispose(): void {
    this.state.dispose();
  }

  private move(picked: Uint32Array): void {
    const { state, momentum, step: first } = this;
    const { step, estimate } = this.options;
    if (momentum) momentum.move(state.companion!, picked);
    else if (!estimate) state.move(picked, { step });
    else {
      const rates = Float64Array.from(picked, (_, k) => this.rateAt(first + k));
      state.move(picked, { step, estimate: { rows: estimate.rows, rates, stream: this.rowStream, first } });
    }
  }

  private endEpoch(): void {
    const { state, momentum, options } = this;
    const before = this.objective;
    this.objective = this.atPoint(() => state.value());
    if (!Number.isFinite(this.objective)) {
      throw new ErgodicError(
        "coordinateDescent",
        `the objective is ${this.objective} after ${this.step} moves: the run diverged; use exact steps, larger bounds on the curvature or a smaller rate`,
        "RUN_DIVERGED",
      );
    }
    if (options.acceleration === "anderson") this.accelerate();
    momentum?.endEpoch(state.companion!, this.objective > before);
    if ((this.step / this.stepsPerEpoch) % options.checkEvery === 0) this.check();
  }

  /** After every HISTORY passes, extrapolates, and keeps the result if the objective falls. */
  private accelerate(): void {
    const { state } = this;
    if (this.points.push(state.point()) <= HISTORY) return;
    const guess = extrapolate(this.points);
    if (guess) {
      const kept = state.snapshot();
      state.moveTo(guess);
      const value = state.value();
      if (value < this.objective) this.objective = value;
      else state.restore(kept);
    }
    this.points = [state.point()];
  }

  /**
   * Checks for convergence. With momentum, a check begins with one plain pass. The reason is that averages only
   * approach a kink or a bound, whereas a proximal step puts a coordinate exactly on it. The pass is undone unless the
   * run has converged.
   */
  private check(): void {
    const { state, momentum, options } = this;
    const kept = momentum && state.snapshot();
    if (momentum) {
      state.companion!.merge(momentum.scale);
      state.move(
        Uint32Array.from({ length: this.stepsPerEpoch }, (_, b) => b),
        { step: "lipschitz" },
      );
    }
    this.distance = state.gap?.().relative ?? largest(state.violations()) / (this.firstViolation || 1);
    this.converged = this.distance <= options.tolerance;
    if (!momentum) return;
    if (this.converged) {
      this.objective = state.value();
      momentum.scale = 0;
      momentum.restart(state.companion!);
    } else state.restore(kept!);
  }

  /**
   * Calls a function while the state is at the current point of the descent. With momentum, the state itself is at
   * another point.
   */
  private atPoint<T>(say: () => T): T {
    const { momentum, state } = this;
    if (!momentum || momentum.scale === 0) return say();
    const kept = state.snapshot();
    state.companion!.merge(momentum.scale);
    const said = say();
    state.restore(kept);
    return said;
  }
}

function largest(values: Float64Array): number {
  return values.reduce((most, v) => Math.max(most, v), 0);
}

function rateOver(rate: number | Schedule): (move: number) => number {
  if (!isSchedule(rate)) return () => rate;
  const value = rate.value(scalar("t"));
  return (move) => evaluateScalar(value, { scalars: { t: move + 1 } });
}

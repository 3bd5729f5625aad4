import type { Advance, DualBinding, Plan, Problem, Progression, Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { log } from "../../engine/numbers/log.ts";
import * as field from "../fields.ts";
import { DualLanes } from "./dual-lanes.ts";

export interface DualDescentParts {
  problem: Problem;
  binding: DualBinding;
  plan: Plan;
  shrinking: boolean;
  tolerance: number;
}

/** Maximum number of visits to one output's rows per step. */
const STEP_VISITS = 16384;
/**
 * The active rows count as solved if their violation is at most this share of the violation found by the last check.
 */
const SOLVED_SHARE = 0.5;
/** Maximum and minimum number of epochs between two checks, relative to the number of completed epochs. */
const LATEST_LOOK = 0.4;
const EARLIEST_LOOK = 0.05;

/**
 * A run of dual coordinate descent. The run alternates between visiting rows (kernels/learning/dual.ts) and checking
 * the duality gap over all rows.
 */
export class DualDescent implements Progression {
  readonly stepsPerEpoch: number;
  readonly updatesPerStep: number;
  step = 0;
  updates = 0;
  converged = false;
  private readonly parts: DualDescentParts;
  private readonly engine: Engine;
  private readonly lanes: DualLanes;
  private readonly stepsPerAverage: number;
  /** Epoch in which the gap must be checked again at the latest; 0 before the first check. */
  private nextLook = 0;
  private lookedAt = 0;
  private found = { primal: 0, dual: 0, gap: Infinity, loss: 0 };

  constructor(parts: DualDescentParts, engine: Engine) {
    const { problem, plan, binding } = parts;
    this.parts = parts;
    this.engine = engine;
    this.lanes = new DualLanes(parts, engine);
    const { replicated } = this.lanes;
    this.stepsPerEpoch = Math.max(Math.ceil(problem.rowCount / STEP_VISITS), replicated ? Math.ceil(1 / plan.averageEvery) : 1);
    this.updatesPerStep = binding.outputs.length * Math.ceil(problem.rowCount / this.stepsPerEpoch);
    this.stepsPerAverage = replicated ? Math.max(1, Math.round(plan.averageEvery * this.stepsPerEpoch)) : this.stepsPerEpoch;
  }

  async advance(steps: number): Promise<Advance> {
    if (this.nextLook === 0) await this.firstLook();
    const { stepsPerEpoch, stepsPerAverage, lanes } = this;
    const from = this.step % stepsPerEpoch;
    const to = from + Math.min(steps, stepsPerEpoch - from, stepsPerAverage - (this.step % stepsPerAverage));
    const edge = (rows: number, step: number): number => Math.floor((rows * step) / stepsPerEpoch);
    const visits = lanes.list.map(({ rows }) => edge(rows, to) - edge(rows, from));
    const made = await this.run(
      "dualAscend",
      lanes.list.map((lane, l) => [lane.pointer, visits[l]]),
    );
    this.step += to - from;
    const updates = made.reduce((a, b) => a + b, 0);
    this.updates += updates;
    if (this.step % stepsPerAverage === 0) await this.bringTogether();
    const rows = visits.reduce((a, b) => a + b, 0);
    return { updates, lossSum: this.found.loss * rows, rows };
  }

  parameters(): Float64Array {
    return Float64Array.from(this.lanes.points().flatMap((p) => [...p]));
  }

  report(): Record<string, number> {
    const { primal, dual, gap } = this.found;
    return { primal, dual, gap, active: this.lanes.active };
  }

  snapshot(): Snapshot {
    const { step, updates, converged, nextLook, lookedAt } = this;
    const { primal, dual, gap, loss } = this.found;
    return {
      tensors: { ...this.lanes.tensors(), found: Float64Array.of(primal, dual, gap, loss) },
      state: { step, updates, converged, nextLook, lookedAt },
    };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the ascent", snapshot);
    const [primal, dual, gap, loss] = kept.floats("found", 4);
    this.lanes.restore(kept);
    this.found = { primal, dual, gap, loss };
    this.step = kept.count("step");
    this.updates = kept.count("updates");
    this.nextLook = kept.count("nextLook");
    this.lookedAt = kept.count("lookedAt");
    this.converged = kept.flag("converged");
  }

  dispose(): void {
    this.lanes.dispose();
    this.parts.binding.dispose();
  }

  /**
   * Synchronises the lanes when replicas are averaged or an epoch ends. Each replica solves only its own problem, so
   * even if all replicas converge, the whole problem may not have converged.
   */
  private async bringTogether(): Promise<void> {
    const { lanes } = this;
    if (lanes.replicated) lanes.average();
    const solved = !lanes.replicated && lanes.solved;
    const epochEnds = this.step % this.stepsPerEpoch === 0;
    if (epochEnds && (solved || this.step >= this.nextLook * this.stepsPerEpoch)) await this.look();
    lanes.deal(this.step);
  }

  /** Computes p from the initial β and checks the gap. */
  private async firstLook(): Promise<void> {
    await this.collect();
    await this.look();
    this.lanes.deal(0);
  }

  /**
   * Computes primal, dual and violation over all rows, and plans the next check. Recomputes p from β before certifying
   * convergence, because incremental updates accumulate rounding errors.
   */
  private async look(): Promise<void> {
    const { gap: before } = this.found;
    let violation = await this.measure();
    if (this.found.gap <= this.parts.tolerance) {
      await this.collect();
      violation = await this.measure();
    }
    this.converged = this.found.gap <= this.parts.tolerance;
    this.lanes.aim(violation, SOLVED_SHARE * violation);
    this.planLook(before);
  }

  /**
   * Plans the next check for the epoch at which the gap will meet the tolerance, if it continues to fall at the same
   * rate.
   */
  private planLook(before: number): void {
    const epochs = this.step / this.stepsPerEpoch;
    const { gap } = this.found;
    const most = Math.max(1, Math.floor(LATEST_LOOK * epochs));
    const least = Math.max(1, Math.floor(EARLIEST_LOOK * epochs));
    const rate = log(before / gap) / (epochs - this.lookedAt);
    const left = rate > 0 && rate < Infinity ? Math.ceil(log(gap / this.parts.tolerance) / rate) : most;
    this.nextLook = epochs + Math.min(most, Math.max(least, left));
    this.lookedAt = epochs;
  }

  private async collect(): Promise<void> {
    await this.run(
      "dualCollect",
      this.lanes.list.map(({ pointer, part }) => [pointer, part]),
    );
    this.lanes.gather();
  }

  /** Writes the results to `found` and returns the largest violation. */
  private async measure(): Promise<number> {
    const { lanes } = this;
    const { l2, normWeights } = this.parts.binding;
    lanes.undeal();
    await this.run(
      "dualGap",
      lanes.list.map(({ pointer }) => [pointer]),
    );
    const sum = (at: number): number => lanes.list.reduce((total, lane) => total + lanes.number(lane, at), 0);
    const squares = lanes.points().map((point) => point.reduce((total, p, j) => total + normWeights[j] * p * p, 0));
    const loss = l2 * sum(field.ASCENT_LOSS_F64);
    const primal = loss + (l2 / 2) * squares.reduce((a, b) => a + b, 0);
    const apart = l2 * sum(field.ASCENT_GAP_F64);
    this.found = { primal, dual: primal - apart, gap: apart / Math.max(Math.abs(primal), Number.MIN_VALUE), loss };
    return Math.max(...lanes.list.map((lane) => lanes.number(lane, field.ASCENT_VIOLATION_F64)));
  }

  private run(kernel: string, args: number[][]): Promise<number[]> {
    const { workers, deterministic } = this.parts.plan;
    const calls = args.map((one) => ({ kernel, args: one }));
    return this.engine.run(calls, { workers: Math.max(1, Math.min(workers, calls.length)), deterministic });
  }
}

import type { Advance, LogDensity, Snapshot, Tensor } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { ChainDraws } from "../samplers/base/chain-draws.ts";
import { checkSamplingPlan, needGradient, type Sampling, type SamplingPlan } from "../samplers/base/sampler.ts";
import type { BatchPoint } from "./batch-point.ts";
import { DensityPoint } from "./density-point.ts";
import { type Kept, keep, recall } from "./kept.ts";

/**
 * Base class of variational algorithms. A run is an iterative optimisation on this thread that ends at convergence or
 * at its limit.
 *
 * A run lists its parts, and a snapshot stores them bit for bit. The result of a run does not depend on how `advance`
 * is called.
 */
export abstract class SteppedRun implements Sampling {
  step = 0;
  /** Maximum number of steps. */
  abstract readonly stepsPerEpoch: number;
  readonly updatesPerStep = 1;
  protected readonly name: string;
  protected readonly plan: SamplingPlan;
  protected readonly dimension: number;
  protected readonly point: DensityPoint;
  /** Minibatch estimates of the log density. Undefined if the run does not use minibatches. */
  protected batches: BatchPoint | undefined;
  private begun = false;

  constructor(name: string, density: LogDensity, plan: SamplingPlan, engine: Engine) {
    checkSamplingPlan(name, plan, density.dimension);
    needGradient(name, density);
    this.name = name;
    this.plan = plan;
    this.dimension = density.dimension;
    this.point = new DensityPoint(engine, density, name);
  }

  protected abstract begin(): Promise<void>;
  /** Makes one step. Returns the loss after the step, if known. */
  protected abstract move(): number | undefined | Promise<undefined>;
  /** Reason why the run is complete, or false if it is not. */
  abstract readonly converged: boolean | string;
  protected abstract parts(): Record<string, Kept>;
  /**
   * Called after a restore. Recomputes the values that are derived from the parts. Refuses parts that do not match each
   * other. Evaluations are not counted again.
   */
  protected recalled(_kept: KeptPart): void {}
  abstract draws(): ChainDraws;
  abstract parameters(): Float64Array;
  abstract report(): Record<string, number>;

  get updates(): number {
    return this.step;
  }

  async advance(steps: number): Promise<Advance> {
    const made: Advance = { updates: 0, lossSum: 0, rows: 0 };
    if (!this.begun) {
      await this.begin();
      this.begun = true;
    }
    for (let i = 0; i < steps && this.converged === false; i++) {
      const loss = await this.move();
      this.step++;
      made.updates++;
      if (loss === undefined || !Number.isFinite(loss)) continue;
      made.lossSum += loss;
      made.rows++;
    }
    return made;
  }

  snapshot(): Snapshot {
    const tensors: Record<string, Tensor> = {};
    for (const [name, part] of Object.entries(this.parts())) keep(name, part, tensors);
    const { chains, seed } = this.plan;
    return { tensors, state: { step: this.step, begun: this.begun, evaluations: this.point.evaluations, chains, seed } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart(this.name, snapshot);
    for (const [name, part] of Object.entries(this.parts())) recall(name, part, kept);
    this.step = kept.count("step");
    this.begun = kept.flag("begun");
    if (this.step > 0 && !this.begun) kept.refuse("it has made steps, but has not begun");
    this.recalled(kept);
    this.point.evaluations = kept.count("evaluations");
  }

  dispose(): void {
    this.batches?.dispose();
    this.point.dispose();
  }
}

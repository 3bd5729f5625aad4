import type { LogDensity } from "../../../engine/contract/index.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { ChainsRun } from "./chains-run.ts";
import { learnedFactor } from "./learned-factor.ts";
import type { SamplingPlan } from "./sampler.ts";
import { placeChains } from "./starting-points.ts";
import { WalkChain, type WalkOptions, walkFields } from "./walk-chain.ts";
import { type WindowOptions, type Windows, warmupWindows } from "./windows.ts";

export interface WalkRunOptions extends WalkOptions {
  name: string;
  /** Whether steps adapt during warm-up. Default true. */
  stepsAdapt?: boolean;
  /** Warm-up windows in which a covariance is estimated. Absent: none. */
  windows?: WindowOptions;
  /** Kernel that replaces `kernel` until the end of the last window. */
  windowsKernel?: WalkOptions["kernel"];
  /** Applies a window's estimates: the mean, and the factor L of the covariance L Lᵀ, f64[d, d] or f64[d]. */
  learn?: (chain: WalkChain, mean: Float64Array, factor: Float64Array) => void;
  /** Prepares a chain before its first transition, unless the run resumes from a snapshot. */
  prepare?: (chain: WalkChain) => void;
}

/**
 * A run of several chains of Metropolis or slice sampling. Transitions run in the kernels, one call per chain and
 * stretch. During warm-up, steps adapt in every transition, and covariances adapt at the ends of windows (windows.ts).
 * After warm-up, nothing adapts.
 *
 * Each chain's streams: "start" (update i is the i-th attempt at a starting point), "transition" (update t is
 * transition t).
 *
 * @throws ErgodicError if no starting point has a finite log density
 */
export class WalkRun extends ChainsRun<WalkChain> {
  private readonly options: WalkRunOptions;
  private readonly windows: Windows;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: WalkRunOptions) {
    super(options.name, plan, density.dimension, walkFields, engine);
    this.options = options;
    this.windows = warmupWindows(options.windows ? plan.warmup : 0, options.windows);
    this.addChains((c) => new WalkChain(engine, density, c, plan.seed, options));
    if (options.prepare) for (const chain of this.chains) options.prepare(chain);
  }

  protected begin(): Promise<void> {
    return placeChains(this.name, this.chains, this.plan, (calls) => this.run(calls));
  }

  protected async advanceChains(first: number, count: number, adapt: boolean): Promise<void> {
    const { stepsAdapt = true, kernel, windowsKernel = kernel } = this.options;
    const own = first < this.windows.stop ? windowsKernel : kernel;
    await this.run(this.chains.map((chain) => chain.run(own, first, count, adapt && stepsAdapt)));
  }

  protected override boundaries(): readonly number[] {
    return this.windows.ends;
  }

  protected override observe(c: number, count: number): void {
    const { draws } = this.chains[c].stretch(count);
    for (let k = 0; k < count; k++) {
      const inWindow = this.step + k >= this.windows.start && this.step + k < this.windows.stop;
      if (!inWindow) continue;
      const draw = draws.subarray(k * this.dimension, (k + 1) * this.dimension);
      this.chains[c].estimator.add(draw, draw, false);
    }
  }

  protected override adapt(): void {
    for (const chain of this.chains) {
      if (this.windows.ends.includes(this.step)) {
        const { estimator } = chain;
        const factor = learnedFactor(estimator);
        if (factor) this.options.learn?.(chain, estimator.state.slice(1, 1 + this.dimension), factor);
        estimator.reset();
      }
      if (this.step === this.plan.warmup) chain.averageSteps();
    }
  }

  /** `stepSize`: the mean over chains, and over coordinates if each has its own step. Absent if there is no step. */
  protected override reportMore(): Record<string, number> {
    if (this.options.kernel === "ellipticalSliceRun") return {};
    const means = this.chains.map(({ steps }) => steps.reduce((sum, step) => sum + step, 0) / steps.length);
    return { stepSize: means.reduce((sum, step) => sum + step, 0) / means.length };
  }
}

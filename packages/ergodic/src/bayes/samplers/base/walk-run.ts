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
  /** false: steps stay as they are given. Default: true. */
  stepsAdapt?: boolean;
  /** When a covariance is estimated; absent: never. */
  windows?: WindowOptions;
  /** Makes the transitions before the last window ends, in place of `kernel`. */
  windowsKernel?: WalkOptions["kernel"];
  /** Takes over what a window saw: the mean, and L with L Lᵀ its covariance, f64[d, d] or f64[d]. */
  learn?: (chain: WalkChain, mean: Float64Array, factor: Float64Array) => void;
  /** Before the first transition, where the run does not go on from a snapshot. */
  prepare?: (chain: WalkChain) => void;
}

/**
 * A run of several chains of Metropolis or slice sampling: transitions in the kernels, one call a chain and stretch. In warm-up steps adapt in every
 * transition, and covariances at the ends of windows (windows.ts); afterwards nothing does.
 *
 * Each chain's streams: "start" (update i is the i-th attempt at a starting point), "transition" (update t is transition t).
 *
 * @throws ErgodicError where no starting point has a finite log density
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

  /** `stepSize`: the mean over chains, and over coordinates where each has its own; nothing where there is no step. */
  protected override reportMore(): Record<string, number> {
    if (this.options.kernel === "ellipticalSliceRun") return {};
    const means = this.chains.map(({ steps }) => steps.reduce((sum, step) => sum + step, 0) / steps.length);
    return { stepSize: means.reduce((sum, step) => sum + step, 0) / means.length };
  }
}

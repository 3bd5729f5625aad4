/**
 * A run of several chains of Hamiltonian Monte Carlo: warm-up by a schedule (warmup.ts), then draws that are kept. Transitions run in the kernels, one call a chain and
 * stretch; between stretches, at fixed transitions, metrics are renewed.
 *
 * Each chain's streams: "start" (update i is the i-th attempt at a starting point), "transition" (update t is transition t; FIRST_STEP + k the k-th search
 * for a step size), "place" (update t: which chain's place it takes before transition t).
 *
 * @throws ErgodicError where no starting point has a finite log density and gradient, or a step size leaves (0, 10⁷]
 */
import { ErgodicError } from "../../../base/errors.ts";
import { exp } from "../../../base/exp.ts";
import { stream } from "../../../base/stream.ts";
import type { JsonObject, LogDensity } from "../../../contract.ts";
import type { Engine } from "../../../host/engine.ts";
import { ChainsRun } from "../../sampling/chains-run.ts";
import { needGradient, type SamplingPlan } from "../../sampling/sampler.ts";
import { placeChains } from "../../sampling/starting-points.ts";
import { Chain, type ChainOptions, transitionFields } from "./chain.ts";
import { type DualAveraging, startAveraging } from "./dual-averaging.ts";
import { inPlace } from "./regroup.ts";
import { type Warmup, warmupSchedule } from "./warmup.ts";
import type { WindowOptions } from "./windows.ts";

export interface HamiltonianOptions extends ChainOptions {
  name: string;
  averaging: DualAveraging;
  windows: WindowOptions;
}

const FIRST_STEP = 2 ** 52;
const DIVERGENT = transitionFields.indexOf("divergent");
const LEAPFROGS = transitionFields.indexOf("leapfrogs");
const LOG_DENSITY = transitionFields.indexOf("logDensity");

export class HamiltonianRun extends ChainsRun<Chain> {
  private readonly averaging: DualAveraging;
  private readonly warmup: Warmup;
  private readonly regroup: boolean;
  private readonly seed: number;
  private warmupLeapfrogs = 0;
  /** By chain: Σ log density since the last renewal. */
  private levels: number[];
  private moved = 0;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: HamiltonianOptions) {
    super(options.name, plan, density.dimension, transitionFields, engine);
    needGradient(options.name, density);
    this.averaging = options.averaging;
    this.warmup = warmupSchedule(options.adaptation, plan.warmup, options.windows);
    // Within another sampler, chains have targets of their own.
    this.regroup = options.regroup && plan.keep !== false;
    this.seed = plan.seed;
    this.levels = new Array<number>(plan.chains).fill(0);
    this.addChains((c) => new Chain(engine, density, c, plan.seed, options));
  }

  protected async begin(): Promise<void> {
    await placeChains(this.name, this.chains, this.plan, (calls) => this.run(calls));
    if (this.plan.warmup > 0) await this.findSteps(0);
  }

  protected async advanceChains(first: number, count: number, adapt: boolean): Promise<void> {
    await this.run(this.chains.map((chain) => chain.run(first, count, adapt)));
  }

  protected override boundaries(): readonly number[] {
    return this.warmup.renewals.map(({ at }) => at);
  }

  protected override observe(c: number, count: number): void {
    const { draws, gradients, transitions } = this.chains[c].stretch(count);
    const { dimension: d } = this;
    const { start, stop } = this.warmup;
    for (let k = 0; k < count; k++) {
      this.warmupLeapfrogs += transitions[k * transitionFields.length + LEAPFROGS];
      this.levels[c] += transitions[k * transitionFields.length + LOG_DENSITY];
      if (this.step + k < start || this.step + k >= stop) continue;
      const divergent = transitions[k * transitionFields.length + DIVERGENT];
      const [from, to] = [k * d, k * d + d];
      for (const estimator of this.chains[c].estimators)
        estimator.add(draws.subarray(from, to), gradients.subarray(from, to), divergent > 0);
    }
  }

  /** New metrics when they are due; after warm-up, the averaged step. */
  protected override async adapt(): Promise<void> {
    const { renewals } = this.warmup;
    const due = renewals.findIndex(({ at }) => at === this.step);
    if (due >= 0) {
      for (const chain of this.chains) chain.renewMetric(renewals[due].forget);
      if (renewals[due].compare && this.regroup) this.moveChains(this.step - renewals[due - 1].at);
      this.levels.fill(0);
      if (renewals[due].restart) await this.findSteps(due + 1);
    }
    if (this.step !== this.plan.warmup) return;
    for (const chain of this.chains) {
      const averaging = chain.averaging;
      // Right after a restart there is no average yet.
      if (averaging[5] > 0) chain.stepSize = exp(averaging[7]);
    }
  }

  protected override stateOf(): JsonObject {
    return { warmupLeapfrogs: this.warmupLeapfrogs, levels: [...this.levels], moved: this.moved };
  }

  protected override restoreState({ warmupLeapfrogs, levels, moved }: JsonObject): void {
    this.warmupLeapfrogs = Number(warmupLeapfrogs);
    this.levels = [...(levels as number[])];
    this.moved = Number(moved);
  }

  /** `leapfrogs`: of all chains, so far, warm-up's included. `stepSize`: the mean over chains. `moved`: chains that warm-up moved, where it did. */
  protected override reportMore(): Record<string, number> {
    const drawn = this.draws().transition("leapfrogs");
    return {
      leapfrogs: drawn.reduce((sum, count) => sum + count, this.warmupLeapfrogs),
      stepSize: this.chains.reduce((sum, chain) => sum + chain.stepSize / this.chains.length, 0),
      ...(this.moved > 0 ? { moved: this.moved } : {}),
    };
  }

  /** Chains out of place take that of one of the others. `count`: transitions since levels were 0. */
  private moveChains(count: number): void {
    const placed = inPlace(
      this.chains.map((chain, c) => this.levels[c] / count + chain.logVolume),
      this.dimension,
    );
    const others = this.chains.filter((_, c) => placed[c]);
    this.chains.forEach((chain, c) => {
      if (placed[c]) return;
      const uniform = stream(this.seed, "chain", c, "place").at(this.step).uniform();
      chain.moveTo(others[Math.floor(uniform * others.length)]);
      this.moved++;
    });
  }

  private async findSteps(search: number): Promise<void> {
    const failed = await this.run(
      this.chains.map((chain) => ({ kernel: "firstStep", args: [chain.block, FIRST_STEP + search] })),
    );
    const c = failed.findIndex((code) => code !== 0);
    if (c >= 0)
      throw new ErgodicError(
        this.name,
        `chain ${c} found no step size in (0, 1e7] at transition ${this.step}, as the log density does not change with it, or is not finite around; check that the posterior is proper and its gradient right`,
        "SAMPLE_STEP",
      );
    for (const chain of this.chains) chain.averaging.set(startAveraging(this.averaging, chain.stepSize));
  }
}

/**
 * A run of several chains of Hamiltonian Monte Carlo: warm-up in windows, then draws that are kept. Transitions run in the kernels, one call a chain and
 * stretch; between stretches, at fixed transitions, metrics are renewed. Draws depend on the seed and the plan's lengths alone: not on the
 * number of workers, nor on how `advance` is called.
 *
 * Each chain's streams: "start" (update i is the i-th attempt at a starting point), "transition" (update t is transition t; FIRST_STEP + k the k-th search
 * for a step size). A snapshot goes on bit for bit, also under a plan with more draws.
 *
 * @throws ErgodicError where no starting point has a finite log density and gradient, or a step size leaves (0, 10⁷]
 */
import { assert, ErgodicError } from "../../base/errors.ts";
import { exp } from "../../base/exp.ts";
import type { Advance, LogDensity, Snapshot, Tensor } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import type { Call } from "../../host/pool.ts";
import { Chain, type ChainOptions } from "./chain.ts";
import { Draws, transitionFields } from "./draws.ts";
import { type DualAveraging, startAveraging } from "./dual-averaging.ts";
import { checkSamplingPlan, type Sampling, type SamplingPlan } from "./sampler.ts";
import { placeChains } from "./starting-points.ts";
import { type WindowOptions, type Windows, warmupWindows } from "./windows.ts";

export interface HamiltonianOptions extends ChainOptions {
  name: string;
  averaging: DualAveraging;
  windows: WindowOptions;
}

const FIRST_STEP = 2 ** 52;
const WIDTH = transitionFields.length;
const DIVERGENT = transitionFields.indexOf("divergent");

export class HamiltonianRun implements Sampling {
  readonly stepsPerEpoch: number;
  readonly updatesPerStep: number;
  step = 0;
  private readonly chains: Chain[] = [];
  private readonly engine: Engine;
  private readonly options: HamiltonianOptions;
  private readonly plan: SamplingPlan;
  private readonly dimension: number;
  private readonly windows: Windows;
  /** [chain, draw, …] of the plan's full lengths. */
  private readonly values: Float64Array;
  private readonly transitions: Float64Array;
  private begun = false;
  private warmupDivergences = 0;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: HamiltonianOptions) {
    checkSamplingPlan(options.name, plan, density.dimension);
    this.engine = engine;
    this.options = options;
    this.plan = plan;
    this.dimension = density.dimension;
    this.windows = warmupWindows(plan.warmup, options.windows);
    this.stepsPerEpoch = plan.warmup + plan.draws;
    this.updatesPerStep = plan.chains;
    const kept = plan.chains * plan.draws;
    this.values = new Float64Array(kept * this.dimension);
    this.transitions = new Float64Array(kept * WIDTH);
    try {
      for (let c = 0; c < plan.chains; c++) this.chains.push(new Chain(engine, density, c, plan.seed, options));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  get updates(): number {
    return this.step * this.plan.chains;
  }

  get converged(): boolean | string {
    return this.step >= this.stepsPerEpoch && "all draws are made";
  }

  async advance(steps: number): Promise<Advance> {
    const made: Advance = { updates: 0, lossSum: 0, rows: 0 };
    if (!this.begun) await this.begin();
    const to = Math.min(this.step + steps, this.stepsPerEpoch);
    while (this.step < to) {
      const count = Math.min(to, this.nextBoundary()) - this.step;
      const stretch = Math.min(count, this.chains[0].capacity);
      const adapt = this.step < this.plan.warmup;
      await this.run(this.chains.map((chain) => chain.run(this.step, stretch, adapt)));
      for (let c = 0; c < this.chains.length; c++) made.lossSum += this.keep(c, stretch);
      this.step += stretch;
      made.updates += stretch * this.chains.length;
      await this.adapt();
    }
    made.rows = made.updates;
    return made;
  }

  /** The mean of the draws so far, over all chains; before the first, of where the chains stand. */
  parameters(): Float64Array {
    const mean = new Float64Array(this.dimension);
    const kept = this.kept;
    const points = this.chains.flatMap((chain, c) =>
      kept === 0 ? [chain.position] : Array.from({ length: kept }, (_, k) => this.drawAt(c, k)),
    );
    for (const point of points) for (let i = 0; i < mean.length; i++) mean[i] += point[i] / points.length;
    return mean;
  }

  draws(): Draws {
    const { kept, dimension: d } = this;
    const { chains, draws } = this.plan;
    const values = new Float64Array(chains * kept * d);
    const transitions = new Float64Array(chains * kept * WIDTH);
    for (let c = 0; c < chains; c++) {
      values.set(this.values.subarray(c * draws * d, (c * draws + kept) * d), c * kept * d);
      transitions.set(this.transitions.subarray(c * draws * WIDTH, (c * draws + kept) * WIDTH), c * kept * WIDTH);
    }
    return new Draws(chains, kept, d, values, transitions);
  }

  /** `stepSize`: the mean over chains; `divergences`: of the draws, and while none are kept of warm-up. */
  report(): Record<string, number> {
    const stepSize = this.chains.reduce((sum, chain) => sum + chain.stepSize / this.chains.length, 0);
    const divergences = this.kept > 0 ? this.draws().divergences : this.warmupDivergences;
    return { draws: this.kept, stepSize, divergences };
  }

  snapshot(): Snapshot {
    const tensors: Record<string, Tensor> = {};
    this.chains.forEach((chain, c) => {
      for (const [name, view] of Object.entries(chain.views())) tensors[`${name}.${c}`] = view.slice();
    });
    const { draws, warmup } = this.plan;
    const { kept, dimension: d } = this;
    this.chains.forEach((_, c) => {
      tensors[`draws.${c}`] = this.values.slice(c * draws * d, (c * draws + kept) * d);
      tensors[`transitions.${c}`] = this.transitions.slice(c * draws * WIDTH, (c * draws + kept) * WIDTH);
    });
    return { tensors, state: { step: this.step, begun: this.begun, warmup, warmupDivergences: this.warmupDivergences } };
  }

  restore({ tensors, state }: Snapshot): void {
    const { draws, warmup } = this.plan;
    const kept = Math.max(0, Number(state.step) - warmup);
    if (state.warmup !== warmup || kept > draws)
      throw new ErgodicError(
        this.options.name,
        `the snapshot is of ${state.warmup} warm-up transitions and ${kept} draws, but the plan is of ${warmup} and ${draws}; keep the warm-up, and ask for at least as many draws`,
        "SAMPLE_PLAN",
      );
    this.chains.forEach((chain, c) => {
      for (const [name, view] of Object.entries(chain.views()))
        (view as Float64Array).set(tensors[`${name}.${c}`] as Float64Array);
      this.values.set(tensors[`draws.${c}`] as Float64Array, c * draws * this.dimension);
      this.transitions.set(tensors[`transitions.${c}`] as Float64Array, c * draws * WIDTH);
    });
    this.step = Number(state.step);
    this.begun = Boolean(state.begun);
    this.warmupDivergences = Number(state.warmupDivergences);
  }

  dispose(): void {
    for (const chain of this.chains.splice(0)) chain.dispose();
  }

  private get kept(): number {
    return Math.max(0, this.step - this.plan.warmup);
  }

  private drawAt(c: number, k: number): Float64Array {
    const at = (c * this.plan.draws + k) * this.dimension;
    return this.values.subarray(at, at + this.dimension);
  }

  private run(calls: Call[]): Promise<number[]> {
    const { workers, deterministic } = this.plan;
    return this.engine.run(calls, { workers: Math.max(1, Math.min(workers, calls.length)), deterministic });
  }

  /** The transition before which something is adapted, warm-up ends, or the run does. */
  private nextBoundary(): number {
    const { warmup } = this.plan;
    const boundaries = [...this.windows.ends, warmup, this.stepsPerEpoch];
    return boundaries.find((at) => at > this.step) ?? this.stepsPerEpoch;
  }

  /** Takes over what chain c's last stretch left; returns −Σ log density. */
  private keep(c: number, count: number): number {
    const { draws, gradients, transitions } = this.chains[c].stretch(count);
    const { warmup } = this.plan;
    const d = this.dimension;
    let sum = 0;
    for (let k = 0; k < count; k++) sum -= transitions[k * WIDTH];
    if (this.step >= warmup) {
      const at = c * this.plan.draws + this.step - warmup;
      this.values.set(draws, at * d);
      this.transitions.set(transitions, at * WIDTH);
      return sum;
    }
    for (let k = 0; k < count; k++) {
      const divergent = transitions[k * WIDTH + DIVERGENT];
      this.warmupDivergences += divergent;
      const inWindow = this.step + k >= this.windows.start && this.step + k < this.windows.stop;
      if (!inWindow) continue;
      const [from, to] = [k * d, k * d + d];
      this.chains[c].estimator.add(draws.subarray(from, to), gradients.subarray(from, to), divergent > 0);
    }
    return sum;
  }

  /** What is due before transition `step`: after a window, new metrics; after warm-up, the averaged step. */
  private async adapt(): Promise<void> {
    const window = this.windows.ends.indexOf(this.step);
    if (window >= 0) {
      for (const chain of this.chains) {
        const metric = chain.estimator.metric();
        if (metric) chain.setMetric(metric);
        chain.estimator.reset();
      }
      await this.findSteps(window + 1);
    }
    if (this.step !== this.plan.warmup) return;
    for (const chain of this.chains) {
      const averaging = chain.averaging;
      // Right after a restart there is no average yet.
      if (averaging[5] > 0) chain.stepSize = exp(averaging[7]);
    }
  }

  private async findSteps(search: number): Promise<void> {
    const failed = await this.run(
      this.chains.map((chain) => ({ kernel: "firstStep", args: [chain.block, FIRST_STEP + search] })),
    );
    const c = failed.findIndex((code) => code !== 0);
    if (c >= 0)
      throw new ErgodicError(
        this.options.name,
        `chain ${c} found no step size in (0, 1e7] at transition ${this.step}, as the log density does not change with it, or is not finite around; check that the posterior is proper and its gradient right`,
        "SAMPLE_STEP",
      );
    for (const chain of this.chains) chain.averaging.set(startAveraging(this.options.averaging, chain.stepSize));
  }

  private async begin(): Promise<void> {
    assert(this.step === 0, "a run begins at its first transition");
    await placeChains(this.options.name, this.chains, this.plan, (calls) => this.run(calls));
    if (this.plan.warmup > 0) await this.findSteps(0);
    this.begun = true;
  }
}

/**
 * A run of several chains of stochastic-gradient Monte Carlo. Stretches of transitions run in the kernel, one call a chain; step sizes and noise are
 * those of the schedule. There is nothing to adapt: warm-up is burn-in.
 *
 * Each chain's streams: "start" (update i is the i-th attempt at a starting point), "rows" (update k draws the batch of update k), "noise" (2k: its normals;
 * 2k + 1: a fresh momentum before it). The run's own stream "curvature" draws what curvature.ts needs.
 *
 * `dataPasses` of reports: gradients of single rows that were evaluated so far, over all chains, divided by N: a batch costs n, twice that with control variates; x* and
 * the search for it, N an evaluation, and so do those that tell V of psgld there. Without rows to draw, gradients evaluated.
 *
 * @throws ErgodicError where there is no finite starting point or mode, or a chain leaves finite numbers
 */
import { CapabilityError, ErgodicError } from "../../../base/errors.ts";
import { stream } from "../../../base/stream.ts";
import type { JsonObject, LogDensity } from "../../../contract.ts";
import { Arena } from "../../../host/arena.ts";
import type { Engine } from "../../../host/engine.ts";
import { STOCHASTIC_PRECONDITIONED } from "../../../host/fields.ts";
import { ChainsRun } from "../../sampling/chains-run.ts";
import { needGradient, type SamplingPlan } from "../../sampling/sampler.ts";
import { placeChains } from "../../sampling/starting-points.ts";
import { StochasticChain, type StochasticRule, transitionFields } from "./chain.ts";
import { curvatureAt } from "./curvature.ts";
import { batchOf, type Estimate } from "./estimate.ts";
import { type Evaluate, findMode } from "./mode.ts";
import type { StepSchedule } from "./schedule.ts";

export interface StochasticOptions {
  name: string;
  rule: StochasticRule;
  schedule: StepSchedule;
  estimate: Estimate;
}

/** Updates of a stretch, and its transitions, at most; a single transition may have more. */
const MOST_UPDATES = 8192;
const LONGEST_STRETCH = 256;

export class StochasticRun extends ChainsRun<StochasticChain> {
  private readonly options: StochasticOptions;
  private readonly memory: Engine["memory"];
  private readonly evaluator: (slot: number) => (...args: number[]) => number;
  private readonly arena: Arena;
  private readonly at: { updates: number; steps: number; temperatures: number };
  private readonly batch: number;
  private readonly rowCount: number;
  /** Passes over the data before the first transition. */
  private passesBefore = 0;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: StochasticOptions) {
    super(options.name, plan, density.dimension, transitionFields, engine);
    needGradient(options.name, density);
    const { schedule, estimate, rule } = options;
    this.options = options;
    this.memory = engine.memory;
    this.evaluator = (slot) => engine.atSlot(slot);
    this.batch = batchOf(options.name, estimate, density);
    this.rowCount = density.minibatches?.rowCount ?? 1;
    const capacity = Math.max(1, Math.min(LONGEST_STRETCH, Math.floor(MOST_UPDATES / schedule.mostUpdates)));
    this.arena = new Arena(engine.memory, options.name);
    const updates = capacity * schedule.mostUpdates;
    this.at = {
      updates: this.arena.take(4 * capacity),
      steps: this.arena.take(8 * updates),
      temperatures: this.arena.take(8 * updates),
    };
    const chain = { rule, batch: this.batch, centred: estimate.centre !== undefined, centreEvery: estimate.every, capacity };
    this.addChains((c) => new StochasticChain(engine, density, c, plan.seed, chain));
  }

  protected async begin(): Promise<void> {
    const { chains, plan } = this;
    if (this.options.estimate.centre !== "mode") {
      await placeChains(this.name, chains, plan, (calls) => {
        this.passesBefore += calls.length;
        return this.run(calls);
      });
      return;
    }
    // One search serves all chains.
    await placeChains(this.name, [chains[0]], plan, (calls) => {
      this.passesBefore += calls.length;
      return this.run(calls);
    });
    const { kernel, args } = chains[0].evaluation();
    const evaluate = this.evaluator(kernel);
    const evaluateAt: Evaluate = (x, gradient) => {
      chains[0].position.set(x);
      const value = evaluate(...args);
      gradient.set(chains[0].gradient);
      return value;
    };
    const mode = findMode(this.name, evaluateAt, chains[0].position.slice());
    const preconditioned = this.options.rule.kind === STOCHASTIC_PRECONDITIONED;
    const squares = preconditioned && curvatureAt(this.name, evaluateAt, mode, stream(plan.seed, "curvature"));
    this.passesBefore += mode.evaluations;
    for (const chain of chains) {
      chain.position.set(mode.x);
      if (squares) chain.momentum.set(squares);
      chain.setCentre(mode.x, mode.gradient, mode.value);
    }
  }

  protected async advanceChains(first: number, count: number): Promise<void> {
    const { schedule } = this.options;
    const from = schedule.updatesBefore(first);
    const to = schedule.updatesBefore(first + count);
    const counts = this.memory.u32(this.at.updates, count);
    for (let i = 0; i < count; i++) counts[i] = schedule.updatesBefore(first + i + 1) - schedule.updatesBefore(first + i);
    const steps = this.memory.f64(this.at.steps, to - from);
    const temperatures = this.memory.f64(this.at.temperatures, to - from);
    for (let k = from; k < to; k++) {
      steps[k - from] = schedule.stepSize(k);
      temperatures[k - from] = schedule.temperature(k);
    }
    const failed = await this.run(this.chains.map((chain) => chain.run(count, { ...this.at, first: from })));
    const c = failed.findIndex((code) => code !== 0);
    if (c < 0) return;
    throw new ErgodicError(
      this.name,
      `chain ${c} left finite numbers between transitions ${first} and ${first + count}, at a step size of ${steps[0]}; take a smaller one`,
      "SAMPLE_DIVERGED",
    );
  }

  /** Inside another sampler, which counts on exact transitions and on the density at its end. @throws CapabilityError */
  override chain(): never {
    throw new CapabilityError(
      this.name,
      "it draws from its target only as far as its steps are small, so that it cannot be a part of another sampler; take nuts(), hmc(), randomWalk() or slice() there",
      "SAMPLE_INNER",
    );
  }

  protected override reportMore(): Record<string, number> {
    const { schedule } = this.options;
    const updates = schedule.updatesBefore(this.step);
    const stepSize = schedule.stepSize(Math.max(0, updates - 1));
    return { stepSize, dataPasses: this.passesBefore + this.chains.length * this.passesOf(updates) };
  }

  protected override stateOf(): JsonObject {
    return { passesBefore: this.passesBefore };
  }

  protected override restoreState(state: JsonObject): void {
    this.passesBefore = Number(state.passesBefore);
  }

  override dispose(): void {
    super.dispose();
    this.arena.dispose();
  }

  /** Of one chain. */
  private passesOf(updates: number): number {
    if (this.batch === 0) return updates;
    const { centre, every } = this.options.estimate;
    const batches = (updates * this.batch * (centre ? 2 : 1)) / this.rowCount;
    return batches + (centre === "moving" ? Math.ceil(updates / every) : 0);
  }
}

import type { JsonObject, LogDensity, Snapshot } from "../../../engine/contract/index.ts";
import { CapabilityError, ErgodicError } from "../../../engine/errors/errors.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { type Stream, stream } from "../../../engine/random/stream.ts";
import { STOCHASTIC_PRECONDITIONED, STOCHASTIC_THERMOSTATTED } from "../../fields.ts";
import { ChainsRun } from "../base/chains-run.ts";
import { batchOf, type Estimate, withDefaultCentre } from "../base/gradient-estimate.ts";
import { needGradient, type SamplingPlan } from "../base/sampler.ts";
import { placeChains } from "../base/starting-points.ts";
import { curvatureAt } from "./curvature.ts";
import { defaultStep, NOISE_ESTIMATES, noiseAround } from "./default-step.ts";
import { relaxationUpdates, smallestCurvature } from "./default-thin.ts";
import { type Evaluate, findMode, type Mode } from "./mode.ts";
import { sampledTransitions } from "./sampled-transitions.ts";
import { needsSecond, StepBias } from "./step-bias.ts";
import type { StepSchedule } from "./step-schedule.ts";
import { StochasticChain, type StochasticRule, transitionFields } from "./stochastic-chain.ts";

export interface StochasticOptions {
  name: string;
  rule: StochasticRule;
  schedule: StepSchedule;
  estimate: Estimate;
}

/** Maximum number of updates and of transitions in a stretch. A single transition may have more updates. */
const MOST_UPDATES = 8192;
const LONGEST_STRETCH = 256;

/** Number of transitions per stretch. */
const capacityOf = ({ mostUpdates }: StepSchedule): number =>
  Math.max(1, Math.min(LONGEST_STRETCH, Math.floor(MOST_UPDATES / mostUpdates)));

/**
 * A run of several chains of stochastic-gradient Monte Carlo. Stretches of transitions run in the kernel, one call per
 * chain, with the step sizes and noise of the schedule. Nothing is adapted, so warm-up is only burn-in.
 *
 * Each chain's streams: "start" (update i is the i-th attempt at a starting point), "rows" (update k draws the batch of
 * update k), "noise" (update 2k supplies the normals of update k, and 2k + 1 a fresh momentum before it), "second"
 * (update t draws the batch of a second estimate before transition t). Three further streams of the run, "curvature",
 * "default step" and "default thin", serve curvature.ts, default-step.ts and default-thin.ts.
 *
 * `stepBias` in reports: largest error of a standard deviation of the draws, in posterior standard deviations
 * (step-bias.ts).
 *
 * `dataPasses` in reports: number of single-row gradients evaluated so far in all chains, divided by N. Each batch
 * counts as n rows, or as 2n rows with control variates. Each evaluation of all rows counts as N rows: at x*, in the
 * search for x*, and for the initial V of psgld. If the density has no rows, `dataPasses` is the number of gradients.
 *
 * @throws ErgodicError if there is no finite starting point or mode, or a chain reaches numbers that are not finite
 */
export class StochasticRun extends ChainsRun<StochasticChain> {
  private readonly options: StochasticOptions;
  private schedule: StepSchedule;
  private readonly memory: Engine["memory"];
  private readonly evaluator: (slot: number) => (...args: number[]) => number;
  private readonly arena: Arena;
  private readonly at: { updates: number; steps: number; temperatures: number };
  private readonly batch: number;
  private readonly rowCount: number;
  /** Passes over the data before the first transition. */
  private passesBefore = 0;
  /** Unit of the step sizes. */
  private unit = 1;
  private readonly bias: StepBias;
  /** Indices of the transitions before which samples are taken, ascending. */
  private sampled: readonly number[];
  /** Streams of row numbers for second estimates (one stream per chain), and the number of second estimates made. */
  private readonly seconds: readonly Stream[];
  private secondsTaken = 0;
  /** Σ h of updates after warm-up. */
  private time = 0;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: StochasticOptions) {
    super(options.name, plan, density.dimension, transitionFields, engine);
    needGradient(options.name, density);
    const { schedule, rule } = options;
    this.schedule = schedule;
    this.memory = engine.memory;
    this.evaluator = (slot) => engine.atSlot(slot);
    this.batch = batchOf(options.name, options.estimate, density);
    this.rowCount = density.minibatches?.rowCount ?? 1;
    const atMode =
      this.batch > 0 && this.batch < this.rowCount && schedule.auto && !schedule.cyclical && plan.start === undefined;
    const estimate = withDefaultCentre(options.estimate, atMode);
    this.options = { ...options, estimate };
    this.bias = new StepBias(density.dimension, rule, plan.chains, schedule.cyclical);
    this.sampled = sampledTransitions(plan, schedule);
    this.seconds = Array.from({ length: plan.chains }, (_, c) => stream(plan.seed, "chain", c, "second"));
    const capacity = capacityOf(schedule);
    this.arena = new Arena(engine.memory, options.name);
    const updates = Math.max(MOST_UPDATES, schedule.mostUpdates);
    this.at = {
      updates: this.arena.take(4 * capacity),
      steps: this.arena.take(8 * updates),
      temperatures: this.arena.take(8 * updates),
    };
    const chain = { rule, batch: this.batch, centred: this.centred, centreEvery: estimate.every, capacity };
    this.addChains((c) => new StochasticChain(engine, density, c, plan.seed, chain));
  }

  protected async begin(): Promise<void> {
    const { chains, plan } = this;
    const { schedule } = this;
    const { estimate } = this.options;
    const centred = estimate.centre === "mode";
    // One mode search serves all chains.
    const searched = centred || schedule.auto;
    const atMode = centred || (searched && !plan.start);
    const placed = atMode ? [chains[0]] : chains;
    await placeChains(this.name, placed, plan, (calls) => {
      this.passesBefore += calls.length;
      return this.run(calls);
    });
    if (!searched) return;
    const start = chains[0].position.slice();
    const mode = this.findMode(start);
    this.aboutMode(mode);
    if (atMode) for (const chain of chains) chain.position.set(mode.x);
    else chains[0].position.set(start);
  }

  private findMode(start: Float64Array): Mode {
    const [first] = this.chains;
    const purpose = this.options.estimate.centre === "mode" ? "control variates" : "a step size";
    const mode = findMode(this.name, purpose, this.evaluateAt(), start);
    if (this.centred) for (const chain of this.chains) chain.setCentre(mode.x, mode.gradient, mode.value);
    first.position.set(mode.x);
    return mode;
  }

  /** Returns a function that evaluates ℓ of all rows in the memory of the first chain. */
  private evaluateAt(): Evaluate {
    const [first] = this.chains;
    const { kernel, args } = first.evaluation();
    const evaluate = this.evaluator(kernel);
    return (x, gradient) => {
      first.position.set(x);
      const value = evaluate(...args);
      gradient.set(first.gradient);
      return value;
    };
  }

  /** Determines the default step size and the initial V of psgld from the neighbourhood of the mode. */
  private aboutMode(mode: Mode): void {
    const { chains, plan, batch, rowCount } = this;
    const { schedule } = this;
    const { rule } = this.options;
    const preconditioned = rule.kind === STOCHASTIC_PRECONDITIONED;
    if (schedule.auto || preconditioned) {
      const curvature = curvatureAt(this.name, this.evaluateAt(), mode, stream(plan.seed, "curvature"));
      const [first] = chains;
      let squares = curvature;
      if (schedule.auto) {
        const estimate = batch > 0 ? first.estimateAt.bind(first) : undefined;
        const noise = noiseAround(mode.x, curvature, { estimate, rowCount, stream: stream(plan.seed, "default step") });
        if (batch > 0) this.passesBefore += NOISE_ESTIMATES * this.passesOfBatch;
        squares = curvature.map((value, i) => value + noise[i]);
        const { step, friction } = defaultStep(this.name, rule, curvature, noise);
        this.unit = step;
        if (rule.kind === STOCHASTIC_THERMOSTATTED) for (const chain of chains) chain.thermostat = friction;
        if (schedule.withThin) {
          const scale = squares.map((square) => (preconditioned ? 1 / (rule.noiseEstimate + Math.sqrt(square)) : 1));
          const slowest = smallestCurvature(this.evaluateAt(), mode, curvature, scale, stream(plan.seed, "default thin"));
          this.setThin(relaxationUpdates(rule, step, slowest, friction));
        }
      }
      if (preconditioned) for (const chain of chains) chain.momentum.set(squares);
    }
    this.passesBefore += mode.evaluations;
  }

  private setThin(thin: number): void {
    this.schedule = this.options.schedule.withThin!(thin);
    this.sampled = sampledTransitions(this.plan, this.schedule);
    for (const chain of this.chains) chain.capacity = capacityOf(this.schedule);
  }

  protected async advanceChains(first: number, count: number): Promise<void> {
    const { schedule } = this;
    const from = schedule.updatesBefore(first);
    const to = schedule.updatesBefore(first + count);
    const counts = this.memory.u32(this.at.updates, count);
    for (let i = 0; i < count; i++) counts[i] = schedule.updatesBefore(first + i + 1) - schedule.updatesBefore(first + i);
    const steps = this.memory.f64(this.at.steps, to - from);
    const temperatures = this.memory.f64(this.at.temperatures, to - from);
    for (let k = from; k < to; k++) {
      steps[k - from] = this.unit * schedule.stepSize(k);
      if (first >= this.plan.warmup) this.time += steps[k - from];
      temperatures[k - from] = schedule.temperature(k);
    }
    const failed = await this.run(this.chains.map((chain) => chain.run(count, { ...this.at, first: from })));
    const c = failed.findIndex((code) => code !== 0);
    if (c < 0) return;
    throw new ErgodicError(
      this.name,
      `chain ${c} became infinite or NaN between transitions ${first} and ${first + count}, at a step size of ${steps[0]}; use a smaller step size`,
      "SAMPLE_DIVERGED",
    );
  }

  /** Transitions at which samples for the step bias are due. */
  protected override boundaries(): readonly number[] {
    return this.sampled;
  }

  /** Takes a sample of each chain after its last update. */
  protected override adapt(): void {
    for (const [c, chain] of this.chains.entries()) this.bias.heat(c, chain.thermostat, this.time);
    const at = this.sampled.indexOf(this.step);
    if (at < 0) return;
    const { schedule } = this;
    const { rule } = this.options;
    const update = schedule.updatesBefore(this.step) - 1;
    const h = this.unit * schedule.stepSize(update);
    const weight = this.step - (at === 0 ? this.plan.warmup : this.sampled[at - 1]);
    const anew = needsSecond(rule.kind) && this.batch > 0;
    this.chains.forEach((chain, c) => {
      const { x, scale } = chain.lastUpdate(h, schedule.temperature(update));
      const g = chain.gradient.slice();
      const second = anew ? new Float64Array(g.length) : g;
      if (anew) chain.estimateAt(x, this.seconds[c].at(this.step).integer(this.rowCount), second);
      this.bias.add(c, { x, g, second, h, weight, ...(scale ? { scale } : {}) });
    });
    if (anew) this.secondsTaken++;
  }

  /**
   * Refuses to run inside another sampler, because outer samplers rely on exact transitions and on the density at their
   * ends. @throws CapabilityError
   */
  override chain(): never {
    throw new CapabilityError(
      this.name,
      "it is exact only in the limit of small steps, so it cannot be part of another sampler; use nuts(), hmc(), randomWalk() or slice() there",
      "SAMPLE_INNER",
    );
  }

  protected override reportMore(): Record<string, number> {
    const { schedule } = this;
    const updates = schedule.updatesBefore(this.step);
    const stepSize = this.unit * schedule.stepSize(Math.max(0, updates - 1));
    const passes = this.passesOf(updates) + this.secondsTaken * this.passesOfBatch;
    const stepBias = this.bias.estimate();
    return {
      stepSize,
      ...(this.options.schedule.withThin ? { thin: schedule.mostUpdates } : {}),
      dataPasses: this.passesBefore + this.chains.length * passes,
      ...(stepBias === undefined ? {} : { stepBias }),
    };
  }

  protected override stateOf(): JsonObject {
    const { passesBefore, unit, secondsTaken, time, schedule } = this;
    return { passesBefore, unit, secondsTaken, time, thin: schedule.mostUpdates };
  }

  protected override restoreState(kept: KeptPart): void {
    this.passesBefore = kept.number("passesBefore", 0);
    this.unit = kept.number("unit", 0);
    this.secondsTaken = kept.number("secondsTaken", 0);
    this.time = kept.number("time", 0);
    if (!this.options.schedule.withThin) return;
    const thin = kept.count("thin");
    if (thin < 1 || thin > MOST_UPDATES) kept.refuse(`thin is ${thin}, but must be 1 to ${MOST_UPDATES}`);
    this.setThin(thin);
  }

  override snapshot(): Snapshot {
    const { tensors, state } = super.snapshot();
    const sums = Object.entries(this.bias.state).map(([name, sum]) => [`bias.${name}`, sum.slice()]);
    return { tensors: { ...tensors, ...Object.fromEntries(sums) }, state };
  }

  override restore(snapshot: Snapshot): void {
    super.restore(snapshot);
    const kept = new KeptPart("the steps' bias", snapshot);
    for (const [name, sum] of Object.entries(this.bias.state)) kept.into(sum, `bias.${name}`);
  }

  override dispose(): void {
    super.dispose();
    this.arena.dispose();
  }

  /** Number of passes over the data that one chain has made. */
  private passesOf(updates: number): number {
    if (this.batch === 0) return updates;
    const { centre, every } = this.options.estimate;
    return updates * this.passesOfBatch + (centre === "moving" ? Math.ceil(updates / every) : 0);
  }

  /** Whether gradients are relative to the gradient at a reference point. */
  private get centred(): boolean {
    return this.options.estimate.centre !== "none";
  }

  /** Number of passes over the data that one batch estimate costs. */
  private get passesOfBatch(): number {
    return (this.batch * (this.centred ? 2 : 1)) / this.rowCount;
  }
}

import type { Advance, JsonObject, Snapshot, Tensor } from "../../../engine/contract/index.ts";
import { made } from "../../../engine/errors/checks.ts";
import { assert, ErgodicError } from "../../../engine/errors/errors.ts";
import { isWhole, KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { float64s } from "../../../engine/memory/room.ts";
import { basicRhat } from "../../../engine/statistics/index.ts";
import { ChainDraws } from "./chain-draws.ts";
import { checkSamplingPlan, type InnerSampling, type SamplingPlan } from "./sampler.ts";
import type { Placed } from "./starting-points.ts";

/** One chain, with memory for a stretch. A stretch is a sequence of consecutive transitions. */
export interface ChainState {
  /** Maximum number of transitions in a stretch. */
  readonly capacity: number;
  /** Current position of the chain, as a view. */
  readonly position: Float64Array;
  /** Results of the last stretch of `count` transitions, [count, dimension] and [count, field], as views. */
  stretch(count: number): { draws: Float64Array; transitions: Float64Array };
  /** All mutable state, as views by name. */
  views(): Record<string, Tensor>;
  /**
   * Called after a restore. Returns a description of the problem if the restored state cannot belong to this chain.
   * Such a state could make a kernel loop forever.
   */
  misfit?(): string | undefined;
  /** Releases memory. */
  dispose(): void;
}

const isRising = (list: readonly number[]): boolean => list.every((one, i) => i === 0 || one > list[i - 1]);
const everyOne = (count: number): number[] => Array.from({ length: count }, (_, c) => c);

/** Maximum number of values that a progress report uses to compute R̂. */
const MOST_RHAT_NUMBERS = 1 << 20;

/**
 * A run of several chains: warm-up, then draws that are stored. A subclass defines the chains and their adaptation.
 *
 * A step is one transition of every chain. Draws depend only on the seed and the plan's lengths, not on the number of
 * workers or on how `advance` is called. A snapshot resumes bit for bit, even under a plan with more draws.
 */
export abstract class ChainsRun<Chain extends ChainState & Partial<Placed>> implements InnerSampling {
  protected static readonly typeName: string = "ChainsRun";
  /** Number of transitions per chain, including warm-up. */
  readonly stepsPerEpoch: number;
  readonly updatesPerStep: number;
  /** Number of transitions made by each chain so far. */
  step = 0;
  protected readonly name: string;
  protected readonly chains: Chain[] = [];
  protected readonly plan: SamplingPlan;
  protected readonly dimension: number;
  private readonly engine: Engine;
  readonly fields: readonly string[];
  /** Storage for the plan's full length: [chain, draw, …]. */
  private readonly values: Float64Array;
  private readonly transitions: Float64Array;
  /** Sum of each field over the stored draws. Each draw updates the sums, because progress is reported often. */
  private readonly totals: Float64Array;
  /** Chains that advance in the next transitions. All chains advance, except while some chains repeat their warm-up. */
  private active: readonly number[];
  /** Total number of transitions in all chains so far. */
  private made = 0;
  private begun = false;
  private lastStretch = 0;
  private warmupDivergences = 0;

  /**
   * The subclass constructor makes the chains with `addChains`. `fields`: names of the statistics stored for each
   * transition, "logDensity" first.
   */
  constructor(name: string, plan: SamplingPlan, dimension: number, fields: readonly string[], engine: Engine) {
    made("ChainsRun", plan, "warmup", "the plan of a sampler", "sample(…)", "second");
    const where = plan.within === undefined ? name : `${plan.within}: inner ${name}()`;
    checkSamplingPlan(where, plan, dimension);
    this.name = where;
    this.plan = plan;
    this.dimension = dimension;
    this.fields = fields;
    this.engine = engine;
    this.stepsPerEpoch = plan.warmup + plan.draws;
    this.updatesPerStep = plan.chains;
    this.active = everyOne(plan.chains);
    const kept = plan.keep === false ? 0 : plan.chains * plan.draws;
    const what = `${plan.draws} draws of each of ${plan.chains} chains`;
    this.values = float64s(where, what, kept * dimension);
    this.transitions = float64s(where, what, kept * fields.length);
    this.totals = new Float64Array(fields.length);
  }

  /** Places the chains before the first transition. */
  protected abstract begin(): Promise<void>;

  /**
   * Runs transitions `first` to `first` + `count` − 1 of each active chain. The results are then in `stretch`. `adapt`:
   * whether this is warm-up.
   */
  protected abstract advanceChains(first: number, count: number, adapt: boolean, active: readonly number[]): Promise<void>;

  /** Indices of the transitions before which `adapt` is called, in addition to the end of warm-up. */
  protected boundaries(): readonly number[] {
    return [];
  }

  /** Adapts the chains before transition `step`, which is one of the boundaries. */
  protected adapt(): Promise<void> | void {}

  /**
   * Performs one piece of the other work that must be finished before the next transition. Returns false if no such
   * work is left.
   */
  protected async work(): Promise<boolean> {
    return false;
  }

  /** Receives the warm-up transitions of chain c as they are made. */
  protected observe(_c: number, _count: number): void {}

  /** Additional statistics for progress reports. */
  protected reportMore(): Record<string, number> {
    return {};
  }

  /** State that the chains' views do not contain. */
  protected stateOf(): JsonObject {
    return {};
  }

  protected restoreState(_kept: KeptPart): void {}

  get updates(): number {
    return this.made;
  }

  get converged(): boolean | string {
    return this.step >= this.stepsPerEpoch && "all draws are made";
  }

  async advance(steps: number): Promise<Advance> {
    const made: Advance = { updates: 0, lossSum: 0, rows: 0 };
    if (!this.begun) {
      assert(this.step === 0, "a run begins at its first transition");
      await this.begin();
      this.begun = true;
    }
    for (let left = steps; left > 0 && this.step < this.stepsPerEpoch; ) {
      if (await this.work()) {
        left--;
        continue;
      }
      const next = this.nextBoundary();
      const count = Math.min(left, next - this.step, this.chains[0].capacity);
      await this.advanceChains(this.step, count, this.step < this.plan.warmup, this.active);
      for (const c of this.active) made.lossSum += this.keep(c, count);
      this.step += count;
      this.lastStretch = count;
      made.updates += count * this.active.length;
      left -= count;
      if (this.step === next) await this.adapt();
    }
    this.made += made.updates;
    made.rows = made.updates;
    return made;
  }

  /** Mean of all draws of all chains so far. Before the first draw, returns the mean of the chains' positions. */
  parameters(): Float64Array {
    const mean = new Float64Array(this.dimension);
    const kept = this.kept;
    const count = this.chains.length * Math.max(1, kept);
    const add = (point: Float64Array): void => {
      for (let i = 0; i < mean.length; i++) mean[i] += point[i] / count;
    };
    this.chains.forEach((chain, c) => {
      if (kept === 0) add(chain.position);
      for (let k = 0; k < kept; k++) add(this.drawAt(c, k));
    });
    return mean;
  }

  draws(): ChainDraws {
    const { kept, dimension: d, fields } = this;
    const { chains, draws } = this.plan;
    const width = fields.length;
    const what = `a copy of ${kept} draws of each of ${chains} chains`;
    const values = float64s(this.name, what, chains * kept * d);
    const transitions = float64s(this.name, what, chains * kept * width);
    for (let c = 0; c < chains; c++) {
      values.set(this.values.subarray(c * draws * d, (c * draws + kept) * d), c * kept * d);
      transitions.set(this.transitions.subarray(c * draws * width, (c * draws + kept) * width), c * kept * width);
    }
    return new ChainDraws(chains, kept, d, values, fields, transitions);
  }

  /**
   * Progress report. `divergences`: number of divergences among the stored draws or, before the first stored draw, in
   * warm-up. `rhat`: largest split R̂ of all coordinates so far, without rank normalisation.
   */
  report(): Record<string, number> {
    const report: Record<string, number> = { draws: this.kept };
    if (this.fields.includes("divergent")) report.divergences = this.kept > 0 ? this.total("divergent") : this.warmupDivergences;
    if (this.kept >= 4) report.rhat = this.rhat();
    return { ...report, ...this.reportMore() };
  }

  /** Copies all mutable state. */
  snapshot(): Snapshot {
    const tensors: Record<string, Tensor> = {};
    const { draws, warmup } = this.plan;
    const { kept, dimension: d } = this;
    const width = this.fields.length;
    this.chains.forEach((chain, c) => {
      for (const [name, view] of Object.entries(chain.views())) tensors[`${name}.${c}`] = view.slice();
      tensors[`draws.${c}`] = this.values.slice(c * draws * d, (c * draws + kept) * d);
      tensors[`transitions.${c}`] = this.transitions.slice(c * draws * width, (c * draws + kept) * width);
    });
    const { step, begun, made, warmupDivergences } = this;
    const own = { step, begun, made, warmup, warmupDivergences, active: [...this.active] };
    return { tensors, state: { ...this.stateOf(), ...own } };
  }

  /** Resumes from a snapshot, bit for bit. */
  restore(snapshot: Snapshot): void {
    const part = new KeptPart(`the chains of ${this.name}`, snapshot);
    const { draws, warmup, chains } = this.plan;
    const { dimension: d } = this;
    const width = this.fields.length;
    const step = part.count("step");
    const kept = Math.max(0, step - warmup);
    if (part.count("warmup") !== warmup || kept > draws)
      throw new ErgodicError(
        this.name,
        `the snapshot has ${part.count("warmup")} warm-up transitions and ${kept} draws, but the plan has ${warmup} and ${draws}; keep the warm-up, and ask for at least as many draws`,
        "SAMPLE_PLAN",
      );
    this.chains.forEach((chain, c) => {
      for (const [name, view] of Object.entries(chain.views())) part.into(view, `${name}.${c}`);
      const misfit = chain.misfit?.();
      if (misfit !== undefined) part.refuse(`in chain ${c} ${misfit}`);
      if (this.plan.keep === false) return;
      this.values.set(part.floats(`draws.${c}`, kept * d), c * draws * d);
      this.transitions.set(part.floats(`transitions.${c}`, kept * width), c * draws * width);
    });
    this.active = part.list("active", isWhole);
    if (!isRising(this.active) || !(this.active[this.active.length - 1] < chains))
      part.refuse(`active chains are ${this.active.join(", ")} of ${chains}`);
    this.step = step;
    this.begun = part.flag("begun");
    if (step > 0 && !this.begun) part.refuse("it has made transitions, but has not begun");
    this.made = part.count("made");
    this.warmupDivergences = part.count("warmupDivergences");
    this.totals.fill(0);
    if (this.plan.keep !== false) for (let c = 0; c < chains; c++) this.addTotals(part.floats(`transitions.${c}`, kept * width));
    this.restoreState(part);
  }

  /** Releases memory. */
  dispose(): void {
    for (const chain of this.chains.splice(0)) chain.dispose();
  }

  chain(c: number): { readonly position: Float64Array; logDensity: number } {
    const chain = this.chains[c];
    assert(chain.logDensity !== undefined, "a chain that runs inside another knows its log density");
    return chain as Chain & Placed;
  }

  lastTransition(c: number): Float64Array {
    const { lastStretch: count } = this;
    const width = this.fields.length;
    return this.chains[c].stretch(count).transitions.subarray((count - 1) * width, count * width);
  }

  async refresh(): Promise<void> {
    const values = await this.run(this.chains.map((chain) => (chain as Chain & Placed).evaluation()));
    this.chains.forEach((chain, c) => {
      chain.logDensity = values[c];
    });
  }

  /** Makes all chains. If a chain cannot be created, the chains created before it are released. */
  protected addChains(make: (c: number) => Chain): void {
    try {
      for (let c = 0; c < this.plan.chains; c++) this.chains.push(make(c));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Restarts the warm-up of these chains from its first transition, while the others wait. */
  protected warmUpAgain(chains: readonly number[]): void {
    this.active = chains;
    this.step = 0;
  }

  /** Activates all chains again. */
  protected joinChains(): void {
    this.active = everyOne(this.plan.chains);
  }

  protected get activeChains(): readonly number[] {
    return this.active;
  }

  protected run(calls: Call[]): Promise<number[]> {
    const { workers, deterministic } = this.plan;
    return this.engine.run(calls, { workers: Math.max(1, Math.min(workers, calls.length)), deterministic });
  }

  /** Number of draws stored per chain. */
  protected get kept(): number {
    return this.plan.keep === false ? 0 : Math.max(0, this.step - this.plan.warmup);
  }

  private drawAt(c: number, k: number): Float64Array {
    const at = (c * this.plan.draws + k) * this.dimension;
    return this.values.subarray(at, at + this.dimension);
  }

  /** Sum of a field over the draws stored so far. */
  protected total(field: string): number {
    return this.totals[this.fields.indexOf(field)];
  }

  private addTotals(transitions: Float64Array): void {
    const width = this.fields.length;
    for (let at = 0; at < transitions.length; at += width)
      for (let field = 0; field < width; field++) this.totals[field] += transitions[at + field];
  }

  private rhat(): number {
    const { kept, dimension } = this;
    const { chains } = this.plan;
    const stride = Math.ceil((kept * chains * dimension) / MOST_RHAT_NUMBERS);
    let largest = Number.NaN;
    for (let i = 0; i < dimension; i += stride) {
      const series = new Float64Array(chains * kept);
      for (let c = 0; c < chains; c++)
        for (let k = 0; k < kept; k++) series[c * kept + k] = this.values[(c * this.plan.draws + k) * dimension + i];
      const own = basicRhat(series, chains);
      if (!(own <= largest)) largest = Number.isNaN(own) ? largest : own;
    }
    return largest;
  }

  /** Index of the next transition before which an adaptation is due, warm-up ends, or the run ends. */
  private nextBoundary(): number {
    let next = this.step < this.plan.warmup ? this.plan.warmup : this.stepsPerEpoch;
    for (const at of this.boundaries()) if (at > this.step && at < next) next = at;
    return next;
  }

  /** Stores the results of chain c's last stretch. Returns −Σ log density. */
  private keep(c: number, count: number): number {
    const { draws, transitions } = this.chains[c].stretch(count);
    const width = this.fields.length;
    const { warmup } = this.plan;
    let sum = 0;
    for (let k = 0; k < count; k++) sum -= transitions[k * width];
    if (this.step >= warmup) {
      if (this.plan.keep === false) return sum;
      const at = c * this.plan.draws + this.step - warmup;
      this.values.set(draws, at * this.dimension);
      this.transitions.set(transitions, at * width);
      this.addTotals(transitions);
      return sum;
    }
    const divergent = this.fields.indexOf("divergent");
    if (divergent >= 0) for (let k = 0; k < count; k++) this.warmupDivergences += transitions[k * width + divergent];
    this.observe(c, count);
    return sum;
  }
}

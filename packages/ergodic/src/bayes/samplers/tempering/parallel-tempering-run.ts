import type { JsonObject, LogDensity, Snapshot, Tensor } from "../../../engine/contract/index.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { type Stream, stream } from "../../../engine/random/stream.ts";
import { evenLadder, SwapCounts, swapProbability } from "../../../engine/statistics/temperature-ladder.ts";
import { MOST_DIMENSION, SCOUTS, Scouting } from "../../places/scouting.ts";
import { type ChainState, ChainsRun } from "../base/chains-run.ts";
import { type InnerSampling, innerSampling, type Sampler, type SamplingPlan, type VisitedPlace } from "../base/sampler.ts";
import { TemperedDensity } from "./tempered-density.ts";

const STRETCH = 64;
/** Times at which the powers are adapted, as shares of warm-up. */
const ADAPTED_AT = [0.1, 0.25, 0.5];

interface Options {
  inner: Sampler;
  powers: readonly number[];
  swapEvery: number;
  adapt: boolean;
}

/** The chain at β = 1, with memory for its last transitions. */
class ColdChain implements ChainState {
  readonly capacity = STRETCH;
  readonly swaps: Stream;
  readonly position: Float64Array;
  /** Swap counts since the powers last changed. */
  readonly counts: SwapCounts;
  logDensity = 0;
  private readonly made: Float64Array;
  private readonly transitions: Float64Array;
  private readonly width: number;

  constructor(seed: number, c: number, dimension: number, pairs: number, fields: number) {
    this.swaps = stream(seed, "chain", c, "swap");
    this.position = new Float64Array(dimension);
    this.counts = new SwapCounts(pairs);
    this.made = new Float64Array(STRETCH * dimension);
    this.transitions = new Float64Array(STRETCH * fields);
    this.width = fields;
  }

  record(k: number, position: Float64Array, transition: Float64Array, logDensity: number): void {
    this.position.set(position);
    this.made.set(position, k * position.length);
    this.transitions.set(transition, k * this.width);
    // A swap after the transition might have changed the chain's point.
    this.transitions[k * this.width] = logDensity;
  }

  stretch(count: number): { draws: Float64Array; transitions: Float64Array } {
    const d = this.position.length;
    return { draws: this.made.subarray(0, count * d), transitions: this.transitions.subarray(0, count * this.width) };
  }

  views(): Record<string, Tensor> {
    return { position: this.position, tried: this.counts.tried, accepted: this.counts.accepted };
  }

  dispose(): void {}
}

/**
 * A run of parallel tempering. The run drives a single run of `inner`, which has one chain per rung of each ladder.
 * Between the transitions, it swaps points of neighbouring rungs.
 *
 * Rung k of chain c is chain c × rungs + k of the inner run. Swap s of chain c uses update s of the stream "chain", c,
 * "swap", with one uniform number per pair. At fixed transitions, powers are adapted to the rejection rates of all
 * chains. If there is a gradient, scouts look for modes that the ladder might not reach (places/scouting.ts). The
 * scouts run at the end of warm-up.
 */
export class ParallelTemperingRun extends ChainsRun<ColdChain> {
  private readonly options: Options;
  private readonly rungs: number;
  private readonly powers: Float64Array;
  private readonly density: TemperedDensity;
  private readonly inner: InnerSampling;
  /** Undefined without a gradient or warm-up, and if there are discrete numbers or too many coordinates. */
  private readonly scouting: Scouting | undefined;
  private searching = false;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: Options) {
    const rungs = options.powers.length;
    const powers = Float64Array.from({ length: plan.chains * rungs }, (_, l) => options.powers[l % rungs]);
    const tempered = new TemperedDensity(density, powers, engine, plan.deterministic);
    // At power 0 the density is flat over all of u, which is improper for every model.
    if (tempered.isWhole && options.powers.includes(0))
      throw new CapabilityError(
        "parallelTempering",
        "the lowest power is 0, at which the density is flat, because prior and likelihood are not separate here; use a lowest power above 0",
        "SAMPLE_PRIOR",
      );
    const own = { ...plan, ...startsOf(plan, rungs), chains: plan.chains * rungs, keep: false, within: "parallelTempering" };
    const { inner: sampler } = options;
    const inner = innerSampling("parallelTempering", sampler, sampler.start(tempered, own, engine));
    super("parallelTempering", plan, density.dimension, inner.fields, engine);
    this.options = options;
    this.rungs = rungs;
    this.powers = powers;
    this.density = tempered;
    this.inner = inner;
    const { hasGradient, discrete = [], dimension } = density;
    const searches = hasGradient !== false && discrete.length === 0 && dimension <= MOST_DIMENSION;
    this.scouting = searches && plan.keep !== false && plan.warmup > 0 ? new Scouting(density, plan, engine, SCOUTS) : undefined;
    this.addChains((c) => new ColdChain(plan.seed, c, density.dimension, rungs - 1, inner.fields.length));
  }

  protected async begin(): Promise<void> {
    await this.inner.advance(0);
  }

  protected async advanceChains(first: number, count: number): Promise<void> {
    const { inner, rungs, options } = this;
    for (let k = 0; k < count; k++) {
      await inner.advance(1);
      const transitions = this.chains.map((_, c) => inner.lastTransition(c * rungs).slice());
      if (rungs > 1 && (first + k + 1) % options.swapEvery === 0) await this.swap((first + k + 1) / options.swapEvery);
      this.chains.forEach((ladder, c) => {
        const { position, logDensity } = inner.chain(c * rungs);
        ladder.record(k, position, transitions[c], logDensity);
      });
    }
  }

  protected override boundaries(): readonly number[] {
    if (!this.options.adapt || this.rungs < 3) return [];
    return ADAPTED_AT.map((share) => Math.floor(share * this.plan.warmup)).filter((at) => at > 0);
  }

  protected override async adapt(): Promise<void> {
    const { rungs } = this;
    if (this.boundaries().includes(this.step)) {
      const rates = this.swapRates();
      if (rates.some(Number.isNaN)) return;
      const powers = evenLadder(
        [...this.powers.subarray(0, rungs)],
        rates.map((rate) => 1 - rate),
      );
      for (let l = 0; l < this.powers.length; l++) this.density.setPower(l, powers[l % rungs]);
      await this.inner.refresh();
    } else if (this.step !== this.plan.warmup) return;
    else this.searching = this.scouting !== undefined;
    for (const ladder of this.chains) {
      ladder.counts.tried.fill(0);
      ladder.counts.accepted.fill(0);
    }
  }

  /** After warm-up: runs the scouts one by one. */
  protected override async work(): Promise<boolean> {
    if (!this.searching || !this.scouting) return false;
    this.searching = await this.scouting.search(this.gradients());
    return this.searching;
  }

  /** Places that scouts found, with their share of the draws. */
  places(): VisitedPlace[] {
    return this.scouting && !this.searching && this.kept > 0 ? this.scouting.visits(this.draws()) : [];
  }

  /**
   * Number of gradient evaluations in the whole run, extrapolated from warm-up. Every transition of a rung counts as at
   * least one evaluation.
   */
  private gradients(): number {
    const { warmup, draws, chains } = this.plan;
    const { leapfrogs = 0 } = this.inner.report();
    return Math.max(leapfrogs, warmup * chains * this.rungs) * (1 + draws / warmup);
  }

  protected override stateOf(): JsonObject {
    return { searching: this.searching, survey: this.scouting?.state() ?? null };
  }

  protected override restoreState(kept: KeptPart): void {
    this.searching = kept.flag("searching");
    this.scouting?.restore(kept.part("the search for modes", "survey.", kept.object("survey")));
  }

  /**
   * `swapAcceptance`: mean swap probability over pairs; `leastSwapAcceptance`: smallest mean swap probability of a
   * pair.
   */
  protected override reportMore(): Record<string, number> {
    const { divergences: _, draws: __, ...own } = this.inner.report();
    const rates = this.swapRates().filter((rate) => !Number.isNaN(rate));
    const { scouts = 0, evaluations = 0 } = this.scouting ?? {};
    if (scouts > 0) Object.assign(own, { scouts, scoutEvaluations: evaluations });
    if (rates.length === 0) return own;
    const mean = rates.reduce((sum, rate) => sum + rate / rates.length, 0);
    return { ...own, swapAcceptance: mean, leastSwapAcceptance: Math.min(...rates) };
  }

  /** β of each rung, and the mean swap probability between neighbours. */
  ladder(): { powers: number[]; swapAcceptance: number[] } {
    return { powers: [...this.powers.subarray(0, this.rungs)], swapAcceptance: this.swapRates() };
  }

  override snapshot(): Snapshot {
    const { tensors, state } = super.snapshot();
    const inner = this.inner.snapshot();
    for (const [name, tensor] of Object.entries(inner.tensors)) tensors[`inner.${name}`] = tensor;
    tensors.powers = this.powers.slice();
    Object.assign(tensors, this.scouting?.tensors());
    return { tensors, state: { ...state, inner: inner.state } };
  }

  override restore(snapshot: Snapshot): void {
    super.restore(snapshot);
    const kept = new KeptPart("the ladder", snapshot);
    const powers = kept.floats("powers", this.powers.length);
    if (!powers.every((power) => power >= 0 && power <= 1)) kept.refuse("a power is not from 0 to 1");
    powers.forEach((power, l) => {
      this.density.setPower(l, power);
    });
    this.inner.restore(kept.part("the ladder's chains", "inner.", kept.object("inner")).snapshot);
  }

  override dispose(): void {
    this.scouting?.dispose();
    this.inner.dispose();
    super.dispose();
  }

  private swapRates(): number[] {
    return Array.from({ length: this.rungs - 1 }, (_, pair) => {
      const sum = (of: (counts: SwapCounts) => Float64Array) =>
        this.chains.reduce((total, ladder) => total + of(ladder.counts)[pair], 0);
      return sum(({ accepted }) => accepted) / sum(({ tried }) => tried);
    });
  }

  /** Performs swap s: pairs (0, 1), (2, 3), … for even s, and pairs (1, 2), … for odd s. */
  private async swap(s: number): Promise<void> {
    const { inner, rungs, density, powers } = this;
    // The last evaluation of a rung might have been at a rejected point.
    await inner.refresh();
    const likelihoods = Array.from(powers, (_, l) => density.likelihood(l));
    let swapped = false;
    this.chains.forEach((ladder, c) => {
      const draws = ladder.swaps.at(s);
      for (let k = s % 2; k + 1 < rungs; k += 2) {
        const [a, b] = [c * rungs + k, c * rungs + k + 1];
        const probability = swapProbability(powers[a] - powers[b], likelihoods[a], likelihoods[b]);
        if (!ladder.counts.isMade(k, probability, draws)) continue;
        exchange(inner.chain(a).position, inner.chain(b).position);
        swapped = true;
      }
    });
    if (swapped) await inner.refresh();
  }
}

/** Starts all rungs at the starting point of their chain. */
function startsOf({ start }: SamplingPlan, rungs: number): Pick<SamplingPlan, "start"> {
  if (!start || start instanceof Float64Array) return {};
  return { start: start.flatMap((point) => new Array<Float64Array>(rungs).fill(point)) };
}

function exchange(a: Float64Array, b: Float64Array): void {
  const kept = a.slice();
  a.set(b);
  b.set(kept);
}

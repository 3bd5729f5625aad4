import type { LogDensity, Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { stream } from "../../engine/random/stream.ts";
import { Normal } from "../places/place.ts";
import { MOST_DIMENSION, SCOUTS, Scouting } from "../places/scouting.ts";
import { heldBy } from "../places/visits.ts";
import { ChainDraws } from "../samplers/base/chain-draws.ts";
import type { SamplingPlan, VisitedPlace } from "../samplers/base/sampler.ts";
import { type Judged, judge, logMixture, systematic } from "./judgement.ts";
import type { Kept } from "./kept.ts";
import type { Paths } from "./paths.ts";
import { SteppedRun } from "./stepped-run.ts";

/** Number of draws per step. */
const BLOCK = 50;
/** Target for the effective number of draws. */
const EFFECTIVE = 4000;
/** Maximum size of the pool, as a multiple of its initial size. */
const MOST_POOLS = 10;
const GOOD_K = 0.7;
/** k̂ above which the weights have no mean, so that more draws do not help. */
const HOPELESS_K = 1;
/** If a place contains more than this share of the draws, the weights are assumed to cover it. */
const COVERED = 0.1;

export interface PoolOptions {
  /** Number of paths from which the fit starts. */
  paths: number;
  /** Number of draws in the pool, at least as many as the plan asks for. */
  size: number;
  resample: boolean;
  /** Scales of the parts of q that are widened in only one direction. */
  oneWay?: readonly number[];
}

/**
 * Widths of draws, relative to the fitted normal. Only runs with importance weights use them, because the weights
 * correct for the widening. A normal misses heavy tails and the ends of a curved posterior, and k̂ cannot reveal this
 * if no draw reaches them. Wide draws reach these regions. Either the weights then correct the approximation, or k̂ is
 * high.
 */
const DEFENSIVE = [1, 1, 1.5, 1, 1, 1.5, 1, 3, 1, 1, 1.5, 1, 1, 1.5, 1, 10];

/**
 * One part of the mixture q: the fitted normal, widened by the factor `scale` in every direction or in one random
 * direction.
 */
export interface Width {
  readonly scale: number;
  readonly oneWay: boolean;
}

/**
 * A run that fits an approximation q of a density p. After the fit, the run makes independent draws from q and judges
 * how far these draws can be trusted.
 *
 * A pool of draws of q is made block by block, with log p and log q of each. `elbo`: the mean of log p − log q over
 * draws from the unwidened parts of q. k̂ (`paretoK`): the tail shape of p/q by Pareto-smoothed importance sampling;
 * above 0.7 the approximation is poor.
 *
 * k̂ cannot detect a direction in which q is so narrow that no draw shows the width of p. So k̂ is set to ∞ if the
 * weighted draws violate Stein's identity E_p[(x − c)·∇ℓ(x)] = −d. Each direction that q misses contributes about 0
 * instead of −1 to the left side of this identity. The k-th draw of chain c is draw k·chains + c of the pool.
 *
 * With `resample`, q is a mixture of normals of several widths, and draws are resampled from the pool by smoothed
 * weights, with replacement. In a sample of n draws, a draw with weight w occurs ⌊n w⌋ or ⌈n w⌉ times. This systematic
 * resampling uses one uniform number and adds hardly any noise. The result is shuffled. While the effective number of
 * draws is below 4000, the pool grows, up to ten times its first size. The pool also grows while k̂ is between 0.7 and
 * 1, because more draws often show a lighter tail.
 *
 * k̂ cannot detect a mode if no draw of q lies near it. So after the draws, the run checks the places where its own
 * paths ended and the places that scouts find (places/scouting.ts). The run compares the mass of each place with the
 * mean weight of the pool. This mean weight estimates the mass of everything that q covers.
 *
 * @throws ErgodicError [SAMPLE_APPROXIMATION] if log p is finite at no draw of q
 */
export abstract class ApproximationRun extends SteppedRun {
  readonly stepsPerEpoch: number;
  /** Parts of the mixture q. All n parts have equal shares, and draw k comes from part k mod n. */
  protected readonly widths: readonly Width[];
  /** Number of blocks in a pool. */
  private readonly blocks: number;
  private readonly resample: boolean;
  /** One array per block. Arrays of values are [BLOCK, dimension], and all other arrays are [BLOCK]. */
  private readonly pool = {
    numbers: { fitted: 0 },
    arrays: {
      values: [] as Float64Array[],
      logDensity: [] as Float64Array[],
      logApproximation: [] as Float64Array[],
      /** Stein statistic of each draw: (x − centre)·∇ℓ(x). */
      stein: [] as Float64Array[],
    },
  } satisfies Kept;
  /** All draws, stored while they are compared with places. */
  private made: ChainDraws | undefined;
  private judged: { blocks: number; of: Judged } | undefined;
  /** Absent if there are too many coordinates. */
  private readonly scouting: Scouting | undefined;
  private readonly search = { numbers: { begun: 0, ended: 0 }, arrays: {} } satisfies Kept;

  /** `fitSteps`: maximum number of fitting steps. */
  constructor(name: string, density: LogDensity, plan: SamplingPlan, engine: Engine, fitSteps: number, pool: PoolOptions) {
    super(name, density, plan, engine);
    this.blocks = Math.ceil(Math.max(pool.size, plan.chains * plan.draws) / BLOCK);
    this.resample = pool.resample;
    const scales = pool.resample ? [...DEFENSIVE, ...(pool.oneWay ?? [])] : [1];
    this.widths = scales.map((scale, k) => ({ scale, oneWay: k >= DEFENSIVE.length }));
    // Each scout and each place takes one step. A scout finds up to two places, and a path finds one.
    const searchSteps = 2 + SCOUTS + 2 * SCOUTS + pool.paths;
    this.stepsPerEpoch = fitSteps + this.blocks * (pool.resample ? MOST_POOLS : 1) + searchSteps;
    const searches = plan.chains * plan.draws > 0 && density.dimension <= MOST_DIMENSION;
    this.scouting = searches ? new Scouting(density, plan, engine, SCOUTS) : undefined;
  }

  /** Performs one fitting step and returns −elbo if the step estimated it. Calls `fitted` at the end. */
  protected abstract fit(): number | undefined;
  /** Writes draw k of q into `out`. */
  protected abstract drawPoint(k: number, out: Float64Array): void;
  /** Returns the part of q that draw k comes from. */
  protected widthOf(k: number): Width {
    return this.widths[k % this.widths.length];
  }

  /**
   * Returns the log densities of the parts of q: for each normal in turn, one per entry of `widths`. All parts have
   * equal shares.
   */
  protected abstract logParts(x: Float64Array): number[];
  protected abstract fitParts(): Record<string, Kept>;
  /** Statistics about the fit. */
  protected abstract fitReport(): Record<string, number>;

  protected fitted(): void {
    this.pool.numbers.fitted = 1;
  }

  /** Paths from which the fit started. */
  protected abstract readonly paths: Paths;

  get converged(): boolean | string {
    const searched = this.scouting === undefined || this.search.numbers.ended === 1;
    return this.full && searched && "the approximation is made, and so are all draws";
  }

  protected move(): number | undefined | Promise<undefined> {
    if (this.pool.numbers.fitted === 0) return this.fit();
    if (this.full) return this.searchPlaces(this.scouting!);
    this.drawBlock();
    return undefined;
  }

  /**
   * Places with their share of the draws. The list is empty until all draws are made, and also if the weights cannot be
   * trusted.
   */
  places(): VisitedPlace[] {
    if (!this.full || this.scouting === undefined) return [];
    const { paretoK, logMeanWeight, effectiveSize } = this.judge();
    if (paretoK > GOOD_K) return [];
    return this.scouting.visits(this.draws(), { logMass: logMeanWeight, error: 1 / Math.sqrt(effectiveSize) });
  }

  override snapshot(): Snapshot {
    const { tensors, state } = super.snapshot();
    if (!this.scouting) return { tensors, state };
    return { tensors: { ...tensors, ...this.scouting.tensors() }, state: { ...state, survey: this.scouting.state() } };
  }

  override restore(snapshot: Snapshot): void {
    super.restore(snapshot);
    const kept = new KeptPart(this.name, snapshot);
    this.scouting?.restore(kept.part("the search for modes", "survey.", kept.object("survey")));
  }

  override dispose(): void {
    this.scouting?.dispose();
    super.dispose();
  }

  protected parts(): Record<string, Kept> {
    return { ...this.fitParts(), pool: this.pool, search: this.search };
  }

  private async searchPlaces(scouting: Scouting): Promise<undefined> {
    const { numbers } = this.search;
    if (numbers.begun === 0) {
      for (const { mean, factor, elbo } of this.paths.normals) scouting.add(new Normal(mean.slice(), factor), elbo);
      numbers.begun = 1;
      return undefined;
    }
    this.made ??= this.draws();
    const { made } = this;
    const covered = (normal: Normal): boolean => heldBy(normal, made).count >= COVERED * made.chains * made.count;
    if (!(await scouting.search(this.point.evaluations, covered))) numbers.ended = 1;
    return undefined;
  }

  protected override recalled(kept: KeptPart): void {
    this.judged = undefined;
    this.made = undefined;
    const { values, ...others } = this.pool.arrays;
    const fits = (list: readonly Float64Array[], size: number): boolean =>
      list.length === values.length && list.every(({ length }) => length === size);
    if (fits(values, BLOCK * this.dimension) && Object.values(others).every((list) => fits(list, BLOCK))) return;
    kept.refuse(`its draws are not ${values.length} blocks of ${BLOCK} points of ${this.dimension} numbers`);
  }

  report(): Record<string, number> {
    const scouts = this.scouting?.scouts ?? 0;
    const searched: Record<string, number> = scouts > 0 ? { scouts, scoutEvaluations: this.scouting?.evaluations ?? 0 } : {};
    const report: Record<string, number> = { ...this.fitReport(), evaluations: this.point.evaluations, ...searched };
    if (!this.full) return report;
    const { elbo, paretoK } = this.judge();
    return { ...report, elbo, paretoK, draws: this.plan.draws };
  }

  draws(): ChainDraws {
    const { chains, draws } = this.plan;
    const count = this.full ? draws : 0;
    const d = this.dimension;
    const values = new Float64Array(chains * count * d);
    const transitions = new Float64Array(chains * count * 2);
    const picked = this.full && this.resample ? this.pick(chains * count) : undefined;
    for (let c = 0; c < chains; c++) {
      for (let k = 0; k < count; k++) {
        const { x, logDensity, logApproximation } = this.pooled(picked ? picked[k * chains + c] : k * chains + c);
        const at = c * count + k;
        values.set(x, at * d);
        transitions[2 * at] = logDensity;
        transitions[2 * at + 1] = logApproximation;
      }
    }
    return new ChainDraws(chains, count, d, values, ["logDensity", "logApproximation"], transitions);
  }

  /** Whether all draws have been made. */
  private get full(): boolean {
    const made = this.pool.arrays.values.length;
    if (made < this.blocks) return false;
    if (!this.resample || made % this.blocks !== 0) return !this.resample;
    const { paretoK, effectiveSize } = this.judge();
    if (paretoK > HOPELESS_K || made >= MOST_POOLS * this.blocks) return true;
    return paretoK <= GOOD_K && effectiveSize >= EFFECTIVE;
  }

  /** Resamples `count` draws from the pool by weight and returns their indices. */
  private pick(count: number): Uint32Array {
    const draws = stream(this.plan.seed, "resample").at(0);
    const picked = systematic(this.judge().logWeights, count, draws.uniform());
    for (let k = count - 1; k > 0; k--) {
      const other = draws.integer(k + 1);
      [picked[k], picked[other]] = [picked[other], picked[k]];
    }
    return picked;
  }

  private pooled(k: number): { x: Float64Array; logDensity: number; logApproximation: number } {
    const { arrays } = this.pool;
    const [block, at, d] = [Math.floor(k / BLOCK), k % BLOCK, this.dimension];
    const x = arrays.values[block].subarray(at * d, at * d + d);
    return { x, logDensity: arrays.logDensity[block][at], logApproximation: arrays.logApproximation[block][at] };
  }

  private drawBlock(): void {
    const { values, logDensity, logApproximation, stein } = this.pool.arrays;
    const d = this.dimension;
    const first = values.length * BLOCK;
    const centre = this.parameters();
    const gradient = new Float64Array(d);
    const block = [BLOCK * d, BLOCK, BLOCK, BLOCK].map((count) => new Float64Array(count));
    for (let k = 0; k < BLOCK; k++) {
      const x = block[0].subarray(k * d, k * d + d);
      this.drawPoint(first + k, x);
      block[1][k] = this.point.evaluate(x, gradient);
      block[2][k] = logMixture(this.logParts(x));
      for (let i = 0; i < d; i++) block[3][k] += (x[i] - centre[i]) * gradient[i];
    }
    values.push(block[0]);
    logDensity.push(block[1]);
    logApproximation.push(block[2]);
    stein.push(block[3]);
  }

  /** Judges the current pool. The result is cached until the pool grows. */
  private judge(): Judged {
    const { arrays } = this.pool;
    const blocks = arrays.values.length;
    if (this.judged?.blocks !== blocks) {
      const [p, q, stein] = [arrays.logDensity, arrays.logApproximation, arrays.stein].map(joined);
      this.judged = { blocks, of: judge(this.name, p, q, stein, this.dimension, (k) => this.logPlain(k)) };
    }
    return this.judged.of;
  }

  /** log density of the unwidened parts at draw k of the pool; undefined if the draw came from a widened part. */
  private logPlain(k: number): number | undefined {
    if (this.widthOf(k).scale !== 1) return undefined;
    const { x, logApproximation } = this.pooled(k);
    if (this.widths.length === 1) return logApproximation;
    return logMixture(this.logParts(x).filter((_, i) => this.widths[i % this.widths.length].scale === 1));
  }
}

const joined = (blocks: readonly Float64Array[]): Float64Array => Float64Array.from(blocks.flatMap((block) => [...block]));

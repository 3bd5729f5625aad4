import type { KeptPart } from "../../base/kept-part.ts";
import { stream } from "../../base/stream.ts";
import type { LogDensity } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import { ChainDraws } from "../sampling/chain-draws.ts";
import type { SamplingPlan } from "../sampling/sampler.ts";
import { type Judged, judge, systematic } from "./judgement.ts";
import type { Kept } from "./kept.ts";
import { SteppedRun } from "./stepped-run.ts";

/** Draws of a step. */
const BLOCK = 50;
/** Where draws are picked by weights: how many the weights should be worth, and how often the pool may be made anew in search of them. */
const EFFECTIVE = 2000;
const MOST_POOLS = 10;
const GOOD_K = 0.7;
export interface PoolOptions {
  /** Draws of the pool, at least as many as the plan asks for. */
  size: number;
  resample: boolean;
}

/** Every fourth draw is half as wide again where weights undo it: tails that a normal misses are seen, by the draws and by k̂. */
const DEFENSIVE = [1, 1, 1, 1.5];

/**
 * A run that fits an approximation q of a density p, then draws from it: independent draws, and how far they can be trusted.
 *
 * A pool of draws of q is made, block by block, with log p and log q of each. elbo: the mean of log p − log q. k̂ (`paretoK`):
 * the tail shape of p/q by Pareto smoothed importance sampling; above 0.7 the approximation is poor. It is blind to a direction
 * in which q is so narrow that no draw sees p's width, so it is ∞ where the weighted draws break Stein's identity E_p[(x −
 * c)·∇ℓ(x)] = −d, of which such a direction leaves out about 1. Draw k of chain c is draw k·chains + c of the pool.
 * With `resample` every fourth draw is 1.5 times as wide, and draws are picked from the pool by smoothed weights, with
 * replacement: draw x comes ⌊n w⌋ or ⌈n w⌉ times among n (systematic resampling by one uniform number, in an order shuffled),
 * so that picking adds hardly any noise. While k̂ ≤ 0.7 and the weights' effective size is below 2000 the pool grows, up to ten
 * times its size.
 *
 * @throws ErgodicError [SAMPLE_APPROXIMATION] where log p is finite at no draw of q
 */
export abstract class ApproximationRun extends SteppedRun {
  readonly stepsPerEpoch: number;
  /** How wide the parts of q are, in equal shares: draw k is of part k mod their number. */
  protected readonly scales: readonly number[];
  /** Blocks of a pool. */
  private readonly blocks: number;
  private readonly resample: boolean;
  /** Of each block made: [BLOCK, dimension], and [BLOCK] of the others. */
  private readonly pool = {
    numbers: { fitted: 0 },
    arrays: {
      values: [] as Float64Array[],
      logDensity: [] as Float64Array[],
      logApproximation: [] as Float64Array[],
      /** (x − centre)·∇ℓ(x). */
      stein: [] as Float64Array[],
    },
  } satisfies Kept;
  private judged: { blocks: number; of: Judged } | undefined;

  /** `fitSteps`: the most steps of fitting. */
  constructor(name: string, density: LogDensity, plan: SamplingPlan, engine: Engine, fitSteps: number, pool: PoolOptions) {
    super(name, density, plan, engine);
    this.blocks = Math.ceil(Math.max(pool.size, plan.chains * plan.draws) / BLOCK);
    this.resample = pool.resample;
    this.scales = pool.resample ? DEFENSIVE : [1];
    this.stepsPerEpoch = fitSteps + this.blocks * (pool.resample ? MOST_POOLS : 1);
  }

  /** One step of fitting; −elbo where it was estimated. Calls `fitted` at the end. */
  protected abstract fit(): number | undefined;
  /** Draw k of q, into `out`. */
  protected abstract drawPoint(k: number, out: Float64Array): void;
  /** log q. */
  protected abstract logApproximation(x: Float64Array): number;
  protected abstract fitParts(): Record<string, Kept>;
  /** Of fitting. */
  protected abstract fitReport(): Record<string, number>;

  protected fitted(): void {
    this.pool.numbers.fitted = 1;
  }

  get converged(): boolean | string {
    return this.full && "the approximation is made, and so are all draws";
  }

  protected move(): number | undefined {
    if (this.pool.numbers.fitted === 0) return this.fit();
    this.drawBlock();
    return undefined;
  }

  protected parts(): Record<string, Kept> {
    return { ...this.fitParts(), pool: this.pool };
  }

  protected override recalled(kept: KeptPart): void {
    this.judged = undefined;
    const { values, ...others } = this.pool.arrays;
    const fits = (list: readonly Float64Array[], size: number): boolean =>
      list.length === values.length && list.every(({ length }) => length === size);
    if (fits(values, BLOCK * this.dimension) && Object.values(others).every((list) => fits(list, BLOCK))) return;
    kept.refuse(`its draws are not ${values.length} blocks of ${BLOCK} points of ${this.dimension} numbers`);
  }

  report(): Record<string, number> {
    const report: Record<string, number> = { ...this.fitReport(), evaluations: this.point.evaluations };
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

  /** No more draws are due. */
  private get full(): boolean {
    const made = this.pool.arrays.values.length;
    if (made < this.blocks) return false;
    if (!this.resample || made % this.blocks !== 0) return !this.resample;
    const { paretoK, effectiveSize } = this.judge();
    return paretoK > GOOD_K || effectiveSize >= EFFECTIVE || made >= MOST_POOLS * this.blocks;
  }

  /** Numbers in the pool of `count` draws, by weight. */
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
      block[2][k] = this.logApproximation(x);
      for (let i = 0; i < d; i++) block[3][k] += (x[i] - centre[i]) * gradient[i];
    }
    values.push(block[0]);
    logDensity.push(block[1]);
    logApproximation.push(block[2]);
    stein.push(block[3]);
  }

  /** Of the pool so far. */
  private judge(): Judged {
    const { arrays } = this.pool;
    const blocks = arrays.values.length;
    if (this.judged?.blocks !== blocks) {
      const [p, q, stein] = [arrays.logDensity, arrays.logApproximation, arrays.stein].map(joined);
      this.judged = { blocks, of: judge(this.name, p, q, stein, this.dimension) };
    }
    return this.judged.of;
  }
}

const joined = (blocks: readonly Float64Array[]): Float64Array => Float64Array.from(blocks.flatMap((block) => [...block]));

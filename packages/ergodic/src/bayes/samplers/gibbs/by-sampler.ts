import type { Snapshot } from "../../../engine/contract/index.ts";
import { type InnerSampling, innerSampling, type Sampler } from "../base/sampler.ts";
import type { BlockContext, BlockRun, BlockUpdate } from "./block.ts";
import { BlockDensity } from "./block-density.ts";

/**
 * Updates a block with a sampler: `times` transitions on the block's density per sweep.
 *
 * During warm-up, the sampler adapts in the same way as when it runs alone. The sampler's warm-up has `times`
 * transitions per sweep. Moves of other blocks change the sampler's log density and gradient, which are then evaluated
 * again.
 */
export function bySampler(sampler: Sampler, times: number): BlockUpdate {
  return {
    update: sampler.name,
    toJSON: () => ({ ...sampler.toJSON(), ...(times > 1 ? { times } : {}) }),
    open: (context) => new SampledBlock(context, sampler, times),
  };
}

class SampledBlock implements BlockRun {
  private readonly context: BlockContext;
  private readonly times: number;
  private readonly inner: InnerSampling;
  /** Starting points of the sampler's chains, filled in before its first transition. */
  private readonly starts: readonly Float64Array[];
  private readonly label: string;

  constructor(context: BlockContext, sampler: Sampler, times: number) {
    const { density, coordinates, chains, plan, seed, engine } = context;
    this.context = context;
    this.times = times;
    this.label = context.names.join(",");
    this.starts = chains.map(() => new Float64Array(coordinates.length));
    const points = chains.map(({ point }) => point);
    const block = new BlockDensity(density, coordinates, points, engine, plan.deterministic);
    const [warmup, draws] = [plan.warmup * times, plan.draws * times];
    const own = { ...plan, warmup, draws, seed, keep: false, within: "gibbs", start: this.starts };
    this.inner = innerSampling("gibbs", sampler, sampler.start(block, own, engine));
  }

  async update(): Promise<boolean> {
    const { inner } = this;
    const { chains, coordinates } = this.context;
    const begun = inner.step > 0;
    chains.forEach(({ position }, c) => {
      const to = begun ? inner.chain(c).position : this.starts[c];
      for (let i = 0; i < coordinates.length; i++) to[i] = position[coordinates[i]];
    });
    if (begun) await inner.refresh();
    await inner.advance(this.times);
    chains.forEach((chain, c) => {
      const made = inner.chain(c);
      const { position } = chain;
      for (let i = 0; i < coordinates.length; i++) position[coordinates[i]] = made.position[i];
      chain.logDensity = made.logDensity;
    });
    return true;
  }

  acceptance(c: number): number {
    return this.ofLast("acceptance", c) ?? 1;
  }

  divergent(c: number): number {
    return this.ofLast("divergent", c) ?? 0;
  }

  report(): Record<string, number> {
    const { stepSize } = this.inner.report();
    return stepSize === undefined ? {} : { [`stepSize ${this.label}`]: stepSize };
  }

  snapshot(): Snapshot {
    return this.inner.snapshot();
  }

  restore(snapshot: Snapshot): void {
    this.inner.restore(snapshot);
  }

  dispose(): void {
    this.inner.dispose();
  }

  private ofLast(name: string, c: number): number | undefined {
    const at = this.inner.fields.indexOf(name);
    return at < 0 ? undefined : this.inner.lastTransition(c)[at];
  }
}

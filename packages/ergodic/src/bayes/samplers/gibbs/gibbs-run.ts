import type { JsonObject, LogDensity, Snapshot } from "../../../engine/contract/index.ts";
import { isObject, KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { stream } from "../../../engine/random/stream.ts";
import { ChainsRun } from "../base/chains-run.ts";
import type { SamplingPlan } from "../base/sampler.ts";
import { placeChains } from "../base/starting-points.ts";
import { type BlockRun, type BlockUpdate, checkCover, coordinatesOf } from "./block.ts";
import { GibbsChain } from "./gibbs-chain.ts";

export interface GibbsBlock {
  readonly of: readonly (string | number)[];
  readonly by: BlockUpdate;
}

const FIELDS = ["logDensity", "acceptance", "divergent"] as const;

/**
 * A run of Gibbs sampling. Each chain updates its blocks one after another, each block given all other blocks. A
 * transition is a sweep over all blocks.
 *
 * Each block has its own streams. The seed of these streams is derived from the run's seed and the block's index, so
 * that no two blocks share random numbers.
 */
export class GibbsRun extends ChainsRun<GibbsChain> {
  private readonly blocks: BlockRun[] = [];

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, given: readonly GibbsBlock[]) {
    super("gibbs", plan, density.dimension, FIELDS, engine);
    const places = given.map(({ of }) => coordinatesOf(density, of));
    checkCover(density, places);
    this.addChains((c) => new GibbsChain(engine, density, c, plan.seed, FIELDS.length));
    try {
      given.forEach(({ of, by }, b) => {
        const { chains } = this;
        const [names, coordinates] = [of.map(String), places[b]];
        const seed = blockSeed(plan.seed, b);
        this.blocks.push(by.open({ density, names, coordinates, chains, plan, seed, engine, run: (calls) => this.run(calls) }));
      });
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  protected async begin(): Promise<void> {
    await placeChains(this.name, this.chains, this.plan, (calls) => this.run(calls));
  }

  protected async advanceChains(first: number, count: number, adapt: boolean): Promise<void> {
    for (let k = 0; k < count; k++) {
      let known = false;
      for (const block of this.blocks) known = await block.update(first + k, adapt);
      if (!known) await this.refresh();
      this.chains.forEach((chain, c) => {
        const acceptances = this.blocks.flatMap((block) => block.acceptance?.(c) ?? []);
        const mean = acceptances.reduce((sum, a) => sum + a / acceptances.length, 0);
        const divergent = this.blocks.some((block) => (block.divergent?.(c) ?? 0) > 0);
        chain.record(k, [chain.logDensity, acceptances.length > 0 ? mean : 1, divergent ? 1 : 0]);
      });
    }
  }

  protected override reportMore(): Record<string, number> {
    return Object.assign({}, ...this.blocks.map((block) => block.report()));
  }

  override snapshot(): Snapshot {
    const { tensors, state } = super.snapshot();
    const blocks: JsonObject[] = [];
    this.blocks.forEach((block, b) => {
      const own = block.snapshot();
      for (const [name, tensor] of Object.entries(own.tensors)) tensors[`block.${b}.${name}`] = tensor;
      blocks.push(own.state);
    });
    return { tensors, state: { ...state, blocks } };
  }

  override restore(snapshot: Snapshot): void {
    super.restore(snapshot);
    const kept = new KeptPart("the blocks", snapshot);
    const states = kept.list("blocks", isObject, this.blocks.length);
    this.blocks.forEach((block, b) => {
      block.restore(kept.part(`block ${b + 1}`, `block.${b}.`, states[b]).snapshot);
    });
  }

  override dispose(): void {
    for (const block of this.blocks.splice(0)) block.dispose();
    super.dispose();
  }
}

/** Returns a 53-bit seed for block b. */
function blockSeed(seed: number, b: number): number {
  const draws = stream(seed, "gibbs", b).at(0);
  return Math.floor(draws.uniform() * 2 ** 53);
}

import type { LogDensity } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { type Stream, stream } from "../../engine/random/stream.ts";
import { type ChainState, ChainsRun } from "./base/chains-run.ts";
import { type SamplingPlan, sampler } from "./base/sampler.ts";

const STRETCH = 64;

class PriorChain implements ChainState {
  readonly capacity = STRETCH;
  readonly position: Float64Array;
  readonly stream: Stream;
  readonly made: Float64Array;
  private readonly none = new Float64Array(STRETCH).fill(0);

  constructor(seed: number, c: number, dimension: number) {
    this.position = new Float64Array(dimension);
    this.made = new Float64Array(STRETCH * dimension);
    this.stream = stream(seed, "chain", c, "prior");
  }

  stretch(count: number) {
    return { draws: this.made.subarray(0, count * this.position.length), transitions: this.none.subarray(0, count) };
  }

  views() {
    return { position: this.position };
  }

  dispose(): void {}
}

class PriorRun extends ChainsRun<PriorChain> {
  private readonly drawPrior: NonNullable<LogDensity["drawPrior"]>;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine) {
    super("prior", { ...plan, warmup: 0 }, density.dimension, ["logDensity"], engine);
    if (!density.drawPrior)
      throw new CapabilityError("prior", "a plain function has no prior to draw from; write it as a model()", "SAMPLE_PRIOR");
    this.drawPrior = (draws) => density.drawPrior!(draws);
    this.addChains((c) => new PriorChain(plan.seed, c, density.dimension));
  }

  protected async begin(): Promise<void> {}

  protected async advanceChains(first: number, count: number): Promise<void> {
    for (const chain of this.chains) {
      for (let k = 0; k < count; k++) {
        chain.position.set(this.drawPrior(chain.stream.at(first + k)));
        chain.made.set(chain.position, k * this.dimension);
      }
    }
  }
}

/**
 * Draws from the prior. Draws are independent, and each parameter is drawn given the earlier ones. Together with
 * `predict`, prior draws simulate the data that the model expects before it sees any data.
 *
 * Draw t of chain c uses update t of the stream "chain", c, "prior". Nothing is adapted: `warmup` has no effect.
 * Observations are ignored.
 *
 * @throws CapabilityError if the density has no prior to draw from (a flat prior, a target() term, a plain function)
 */
export const prior = /* @__PURE__ */ sampler<Record<string, never>>(
  { name: "prior", family: "prior", exact: false, options: {} },
  () => ({
    name: "prior",
    verb: "sample",
    toJSON: () => ({ algorithm: "prior" }),
    start: (density, plan, engine) => new PriorRun(density, plan, engine),
  }),
);

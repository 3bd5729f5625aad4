/**
 * A user-defined sampler that uses only `ergodic/extend` runs, is checkpointed and resumes like the library's samplers.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sample } from "../../src/entries/everything.ts";
import {
  type ChainState,
  ChainsRun,
  type Engine,
  type LogDensity,
  OptionError,
  type Sampler,
  type SamplingPlan,
  stream,
  type Tensor,
} from "../../src/entries/extend.ts";

const CAPACITY = 32;

/** Independent standard normal draws, which are right for only one target, as the test can check. */
class IndependentChain implements ChainState {
  readonly capacity = CAPACITY;
  readonly position: Float64Array;
  private readonly draws: Float64Array;
  private readonly logDensities = new Float64Array(CAPACITY);
  private readonly numbers;

  constructor(dimension: number, c: number, seed: number) {
    this.position = new Float64Array(dimension);
    this.draws = new Float64Array(CAPACITY * dimension);
    this.numbers = stream(seed, "independent", c);
  }

  transition(t: number, k: number): void {
    const draws = this.numbers.at(t);
    this.position.forEach((_, i) => {
      this.position[i] = draws.normal();
    });
    this.draws.set(this.position, k * this.position.length);
    this.logDensities[k] = -0.5 * this.position.reduce((sum, x) => sum + x * x, 0);
  }

  stretch(count: number): { draws: Float64Array; transitions: Float64Array } {
    return { draws: this.draws.subarray(0, count * this.position.length), transitions: this.logDensities.subarray(0, count) };
  }

  views(): Record<string, Tensor> {
    return { position: this.position };
  }

  dispose(): void {}
}

class IndependentRun extends ChainsRun<IndependentChain> {
  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine) {
    super("independent", plan, density.dimension, ["logDensity"], engine);
    this.addChains((c) => new IndependentChain(density.dimension, c, plan.seed));
  }

  protected async begin(): Promise<void> {}

  protected async advanceChains(first: number, count: number): Promise<void> {
    for (const chain of this.chains) for (let k = 0; k < count; k++) chain.transition(first + k, k);
  }
}

const independent = (options: Record<never, never> = {}): Sampler => {
  if (Object.keys(options).length > 0) throw new OptionError("independent", "it takes no options", "OPTION_UNKNOWN");
  return {
    name: "independent",
    verb: "sample",
    toJSON: () => ({ algorithm: "independent" }),
    start: (density, plan, engine) => new IndependentRun(density, plan, engine),
  };
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(() => rm(folder, { recursive: true }));

const target = (x: Float64Array): number => -0.5 * (x[0] ** 2 + x[1] ** 2);

it("a user-defined sampler draws, is trusted and resumes from a checkpoint", async () => {
  const plan = { algorithm: independent(), chains: 4, warmup: 20, draws: 500, seed: 3 };
  const draws = await sample(target, { dimension: 2 }, plan);
  expect(draws.verdict().trusted, draws.verdict().text).toBe(true);
  const half = sample(target, { dimension: 2 }, { ...plan, draws: 200 });
  await half;
  const path = join(folder, "own.checkpoint");
  await half.checkpoint(path);
  const whole = await sample.resume(path, target, { dimension: 2 }, { algorithm: independent(), draws: 500 });
  expect(whole.draws("x")).toEqual(draws.draws("x"));
});

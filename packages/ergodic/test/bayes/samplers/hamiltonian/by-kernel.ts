/** Runs transitions of the kernels directly in guarded memory, without a surrounding run. */

import * as field from "../../../../src/bayes/fields.ts";
import type { Engine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { Guarded } from "../../../engine/memory/guarded.ts";
import type { TwinOptions } from "../../../reference/nuts.ts";
import type { TestDensity } from "../densities.ts";

/** Random stream of every test chain. */
export const key = stream(5, "twin");

/** A CHAIN block at `from`. */
export function testChain(memory: Guarded, density: TestDensity, from: Float64Array, options: TwinOptions) {
  const d = density.dimension;
  const binding = density.bind({ lane: 0, purpose: "test" });
  const gradient = new Float64Array(d);
  const logDensity = density.plain(from, gradient);
  const proposals = options.maxDepth + 2;
  const words = 2 * d * (15 + 6 * options.maxDepth) + proposals * (4 * d + 4) + proposals;
  const work = memory.room("u32", words);
  const { arena } = memory;
  const block = arena.block(field.CHAIN_BYTES, [
    [field.CHAIN_SLOT, binding.slot],
    [field.CHAIN_MODEL, binding.model],
    [field.CHAIN_DIMENSION, d],
    [field.CHAIN_DENSE, options.dense ? 1 : 0],
    [field.CHAIN_INVERSE, memory.put("f64", options.inverse)],
    [field.CHAIN_FACTOR, memory.put("f64", options.factor)],
    [field.CHAIN_POSITION, memory.put("f64", from)],
    [field.CHAIN_GRADIENT, memory.put("f64", gradient)],
    [field.CHAIN_WORK, work],
    [field.CHAIN_KEY_LOW, key.key[0]],
    [field.CHAIN_KEY_HIGH, key.key[1]],
    [field.CHAIN_MAX_DEPTH, options.maxDepth],
    [field.CHAIN_LEAPFROGS, options.leapfrogs],
  ]);
  arena.setF64(block, field.CHAIN_STEP_F64, options.step);
  arena.setF64(block, field.CHAIN_JITTER_F64, options.jitter);
  arena.setF64(block, field.CHAIN_TIME_F64, options.time);
  arena.setF64(block, field.CHAIN_LOG_DENSITY_F64, logDensity);
  arena.setF64(block, field.CHAIN_RANK_F64, options.rank ?? 0);
  return {
    block,
    stepSize: () => arena.getF64(block, field.CHAIN_STEP_F64),
    /** Also checks the guard of the scratch memory. */
    dispose: () => {
      binding.dispose();
      memory.read("u32", work, words);
    },
  };
}

/**
 * Runs transitions 3 … 3 + count − 1 and returns their draws, gradients and numbers. With `averaging`, adapts the step
 * from that state.
 */
export function byKernel(
  engine: Engine,
  kernel: string,
  density: TestDensity,
  from: Float64Array,
  options: TwinOptions,
  count: number,
  deterministic: boolean,
  averaging?: Float64Array,
) {
  using memory = new Guarded(engine);
  const d = density.dimension;
  const chain = testChain(memory, density, from, options);
  const [draws, gradients] = [memory.room("f64", count * d), memory.room("f64", count * d)];
  const transitions = memory.room("f64", count * 7);
  if (averaging) engine.memory.f64(chain.block + field.CHAIN_AVERAGING, averaging.length).set(averaging);
  engine.kernel(kernel, deterministic)(chain.block, 3, count, averaging ? 1 : 0, draws, gradients, transitions);
  const averaged = averaging && engine.memory.f64(chain.block + field.CHAIN_AVERAGING, averaging.length).slice();
  chain.dispose();
  return {
    /** Final state of averaging, if any. */
    averaged,
    draws: memory.read("f64", draws, count * d),
    gradients: memory.read("f64", gradients, count * d),
    transitions: memory.read("f64", transitions, count * 7),
  };
}

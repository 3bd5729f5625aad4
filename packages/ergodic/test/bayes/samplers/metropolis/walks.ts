/**
 * Transitions of Metropolis and slice kernels in guarded memory and of their plain twins, and chains of twins with
 * planted mistakes.
 */

import * as field from "../../../../src/bayes/fields.ts";
import type { Engine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { Guarded } from "../../../engine/memory/guarded.ts";
import { type WalkKernel, type WalkPoint, WalkTwin, type WalkTwinOptions } from "../../../reference/walks.ts";
import type { PlainDensity, TestDensity } from "../densities.ts";
import type { ManyChains } from "../exactness.ts";

const key = stream(5, "walk");

/** Results of transitions 3 … 3 + count − 1 as plain numbers. */
interface Walked {
  draws: number[];
  transitions: number[];
  steps: number[];
  adaptation: number[];
}

export function byKernel(
  engine: Engine,
  kernel: WalkKernel,
  density: TestDensity,
  from: Float64Array,
  options: WalkTwinOptions,
  count: number,
  deterministic: boolean,
): Walked {
  using memory = new Guarded(engine);
  const d = density.dimension;
  const binding = density.bind({ lane: 0, purpose: "test" });
  const { steps, adaptation = new Float64Array(4 * steps.length) } = options;
  const work = memory.room("f64", 5 * d);
  const at = { steps: memory.put("f64", steps), adaptation: memory.put("f64", adaptation) };
  const block = memory.arena.block(field.WALK_BYTES, [
    [field.WALK_SLOT, binding.slot],
    [field.WALK_MODEL, binding.model],
    [field.WALK_DIMENSION, d],
    [field.WALK_DENSE, options.dense ? 1 : 0],
    [field.WALK_MEAN, memory.put("f64", options.mean)],
    [field.WALK_FACTOR, memory.put("f64", options.factor)],
    [field.WALK_POSITION, memory.put("f64", from)],
    [field.WALK_GRADIENT, memory.room("f64", d)],
    [field.WALK_WORK, work],
    [field.WALK_KEY_LOW, key.key[0]],
    [field.WALK_KEY_HIGH, key.key[1]],
    [field.WALK_STEPS, at.steps],
    [field.WALK_ADAPTATION, at.adaptation],
    [field.WALK_MODE, options.mode],
    [field.WALK_LIMIT, options.limit],
  ]);
  memory.arena.setF64(block, field.WALK_LOG_DENSITY_F64, density.plain(from, new Float64Array(d)));
  const [draws, transitions] = [memory.room("f64", count * d), memory.room("f64", count * 4)];
  engine.kernel(kernel, deterministic)(block, 3, count, options.adaptation ? 1 : 0, draws, transitions);
  binding.dispose();
  memory.read("f64", work, 5 * d);
  return {
    draws: memory.read("f64", draws, count * d),
    transitions: memory.read("f64", transitions, count * 4),
    steps: memory.read("f64", at.steps, steps.length),
    adaptation: memory.read("f64", at.adaptation, adaptation.length),
  };
}

export function byTwin(
  kernel: WalkKernel,
  density: TestDensity,
  from: Float64Array,
  options: WalkTwinOptions,
  count: number,
): Walked {
  const steps = options.steps.slice();
  const adaptation = options.adaptation?.slice();
  const twin = new WalkTwin(density.plain, { ...options, steps, ...(adaptation ? { adaptation } : {}) });
  let point: WalkPoint = { x: from, logDensity: density.plain(from, new Float64Array(from.length)) };
  const found = { draws: [] as number[], transitions: [] as number[] };
  for (let t = 3; t < 3 + count; t++) {
    const made = twin.transition(kernel, point, key.at(t));
    point = made;
    found.draws.push(...made.x);
    found.transitions.push(made.logDensity, made.acceptance, made.step, made.evaluations);
  }
  return { ...found, steps: [...steps], adaptation: [...(adaptation ?? new Float64Array(4 * steps.length))] };
}

/** Chains of a transition written in TypeScript. Each begins at `start` and discards its first 50 transitions. */
export function chainsOf(
  density: PlainDensity,
  start: Float64Array,
  transition: (point: WalkPoint, draws: ReturnType<typeof key.at>) => WalkPoint,
  { chains = 48, count = 1000 } = {},
): ManyChains {
  const d = start.length;
  const values = new Float64Array(chains * count * d);
  for (let c = 0; c < chains; c++) {
    const own = stream(8, "mutants", c);
    let point: WalkPoint = { x: start, logDensity: density(start, new Float64Array(d)) };
    for (let t = -50; t < count; t++) {
      point = transition(point, own.at(t + 50));
      if (t >= 0) values.set(point.x, (c * count + t) * d);
    }
  }
  return { chains, count, values };
}

export function walkChains(
  kernel: WalkKernel,
  density: PlainDensity,
  start: Float64Array,
  options: WalkTwinOptions,
  sizes?: { chains?: number; count?: number },
): ManyChains {
  const twin = new WalkTwin(density, options);
  return chainsOf(density, start, (point, draws) => twin.transition(kernel, point, draws), sizes);
}

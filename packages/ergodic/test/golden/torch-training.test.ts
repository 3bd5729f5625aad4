/**
 * Compares five steps of a small convolutional network with batch norm with PyTorch 2.6 in float64. Losses, parameters,
 * running statistics and evaluation outputs must agree within 1e-9 relative. torch-training.py made
 * torch-training.json. Each entry holds its call.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { interpret } from "../../src/engine/compiler/array/index.ts";
import type { Problem } from "../../src/engine/contract/index.ts";
import { openEngine } from "../../src/engine/memory/engine.ts";
import {
  batchNorm,
  convolution,
  Dataset,
  dense,
  type EquationRule,
  flatten,
  gradientDescent,
  maxPool,
  momentum,
  NetworkPredictor,
  nesterov,
  network,
  relu,
} from "../../src/entries/everything.ts";
import { multinomialLoss as multinomial } from "../../src/learning/models/losses/index.ts";
import { outputsOf } from "../../src/learning/models/neural/programs.ts";
import { planOf } from "../learning/models/bound-network.ts";

interface Entry {
  readonly call: string;
  readonly losses: number[];
  readonly parameters: Record<string, number[]>;
  readonly states: Record<string, number[]>;
  readonly outputs: number[];
}
interface Golden {
  readonly x: number[];
  readonly y: number[];
  readonly start: Record<string, number[]>;
  readonly entries: Entry[];
}
const golden = JSON.parse(readFileSync(new URL("./torch-training.json", import.meta.url), "utf8")) as Golden;
const TOLERANCE = 1e-9;
const SHAPE = [6, 6, 2];
const CELLS = 72;

const ours: Record<string, { rule: EquationRule; l2: number }> = {
  "torch.optim.SGD(lr=0.1, momentum=0.9)": { rule: momentum({ rate: 0.1, momentum: 0.9 }), l2: 0 },
  "torch.optim.SGD(lr=0.1, momentum=0.9, nesterov=True)": { rule: nesterov({ rate: 0.1, momentum: 0.9 }), l2: 0 },
  "torch.optim.SGD(lr=0.1, momentum=0.9), weight_decay=0.01 of weights": {
    rule: momentum({ rate: 0.1, momentum: 0.9 }),
    l2: 0.01,
  },
};

/** Largest difference, relative to the largest number of the array. */
function difference(found: ArrayLike<number>, wanted: readonly number[]): number {
  expect(found.length).toBe(wanted.length);
  const size = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((value, i) => Math.abs(found[i] - value) / size));
}

describe.each(golden.entries)("$call", (entry) => {
  it.each([false, true])("the training agrees, deterministic: %s", async (deterministic) => {
    const x = Array.from({ length: golden.y.length }, (_, i) => golden.x.slice(i * CELLS, (i + 1) * CELLS));
    using data = Dataset.fromArrays({ x, y: golden.y, classes: true, rowShape: SHAPE, type: "f64" });
    const { rule, l2 } = ours[entry.call];
    const layers = [convolution(3, { bias: false }), batchNorm(), relu(), maxPool(2), flatten(), dense(3)];
    const model = network(layers, { l2, standardise: false });
    const engine = await openEngine();
    const plan = planOf({ batch: 4, deterministic });
    const problem = model.bind(data, plan, engine);
    const start = problem.start;
    for (const { path, offset } of problem.layout.parameters) start.set(golden.start[path], offset);
    const given = Object.create(problem, { start: { value: start } }) as Problem;
    const progression = await gradientDescent({ rule }).start(given, plan, engine);

    for (const wanted of entry.losses) {
      const { lossSum, rows } = await progression.advance(1);
      expect(Math.abs(lossSum / rows - wanted)).toBeLessThan(TOLERANCE * wanted);
    }
    const all = progression.parameters();
    const inputs: Record<string, ArrayLike<number>> = { x: golden.x };
    for (const { path, offset, size, input } of [...problem.layout.parameters, ...problem.layout.states]) {
      const values = all.subarray(offset, offset + size);
      inputs[String(input.attributes)] = values;
      expect(difference(values, entry.parameters[path] ?? entry.states[path]), path).toBeLessThan(TOLERANCE);
    }
    const facts = { network: model.layers, loss: multinomial(), outputs: 3, rowShape: SHAPE, scale: { mean: 0, factor: 1 } };
    const [z] = interpret([outputsOf(facts, x.length, false).z], inputs);
    expect(difference(z, entry.outputs)).toBeLessThan(TOLERANCE);
    using predictor = new NetworkPredictor(model.save(data, all), engine);
    expect(difference(predictor.outputs(data), entry.outputs)).toBeLessThan(1e-5);
    progression.dispose();
    problem.dispose();
  });
});

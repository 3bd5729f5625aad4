/**
 * Networks as files: predictions from bytes equal the interpreter's in evaluation, batch norm is folded into weights,
 * and plain functions predict but cannot resume.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { interpret } from "../../../../src/engine/compiler/array/index.ts";
import { max } from "../../../../src/engine/compiler/index.ts";
import type { JsonObject } from "../../../../src/engine/contract/index.ts";
import { decode, encode } from "../../../../src/engine/files/safetensors.ts";
import type { ArrayPlan } from "../../../../src/engine/memory/array-plan.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import {
  activation,
  batchNorm,
  circulantNet,
  cnn,
  convolution,
  Dataset,
  dense,
  depthwise,
  dropout,
  fit,
  flatten,
  globalAveragePool,
  gru,
  invertedResidual,
  type LayerLike,
  mlp,
  mobileNetV2,
  type NetworkOptions,
  NetworkPredictor,
  network,
  noise,
  predictor,
  randomShift,
  relu,
  reshaped,
  residual,
  sequential,
  shuffleNetV2,
  shuffleUnitV2,
} from "../../../../src/entries/everything.ts";
import { chooseLoss } from "../../../../src/learning/models/choose-loss.ts";
import { outputsOf } from "../../../../src/learning/models/neural/programs.ts";
import { isSlow } from "../../../power.ts";
import { BoundNetwork } from "../bound-network.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const IMAGE = [6, 6, 1];
const ROWS = 11;
const draws = stream(6, "rows").at(0);
const x = Array.from({ length: ROWS }, () => Array.from({ length: 36 }, () => 2 + 3 * draws.normal()));
const images = (): Dataset =>
  Dataset.fromArrays({ x, y: x.map(([a]) => (a > 3 ? "high" : a > 1 ? "middle" : "low")), rowShape: IMAGE });
const plain = (): Dataset => Dataset.fromArrays({ x, y: x.map(([a]) => a) });

/**
 * Returns a network with irregular numbers, loaded from its bytes, and z of every row in evaluation by the interpreter.
 */
async function saved(layers: LayerLike, data: Dataset, options: NetworkOptions = {}) {
  const model = network(layers, { standardise: false, ...options });
  using bound = await BoundNetwork.open(model, data, { precision: { data: "f32", model: "f32" } });
  const parameters = bound.irregular();
  const bytes = new NetworkPredictor(model.save(bound.data, parameters), bound.engine).toBytes();
  const found = await predictor<NetworkPredictor>(bytes);
  const { loss, outputs } = chooseLoss("test", options.loss, data);
  const facts = { network: model.layers, loss, outputs, rowShape: data.rowShape ?? [36], scale: { mean: 0, factor: 1 } };
  const given: Record<string, ArrayLike<number>> = { x: Array.from({ length: ROWS }, (_, i) => [...bound.data.row(i)]).flat() };
  const { layout } = bound.problem;
  for (const { input, offset, size } of [...layout.parameters, ...layout.states])
    given[String(input.attributes)] = parameters.subarray(offset, offset + size);
  const [wanted] = interpret([outputsOf(facts, ROWS, false).z], given);
  return { bytes, found, wanted };
}

const plan = (made: NetworkPredictor): ArrayPlan => made.description.program as unknown as ArrayPlan;
/** Operations of all element-wise loops. */
const operations = (made: NetworkPredictor): string[] =>
  plan(made).steps.flatMap((step) => (step.kind === "loop" ? step.operations.map(([op]) => op) : []));

const networks: Record<string, LayerLike> = {
  mlp: mlp([12, 8], { outputs: 3, normalised: true, dropout: 0.3 }),
  cnn: cnn({ outputs: 3, channels: [3, 4], hidden: 7 }),
  circulantNet: circulantNet({ outputs: 3, channels: [4, 4], hidden: 8, block: 4 }),
  "inverted residuals": sequential([
    convolution(4, { stride: 2 }),
    batchNorm(),
    relu(),
    invertedResidual(4, 4),
    invertedResidual(4, 6, { stride: 2 }),
    globalAveragePool(),
    dense(3),
  ]),
  "shuffle units": sequential([
    convolution(4),
    shuffleUnitV2(4, 4),
    shuffleUnitV2(4, 8, { stride: 2 }),
    globalAveragePool(),
    dense(3),
  ]),
  // The interpreter takes long for their many layers.
  ...(isSlow && {
    mobileNetV2: mobileNetV2({ outputs: 3, width: 0.25, form: "small" }),
    shuffleNetV2: shuffleNetV2({ outputs: 3, width: 0.5, form: "small" }),
  }),
  "a recurrence over rows": sequential([reshaped([6, 6]), gru(4), dense(3)]),
  augmented: sequential([randomShift(1), noise(0.2), flatten(), dense(5), relu(), dropout(0.5), dense(3)]),
  residual: sequential([flatten(), dense(6), residual(sequential([batchNorm(), relu(), dense(6)])), dense(3)]),
};

describe("predictions from bytes", () => {
  it.each(Object.keys(networks))("agree with the interpreter: %s", async (name) => {
    using data = images();
    const { found, wanted } = await saved(networks[name], data);
    const z = found.outputs(data);
    const size = Math.max(...wanted.map(Math.abs));
    expect(size).toBeGreaterThan(1e-2);
    expect(Math.max(...z.map((value, i) => Math.abs(value - wanted[i]))) / size).toBeLessThan(1e-5);
  });

  it("support other links: one class against the rest, two classes, numbers and counts", async () => {
    using data = images();
    using numbers = plain();
    const layers = (outputs: number) => sequential([flatten(), dense(5), relu(), dense(outputs)]);
    const hinge = await saved(layers(3), data, { loss: "hinge" });
    expect(hinge.found.predict(data).map(({ value }) => value)).toEqual(
      Array.from({ length: ROWS }, (_, i) => data.target.levels![largest(hinge.wanted.slice(3 * i, 3 * i + 3))]),
    );
    expect(hinge.found.predict(data)[0].probabilities).toBeUndefined();
    const logistic = await saved(layers(3), data, { loss: "logistic" });
    for (const { probabilities } of logistic.found.predict(data))
      expect(Object.values(probabilities!).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    const line = await saved(layers(1), numbers);
    expect(line.found.predict(numbers).map(({ value }) => value)).toEqual([...line.wanted].map((z) => expect.closeTo(z, 3)));
  });

  it("accept any number of rows, raw or as a dataset", async () => {
    using data = images();
    const { found } = await saved(networks.cnn, data);
    const all = found.predict(data);
    const names = data.names;
    const raw = (i: number) => Object.fromEntries(names.map((name, j) => [name, data.row(i)[j]]));
    for (const count of [1, 2, 3, ROWS]) {
      const some = found.predict(Array.from({ length: count }, (_, i) => raw(i)));
      for (const [i, { probabilities }] of some.entries())
        for (const [name, p] of Object.entries(probabilities!)) expect(p).toBeCloseTo(all[i].probabilities![name], 5);
    }
  });

  it("agree with the trained model that is standardised as a whole", async () => {
    using data = images();
    const model = await fit(network(cnn({ outputs: 3, channels: [3], hidden: 6 })), data, { epochs: 2, batch: 8, seed: 2 });
    const file = join(folder, "cnn.safetensors");
    await model.save(file);
    const found = await predictor<NetworkPredictor>(file);
    expect(found).toBeInstanceOf(NetworkPredictor);
    expect([...found.outputs(data)]).toEqual([...model.outputs(data)]);
    expect(found.rowShape).toEqual(IMAGE);
    expect(found.evaluate(data)).toEqual(model.evaluate(data));
    expect(found.toBytes()).toEqual(model.toBytes());
  });
});

describe("batch norm folded into the previous weights", () => {
  const withNorm = (norm: LayerLike[]): Record<string, LayerLike> => ({
    dense: sequential([flatten(), dense(6, { bias: false }), ...norm, relu(), dense(3)]),
    "dense with a bias": sequential([flatten(), dense(6), ...norm, relu(), dense(3)]),
    convolution: sequential([convolution(4, { bias: false }), ...norm, relu(), globalAveragePool(), dense(3)]),
    "convolution with a bias": sequential([convolution(4), ...norm, activation("tanh"), globalAveragePool(), dense(3)]),
    "pointwise convolution": sequential([convolution(4, { kernel: 1 }), ...norm, relu(), globalAveragePool(), dense(3)]),
    depthwise: sequential([depthwise({ bias: false }), ...norm, relu(), flatten(), dense(3)]),
  });
  it.each(Object.keys(withNorm([])))("leaves no normalisation in the file: %s", async (name) => {
    using data = images();
    const normed = await saved(withNorm([batchNorm()])[name], data);
    const bare = await saved(withNorm([])[name], data);
    const size = Math.max(...normed.wanted.map(Math.abs));
    const z = normed.found.outputs(data);
    expect(Math.max(...z.map((value, i) => Math.abs(value - normed.wanted[i]))) / size).toBeLessThan(1e-5);
    // No factor and no root remains. A term per channel remains if the layer had no bias.
    expect(operations(normed.found)).not.toContain("mul");
    expect(operations(normed.found)).not.toContain("sqrt");
    expect(plan(normed.found).steps.length).toBe(plan(bare.found).steps.length);
  });

  it("is not folded if its input is used elsewhere", async () => {
    using data = images();
    const { found, wanted } = await saved(
      sequential([flatten(), dense(6), residual(sequential([batchNorm(), relu()])), dense(3)]),
      data,
    );
    expect(operations(found)).toContain("mul");
    const size = Math.max(...wanted.map(Math.abs));
    expect(Math.max(...found.outputs(data).map((value, i) => Math.abs(value - wanted[i]))) / size).toBeLessThan(1e-5);
  });
});

it("names and shapes numbers as the layers do", async () => {
  using data = images();
  const { bytes } = await saved(sequential([convolution(4, { bias: false }), batchNorm(), relu(), flatten(), dense(3)]), data);
  const { tensors } = decode(bytes, "model");
  const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
  expect(shapes).toEqual({ "0.weight folded": [3, 3, 1, 4], "1.shift folded": [4], "4.weight": [144, 3], "4.bias": [3] });
});

describe("a network with a plain function", () => {
  const model = () => network([flatten(), dense(4), (z) => max(z, 0), dense(3)]);

  it("predicts from its file", async () => {
    using data = images();
    const trained = await fit(model(), data, { epochs: 2, seed: 1 });
    const found = await predictor<NetworkPredictor>(trained.toBytes());
    expect([...found.outputs(data)]).toEqual([...trained.outputs(data)]);
    expect((found.description.model as JsonObject).layers).toBeNull();
  });

  it("cannot be resumed", async () => {
    using data = images();
    const run = fit(model(), data, { epochs: 1, seed: 1 });
    await run;
    const file = join(folder, "function.checkpoint");
    await run.checkpoint(file);
    await expect(Promise.resolve(fit.resume(file, data, { epochs: 2 }))).rejects.toThrow(
      /network: the network holds a plain function .*; define it by layer\("name", .*\[LAYER_FUNCTION\]/,
    );
  });
});

describe("damaged files", () => {
  const made = async (change: (description: JsonObject, tensors: Record<string, unknown>) => void): Promise<unknown> => {
    using data = images();
    const { bytes } = await saved(networks.mlp, data);
    const { tensors, metadata } = decode(bytes, "model");
    const description = JSON.parse(metadata.description) as JsonObject;
    change(description, tensors);
    return predictor(encode(tensors, { ...metadata, description: JSON.stringify(description) }));
  };

  it("refuses missing numbers", async () => {
    await expect(made((_, tensors) => delete tensors[Object.keys(tensors)[0]])).rejects.toThrow(
      /is missing, but \d+ are wanted; the file is damaged, export it again \[MODEL_FORMAT\]/,
    );
  });

  it("refuses a plan of a later version", async () => {
    const later = made((description) => Object.assign(description.program as JsonObject, { version: 99 }));
    await expect(later).rejects.toThrow(/has a plan of version 99, .*update ergodic \[MODEL_VERSION\]/);
  });
});

it("a predictor releases its memory", async () => {
  using data = images();
  const { bytes } = await saved(networks.cnn, data);
  const { memory } = await openEngine();
  const once = async (): Promise<void> => {
    using found = await predictor<NetworkPredictor>(bytes);
    found.outputs(data);
  };
  await once();
  const before = memory.usedBytes;
  for (let i = 0; i < 20; i++) await once();
  expect(memory.usedBytes).toBeLessThanOrEqual(before);
});

function largest(values: ArrayLike<number>): number {
  return Array.from(values).indexOf(Math.max(...Array.from(values)));
}

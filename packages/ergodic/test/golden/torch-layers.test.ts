/**
 * Compares layers with PyTorch 2.6 in float64 in the interpreter: outputs, gradients with respect to input and
 * parameters, and running statistics, within 1e-10. torch-layers.py made torch-layers.json. Each entry holds its call.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { constantArray, gradientsOf, input, interpret, type SymbolicArray } from "../../src/engine/compiler/array/index.ts";
import * as n from "../../src/learning/models/neural/index.ts";

interface Numbers {
  shape: number[];
  values: number[];
}
interface Entry {
  name: string;
  call: string;
  x: Numbers;
  parameters: Record<string, Numbers>;
  y: Numbers;
  seed: Numbers;
  gradients: Record<string, Numbers>;
  before?: Record<string, Numbers>;
  after?: Record<string, Numbers>;
}
const { entries } = JSON.parse(readFileSync(new URL("./torch-layers.json", import.meta.url), "utf8")) as { entries: Entry[] };
const TOLERANCE = 1e-10;

const padded = { padding: 1 } as const;
/** Our layer for each name in torch-layers.py. */
const ours: Record<string, () => n.Layer> = {
  dense: () => n.dense(3),
  denseSequence: () => n.dense(3),
  convolution: () => n.convolution(3, padded),
  convolutionStrided: () => n.convolution(3, { kernel: [3, 2], stride: 2, padding: [1, 0] }),
  convolutionDilated: () => n.convolution(2, { dilation: 2, padding: 2, bias: false }),
  convolutionGrouped: () => n.convolution(6, { groups: 2, padding: "valid" }),
  depthwise: () => n.depthwise({ stride: 2, ...padded }),
  depthwiseMultiplied: () => n.depthwise({ multiplier: 2, ...padded }),
  pointwise: () => n.convolution(2, { kernel: 1 }),
  convolutionSequence: () => n.convolution(3),
  batchNormTraining: () => n.batchNorm(),
  batchNormEvaluation: () => n.batchNorm(),
  batchNormImagesTraining: () => n.batchNorm(),
  batchNormImagesEvaluation: () => n.batchNorm(),
  layerNorm: () => n.layerNorm(),
  gru: () => n.gru(2),
  gruSequence: () => n.gru(2, { sequence: true }),
  lstm: () => n.lstm(2),
  lstmSequence: () => n.lstm(2, { sequence: true }),
  embedding: () => n.embedding(5, 3),
  maxPool: () => n.maxPool(),
  maxPoolPadded: () => n.maxPool(3, { stride: 2, ...padded }),
  maxPoolSequence: () => n.maxPool(2),
  averagePool: () => n.averagePool(),
  averagePoolPadded: () => n.averagePool(3, { stride: 2, ...padded }),
  averagePoolCounted: () => n.averagePool(3, { stride: 2, countPadding: true, ...padded }),
  globalAveragePool: () => n.globalAveragePool(),
  channelShuffle: () => n.channelShuffle(3),
  ...Object.fromEntries(n.activationNames.map((name) => [name, () => n.activation(name)])),
};

describe("layers equal PyTorch's", () => {
  test.each(entries.map((entry) => [entry.name, entry] as const))("%s", (name, entry) => {
    const x = input("x", entry.x.shape);
    const training = entry.call.endsWith(".train()");
    const { output, parameters, states } = n.traceNetwork(ours[name](), x, { training });
    expect(parameters.map(({ path, shape }) => [path, [...shape]])).toEqual(
      Object.entries(entry.parameters).map(([path, { shape }]) => [path, shape]),
    );
    expect(output.shape).toEqual(entry.y.shape);

    const by: [string, SymbolicArray][] = [...parameters.map((p) => [p.path, p.input] as [string, SymbolicArray]), ["x", x]];
    const wanted = by.filter(([path]) => path in entry.gradients);
    expect(wanted.map(([path]) => path).sort()).toEqual(Object.keys(entry.gradients).sort());
    const gradients = gradientsOf(
      output,
      wanted.map(([, node]) => node),
      constantArray(entry.seed.values, entry.seed.shape),
    );
    const moved = states.map(({ input: before, next }) => next ?? before);
    const values = interpret([output, ...gradients, ...moved], inputsOf(entry));
    expectClose(values[0], entry.y);
    wanted.forEach(([path], i) => void expectClose(values[1 + i], entry.gradients[path]));
    expect(states.map(({ path }) => path)).toEqual(Object.keys(entry.after ?? {}));
    states.forEach(({ path, next }, i) => {
      expect(next !== undefined).toBe(training);
      expectClose(values[1 + wanted.length + i], entry.after![path]);
    });
  });

  test("each of our layers has an entry", () => {
    expect([...entries.map(({ name }) => name), "linear"].sort()).toEqual(Object.keys(ours).sort());
  });
});

function inputsOf({ x, parameters, before = {} }: Entry): Record<string, number[]> {
  const named = (kind: string, given: Record<string, Numbers>): [string, number[]][] =>
    Object.entries(given).map(([path, { values }]) => [`${kind}:${path}`, values]);
  return { x: x.values, ...Object.fromEntries([...named("parameter", parameters), ...named("state", before)]) };
}

function expectClose(got: Float64Array, { values }: Numbers): void {
  expect(got.length).toBe(values.length);
  values.forEach(
    (value, i) => void expect(Math.abs(got[i] - value)).toBeLessThanOrEqual(TOLERANCE * Math.max(1, Math.abs(value))),
  );
}

/** `networkGraph`: a trained network as arrays, and networks whose output does not depend on their rows. */
import { describe, expect, it } from "vitest";
import { arraysBelow } from "../../src/engine/compiler/index.ts";
import {
  batchNorm,
  convolution,
  Dataset,
  dense,
  fit,
  flatten,
  type LayerLike,
  layer,
  layerNorm,
  type NetworkPredictor,
  network,
  predictor,
  relu,
} from "../../src/entries/everything.ts";
import { networkGraph } from "../../src/entries/extend.ts";

const x = Array.from({ length: 12 }, (_, i) => Array.from({ length: 8 }, (_unused, j) => Math.sin(i + 2 * j)));
const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => a + b), rowShape: [2, 2, 2] });

const trained = async (layers: LayerLike[]): Promise<NetworkPredictor> =>
  (await fit(network(layers, { loss: "squared" }), data, { epochs: 1, batch: 4, seed: 1 })) as NetworkPredictor;

describe("networkGraph", () => {
  it("has one input for rows and named numbers, with batch norm folded", async () => {
    const model = await trained([convolution(3, { bias: false }), batchNorm(), relu(), flatten(), dense(1)]);
    for (const one of [model, await predictor<NetworkPredictor>(model.toBytes())]) {
      const { output, batch, numbers } = networkGraph(one);
      expect(output.shape).toEqual([batch, 1]);
      const inputs = arraysBelow([output]).filter(({ op }) => op === "input");
      const names = inputs.map(({ attributes }) => String(attributes));
      expect(names.sort()).toEqual(["x", ...Object.keys(numbers)].sort());
      for (const { attributes, shape, size } of inputs)
        if (attributes === "x") expect(shape).toEqual([batch, 2, 2, 2]);
        else expect(numbers[String(attributes)].length).toBe(size);
      expect(Object.keys(numbers)).toContain("0.weight folded");
    }
  });

  it("refuses a network with a plain function, and layers that differ from the file", async () => {
    const model = await trained([flatten(), (rows) => rows, dense(1)]);
    expect(() => networkGraph(model)).toThrow(/networkGraph: the network holds a plain function .*\[LAYER_FUNCTION\]/);
    const define = (units: number) => layer("grows", (rows, scope) => scope.apply(dense(units), rows, "inner"));
    const grown = await trained([flatten(), define(3)(), dense(1)]);
    expect(networkGraph(grown).numbers["1.inner.weight"]).toHaveLength(24);
    define(4);
    expect(() => networkGraph(grown)).toThrow(
      /its layers need \d+ numbers for "[\w.]+", but the file has \d+ numbers: it was saved by another version.*\[MODEL_FORMAT\]/,
    );
  });
});

it("a network with constant output predicts one row and many", async () => {
  const model = await trained([flatten(), dense(1), layerNorm(), dense(1)]);
  for (const one of [model, await predictor<NetworkPredictor>(model.toBytes())]) {
    const first = one.predict(x[0]).value as number;
    expect(Number.isFinite(first)).toBe(true);
    expect(one.predict(x).map(({ value }) => value)).toEqual(x.map(() => first));
    const out = new Float64Array(100);
    one.predictInto(
      Array.from({ length: 100 }, (_, i) => x[i % 12]),
      out,
    );
    expect([...out]).toEqual(Array.from(out, () => first));
  }
});

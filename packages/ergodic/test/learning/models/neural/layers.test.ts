/** Layers: JSON, errors, and behaviour that the golden values (test/golden/torch-layers.test.ts) do not cover. */
import { describe, expect, it } from "vitest";
import "../../../../src/entries/at-start.ts";
import { gradientsOf, input, interpret } from "../../../../src/engine/compiler/array/index.ts";
import { sum } from "../../../../src/engine/compiler/index.ts";
import type { JsonObject } from "../../../../src/engine/contract/index.ts";
import * as n from "../../../../src/learning/models/neural/index.ts";
import { activationNames } from "../../../../src/learning/models/neural/layers/activations.ts";
import { power } from "../../../power.ts";
import { everyKind } from "./every-kind.ts";

it("makes the layer of its name by each activation's own function", () => {
  const own = activationNames.filter((name) => name in n);
  expect(own.length).toBeGreaterThanOrEqual(5);
  for (const name of own) {
    const made = (n as unknown as Record<string, (options?: object) => n.Layer>)[name]({ name: "own" });
    expect(made.toJSON(), name).toEqual(n.activation(name, { name: "own" }).toJSON());
  }
});

describe("JSON", () => {
  it.each(Object.entries(everyKind))("restores the layer %s", (kind, [layer, shape]) => {
    expect(layer.kind).toBe(kind);
    const again = n.layerFromJson(JSON.parse(JSON.stringify(layer.toJSON())) as JsonObject);
    expect(again.toJSON()).toEqual(layer.toJSON());
    expect(again.name).toBe(layer.name);
    for (const training of [false, true]) {
      const x = input("x", shape);
      const [one, other] = [layer, again].map((each) => n.traceNetwork(each, x, { training }));
      // Equal programs share one node.
      expect(other.output).toBe(one.output);
      const facts = ({ parameters }: n.TracedNetwork) =>
        parameters.map(({ path, initial, group, trained, decay, fans }) => ({
          path,
          group,
          trained,
          decay,
          fans,
          initial: initial.toJSON(),
        }));
      expect(facts(other)).toEqual(facts(one));
    }
  });

  it("keeps shared layers shared", () => {
    const shared = n.dense(3);
    const again = n.layerFromJson(n.sequential([shared, n.relu(), shared]).toJSON());
    expect(n.traceNetwork(again, input("x", [1, 3])).parameters.map(({ path }) => path)).toEqual(["0.weight", "0.bias"]);
  });

  it("refuses functions and unknown kinds", () => {
    const tripled: n.LayerFunction = (x) => x;
    expect(() => n.sequential([tripled]).toJSON()).toThrow(/plain function \(tripled\).*\[LAYER_FUNCTION\]/);
    expect(() => n.layerFromJson({ layer: "unheard", options: {} })).toThrow(/no layer is named "unheard".*\[LAYER_UNKNOWN\]/);
    expect(() => n.layer("dense", (x) => x)).toThrow(/NAME_TAKEN/);
  });
});

const images = input("images", [2, 4, 4, 3]);
const rows = input("rows", [2, 6]);

describe("errors", () => {
  it.each([
    [() => n.dense(0), /dense: units is 0, but must be an integer >= 1 \[OPTION_RANGE\]/],
    [() => n.dense(2, { biass: true } as object), /dense: unknown option "biass"; did you mean "bias".*\[OPTION_UNKNOWN\]/],
    [() => n.dense(2, { name: "a.b" }), /name is "a.b", but must be a string without dots.*\[OPTION_RANGE\]/],
    [() => n.convolution(3, { groups: 2 }), /convolution: groups is 2, but must divide the 3 channels.*\[OPTION_CONFLICT\]/],
    [
      () => n.convolution(3, { kernel: [3] as never }),
      /kernel is an array of 1, but must be a number or \[height, width\] \[OPTION_RANGE\]/,
    ],
    [() => n.convolution(3, { padding: "full" as never }), /padding is "full".*\[OPTION_RANGE\]/],
    [() => n.maxPool(2, { padding: -1 }), /maxPool: padding is -1.*\[OPTION_RANGE\]/],
    [() => n.batchNorm({ momentum: 2 }), /batchNorm: momentum is 2.*\[OPTION_RANGE\]/],
    [() => n.layerNorm({ epsilon: 0 }), /layerNorm: epsilon is 0.*\[OPTION_RANGE\]/],
    [() => n.dropout(1), /dropout: rate is 1, but must be < 1.*\[OPTION_RANGE\]/],
    [() => n.activation("rectify" as n.ActivationName), /activation: function is "rectify".*\[OPTION_RANGE\]/],
    [() => n.reshaped([-1, -1]), /reshaped: shape is \[-1, -1\].*\[OPTION_RANGE\]/],
    [() => n.sequential([3 as never]), /sequential: part 0 is 3, but must be a layer.*\[OPTION_RANGE\]/],
    [() => n.sequential(n.dense(3) as never), /sequential: layers must be a list.*\[OPTION_RANGE\]/],
    [() => n.grouped("", n.dense(1)), /grouped: group is "".*\[OPTION_RANGE\]/],
    [() => n.shuffleUnitV2(24, 58), /shuffleUnitV2: channels is 58 after 24, but must be equal at stride 1 \[OPTION_CONFLICT\]/],
  ])("are reported immediately for options: %s", (make, message) => expect(make).toThrow(message));

  it.each([
    [
      n.convolution(3),
      rows,
      /convolution: the input's examples are \[6\], but must be \[height, width, channels\].*\[LAYER_SHAPE\]/,
    ],
    [
      n.sequential([n.gru(2)]),
      rows,
      /gru "0": the input's examples are \[6\], but must be \[length, features\].*\[LAYER_SHAPE\]/,
    ],
    [n.convolution(4, { groups: 4 }), images, /groups is 4, which must divide the 3 channels.*\[LAYER_SHAPE\]/],
    [n.channelShuffle(4), rows, /channelShuffle: .*groups is 4, which must divide the 6 channels.*\[LAYER_SHAPE\]/],
    [n.residual(n.dense(2)), rows, /residual: .*the body gives \[2\]; add a shortcut.*\[LAYER_SHAPE\]/],
    [n.concatenating([n.relu(), n.maxPool()]), images, /concatenating: .*\[4, 4, 3\], \[2, 2, 3\].*\[LAYER_SHAPE\]/],
    [n.reshaped([4]), rows, /reshaped: .*its 6 numbers do not fill \[4\].*\[LAYER_SHAPE\]/],
    [n.randomFlip(), rows, /randomFlip: .*\[LAYER_SHAPE\]/],
  ])("are reported for shapes when the network is traced: $0.kind", (layer, x, message) =>
    expect(() => n.traceNetwork(layer, x)).toThrow(message),
  );

  it("are reported for a batch without a variance in updates only", () => {
    const one = input("one", [1, 3]);
    expect(() => n.traceNetwork(n.batchNorm(), one, { training: true })).toThrow(
      /one value per channel has no variance.*\[LAYER_SHAPE\]/,
    );
    expect(n.traceNetwork(n.batchNorm(), one).output.shape).toEqual([1, 3]);
  });
});

describe("shapes", () => {
  const shapeOf = (layer: n.Layer, x = images) => [...n.traceNetwork(layer, x).output.shape.slice(1)];

  it("follow from kernel, stride and padding for images", () => {
    expect(shapeOf(n.convolution(5))).toEqual([4, 4, 5]);
    expect(shapeOf(n.convolution(5, { stride: 3 }))).toEqual([2, 2, 5]);
    expect(shapeOf(n.convolution(5, { padding: "valid" }))).toEqual([2, 2, 5]);
    expect(shapeOf(n.convolution(5, { kernel: 2, padding: [1, 0] }))).toEqual([5, 3, 5]);
    expect(shapeOf(n.depthwise({ multiplier: 2 }))).toEqual([4, 4, 6]);
    expect(shapeOf(n.circulantConvolution(5, { stride: 2, block: 2 }))).toEqual([2, 2, 5]);
    expect(shapeOf(n.separable(7, { stride: 2 }))).toEqual([2, 2, 7]);
    expect(shapeOf(n.invertedResidual(3, 3))).toEqual([4, 4, 3]);
    expect(shapeOf(n.shuffleUnitV1(3, 12, { stride: 2, firstGroups: 1 }))).toEqual([2, 2, 12]);
  });

  it("keep sequences as sequences", () => {
    const sequence = input("sequence", [2, 7, 3]);
    expect(shapeOf(n.convolution(5, { stride: 2 }), sequence)).toEqual([4, 5]);
    expect(shapeOf(n.convolution(5, { padding: "valid" }), sequence)).toEqual([5, 5]);
    expect(shapeOf(n.averagePool(3), sequence)).toEqual([2, 3]);
    expect(shapeOf(n.globalAveragePool(), sequence)).toEqual([3]);
    expect(shapeOf(n.circulantConvolution(4, { block: 2 }), sequence)).toEqual([7, 4]);
  });
});

describe("circulant layers", () => {
  it.each([
    [1, 3, 2],
    [2, 3, 5],
    [3, 4, 4],
    [4, 8, 4],
    [8, 5, 3],
  ])("equal dense layers with circulant blocks: block %i, %i inputs, %i units", (block, inputs, units) => {
    const [p, q] = [Math.ceil(units / block), Math.ceil(inputs / block)];
    const w = Array.from({ length: p * q * block }, (_, i) => Math.sin(i + 1));
    const b = Array.from({ length: units }, (_, i) => i);
    const x = Array.from({ length: 2 * inputs }, (_, i) => Math.cos(3 * i));
    const { output } = n.traceNetwork(n.circulantDense(units, { block }), input("x", [2, inputs]));
    const [y] = interpret([output], { x, "parameter:weight": w, "parameter:bias": b });
    for (let r = 0; r < 2; r++)
      for (let u = 0; u < units; u++) {
        let wanted = b[u];
        for (let v = 0; v < inputs; v++) {
          const at = (Math.floor(u / block) * q + Math.floor(v / block)) * block;
          wanted += w[at + ((((u - v) % block) + block) % block)] * x[r * inputs + v];
        }
        expect(y[r * units + u]).toBeCloseTo(wanted, 13);
      }
  });

  it("equal plain convolutions with blocks of one number", () => {
    const x = input("x", [1, 4, 5, 2]);
    const values = { x: Array.from({ length: 40 }, (_, i) => Math.sin(i)), bias: [0.5, -1, 2] };
    const plain = Array.from({ length: 54 }, (_, i) => Math.cos(i)); // [3, 3, 2, 3]
    const blocks = Array.from({ length: 54 }, (_, i) => plain[(i % 18) * 3 + Math.floor(i / 18)]); // [3, 18, 1]
    const run = (layer: n.Layer, weight: number[]) =>
      interpret([n.traceNetwork(layer, x).output], { x: values.x, "parameter:weight": weight, "parameter:bias": values.bias })[0];
    const one = run(n.circulantConvolution(3, { block: 1, stride: 2 }), blocks);
    const other = run(n.convolution(3, { stride: 2 }), plain);
    expect(one.length).toBe(18);
    one.forEach((value, i) => void expect(value).toBeCloseTo(other[i], 13));
  });
});

describe("dropout", () => {
  const [count, rate, key] = [power(20_000, 40_000), 0.3, [11, 7] as const];
  const x = input("x", [count / 4, 4]);
  const { output } = n.traceNetwork(n.dropout(rate), x, { training: true });
  const ones = new Float64Array(count).fill(1);

  /** Compares bytes, because expect().toEqual takes long for this many numbers. */
  const isSame = (a: Float64Array, b: Float64Array): boolean => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

  it("keeps 1 − rate of the numbers, divided by it, and different ones at each update", () => {
    const [first] = interpret([output], { x: ones }, { key, update: 0 });
    const kept = first.filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([1 / (1 - rate)]));
    // A two-sided normal test with false alarms at 1e-5. The mutant, with rates 0.02 off, is 6.2
    // deviations away in `npm test`, and 8.7 at full power.
    expect(Math.abs(kept.length - count * (1 - rate))).toBeLessThan(4.42 * Math.sqrt(count * rate * (1 - rate)));
    const [again] = interpret([output], { x: ones }, { key, update: 0 });
    expect(isSame(again, first)).toBe(true);
    const [second] = interpret([output], { x: ones }, { key, update: 1 });
    expect(isSame(second, first)).toBe(false);
  });

  it("passes derivatives where it passes numbers", () => {
    const [value, slope] = interpret([output, ...gradientsOf(sum(output), [x])], { x: ones }, { key, update: 3 });
    expect(isSame(slope, value)).toBe(true);
  });

  it("drops whole channels equally at all places", () => {
    const image = input("image", [50, 2, 3, 4]);
    const made = n.traceNetwork(n.dropout(0.5, { wholeChannels: true }), image, { training: true }).output;
    const [y] = interpret([made], { image: new Float64Array(1200).fill(1) }, { key });
    for (let i = 0; i < 1200; i++) expect(y[i]).toBe(y[Math.floor(i / 24) * 24 + (i % 4)]);
    expect(new Set(y)).toEqual(new Set([0, 2]));
  });
});

describe("embedding", () => {
  it("returns NaN for a missing row", () => {
    const { output } = n.traceNetwork(n.embedding(2, 2), input("x", [3]));
    expect([...interpret([output], { x: [1, -1, 2], "parameter:table": [1, 2, 3, 4] })[0]]).toEqual([3, 4, NaN, NaN, NaN, NaN]);
  });
});

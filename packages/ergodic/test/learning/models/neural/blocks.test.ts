/**
 * Whole blocks in training: gradients by all parameters and the input compared with central differences along random
 * directions.
 */
import { describe, expect, it } from "vitest";
import { gradientsOf, input, interpret } from "../../../../src/engine/compiler/array/index.ts";
import { mul, sum } from "../../../../src/engine/compiler/index.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import * as n from "../../../../src/learning/models/neural/index.ts";

// A kink of an activation within a step of 1e-5 would spoil a difference, so blocks are smooth here.
const smooth = { activation: "silu" } as const;
const cases: Record<string, [n.Layer, number[]]> = {
  separable: [n.separable(3, { stride: 2, ...smooth }), [2, 4, 5, 2]],
  invertedResidual: [n.invertedResidual(2, 2, { expansion: 2, ...smooth }), [2, 4, 3, 2]],
  convolutional: [
    n.sequential([
      n.convolution(4, { groups: 2 }),
      n.batchNorm(),
      n.gelu(),
      n.channelShuffle(2),
      n.maxPool(2, { padding: "same" }),
      n.flatten(),
      n.dense(3),
      n.layerNorm(),
    ]),
    [2, 3, 5, 2],
  ],
  concatenating: [
    n.concatenating([
      n.sequential([n.halfOfChannels("first"), n.depthwise({ stride: 2 })]),
      n.averagePool(3, { stride: 2, padding: 1 }),
    ]),
    [2, 5, 4, 4],
  ],
  recurrent: [n.sequential([n.gru(3, { sequence: true }), n.lstm(2), n.dense(1)]), [2, 4, 2]],
  circulant: [
    n.sequential([
      n.circulantConvolution(4, { block: 2 }),
      n.activation("tanh"),
      n.globalAveragePool(),
      n.circulantDense(3, { block: 4 }),
    ]),
    [2, 3, 3, 3],
  ],
  dropout: [n.sequential([n.dense(4), n.activation("elu"), n.dropout(0.4), n.dense(2), n.activation("softmax")]), [3, 3]],
};

describe.each(Object.entries(cases))("%s", (_, [layer, shape]) => {
  const x = input("x", shape);
  const { output, parameters } = n.traceNetwork(layer, x, { training: true });
  const draws = stream(7, "blocks").at(0);
  const values: Record<string, Float64Array> = { x: Float64Array.from({ length: x.size }, () => draws.normal()) };
  for (const p of parameters) {
    // Perturbs the initial values, so that no bias is zero.
    values[`parameter:${p.path}`] = n.initialValues(2, p).map((value) => value + 0.2 * draws.normal());
  }
  const random = { key: [5, 6] as const };
  const seed = input("seed", output.shape);
  const target = sum(mul(output, seed));
  const seeds = Float64Array.from({ length: output.size }, () => draws.normal());
  const wrt = [x, ...parameters.map((p) => p.input)];
  const gradients = gradientsOf(target, wrt);

  it("equals the gradients of differences, within 1e-7 relative", () => {
    const found = interpret(gradients, { ...values, seed: seeds }, random);
    const names = wrt.map((node) => String(node.attributes));
    names.forEach((name, i) => {
      const direction = values[name].map(() => draws.normal());
      const at = (step: number): number => {
        const shifted = values[name].map((value, k) => value + step * direction[k]);
        return interpret([target], { ...values, seed: seeds, [name]: shifted }, random)[0][0];
      };
      const h = 1e-5;
      const difference = (at(h) - at(-h)) / (2 * h);
      const slope = found[i].reduce((total, g, k) => total + g * direction[k], 0);
      const size = Math.sqrt(found[i].reduce((total, g) => total + g * g, 0) * direction.length) + 1e-3;
      expect(Math.abs(slope - difference), name).toBeLessThanOrEqual(1e-7 * size);
    });
  });
});

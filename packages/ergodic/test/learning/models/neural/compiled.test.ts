/**
 * Every layer as a compiled program, in updates and predictions: values, gradients and running statistics equal those
 * of the interpreter.
 */
import { describe, expect, it } from "vitest";
import { compileFunction } from "../../../../src/engine/compiler/array/function.ts";
import { arraysBelow, gradientsOf, input, interpret, type SymbolicArray } from "../../../../src/engine/compiler/array/index.ts";
import { substituteArrays } from "../../../../src/engine/compiler/array/substitute.ts";
import { mul, sum } from "../../../../src/engine/compiler/index.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import * as n from "../../../../src/learning/models/neural/index.ts";
import { everyKind } from "./every-kind.ts";

const networks: typeof everyKind = {
  ...everyKind,
  randomShiftEdge: [n.randomShift(2), [2, 4, 5, 2]],
  mlp: [n.mlp([5, 4], { outputs: 3, dropout: 0.2, normalised: true, activation: "gelu" }), [3, 4]],
  cnn: [n.cnn({ outputs: 3, channels: [2, 4], hidden: 5 }), [2, 6, 5, 1]],
  circulantNet: [n.circulantNet({ outputs: 3, channels: [4, 4], hidden: 5, block: 4 }), [2, 6, 5, 1]],
  invertedResidual: [n.invertedResidual(2, 2), [2, 4, 4, 2]],
  shuffleUnitV1: [n.shuffleUnitV1(4, 16, { stride: 2, groups: 2, firstGroups: 1 }), [2, 4, 4, 4]],
  shuffleUnitV2: [n.shuffleUnitV2(4, 4), [2, 4, 4, 4]],
};
const TOLERANCE = { f64: 1e-12, f32: 1e-4 };
const key = [21, 34] as const;

describe.each(Object.entries(networks))("%s", (kind, [layer, shape]) => {
  it.each([
    ["f64", true],
    ["f64", false],
    ["f32", true],
    ["f32", false],
  ] as const)("agrees in %s, training: %s", async (precision, training) => {
    const outputs = outputsOf(layer, input("x", shape), training, precision);
    const names = Object.keys(outputs);
    const inputs = arraysBelow(Object.values(outputs)).filter(({ op }) => op === "input");
    const by = Object.fromEntries(inputs.map((node) => [String(node.attributes), node]));
    const values = Object.fromEntries(Object.entries(by).map(([name, { size }]) => [name, numbersFor(kind, name, size)]));
    const gradient = Object.keys(by).filter((name) => name === "x" || name.startsWith("parameter:"));
    const wrts = gradient.map((name) => by[name]);

    const shapes = Object.fromEntries(inputs.map((node) => [String(node.attributes), node.shape]));
    const got = (await compileFunction(shapes, () => outputs, { precision, gradient, key }))(values);
    const found = [...names.map((name) => got.outputs[name]), ...gradient.map((name) => got.gradient[name])];
    const wanted = interpret([...Object.values(outputs), ...gradientsOf(outputs.target, wrts)], values, { key });
    expect(found.map((part) => part.length)).toEqual(wanted.map((part) => part.length));
    found.forEach((part, i) => {
      const bound = TOLERANCE[precision] * Math.max(1, ...wanted[i].map(Math.abs));
      part.forEach((value, k) => {
        expect(Math.abs(value - wanted[i][k]), [...names, ...gradient][i]).toBeLessThanOrEqual(bound);
      });
    });
  });
});

/** The results of an update: ⟨seed, y⟩ to differentiate, y, and the next running statistics. */
function outputsOf(layer: n.Layer, x: SymbolicArray, training: boolean, precision: "f32" | "f64"): Record<string, SymbolicArray> {
  const { output, states } = n.traceNetwork(layer, x, { training });
  const moved = states.flatMap(({ path, next }) => (next ? [[`next ${path}`, next] as const] : []));
  const made = { target: sum(mul(output, input("seed", output.shape))), y: output, ...Object.fromEntries(moved) };
  if (precision === "f64") return made;
  // A uniform float32 number uses other random bits than the interpreter's float64.
  const drawn = arraysBelow(Object.values(made)).filter(({ op }) => op === "uniform");
  const given = new Map(drawn.map((node, i) => [node, input(`draw ${i}`, node.shape)]));
  const replaced = substituteArrays(Object.values(made), given);
  return Object.fromEntries(Object.keys(made).map((name, i) => [name, replaced[i]]));
}

/**
 * Numbers rounded to float32, so that both precisions start from equal values. Embeddings receive indices, variances
 * are positive, and draws are uniform.
 */
function numbersFor(kind: string, name: string, size: number): Float64Array {
  const draws = stream(8, name).at(0);
  const next = (): number => {
    if (kind === "embedding" && name === "x") return draws.integer(5);
    if (name.startsWith("draw")) return draws.uniform();
    return name.endsWith("variance") ? 0.5 + draws.uniform() : draws.normal();
  };
  return Float64Array.from({ length: size }, () => Math.fround(next()));
}

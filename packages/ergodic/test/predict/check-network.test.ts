/** The description of a network apart from its plan. A refused plan frees its memory. */
import { expect, it, vi } from "vitest";
import { checkNetwork, checkParameters, checkPlan } from "../../src/predict/check-network.ts";
import type { NetworkPlan } from "../../src/predict/plan/network-plan.ts";

interface Told {
  inputs?: string[];
  outputs?: string[];
  sizes?: Record<string, number>;
  ofRows?: boolean;
}

function told({ inputs = ["x"], outputs = ["z"], sizes = { x: 4, z: 2 }, ofRows = true }: Told) {
  const dispose = vi.fn();
  const plan = { inputs, outputs, rowSize: (name: string) => sizes[name], isOfRows: () => ofRows, dispose };
  return { dispose, check: () => checkPlan(plan as unknown as NetworkPlan, 4, 2, "m.safetensors") };
}

it.each<[string, Told]>([
  ["rows to outputs", {}],
  ["a constant", { inputs: [] }],
])("accepts and keeps a plan of %s", (_, given) => {
  const { check, dispose } = told(given);
  check();
  expect(dispose).not.toHaveBeenCalled();
});

it.each<[string, Told, string]>([
  [
    "another input",
    { inputs: ["w"], sizes: { w: 4, z: 2 } },
    'takes w and gives "z" of 2 numbers, but must take x of 4 numbers per row and give z of 2',
  ],
  ["an input more", { inputs: ["x", "w"], sizes: { x: 4, w: 4, z: 2 } }, "takes x, w and gives"],
  ["rows of another width", { sizes: { x: 3, z: 2 } }, "takes x and gives"],
  ["another output", { outputs: ["y"], sizes: { x: 4, y: 2 } }, 'takes x and gives "y" of 2 numbers'],
  [
    "an output more",
    { outputs: ["z", "y"], sizes: { x: 4, z: 2, y: 2 } },
    'takes x and gives "z" of 2 numbers, "y" of 2 numbers',
  ],
  ["no output, of no input", { inputs: [], outputs: [] }, "takes nothing and gives nothing"],
  ["outputs of another width", { sizes: { x: 4, z: 3 } }, 'takes x and gives "z" of 3 numbers'],
  ["outputs that are not of rows", { ofRows: false }, 'takes x and gives "z" of 2 numbers'],
])("refuses and disposes of a plan of %s", (_, given, message) => {
  const { check, dispose } = told(given);
  expect(check).toThrow(`m.safetensors: the model ${message}`);
  expect(check).toThrow(/\[MODEL_FORMAT\]$/);
  expect(dispose).toHaveBeenCalledTimes(2);
});

it("requires finite floats with matching shapes for parameters but not for constants", () => {
  const check = (shapes: unknown, tensors: Record<string, unknown>) => () =>
    checkParameters("m", { shapes } as never, tensors as never);
  const w = Float32Array.of(1, 2, 3, 4);
  for (const shapes of [undefined, {}, { w: [4] }, { w: [2, 2] }, { w: [1, 4, 1] }]) check(shapes, { w })();
  check({ b: [1] }, { w: Float64Array.of(Number.NaN) })();
  check({ w: [] }, { w: Float64Array.of(1) })();
  for (const bad of [Number.NaN, Infinity, -Infinity])
    expect(check({ w: [2] }, { w: Float64Array.of(1, bad) })).toThrow(`m: the model has ${bad} in "w" at 1, but finite numbers`);
  for (const shape of [[3], [2, 3], [], "4", null])
    expect(check({ w: shape }, { w })).toThrow(`m: the model has 4 numbers in "w" of shape ${JSON.stringify(shape)}`);
  expect(check(undefined, { w: Int32Array.of(1) })).toThrow('m: the model has no floats in "w"');
  for (const shapes of [[], null, 3]) expect(check(shapes, { w })).toThrow("m: the model has invalid shapes");
});

it("requires as many numbers per row as the pipeline has columns", () => {
  const check =
    (rowShape: unknown, program: unknown = { values: [], steps: [] }) =>
    () =>
      checkNetwork({ kind: "network", description: { program, rowShape } as never, tensors: {} }, 6, "m");
  for (const shape of [[6], [2, 3], [1, 2, 3]]) check(shape)();
  for (const shape of [[5], [2, 2], []])
    expect(check(shape)).toThrow(
      `m: the model has rows of ${shape.reduce((a, b) => a * b, 1)} numbers, but its pipeline makes 6 columns`,
    );
  for (const shape of [[0], [-6], [6.5], ["6"], 6, null, [2, Number.NaN]])
    expect(check(shape)).toThrow(/m: the model has rowShape .*, but a list of whole numbers is wanted/);
  for (const program of [null, [], {}, { values: [] }, { steps: [] }, { values: {}, steps: [] }])
    expect(check([6], program)).toThrow("m: the model has no plan");
});

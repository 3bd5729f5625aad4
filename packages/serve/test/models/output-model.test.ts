/** Conversion of a model's numbers: classes at their boundaries, and batches of numbers of both widths. */
import { expect, test } from "vitest";
import { servedPredictor } from "../../src/models/of-file.ts";
import type { Served } from "../../src/models/served.ts";
import { headingOf, type InputTensor, tensorOfBytes } from "../../src/v2/input-tensor.ts";
import { classifier, margin, regression } from "../server/models.ts";

const classesOf = (model: Served, numbers: Float64Array): unknown[] => [
  model.rows!(numbers).map((row) => (row as { value: string }).value),
  model.output(
    numbers,
    model.outputs.findIndex(({ name }) => name === "class"),
  ).elements,
];

test("assigns a score of 0 or NaN to the first class", async () => {
  const model = servedPredictor(await margin(), { owned: false });
  const wanted = ["no", "yes", "no", "no"];
  expect(classesOf(model, Float64Array.of(0, 1e-300, -1e-300, Number.NaN))).toEqual([wanted, wanted]);
});

test("selects the first of equally likely classes", async () => {
  const model = servedPredictor(await classifier(), { owned: false });
  const wanted = ["high", "low", "none"];
  const numbers = Float64Array.of(1 / 3, 1 / 3, 1 / 3, 0.2, 0.4, 0.4, 0.1, 0.2, 0.7);
  expect(classesOf(model, numbers)).toEqual([wanted, wanted]);
});

test("preserves the digits of FP64 in a batch with FP32", async () => {
  const model = servedPredictor(await regression(), { owned: false });
  const tensor = (datatype: string, bytes: ArrayBufferLike): InputTensor =>
    tensorOfBytes(headingOf({ name: "input", datatype, shape: [1, 3] }, 0), Buffer.from(bytes));
  const row = [0.1, 1 / 3, 1e-9];
  const works = [tensor("FP32", Float32Array.from(row).buffer), tensor("FP64", Float64Array.from(row).buffer)].map((one) =>
    model.fromTensors([one]),
  );
  const alone = works.map((work) => (model.run([work]) as Float64Array[])[0]);
  expect(alone[0][0]).not.toBe(alone[1][0]);
  for (const order of [
    [0, 1],
    [1, 0],
  ])
    expect(model.run(order.map((i) => works[i]))).toEqual(order.map((i) => alone[i]));
});

/**
 * Linear models with an offset, in Debian's onnxruntime. The offset is a second input with a value per row that is
 * added before the link.
 */

import { Dataset, fit, type LinearPredictor, linear, predictor, type Table } from "ergodic";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as ergodic from "../../../ergodic/src/entries/everything.ts";
import { toOnnx } from "../../src/onnx/index.ts";
import { DebianRuntime, lacking } from "./debian.ts";

const TOLERANCE = 1e-5;
const TOWNS = ["Ulm", "Aachen", "Kiel"];
const OFFSETS = [0, -0, 1, -1, 0.1, 2.5, -7.25, 1e-30, 12].map(Math.fround);

/** The column "exposure" lies between two feature columns, but is not a feature. */
function policies(d: ergodic.RandomDraws, target: (age: number, exposure: number) => number | string): Table {
  const [age, exposure] = [0, 1].map(() => Float64Array.from({ length: 80 }, () => d.normal()));
  const y = Array.from(age, (a, i) => target(a, exposure[i]));
  return {
    source: "policies",
    rowCount: 80,
    columns: [
      { name: "age", kind: "number", values: age },
      { name: "exposure", kind: "number", values: exposure },
      { name: "town", kind: "category", levels: TOWNS, codes: Int32Array.from(age, () => d.integer(3)) },
      typeof y[0] === "string"
        ? { name: "y", kind: "category", levels: ["no", "yes"], codes: Int32Array.from(y, (v) => Number(v === "yes")) }
        : { name: "y", kind: "number", values: Float64Array.from(y as number[]) },
    ],
  };
}

const amount = (age: number, exposure: number): number => 3 * age + exposure + 1;
const count = (age: number, exposure: number): number => Math.floor(Math.exp(0.5 * age + exposure));
const two = (age: number, exposure: number): string => (age + exposure > 0.3 ? "yes" : "no");

describe.skipIf(lacking)("offsets in onnxruntime", () => {
  let runtime: DebianRuntime;
  beforeAll(() => {
    runtime = new DebianRuntime();
  });
  afterAll(() => runtime.close());

  const cases = [
    ["squared", amount, "value"],
    ["huber", amount, "value"],
    ["poisson", count, "value"],
    ["logistic", two, "probabilities"],
    ["hinge", two, "scores"],
  ] as const;
  test.each(cases.flatMap(([loss, target, output], i) => ["f32", "f64"].map((type) => ({ loss, target, output, i, type }))))(
    "$loss, $type: agrees",
    async ({ loss, target, output, i, type }) => {
      const data = Dataset.fromTable(policies(ergodic.stream(i, "offsets").at(0), target), {
        target: "y",
        offset: "exposure",
        type: type as "f32" | "f64",
      });
      const trained = await fit(linear({ loss, standardise: i % 2 === 0 }), data, { epochs: 8, seed: i });
      const model = await predictor<LinearPredictor>(trained.toBytes());
      const bytes = toOnnx(model);
      for (const rowCount of [1, OFFSETS.length]) {
        const rows = OFFSETS.slice(0, rowCount).map((exposure, k) => ({
          age: Math.fround(Math.sin(k)),
          exposure,
          town: TOWNS[k % 3],
        }));
        const ours = new Float64Array(model.width * rowCount);
        model.predictInto(rows, ours);
        const [, { levels }] = model.pipeline.inputs as unknown as [unknown, { levels: string[] }];
        const columns = Float32Array.from(rows.flatMap(({ age, town }) => [age, levels.indexOf(town)]));
        const answer = await runtime.run(
          bytes,
          columns,
          2,
          Float32Array.from(rows, ({ exposure }) => exposure),
        );
        expect(answer.inputs).toEqual([
          { name: "columns", type: "tensor(float)", shape: ["batch", 2] },
          { name: "offset", type: "tensor(float)", shape: ["batch", 1] },
        ]);
        expect([answer.metadata.offset, JSON.parse(answer.metadata.columns)]).toEqual(["exposure", model.pipeline.inputs]);
        const { values, shape } = answer.outputs[output];
        expect(shape).toEqual([rowCount, model.width]);
        for (const [k, value] of ours.entries())
          expect(Math.abs(values[k] - value) / Math.max(1, Math.abs(value)), `${k}: ${value} and ${values[k]}`).toBeLessThan(
            TOLERANCE,
          );
        if (model.classes)
          expect([...answer.outputs.class.values].map((k) => model.classes![k])).toEqual(
            model.predict(rows).map(({ value }) => value),
          );
      }
    },
  );

  test("an offset from an array is added with a coefficient of 1", async () => {
    const x = Array.from({ length: 30 }, (_, i) => [Math.sin(i)]);
    const offset = x.map((_, i) => (i % 5) / 4);
    const model = await fit(
      linear({ loss: "squared" }),
      Dataset.fromArrays({ x, y: offset.map((o, i) => o + x[i][0]), offset }),
      {
        epochs: 5,
        seed: 1,
      },
    );
    const bytes = toOnnx(model);
    const { outputs, metadata } = await runtime.run(bytes, new Float32Array(3).fill(0.5), 1, Float32Array.of(0, 0.25, -4));
    const [zero, quarter, four] = outputs.value.values;
    expect([quarter - zero, four - zero]).toEqual([expect.closeTo(0.25, 6), expect.closeTo(-4, 6)]);
    expect(metadata.offset).toBe("offset");
    // Empty, one offset for all rows, and more offsets than rows.
    await expect(runtime.run(bytes, new Float32Array(3), 1)).rejects.toThrow(/offset/);
    for (const given of [1, 2, 4])
      await expect(runtime.run(bytes, new Float32Array(3), 1, new Float32Array(given))).rejects.toThrow(/Concat/);
    await expect(runtime.run(bytes, new Float32Array(1), 1, new Float32Array(3))).rejects.toThrow(/Concat/);
  });

  test("a calibrated model adds the offset before calibration", async () => {
    const { calibrated } = await import("ergodic/calibration");
    const often = (age: number, exposure: number): string => two(age + 2 * Math.sin(1000 * age), exposure);
    const data = Dataset.fromTable(policies(ergodic.stream(9, "offsets").at(0), often), { target: "y", offset: "exposure" });
    const { train, test: heldOut } = data.split(0.5, { seed: 1, stratify: true });
    const fitted = await fit(linear({ loss: "logistic" }), train, { epochs: 8, seed: 1 });
    const model = await calibrated(fitted, heldOut, { method: "isotonic" });
    const rows = OFFSETS.map((exposure, k) => ({ age: Math.fround(Math.cos(k)), exposure, town: "Ulm" }));
    const ours = new Float64Array(2 * rows.length);
    model.predictInto(rows, ours);
    const [, { levels }] = model.pipeline.inputs as unknown as [unknown, { levels: string[] }];
    const columns = Float32Array.from(rows.flatMap(({ age }) => [age, levels.indexOf("Ulm")]));
    const { outputs } = await runtime.run(toOnnx(model), columns, 2, Float32Array.from(OFFSETS));
    expect([...outputs.probabilities.values]).toEqual([...ours].map((p) => expect.closeTo(p, 6)));
    expect(new Set(ours).size).toBeGreaterThan(4);
  });

  test("a model without an offset has no such input", async () => {
    const x = [[1], [2], [3]];
    const model = await fit(linear({ loss: "squared" }), Dataset.fromArrays({ x, y: [1, 2, 3] }), { epochs: 1, seed: 1 });
    const { inputs, metadata } = await runtime.run(toOnnx(model), Float32Array.of(1), 1);
    expect(inputs.map(({ name }) => name)).toEqual(["columns"]);
    expect(metadata).not.toHaveProperty("offset");
  });
});

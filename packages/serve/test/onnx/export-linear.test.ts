/**
 * Linear models in Debian's onnxruntime: every loss and every step of a pipeline that can be exported, and refusals by
 * name.
 */

import { Dataset, fit, type LinearPredictor, linear, predictor, type Table } from "ergodic";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as ergodic from "../../../ergodic/src/entries/everything.ts";
import { Graph } from "../../src/onnx/graph.ts";
import { toOnnx } from "../../src/onnx/index.ts";
import { writePipeline } from "../../src/onnx/pipeline.ts";
import { DebianRuntime, lacking } from "./debian.ts";

const TOLERANCE = 1e-5;
const ROWS = 60;

type Draws = ergodic.RandomDraws;

/** Columns in different units: years around 2013, money and a share, with two categories, and gaps on request. */
function table(d: Draws, target: (row: { year: number; pay: number; town: number }) => number | string, gaps: boolean): Table {
  const towns = ["Ulm", "Aachen", "Kiel, Holstein", "ß"];
  const raw = Array.from({ length: ROWS }, () => ({
    year: 2008 + d.integer(10),
    pay: 1e4 * Math.abs(d.normal()),
    town: d.integer(4),
  }));
  const gap = (value: number): number => (gaps && d.integer(5) === 0 ? Number.NaN : value);
  const y = raw.map(target);
  const levels = [...new Set(y.map(String))].sort();
  return {
    source: "people",
    rowCount: ROWS,
    columns: [
      { name: "year", kind: "number", values: Float64Array.from(raw, ({ year }) => gap(year)) },
      {
        name: "town",
        kind: "category",
        levels: towns,
        codes: Int32Array.from(raw, ({ town }) => (gaps && d.integer(5) === 0 ? -1 : town)),
      },
      { name: "pay", kind: "number", values: Float64Array.from(raw, ({ pay }) => gap(pay)) },
      { name: "share", kind: "number", values: Float64Array.from(raw, () => gap(d.uniform())) },
      typeof y[0] === "string"
        ? { name: "y", kind: "category", levels, codes: Int32Array.from(y, (value) => levels.indexOf(String(value))) }
        : { name: "y", kind: "number", values: Float64Array.from(y as number[]) },
    ],
  };
}

const two = ({ pay, town }: { pay: number; town: number }): string => (pay > 6000 || town === 2 ? "yes" : "no");
const three = ({ year, town }: { year: number; town: number }): string =>
  ["low", "middle", "high"][year < 2011 ? 0 : town === 1 ? 1 : 2];
const amount = ({ year, pay, town }: { year: number; pay: number; town: number }): number =>
  pay / 100 + 7 * (year - 2013) + 5 * town;
const count = ({ town }: { town: number }): number => town;

describe.skipIf(lacking)("linear models in onnxruntime", () => {
  let runtime: DebianRuntime;
  beforeAll(() => {
    runtime = new DebianRuntime();
  });
  afterAll(() => runtime.close());

  const cases = [
    ["squared", amount],
    ["huber", amount],
    ["quantile", amount],
    ["epsilonInsensitive", amount],
    ["poisson", count],
    ["logistic", two],
    ["hinge", two],
    ["squaredHinge", two],
    ["multinomial", three],
    ["logistic", three],
    ["hinge", three],
  ] as const;
  const forms = ["f32", "f64"].flatMap((type) =>
    [true, false].flatMap((gaps) => [true, false].map((standardise) => ({ type, gaps, standardise }))),
  );

  test.each(cases.flatMap(([loss, target], i) => forms.map((form) => ({ loss, target, i, ...form }))))(
    "$loss ($i), $type, gaps $gaps, standardised $standardise, agrees",
    async ({ loss, target, i, type, gaps, standardise }) => {
      const d = ergodic.stream(i, "linear", type).at(Number(gaps));
      const data = Dataset.fromTable(table(d, target, gaps), {
        target: "y",
        type: type as "f32" | "f64",
        ...(gaps ? { impute: i % 2 === 0 ? "median" : { "*": "level", share: "mean" }, indicator: i % 3 > 0 } : {}),
      });
      const model = (await fit(linear({ loss, standardise }), data, {
        epochs: 3,
        seed: i,
        rule: ergodic.adagrad({ rate: loss === "poisson" ? 1e-6 : 0.5 }),
      })) as LinearPredictor;
      const rows = Array.from({ length: 9 }, () => ({
        year: Math.fround(2000 + 20 * d.uniform()),
        town: ["Ulm", "Aachen", "ß", "Kiel, Holstein", "Rom"][d.integer(5)],
        pay: Math.fround(1e4 * d.normal()),
        share: gaps && d.integer(3) === 0 ? null : Math.fround(d.uniform()),
      }));
      const ours = new Float64Array(model.width * rows.length);
      model.predictInto(rows, ours);
      const exported = toOnnx(model);
      const places = model.pipeline.inputs!;
      expect(places.map(({ name }) => name)).toEqual(["year", "town", "pay", "share"]);
      const [, town] = places as unknown as [unknown, { levels: string[] }];
      const matrix = Float32Array.from(
        rows.flatMap((row) => [row.year, town.levels.indexOf(row.town), row.pay, row.share ?? Number.NaN]),
      );
      const answer = await runtime.run(exported, matrix, 4);
      expect(answer.input).toEqual({ name: "columns", type: "tensor(float)", shape: ["batch", 4] });
      const name = model.classes ? (answer.outputs.scores ? "scores" : "probabilities") : "value";
      expect(Object.keys(answer.outputs).sort()).toEqual(model.classes ? ["class", name] : [name]);
      const { values, shape, type: given } = answer.outputs[name];
      expect([given, ...shape]).toEqual(["tensor(float)", rows.length, model.width]);
      for (const [k, value] of ours.entries())
        expect(Math.abs(values[k] - value) / Math.max(1, Math.abs(value)), `${k}: ${value} and ${values[k]}`).toBeLessThanOrEqual(
          TOLERANCE,
        );
      if (model.classes) {
        expect(answer.outputs.class.type).toBe("tensor(int64)");
        expect([...answer.outputs.class.values].map((k) => model.classes![k])).toEqual(
          model.predict(rows).map(({ value }) => value),
        );
      }
      const { classes, columns, target: named, task } = answer.metadata;
      expect(JSON.parse(classes)).toEqual(model.classes ?? null);
      expect(JSON.parse(columns)).toEqual(places);
      expect([named, task]).toEqual(["y", model.task]);
    },
  );

  /** Weights of a single column each, which show where the column goes. */
  test("agrees for a binary model of unnamed numbers from a file", async () => {
    const x = [
      [1, 2, 3],
      [2, 1, 0],
      [0, 1, 5],
      [4, 4, 1],
    ];
    const data = Dataset.fromArrays({ x, y: [-1, 1, 1, -1], type: "f64" });
    const trained = await fit(linear({ loss: "logistic", standardise: true }), data, { epochs: 2, seed: 1 });
    const model = await predictor<LinearPredictor>(trained.toBytes());
    const answer = await runtime.run(toOnnx(model), Float32Array.from(x.flat()), 3);
    expect(JSON.parse(answer.metadata.columns)).toEqual(["x0", "x1", "x2"].map((name) => ({ name, kind: "number" })));
    expect(JSON.parse(answer.metadata.classes)).toEqual(["-1", "1"]);
    const p = model.predict(x).map(({ probabilities }) => model.classes!.map((name) => probabilities![name]));
    answer.outputs.probabilities.values.forEach((value, k) => void expect(value).toBeCloseTo(p.flat()[k], 6));
  });

  test.each([
    ["logistic", 2, [0, -0, 1e-30]],
    ["hinge", 2, [0, -0, 1e-30]],
    ["logistic", 3, [0, -800, 800]],
    ["multinomial", 3, [0, -800, 800]],
    ["hinge", 3, [0, 1, -1]],
  ] as const)(
    "%s, %i classes: selects the first of tied classes, and the first if no class is likely",
    async (loss, classes, intercepts) => {
      const x = Array.from({ length: 12 }, (_, i) => [Math.sin(i), i % 4]);
      const data = Dataset.fromArrays({ x, y: x.map((_, i) => `c${i % classes}`), classes: true, type: "f64" } as never);
      const model = (await fit(linear({ loss, standardise: false }), data, { epochs: 1, seed: 1 })) as LinearPredictor;
      model.weights.fill(0);
      for (const intercept of intercepts) {
        model.intercept.fill(intercept);
        const ours = new Float64Array(model.width);
        model.predictInto([[1, 2]], ours);
        const { outputs } = await runtime.run(toOnnx(model), Float32Array.of(1, 2), 2);
        expect([...(outputs.probabilities ?? outputs.scores).values]).toEqual([...ours].map((p) => expect.closeTo(p, 7)));
        expect(model.classes![outputs.class.values[0]]).toBe(model.predict([1, 2]).value);
      }
    },
  );

  test("a category without levels makes no column and does not shift the numbers around it", async () => {
    const number = (name: string) => ({ name, kind: "number" as const });
    const raw = [number("a"), { name: "empty", kind: "category" as const, levels: [] }, number("b"), number("c")];
    const graph = new Graph();
    graph.input("columns", "float32", ["batch", 4]);
    const { name } = writePipeline(graph, [{ kind: "columns", type: "f64" }, { kind: "oneHot" }], raw, "columns");
    graph.node("Identity", [name], {}, "y");
    graph.output("y", "float32", ["batch", 3]);
    const { outputs } = await runtime.run(graph.toBytes({}, "0"), Float32Array.of(1, -1, 2, 3, 4, 7, 5, 6), 4);
    expect([...outputs.y.values]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("an unfilled gap gives NaN", async () => {
    const d = ergodic.stream(5, "edges").at(0);
    const number = (name: string) => ({
      name,
      kind: "number" as const,
      values: Float64Array.from({ length: 20 }, () => d.normal()),
    });
    const partly = Dataset.fromTable(
      { source: "t", rowCount: 20, columns: [number("a"), number("b"), number("y")] },
      {
        target: "y",
        impute: { a: "mean" },
      },
    );
    const filling = (await fit(linear({ loss: "squared" }), partly, { epochs: 3, seed: 1 })) as LinearPredictor;
    const answer = await runtime.run(toOnnx(filling), Float32Array.of(Number.NaN, 2, 1, Number.NaN), 2);
    expect([...answer.outputs.value.values]).toEqual([
      expect.closeTo(filling.predict({ a: null, b: 2 }).value as number, 5),
      Number.NaN,
    ]);
    expect(() => filling.predict({ a: 1, b: null })).toThrow(/DATA_/);
  });

  test("sparse rows are a matrix that is scaled but not centred", async () => {
    const x = Array.from({ length: 20 }, (_, i) => ({ [`c${i % 5}`]: i + 1, [`c${(i * 3) % 7}`]: 2 }));
    const names = [...new Set(x.flatMap((row) => Object.keys(row)))].sort();
    const indexed = x.map((row) =>
      Object.entries(row)
        .map(([name, value]) => [names.indexOf(name), value])
        .sort((a, b) => a[0] - b[0]),
    );
    const rowStart = new Uint32Array([0, ...indexed.map((_, i) => indexed.slice(0, i + 1).flat().length)]);
    const sparse = {
      source: "s",
      rowCount: 20,
      columnCount: names.length,
      names,
      rowStart,
      columnIndex: Uint32Array.from(indexed.flat().map(([j]) => j)),
      values: Float64Array.from(indexed.flat().map(([, value]) => value)),
      target: Float64Array.from(x, (_, i) => i),
    };
    const data = Dataset.fromSparse(sparse as never);
    const model = await fit(linear({ loss: "squared", standardise: true }), data, { epochs: 3, seed: 1 });
    expect(model.pipeline.steps.map(({ kind }) => kind)).toContain("standardise");
    const matrix = indexed.map((row) => names.map((_, j) => row.find(([at]) => at === j)?.[1] ?? 0));
    const answer = await runtime.run(toOnnx(model), Float32Array.from(matrix.flat()), names.length);
    const ours = model.predict(matrix).map(({ value }) => value as number);
    answer.outputs.value.values.forEach((value, k) => void expect(value).toBeCloseTo(ours[k], 4));
  });
});

describe("models that cannot be exported", () => {
  const numbers = Dataset.fromArrays({
    x: [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ],
    y: [1, 2, 3, 4],
  });

  test("refuses random features, which ONNX lacks", async () => {
    const model = await fit(linear({ loss: "squared" }), numbers.map(ergodic.rff({ count: 4, seed: 1 })), {
      epochs: 1,
      seed: 1,
    });
    expect(() => toOnnx(model)).toThrow(
      "toOnnx: the model's pipeline has the step rff, which makes columns from a seed; ONNX cannot do this: apply the step before, and train on its columns [ONNX_STEP]",
    );
  });

  test("refuses hashed texts", async () => {
    const rows = {
      source: "t",
      rowCount: 4,
      columns: [
        { name: "word", kind: "category", levels: ["a", "b"], codes: Int32Array.of(0, 1, 0, 1) },
        { name: "y", kind: "number", values: Float64Array.of(1, 2, 3, 4) },
      ],
    } as const;
    const model = await fit(
      linear({ loss: "squared" }),
      Dataset.fromTable(rows as unknown as Table, { target: "y", hash: 8 } as never),
      { epochs: 1, seed: 1 },
    );
    expect(() => toOnnx(model)).toThrow(/the step hash\w*, which hashes the texts of cells.*\[ONNX_STEP\]/);
  });

  test("refuses a factorisation", async () => {
    const ratings = ergodic.Ratings.fromTriples({ users: ["a", "b"], items: ["x", "y"], values: [1, 2] } as never);
    const model = await fit(ergodic.factorisation({ rank: 1 }), ratings, {
      algorithm: ergodic.alternatingLeastSquares(),
      epochs: 1,
      seed: 1,
    } as never);
    expect(() => toOnnx(model as never)).toThrow(
      "toOnnx: the model is a factorisation, but only linear models, networks and trees can be exported",
    );
  });

  test("refuses a plain function, which no file describes", async () => {
    const model = await fit(ergodic.network([(x: never) => x, ergodic.dense(1)] as never, { loss: "squared" }), numbers, {
      epochs: 1,
      seed: 1,
    });
    expect(() => toOnnx(model as never)).toThrow(/the network holds a plain function .*\[LAYER_FUNCTION\]/);
  });

  test.each([
    [undefined, "undefined"],
    [null, "null"],
    ["m.safetensors", "string"],
    [{}, "object"],
  ])("refuses %s, which is not a model", (given, shown) => {
    expect(() => toOnnx(given as never)).toThrow(`toOnnx: the model is ${shown}, but must be a predictor`);
  });
});

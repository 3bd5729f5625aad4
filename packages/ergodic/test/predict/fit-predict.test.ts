/**
 * A trained model gives the same predictions on raw rows and on datasets, for every task and pipeline, before and after
 * saving.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encode } from "../../src/engine/files/safetensors.ts";
import { engineMemory } from "../../src/engine/memory/memory.ts";
import {
  type Column,
  Dataset,
  type FitOptions,
  fit,
  type LinearOptions,
  type LinearPredictor,
  linear,
  metrics,
  predictor,
  type Row,
  rff,
  type Table,
} from "../../src/entries/everything.ts";
import { tableOf } from "../engine/data/rows-of.ts";
import { numbers } from "../golden/sklearn-data.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Two numeric columns (one with gaps), two categories, and a target of each kind. */
function people(rows: number, seed: number): Table {
  const u = numbers(seed);
  const next = (): number => u.next().value;
  const age = Float64Array.from({ length: rows }, () => Math.round(50 + 60 * next()));
  const hours = Float64Array.from({ length: rows }, (_, i) => (i % 9 === 4 ? Number.NaN : 40 + 20 * next()));
  const city = Int32Array.from({ length: rows }, () => Math.floor(3 * (next() + 0.5)));
  const rowCount = Int32Array.from({ length: rows }, (_, i) => (i % 7 === 3 ? -1 : i % 2));
  const score = Array.from(age, (a, i) => (a - 50) / 30 + city[i] - 1 + 0.3 * next());
  const columns: Column[] = [
    { name: "age", kind: "number", values: age },
    { name: "hours", kind: "number", values: hours },
    { name: "city", kind: "category", codes: city, levels: ["Oslo", "Paris", "Rome"] },
    { name: "rowCount", kind: "category", codes: rowCount, levels: ["few", "many"] },
    { name: "income", kind: "category", codes: Int32Array.from(score, (s) => Number(s > 0)), levels: ["<=50K", ">50K"] },
    {
      name: "band",
      kind: "category",
      codes: Int32Array.from(score, (s) => (s < -0.6 ? 0 : s < 0.6 ? 1 : 2)),
      levels: ["low", "mid", "high"],
    },
    { name: "pay", kind: "number", values: Float64Array.from(score, (s) => 3 + s) },
    { name: "children", kind: "number", values: Float64Array.from(score, (s) => Math.max(0, Math.round(s + 1))) },
  ];
  return { rowCount: rows, columns, source: "people" };
}
const targets = ["income", "band", "pay", "children"];

function rowsOf(table: Table): Row[] {
  return Array.from({ length: table.rowCount }, (_, i) =>
    Object.fromEntries(
      table.columns.map((c) => [
        c.name,
        c.kind === "number" ? (Number.isNaN(c.values[i]) ? null : c.values[i]) : c.codes[i] < 0 ? null : c.levels[c.codes[i]],
      ]),
    ),
  );
}

const cases: { name: string; target: string; model: LinearOptions; options?: FitOptions; sum?: boolean; hash?: number }[] = [
  { name: "logistic", target: "income", model: {}, sum: true },
  { name: "hinge", target: "income", model: { loss: "hinge" } },
  { name: "softmax", target: "band", model: {}, sum: true },
  { name: "one against the rest, logistic", target: "band", model: { loss: "logistic" }, sum: true },
  { name: "one against the rest, squared hinge", target: "band", model: { loss: "squaredHinge" } },
  { name: "squared", target: "pay", model: {} },
  { name: "poisson", target: "children", model: { loss: "poisson" }, options: { epochs: 2 } },
  { name: "8 bits, standardised", target: "income", model: { standardise: true }, options: { precision: "i8" }, sum: true },
  { name: "random features", target: "band", model: { standardise: true, features: rff({ count: 32 }) }, sum: true },
  { name: "hashed columns", target: "income", model: {}, hash: 6, sum: true },
];

describe.each(cases)("$name", ({ target, model, options = {}, sum, hash }) => {
  const impute = hash === undefined ? ({ impute: "median" } as const) : {};
  const complete = (table: Table): Table =>
    hash === undefined ? table : { ...table, columns: table.columns.filter((c) => c.name !== "hours" && c.name !== "rowCount") };
  const load = (table: Table): Dataset =>
    Dataset.fromTable(complete(table), {
      target,
      drop: targets.filter((t) => t !== target),
      ...impute,
      ...(hash === undefined ? {} : { hash }),
    });

  it("raw rows, tables, arrays of rows and datasets give the same predictions before and after saving", async () => {
    using whole = load(people(300, 7));
    const { train, test } = whole.split(0.7, { seed: 1 });
    const fitted = await fit(linear(model), train, { epochs: 5, seed: 1, ...options });
    const path = join(folder, "model.safetensors");
    await fitted.save(path);
    const saved = await predictor<LinearPredictor>(path);
    const fresh = complete(people(40, 99));
    const rows = rowsOf(fresh);
    using dataset = fitted.pipeline.apply(fresh);
    const wanted = fitted.predict(dataset);
    expect(fitted.predict(fresh)).toEqual(wanted);
    expect(fitted.predict(rows)).toEqual(wanted);
    expect(rows.map((row) => saved.predict(row))).toEqual(wanted);
    expect(saved.predict(dataset)).toEqual(wanted);
    expect(saved.outputs(test)).toEqual(fitted.outputs(test));
    expect(saved.evaluate(test)).toEqual(fitted.evaluate(test));
    expect(new Set(wanted.map(({ value }) => value)).size).toBeGreaterThan(1);
    const { used } = { used: engineMemory().usedBytes };
    fitted.predict(rows);
    fitted.evaluate(test);
    expect(engineMemory().usedBytes).toBeLessThanOrEqual(used);
    for (const { value, probabilities } of wanted) {
      if (!sum) expect(probabilities).toBeUndefined();
      else {
        const p = Object.values(probabilities!);
        expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        expect(probabilities![value]).toBe(Math.max(...p));
      }
    }
    train.dispose();
    test.dispose();
  });

  it("evaluates like the metrics of its predictions", async () => {
    using whole = load(people(300, 7));
    const { train, test } = whole.split(0.7, { seed: 1 });
    const fitted = await fit(linear(model), train, { epochs: 5, seed: 1, ...options });
    const predictions = fitted.predict(test);
    const truth = test.target.values;
    const found = fitted.evaluate(test) as Record<string, number>;
    if (fitted.classes) {
      const right = predictions.filter(({ value }, i) => fitted.classes!.indexOf(String(value)) === truth[i]).length;
      expect(found.accuracy).toBe(right / test.rowCount);
      expect(found.accuracy).toBeGreaterThan(0.6);
      if (sum) {
        const tally = metrics(fitted.task, fitted.classes.length);
        const p = predictions.flatMap(({ probabilities }) =>
          fitted.classes!.length === 2 ? [probabilities![fitted.classes![1]]] : fitted.classes!.map((c) => probabilities![c]),
        );
        tally.add(p, truth);
        expect(found).toEqual(tally.result());
      } else expect(found.logLoss).toBeNaN();
    } else {
      const rmse = Math.sqrt(predictions.reduce((s, { value }, i) => s + (Number(value) - truth[i]) ** 2, 0) / test.rowCount);
      expect(found.rmse).toBeCloseTo(rmse, 12);
      expect(found.r2).toBeGreaterThan(0.3);
    }
    train.dispose();
    test.dispose();
  });
});

describe("test set from another file", () => {
  const kinds = ["ash", "elm", "oak"];
  const trees = (source: string, rows: number[][]) => {
    const all = rows.map(([x, kind]) => ({ x, leaf: x > 1 ? "big" : "small", kind: kinds[kind] }));
    return { ...tableOf(all), source };
  };
  const many = Array.from({ length: 90 }, (_, i) => [(i % 3) + 0.01 * (i % 7), i % 3]);

  it("evaluates and validates even if it lacks a class, a level, and the file name", async () => {
    using train = Dataset.fromTable(trees("train.csv", many), { target: "kind" });
    const rows = many.filter(([, kind]) => kind > 0);
    // Only oaks and elms, with one exception all with big leaves, so that the indices of classes and levels differ.
    using test = Dataset.fromTable(trees("test.csv", rows), { target: "kind" });
    expect(test.target.levels).toEqual(["elm", "oak"]);
    const run = fit(linear(), train, { validate: test, epochs: 60, seed: 1 });
    const model = await run;
    const right = rows.filter(([x, kind]) => model.predict({ x, leaf: x > 1 ? "big" : "small" }).value === kinds[kind]).length;
    const found = model.evaluate(test);
    expect(found.accuracy).toBeCloseTo(right / rows.length, 12);
    expect(found.accuracy).toBeGreaterThan(0.9);
    expect(found.confusion!.map((row) => row.reduce((a, b) => a + b, 0))).toEqual([0, 30, 30]);
    expect(model.run.ticks.at(-1)!.validation!.accuracy).toBeCloseTo(found.accuracy!, 12);
    expect(model.predict(test).map(({ value }) => value)).toEqual(
      rows.map(([x]) => model.predict({ x, leaf: x > 1 ? "big" : "small" }).value),
    );
  });

  it("names an unknown class, and refuses numbers as classes", async () => {
    using train = Dataset.fromTable(trees("train.csv", many), { target: "kind" });
    const model = await fit(linear(), train, { epochs: 1 });
    using other = Dataset.fromTable({ ...tableOf([{ x: 1, leaf: "big", kind: "fir" }]), source: "new.csv" }, { target: "kind" });
    expect(() => model.evaluate(other)).toThrow(
      'new.csv: row 1: "fir" is not a class of the model\'s target ("ash", "elm", "oak") [DATA_TARGET]',
    );
    const three = ["ash", "elm", "fir"].map((kind) => ({ x: 1, leaf: "big", kind }));
    using asMany = Dataset.fromTable({ ...tableOf(three), source: "three.csv" }, { target: "kind" });
    expect(() => model.evaluate(asMany)).toThrow(/^three\.csv: row 3: "fir" is not a class/);
    using codes = Dataset.fromArrays({ x: many.map(([x]) => [x]), y: many.map(([, kind]) => kind), names: ["x"], classes: true });
    using numbers = Dataset.fromArrays({ x: [[0], [1]], y: [0, 1], names: ["x"] });
    const coded = await fit(linear(), codes, { epochs: 20, seed: 1 });
    using same = Dataset.fromArrays({ x: [[0], [1]], y: [0, 1], names: ["x"], classes: true });
    expect(coded.evaluate(numbers)).toEqual(coded.evaluate(same));
    using off = Dataset.fromArrays({ x: [[0], [1]], y: [0, 1.5], names: ["x"] });
    expect(() => coded.evaluate(off)).toThrow(/row 2: "1.5" is not a class of the model's target \("0", "1", "2"\)/);
    const line = await fit(linear({ loss: "squared" }), numbers, { epochs: 1 });
    expect(() => line.evaluate(same)).toThrow(/the target "y" has classes \("0", "1"\), but the model was trained on numbers/);
  });
});

describe("refused prediction input", () => {
  it("refuses rows without a column, data of another form, and foreign files", async () => {
    using data = Dataset.fromTable(people(60, 7), { target: "income", drop: ["band", "pay", "children"], impute: "mean" });
    const fitted = await fit(linear(), data, { epochs: 1 });
    expect(() => fitted.predict({ age: 30 })).toThrow(/column "hours"/);
    expect(() => fitted.predict({ age: "old", hours: 3, city: "Oslo", rowCount: "few" })).toThrow(/"old".*column "age"/);
    using other = Dataset.fromArrays({ x: [[1, 2]], y: [0] });
    expect(() => fitted.evaluate(other)).toThrow(/\[DATASET_PIPELINE\]/);
    const write = async (metadata: Record<string, string>): Promise<string> => {
      const path = join(folder, "other.safetensors");
      await writeFile(path, encode({}, metadata));
      return path;
    };
    await expect(predictor(await write({ format: "pt" }))).rejects.toThrow(
      /other.safetensors: is a safetensors file, but not a model saved by ergodic; .*\[MODEL_FORMAT\]/,
    );
    await expect(predictor(await write({ format: "ergodic", version: "99" }))).rejects.toThrow(
      /has format version 99, but this library reads up to \d+; update ergodic \[MODEL_VERSION\]/,
    );
    await expect(
      predictor(await write({ format: "ergodic", version: "1", kind: "constructor", description: "{}" })),
    ).rejects.toThrow(/holds a model of kind "constructor", which cannot be used here .*\[MODEL_KIND\]/);
    await expect(predictor(await write({ format: "ergodic", version: "1", kind: "linear", description: "{" }))).rejects.toThrow(
      /description that is not JSON.*\[MODEL_FORMAT\]/,
    );
    await writeFile(join(folder, "text.safetensors"), "not a model at all");
    await expect(predictor(join(folder, "text.safetensors"))).rejects.toThrow(
      /text\.safetensors: is not a safetensors file.*\[SAFETENSORS\]/,
    );
    await expect(predictor(new File(["{}"], "mine.bin"))).rejects.toThrow(/^mine\.bin: is not a safetensors file/);
    await expect(predictor(new Uint8Array(3))).rejects.toThrow(/^model: is not a safetensors file/);
    await expect(fit.resume(new Uint8Array(3), data)).rejects.toThrow(/^checkpoint: is not a safetensors file/);
    await expect(fit.resume(join(folder, "text.safetensors"), data)).rejects.toThrow(
      /text\.safetensors: is not a safetensors file/,
    );
    await expect(fit.resume(await write({ format: "ergodic checkpoint", version: "1", description: "{" }), data)).rejects.toThrow(
      /other\.safetensors: has a description that is not JSON.*\[CHECKPOINT_FORMAT\]/,
    );
  });
});

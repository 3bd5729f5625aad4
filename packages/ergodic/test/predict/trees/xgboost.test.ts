/**
 * Models of XGBoost, as JSON and UBJSON: margins equal those of XGBoost 3.0 bit for bit, predictions to 2 ulp of
 * float32. Only this file compares trees with XGBoost. golden/xgboost-models.py wrote the models.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DataError } from "../../../src/engine/errors/errors.ts";
import { Dataset, fit, trees } from "../../../src/entries/index.ts";
import { predictor, type TreesPredictor } from "../../../src/entries/predict.ts";

type Row = (number | null)[];
interface Golden {
  rows: Row[];
  models: { name: string; objective: string; model: string; margins: number[][]; predictions: number[][] }[];
  refused: { name: string; model: string }[];
}

const folder = new URL("golden/", import.meta.url);
const golden = JSON.parse(gunzipSync(readFileSync(new URL("xgboost-models.json.gz", folder))).toString()) as Golden;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const modelOf = (name: string): string => golden.models.find((one) => one.name === name)!.model;
const { rows } = golden;

/** Outputs z of rows, before the link. */
function marginsOf(model: TreesPredictor, given: readonly Row[]): number[][] {
  const width = model.ensemble.base.length;
  const z = new Float64Array(given.length * width);
  const values = new Float64Array(model.columns.length);
  const read = (i: number) => {
    values.set(given[i].map((value) => value ?? Number.NaN));
    return { count: values.length, columns: null, values };
  };
  model.addTo(read, 0, given.length, z, 0, model.treeCount);
  return given.map((_, i) => [...z.subarray(i * width, (i + 1) * width)]);
}

const ulp = (value: number): number => 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(value))) - 23);

/** XGBoost's prediction of a row, from ours. */
function asXgboost(model: TreesPredictor, objective: string, row: Row): number[] {
  const [{ value, probabilities }] = model.predict([row] as number[][]);
  if (objective === "multi:softmax" || objective === "binary:hinge") return [Number(value)];
  if (objective === "multi:softprob") return model.classes!.map((name) => probabilities![name]);
  return [probabilities ? probabilities["1"] : (value as number)];
}

describe.each(golden.models)("XGBoost, $name", ({ objective, model: text, margins, predictions }) => {
  it("gives the margins of XGBoost bit for bit, and its predictions to 2 ulp", async () => {
    const model = await predictor<TreesPredictor>(bytesOf(text));
    expect(model.kind).toBe("trees");
    expect(marginsOf(model, rows)).toEqual(margins.map((row) => row.map(Math.fround)));
    expect(new Set(margins.flat()).size).toBeGreaterThan(1);
    if (objective === "binary:logitraw") return;
    for (const [i, row] of rows.entries())
      for (const [k, value] of asXgboost(model, objective, row).entries())
        expect(Math.abs(value - predictions[i][k])).toBeLessThanOrEqual(2 * ulp(predictions[i][k]));
  });

  it("is saved as a file of this library, with equal answers", async () => {
    const model = await predictor<TreesPredictor>(bytesOf(text));
    const again = await predictor<TreesPredictor>(model.toBytes());
    expect(again.predict(rows as number[][])).toEqual(model.predict(rows as number[][]));
    expect(again.description).toEqual(model.description);
    expect(again.toBytes()).toEqual(model.toBytes());
  });
});

describe("rows and names", () => {
  it("takes objects by feature name, lists, and several rows; null, NaN and empty strings are missing", async () => {
    const model = await predictor<TreesPredictor>(bytesOf(modelOf("squared error")));
    expect(model.columns).toEqual(["size", "age of roof", "level"]);
    const [size, age, level] = [0.3, null, 5];
    const wanted = model.predict([size, Number.NaN, level]);
    expect(model.predict({ size, "age of roof": age, level })).toEqual(wanted);
    expect(model.predict({ level: "5", "age of roof": "", size: "0.3", more: 1 })).toEqual(wanted);
    expect(model.predict([[size, age, level]] as number[][])).toEqual([wanted]);
    const out = new Float64Array(2);
    expect(model.predictInto(Float64Array.of(size, Number.NaN, level, size, 9, level), out)).toBe(2);
    expect(out[0]).toBe(wanted.value);
    expect(() => model.predict({ size, level })).toThrow(/row 1 has no column "age of roof".*\[DATA_COLUMN\]/);
  });

  it("names columns f0, f1, … and classes 0, 1, … where the file has no names", async () => {
    const model = await predictor<TreesPredictor>(bytesOf(modelOf("softprob")));
    expect([model.columns, model.classes]).toEqual([
      ["f0", "f1", "f2"],
      ["0", "1", "2"],
    ]);
    expect(model.toString()).toBe("trees model of y: multiclass, 3 columns");
  });
});

describe("UBJSON", () => {
  it("gives the same model as JSON", async () => {
    const binary = await predictor<TreesPredictor>(new Uint8Array(readFileSync(new URL("xgboost-model.ubj", folder))));
    const text = await predictor<TreesPredictor>(bytesOf(modelOf("softprob")));
    expect(binary.toBytes()).toEqual(text.toBytes());
  });
});

async function refusal(text: string): Promise<DataError> {
  return predictor(bytesOf(text)).then(
    () => expect.fail("it was read"),
    (error) => error as DataError,
  );
}

describe("refused models", () => {
  const said: Record<string, RegExp> = {
    "survival:aft": /has the objective "survival:aft", which this library cannot predict with; .*\[MODEL_KIND\]/,
    gblinear: /has the booster "gblinear".*\[MODEL_KIND\]/,
    "two targets": /has 2 targets.*one model per target \[MODEL_KIND\]/,
    "two quantiles": /has 2 targets.*\[MODEL_KIND\]/,
  };
  it.each(golden.refused)("names $name", async ({ name, model }) => {
    expect((await refusal(model)).message).toMatch(said[name]);
  });

  const first = modelOf("squared error");
  const changes: [string, (text: string) => string, RegExp][] = [
    ["a child beyond the tree", (text) => text.replace('"left_children":[1', '"left_children":[99'), /child 99 in tree 0/],
    ["a cycle", (text) => text.replace('"right_children":[2', '"right_children":[0'), /node 0 with two parents in tree 0/],
    ["a child that is a fraction", (text) => text.replace('"left_children":[1', '"left_children":[1.5'), /child 1.5/],
    ["a column that does not exist", (text) => text.replace(/"split_indices":\[\d/, '"split_indices":[7'), /column 7 at node 0/],
    [
      "a base score without a margin",
      (text) => text.replace(/"base_score":"[^"]*"/, '"base_score":"x"'),
      /base_score "x", which has/,
    ],
    ["no trees", (text) => text.replace('"trees":', '"forest":'), /nothing as "trees", but a list is wanted/],
    [
      "a leaf that is NaN",
      (text) => text.replaceAll(/"split_conditions":\[[^\]]*\]/g, (list) => list.replace(/,[^,]*\]/, ",NaN]")),
      /NaN in "values"/,
    ],
    ["JSON that ends early", (text) => text.slice(0, -20), /begins like JSON, but is not JSON/],
    ["JSON of something else", () => '{"name": "a package"}', /is JSON, but not a model: .*"learner"/],
  ];
  it.each(changes)("explains %s", async (_, change, words) => {
    const changed = change(first);
    expect(changed).not.toBe(first);
    const error = await refusal(changed);
    expect([error.name, error.message]).toEqual(["DataError", expect.stringMatching(words)]);
  });

  it("reads base_score as a list, as XGBoost 3.1 writes it", async () => {
    const text = modelOf("base score").replace(/"base_score":"([^"]*)"/, '"base_score":"[$1]"');
    const [a, b] = [
      await predictor<TreesPredictor>(bytesOf(text)),
      await predictor<TreesPredictor>(bytesOf(modelOf("base score"))),
    ];
    expect(a.predict([1, 1, 1])).toEqual(b.predict([1, 1, 1]));
  });
});

it("cannot get more rounds, because its rules and sums differ from those of training", async () => {
  const model = await predictor<TreesPredictor>(bytesOf(modelOf("squared log error")));
  const x = rows.map((row) => row.map((value) => value ?? 0));
  const data = Dataset.fromArrays({ x, y: x.map(([a]) => a), names: ["f0", "f1", "f2"] });
  const from = model.toBytes();
  await expect(fit(trees({ loss: "squared" }), data, { from, epochs: 1 })).rejects.toThrow(
    /from is a model of XGBoost, but only trees/,
  );
});

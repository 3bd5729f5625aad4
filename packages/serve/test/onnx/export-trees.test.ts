/**
 * Trees in Debian's onnxruntime: models of this library, and of XGBoost, LightGBM and ONNX, on rows with gaps and with
 * values at thresholds. Only this file compares exported trees.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Dataset, fit, predictor, stream, type TreesPredictor, trees } from "ergodic";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toOnnx } from "../../src/onnx/index.ts";
import { DebianRuntime, lacking } from "./debian.ts";

const folder = new URL("../../../ergodic/test/predict/trees/golden/", import.meta.url);
const json = (name: string) => JSON.parse(gunzipSync(readFileSync(new URL(name, folder))).toString());
const { models } = json("xgboost-models.json.gz") as { models: { name: string; model: string }[] };
const { cases } = json("onnx-models.json.gz") as { cases: { name: string; file: string }[] };
const read = (bytes: Uint8Array): Promise<TreesPredictor> => predictor<TreesPredictor>(bytes);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Thresholds in float64, which no float32 number equals, and all ways in which LightGBM treats missing values. */
const lightgbm = (type: number, threshold: number): string => `tree
version=v4
num_class=1
num_tree_per_iteration=1
max_feature_idx=0
objective=regression
feature_names=a

Tree=0
num_leaves=2
num_cat=0
split_feature=0
threshold=${threshold}
decision_type=${type}
left_child=-1
right_child=-2
leaf_value=1 2

end of trees
`;

/** Neighbours of x in float32, missing, and 0. */
const near = (x: number): number[] => [...[-2, -1, 0, 1, 2].map((k) => Math.fround(x * (1 + k * 6e-8))), Number.NaN, 0];

describe.skipIf(lacking)("trees in onnxruntime", () => {
  let runtime: DebianRuntime;
  beforeAll(() => {
    runtime = new DebianRuntime();
  });
  afterAll(() => runtime.close());

  async function compare(model: TreesPredictor, rows: number[][]): Promise<void> {
    const width = model.columns.length;
    const { outputs, checked } = await runtime.run(toOnnx(model), Float32Array.from(rows.flat()), width);
    const found = (outputs.value ?? outputs.probabilities ?? outputs.scores).values;
    const wanted = new Float64Array(rows.length * model.width);
    const given = rows.map((row) => row.map(Math.fround));
    model.predictInto(given, wanted);
    expect(found.length).toBe(wanted.length);
    for (const [i, value] of wanted.entries())
      expect(Math.abs(found[i] - value)).toBeLessThanOrEqual(2e-6 * Math.max(0.1, Math.abs(value)));
    expect(checked).toBe(true);
  }

  const draws = stream(7, "rows").at(0);
  const rows = Array.from({ length: 60 }, (_, i) =>
    [0, 1, 2].map((j) => (i > 0 && draws.uniform() < 0.15 ? Number.NaN : Math.fround((1 + j) * draws.normal()))),
  );

  test.each(["squared error", "logistic", "base score", "hinge", "softmax", "vectors in leaves", "poisson", "dart"])(
    "XGBoost, %s",
    async (name) => {
      await compare(await read(utf8(models.find((one) => one.name === name)!.model)), rows);
    },
  );

  test.each(["boosted numbers", "an average with a base", "a forest of three classes", "a forest of two classes, one score"])(
    "ONNX, %s",
    async (name) => {
      await compare(await read(new Uint8Array(Buffer.from(cases.find((one) => one.name === name)!.file, "base64"))), rows);
    },
  );

  test.each([0.1, -0.1, 1 / 3, -1 / 3, 2 ** 30 + 1, 1e-50, -1e-50, 0.5])("float64 thresholds at %d", async (threshold) => {
    for (const type of [0, 2, 8, 10]) {
      const model = await read(utf8(lightgbm(type, threshold)));
      await compare(
        model,
        near(threshold).map((x) => [x]),
      );
    }
  });

  test("models of this library", async () => {
    const x = rows.map((row) => row.map((value) => (Number.isNaN(value) ? 0 : value)));
    const numbers = x.map(([a, b]) => a + b * b);
    const classes = numbers.map((z) => (z > 4 ? "high" : z > 1 ? "middle" : "low"));
    for (const y of [numbers, classes, classes.map((name) => (name === "low" ? "no" : "yes"))]) {
      const data = Dataset.fromArrays({ x, y: y as string[] });
      const model = await fit(trees({ leaves: 4, minRows: 3 }), data, { epochs: 5, seed: 1 });
      expect(model.treeCount).toBeGreaterThan(4);
      await compare(model as TreesPredictor, x);
    }
  });

  test("refuses sets of categories, and zero as missing", async () => {
    const sets = await read(utf8(models.find((one) => one.name === "categories")!.model));
    expect(() => toOnnx(sets)).toThrow(/divides levels of a category into sets.*\[ONNX_MODEL\]/);
    const zero = await read(utf8(lightgbm(4, 0.5)));
    expect(() => toOnnx(zero)).toThrow(/counts zero as missing.*\[ONNX_MODEL\]/);
  });
});

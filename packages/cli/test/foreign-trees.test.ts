/** `ergodic predict` and `ergodic describe` with a model of XGBoost. Only this file gives them one. */
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { predictor } from "ergodic";
import type { TreesPredictor } from "ergodic/predict";
import { expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";

const file = temporary();
const golden = new URL("../../ergodic/test/predict/trees/golden/xgboost-models.json.gz", import.meta.url);
const { models } = JSON.parse(gunzipSync(readFileSync(golden)).toString()) as { models: { name: string; model: string }[] };
const [price, kind] = ["squared error", "softprob"].map((name, k) => {
  const path = file(`${k}.json`);
  writeFileSync(path, models.find((one) => one.name === name)!.model);
  return path;
});

it("predicts rows of a file by feature name, with gaps", async () => {
  const data = file("rows.csv");
  writeFileSync(data, "id,level,age of roof,size\na,3,,0.5\nb,17,1.25,-1\n");
  const { stdout } = await works("predict", price, data, "--id", "id");
  const model = await predictor<TreesPredictor>(price);
  const wanted = model.predict([
    [0.5, Number.NaN, 3],
    [-1, 1.25, 17],
  ]);
  expect(stdout).toBe(`id,prediction\na,${wanted[0].value}\nb,${wanted[1].value}\n`);
});

it("predicts probabilities of classes, and describes the model", async () => {
  const data = file("classes.csv");
  writeFileSync(data, "f0,f1,f2\n1,2,3\n");
  const { stdout } = await works("predict", kind, data);
  expect(stdout).toMatch(/^prediction,p_0,p_1,p_2\n[012](,0\.\d+){3}\n$/);
  expect((await works("describe", kind)).stdout).toMatch(/multi:softprob/);
});

it("refuses JSON that is not a model", async () => {
  const other = file("package.json");
  writeFileSync(other, '{ "name": "a package" }');
  const { code, stderr } = await ergodic("predict", other, file("rows.csv"));
  expect([code, stderr]).toEqual([1, expect.stringMatching(/package\.json: is JSON, but not a model: XGBoost models/)]);
});

/**
 * Models of trees from other libraries are served by their content: XGBoost as JSON and UBJSON under any name, and ONNX
 * files of trees without onnxruntime. Only this file serves them.
 */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { predictor } from "ergodic";
import type { TreesPredictor } from "ergodic/predict";
import { expect, test } from "vitest";
import { post, serving, temporary } from "../server/models.ts";

const path = temporary();
const folder = new URL("../../../ergodic/test/predict/trees/golden/", import.meta.url);
const json = (name: string) => JSON.parse(gunzipSync(readFileSync(new URL(name, folder))).toString());

test("serves files of XGBoost and ONNX", async () => {
  const { models } = json("xgboost-models.json.gz") as { models: { name: string; model: string }[] };
  const { cases } = json("onnx-models.json.gz") as { cases: { name: string; file: string }[] };
  const named = (name: string) => cases.find((one) => one.name === name)!.file;
  writeFileSync(path("price.json"), models.find(({ name }) => name === "squared error")!.model);
  copyFileSync(new URL("xgboost-model.ubj", folder), path("kind"));
  writeFileSync(path("forest.onnx"), Buffer.from(named("a forest of three classes"), "base64"));
  const files = { price: path("price.json"), kind: path("kind"), forest: path("forest.onnx") };
  const one = await serving({ models: files, workers: 0 });
  for (const [name, file] of Object.entries(files)) {
    const model = await predictor<TreesPredictor>(file);
    const row = Object.fromEntries(model.columns.map((column, j) => [column, j === 1 ? null : 0.5 * j]));
    const answer = await post(`${one.url}/v2/models/${name}/rows`, { rows: [row] });
    expect(answer.json.predictions).toEqual([model.predict(row)]);
  }
});

test("refuses other JSON files by name", async () => {
  writeFileSync(path("package.json"), '{ "name": "not a model" }');
  await expect(serving({ models: path("package.json") })).rejects.toThrow(/package\.json: is JSON, but not a model/);
});

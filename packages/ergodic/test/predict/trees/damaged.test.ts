/**
 * Damaged models of XGBoost (JSON, UBJSON), LightGBM and ONNX: thousands of changed files each either predict or give
 * one of the library's errors with a place and advice. Only this file finds crashes, hangs and raw errors of the readers.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { DataError, MemoryLimitError } from "../../../src/engine/errors/errors.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { predictor, type TreesPredictor } from "../../../src/entries/predict.ts";

const folder = new URL("golden/", import.meta.url);
const json = (name: string) => JSON.parse(gunzipSync(readFileSync(new URL(name, folder))).toString());
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const { models } = json("xgboost-models.json.gz") as { models: { name: string; model: string }[] };
const { cases } = json("onnx-models.json.gz") as { cases: { name: string; file: string }[] };
const model = (name: string): string => models.find((one) => one.name === name)!.model;
const onnx = (name: string): Uint8Array => new Uint8Array(Buffer.from(cases.find((one) => one.name === name)!.file, "base64"));

const lightgbm = `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=binary sigmoid:1
feature_names=a b c
feature_infos=[0:1] [0:1] 0:1:2
tree_sizes=300 300

Tree=0
num_leaves=3
num_cat=1
split_feature=2 0
split_gain=2 1
threshold=0 0.5
decision_type=1 10
left_child=1 -1
right_child=-2 -3
leaf_value=0.5 -0.25 1
leaf_count=10 20 30
internal_count=60 40
cat_boundaries=0 1
cat_threshold=5
is_linear=0
shrinkage=0.1

Tree=1
num_leaves=2
num_cat=0
split_feature=1
split_gain=1
threshold=0.25
decision_type=2
left_child=-1
right_child=-2
leaf_value=0.125 -0.5
leaf_count=10 20
internal_count=30
is_linear=0
shrinkage=0.1

end of trees
`;

type Draws = ReturnType<ReturnType<typeof stream>["at"]>;

/** Values that replace a number. */
const NUMBERS = [
  "-1",
  "0",
  "1",
  "2",
  "7",
  "65536",
  "2147483647",
  "4294967296",
  "1e308",
  "-0.5",
  "NaN",
  "Infinity",
  "null",
  '"x"',
  "[]",
];

/** Flips bytes, cuts, repeats a part, or replaces a number or a word of text. */
function changed(bytes: Uint8Array, draws: Draws, isText: boolean): Uint8Array {
  const kind = draws.integer(isText ? 6 : 4);
  const at = draws.integer(bytes.length);
  if (kind === 0) return bytes.slice(0, at);
  if (kind === 1) {
    const end = Math.min(bytes.length, at + 1 + draws.integer(40));
    return Uint8Array.from([...bytes.subarray(0, end), ...bytes.subarray(at)]);
  }
  if (kind < 4) {
    const copy = bytes.slice();
    for (let k = 0; k <= draws.integer(3); k++) copy[draws.integer(bytes.length)] = draws.integer(256);
    return copy;
  }
  const text = new TextDecoder().decode(bytes);
  const words = [...text.matchAll(kind === 4 ? /-?\d[\d.E+-]*/g : /[A-Za-z_:]+/g)];
  const word = words[draws.integer(words.length)];
  const other = kind === 4 ? NUMBERS[draws.integer(NUMBERS.length)] : words[draws.integer(words.length)][0];
  return bytesOf(text.slice(0, word.index) + other + text.slice(word.index + word[0].length));
}

const formats: [string, Uint8Array, boolean][] = [
  ["XGBoost JSON", bytesOf(model("categories")), true],
  ["XGBoost JSON with vectors in leaves", bytesOf(model("vectors in leaves")), true],
  ["XGBoost JSON of DART", bytesOf(model("dart")), true],
  ["XGBoost UBJSON", new Uint8Array(readFileSync(new URL("xgboost-model.ubj", folder))), false],
  ["LightGBM text", bytesOf(lightgbm), true],
  ["ONNX regressor", onnx("BRANCH_LT, missing values to the true node"), false],
  ["ONNX regressor with tensors", onnx("tensors of doubles"), false],
  ["ONNX classifier", onnx("a forest of three classes"), false],
];

const COUNT = 1500;

it.each(formats)("%s: every changed file predicts or is refused", async (name, bytes, isText) => {
  const found = { read: 0, refused: 0 };
  for (let k = 0; k < COUNT; k++) {
    const file = changed(bytes, stream(k, name).at(0), isText);
    try {
      const one = await predictor<TreesPredictor>(file);
      const rows = [0.5, Number.NaN, -3].map((value) => new Array<number>(one.columns.length).fill(value));
      one.predict(rows);
      expect((await predictor<TreesPredictor>(one.toBytes())).toBytes()).toEqual(one.toBytes());
      found.read++;
    } catch (error) {
      const isOurs = error instanceof DataError || error instanceof MemoryLimitError;
      if (!isOurs) throw new Error(`file ${k}: ${error}`, { cause: error });
      expect(error.message).toMatch(/^(model|pipeline|predict|rows): .{20,}\[[A-Z_]+\]$/s);
      expect(error.message).not.toMatch(/undefined|is not a function|Cannot read|Invalid array|out of memory/i);
      found.refused++;
    }
  }
  expect(found.read).toBeGreaterThan(COUNT / 100);
  expect(found.refused).toBeGreaterThan(COUNT / 10);
});

it("files that claim more than they hold are refused before memory is taken", async () => {
  const huge = (text: string): Promise<unknown> => predictor(bytesOf(text));
  await expect(huge(model("logistic").replaceAll('"num_feature":"3"', '"num_feature":"2000000000"'))).rejects.toThrow(
    /num_feature/,
  );
  await expect(huge(lightgbm.replace("num_leaves=3", "num_leaves=2147483647"))).rejects.toThrow(/leaf_value, but 2147483647/);
  const ubjson = new Uint8Array(Buffer.from("7b4c000000000000000161" + "5b24642355ff", "hex"));
  await expect(predictor(ubjson)).rejects.toThrow(/a count of 255 at byte/);
  const nested = new Uint8Array(100_000).fill(0x5b);
  nested.set(Buffer.from("7b5501615b", "hex"));
  await expect(predictor(nested)).rejects.toThrow(/nested more than 64 levels deep/);
});

/**
 * ONNX files of trees: answers equal those of onnxruntime to 1e-6, for all branch modes, aggregates and transforms that
 * can be represented; other files are refused by name. Only this file compares trees with onnxruntime.
 * golden/onnx-models.py wrote the files.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { predictor, type TreesPredictor } from "../../../src/entries/predict.ts";

interface Case {
  name: string;
  file: string;
  rows?: (number | null)[][];
  value?: number[];
  label?: string[];
  scores?: number[][];
}

const golden = new URL("golden/onnx-models.json.gz", import.meta.url);
const { cases } = JSON.parse(gunzipSync(readFileSync(golden)).toString()) as { cases: Case[] };
const bytesOf = ({ file }: Case): Uint8Array => new Uint8Array(Buffer.from(file, "base64"));
const read = (one: Case): Promise<TreesPredictor> => predictor<TreesPredictor>(bytesOf(one));
const named = (name: string): Case => cases.find((one) => one.name === name)!;

const near = (value: number, wanted: number): void =>
  expect(Math.abs(value - wanted)).toBeLessThanOrEqual(1e-6 * Math.max(0.1, Math.abs(wanted)));

describe.each(cases.filter(({ rows }) => rows))("ONNX, $name", (one) => {
  const rows = one.rows!.map((row) => row.map((value) => value ?? Number.NaN));

  it("gives the answers of onnxruntime", async () => {
    const model = await read(one);
    const found = model.predict(rows);
    for (const [i, { value, probabilities }] of found.entries()) {
      if (one.value) near(value as number, one.value[i]);
      // For two classes with a score each, onnxruntime returns the second class whenever its score is above 0.
      else if (!one.name.includes("two scores")) expect(value).toBe(one.label![i]);
      // If leaves add to the second score alone, onnxruntime returns 0.5 for the first class.
      const first = one.name.includes("score 1") ? 1 : 0;
      const names = probabilities ? model.classes!.slice(first) : [];
      for (const [k, name] of names.entries()) near(probabilities![name], one.scores![i][first + k]);
    }
    expect(found.every(({ probabilities }) => probabilities)).toBe(!one.value && !one.name.startsWith("margins"));
    expect(new Set((one.value ?? one.scores!).map(String)).size).toBeGreaterThan(1);
  });

  it("is saved as a file of this library, with equal answers", async () => {
    const model = await read(one);
    const again = await predictor<TreesPredictor>(model.toBytes());
    expect(again.predict(rows)).toEqual(model.predict(rows));
    expect(again.toBytes()).toEqual(model.toBytes());
  });
});

it("names columns f0, f1, … and takes objects", async () => {
  const model = await read(named("boosted numbers"));
  expect(model.columns).toEqual(["f0", "f1", "f2"]);
  expect(model.predict({ f0: 0.25, f1: null, f2: "1" })).toEqual(model.predict([0.25, Number.NaN, 1]));
  expect((await read(named("boosted, two classes, score 0"))).classes).toEqual(["no", "yes"]);
});

describe("refused files", () => {
  const said: Record<string, RegExp> = {
    MIN: /has the aggregate MIN, which .*\[MODEL_KIND\]/,
    PROBIT: /has numbers after PROBIT/,
    "two targets": /has 2 targets.*one model per target/,
    BRANCH_EQ: /has the branch mode "BRANCH_EQ"/,
    "another operator": /is an ONNX model with the operator "Add"; run it with onnxPredictor of @ergodic\/serve\/onnx/,
    "two base values": /has 2 base values for 1 scores/,
    SOFTMAX_ZERO: /has the transform SOFTMAX_ZERO with one score/,
    LOGISTIC: /has the transform LOGISTIC of several classes without a Normalizer/,
  };
  it.each(cases.filter(({ rows }) => !rows))("$name", async (one) => {
    await expect(read(one)).rejects.toMatchObject({ name: "DataError", message: expect.stringMatching(said[one.name]) });
  });
});

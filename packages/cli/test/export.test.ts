/**
 * `ergodic export` writes the library's file, and refuses invalid calls. packages/serve compares the files with
 * onnxruntime.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { toOnnx } from "@ergodic/serve/onnx";
import { type LinearPredictor, predictor } from "ergodic";
import { beforeAll, expect, it } from "vitest";
import { digits, ergodic, temporary, works } from "./captured.ts";

const file = temporary();
const model = file("digits.safetensors");

beforeAll(async () => {
  await works("train", digits, "--target", "label", "--classes", "--epochs", "1", "--out", model, "--quiet");
});

it("writes the bytes of toOnnx and reports the path", async () => {
  const out = file("digits.onnx");
  const { stdout, stderr } = await works("export", model, "--out", out);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/digits\.safetensors written to .*digits\.onnx as ONNX \([\d.]+ kB\)\n$/);
  expect([...readFileSync(out)]).toEqual([...toOnnx(await predictor<LinearPredictor>(model))]);
});

it("writes calibrated probabilities and the offset as an input, and refuses conformal sets", async () => {
  const [honest, sets, rates, out] = ["honest", "sets", "rates", "other.onnx"].map(file);
  await works("calibrate", model, digits, "--method", "isotonic", "--out", honest);
  await works("export", honest, "--out", out);
  expect([...readFileSync(out)]).toEqual([...toOnnx(await predictor<LinearPredictor>(honest))]);
  expect(readFileSync(out).equals(Buffer.from(toOnnx(await predictor<LinearPredictor>(model))))).toBe(false);
  const counts = file("counts.csv");
  writeFileSync(counts, `age,years,y\n${["1,0,2", "2,1,3", "3,0.5,1", "4,0,5"].join("\n")}\n`);
  const poisson = ["--target", "y", "--offset", "years", "--loss", "poisson", "--epochs", "1", "--quiet"];
  await works("train", counts, ...poisson, "--out", rates);
  await works("export", rates, "--out", out);
  expect([...readFileSync(out)]).toEqual([...toOnnx(await predictor<LinearPredictor>(rates))]);
  expect(readFileSync(out, "latin1")).toMatch(/offset/);
  await works("calibrate", model, digits, "--alpha", "0.1", "--out", sets);
  const { code, stderr } = await ergodic("export", sets, "--out", file("sets.onnx"));
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/the model has conformal sets, which .* calibrate --alpha \[ONNX_MODEL\]/),
  ]);
  expect(existsSync(file("sets.onnx"))).toBe(false);
});

it("refuses foreign files, models without an ONNX form, its own input as output, and a missing output", async () => {
  const out = file("none.onnx");
  const hashed = file("hashed.safetensors");
  const words = file("words.csv");
  writeFileSync(words, `word,y\n${["a,1", "b,2", "a,3", "c,4"].join("\n")}\n`);
  await works("train", words, "--target", "y", "--hash", "8", "--epochs", "1", "--out", hashed, "--quiet");
  const cases: [string[], number, RegExp][] = [
    [["export", digits, "--out", out], 1, /digits\.csv/],
    [["export", hashed, "--out", out], 2, /toOnnx: the model's pipeline has the step hash.* \[ONNX_STEP\]/],
    [["export", model, "--out", model], 2, /--out .*digits\.safetensors is MODEL, which it would overwrite/],
    [["export", model], 2, /--out/],
  ];
  for (const [words, code, message] of cases) {
    const { code: found, stderr } = await ergodic(...words);
    expect([found, stderr]).toEqual([code, expect.stringMatching(message)]);
  }
  expect(existsSync(out)).toBe(false);
});

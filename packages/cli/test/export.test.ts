/** `ergodic export`: the file that it writes is the library's, and what it refuses. The files themselves are held to onnxruntime in packages/serve. */
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

it("writes the bytes of toOnnx, and says where", async () => {
  const out = file("digits.onnx");
  const { stdout, stderr } = await works("export", model, "--out", out);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/digits\.safetensors written to .*digits\.onnx as ONNX \([\d.]+ kB\)\n$/);
  expect([...readFileSync(out)]).toEqual([...toOnnx(await predictor<LinearPredictor>(model))]);
});

it("refuses a model that is no file of ours, one that has no ONNX form, its own input as output, and no output", async () => {
  const out = file("none.onnx");
  const hashed = file("hashed.safetensors");
  const words = file("words.csv");
  writeFileSync(words, `word,y\n${["a,1", "b,2", "a,3", "c,4"].join("\n")}\n`);
  await works("train", words, "--target", "y", "--hash", "8", "--epochs", "1", "--out", hashed, "--quiet");
  const cases: [string[], number, RegExp][] = [
    [["export", digits, "--out", out], 1, /digits\.csv/],
    [["export", hashed, "--out", out], 2, /toOnnx: the model's pipeline has the step hash.* \[ONNX_STEP\]/],
    [["export", model, "--out", model], 2, /--out .*digits\.safetensors is MODEL, which it would take the place of/],
    [["export", model], 2, /--out/],
  ];
  for (const [words, code, message] of cases) {
    const { code: found, stderr } = await ergodic(...words);
    expect([found, stderr]).toEqual([code, expect.stringMatching(message)]);
  }
  expect(existsSync(out)).toBe(false);
});

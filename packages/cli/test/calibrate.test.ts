/** `calibrate`, and the display of calibrations by predict, evaluate and describe. */
import { readFileSync, writeFileSync } from "node:fs";
import { predictor } from "ergodic";
import { beforeAll, describe, expect, it } from "vitest";
import { digits, ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const [train, held, test] = ["train.csv", "held.csv", "test.csv"].map(file);
const [pay, payRows] = [file("pay.safetensors"), file("pay.csv")];
const model = file("digits.safetensors");
const lines = (text: string): string[][] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));

beforeAll(async () => {
  const [header, ...rows] = readFileSync(digits, "utf8").trimEnd().split("\n");
  const part = (k: number): string[] => rows.filter((_, i) => i % 3 === k);
  for (const [k, path] of [train, held, test].entries()) writeFileSync(path, `${[header, ...part(k)].join("\n")}\n`);
  await works("train", train, "--target", "label", "--classes", "--out", model, "--quiet");
  writeFileSync(
    payRows,
    `age,pay\n${Array.from({ length: 90 }, (_, i) => `${20 + (i % 40)},${100 + 3 * (i % 40) + ((i * 7) % 11)}`).join("\n")}\n`,
  );
  await works("train", payRows, "--target", "pay", "--out", pay, "--quiet");
});

describe("calibrate", () => {
  it("calibrates probabilities and makes prediction sets, from two halves of the rows", async () => {
    const out = file("both.safetensors");
    const { stdout, stderr } = await works("calibrate", model, held, "--method", "temperature", "--alpha", "0.1", "--out", out);
    expect(stdout).toMatch(
      /^label, 599 rows of .*held\.csv\n {2}probabilities {2}temperature, [\d.]+, from 300 rows\n {2}sets {11}cover 90\.0 % of rows: score lac up to 0\.\d+, from 299 rows\n$/,
    );
    expect(stderr).toBe(`calibrated model written to ${out}\n`);
    const made = await predictor(out);
    const { probabilities, conformal } = made.description.calibration as {
      probabilities: { rows: number };
      conformal: { rows: number; seed: number };
    };
    expect(probabilities.rows + conformal.rows).toBe(599);
    const again = file("again.safetensors");
    await works("calibrate", model, held, "--method", "temperature", "--alpha", "0.1", "--out", again);
    expect(readFileSync(again)).toEqual(readFileSync(out));
    await works(
      "calibrate",
      model,
      held,
      "--method",
      "temperature",
      "--alpha",
      "0.1",
      "--share",
      "0.25",
      "--seed",
      "3",
      "--out",
      again,
    );
    const other = (await predictor(again)).description.calibration as {
      probabilities: { rows: number };
      conformal: { seed: number };
    };
    expect([other.probabilities.rows, other.conformal.seed]).toEqual([expect.closeTo(150, -1), 3]);
  });

  it("shows sets in predict, evaluate and describe", async () => {
    const out = file("sets.safetensors");
    await works("calibrate", model, held, "--alpha", "0.02", "--score", "aps", "--out", out);
    const table = lines((await works("predict", out, test)).stdout);
    const classes = Array.from({ length: 10 }, (_, k) => String(k));
    expect(table[0]).toEqual(["prediction", ...classes.map((k) => `p_${k}`), ...classes.map((k) => `in_${k}`)]);
    expect(table).toHaveLength(600);
    expect(table.slice(1).every((row) => row.slice(11).every((cell) => cell === "0" || cell === "1"))).toBe(true);
    const answer = checked("predict", (await works("predict", out, test, "--json")).stdout) as unknown as {
      predictions: { value: string; set: string[] }[];
    };
    for (const [i, { value, set }] of answer.predictions.entries()) {
      expect(table[i + 1][0]).toBe(value);
      expect(classes.filter((_, k) => table[i + 1][11 + k] === "1")).toEqual(set);
    }
    const truths = lines(readFileSync(test, "utf8"))
      .slice(1)
      .map((row) => row.at(-1)!);
    const inside = answer.predictions.filter(({ set }, i) => set.includes(truths[i])).length / truths.length;
    const evaluated = checked("evaluate", (await works("evaluate", out, test, "--json")).stdout) as unknown as {
      metrics: { coverage: number; size: number };
    };
    expect(evaluated.metrics.coverage).toBeCloseTo(inside, 12);
    expect(evaluated.metrics.size).toBeCloseTo(answer.predictions.reduce((sum, { set }) => sum + set.length, 0) / 599, 12);
    expect((await works("evaluate", out, test)).stdout).toMatch(
      /truth in set or interval {3}9\d\.\d %\n {2}mean set or interval size {2}\d/,
    );
    expect((await works("describe", out)).stdout).toMatch(
      / {2}sets {6}cover 98\.0 % of rows: score aps up to 0\.\d+, from 599 rows\n/,
    );
    checked("describe", (await works("describe", out, "--json")).stdout);
  });

  it("fits curves and writes them as JSON", async () => {
    const out = file("curves.safetensors");
    const answer = checked(
      "calibrate",
      (await works("calibrate", model, held, "--method", "isotonic", "--out", out, "--json")).stdout,
    );
    expect(answer).toMatchObject({
      command: "calibrate",
      model,
      data: held,
      rows: 599,
      out,
      calibration: { version: 1, probabilities: { method: "isotonic", rows: 599 } },
    });
    expect((await works("describe", out)).stdout).toMatch(
      / {2}probabilities {2}isotonic, 10 curves of \d+ points, from 599 rows\n/,
    );
    const before = checked("evaluate", (await works("evaluate", model, test, "--json")).stdout) as unknown as {
      metrics: { calibrationError: number };
    };
    const after = checked("evaluate", (await works("evaluate", out, test, "--json")).stdout) as unknown as {
      metrics: { calibrationError: number; coverage?: number };
    };
    expect(after.metrics.calibrationError).toBeLessThan(before.metrics.calibrationError);
    expect(after.metrics.coverage).toBeUndefined();
  });

  it("makes prediction intervals", async () => {
    const out = file("intervals.safetensors");
    const { stdout } = await works("calibrate", pay, payRows, "--alpha", "0.2", "--out", out);
    expect(stdout).toMatch(/ {2}intervals {2}cover 80\.0 % of rows: score absolute up to [\d.]+, from 90 rows\n/);
    const table = lines((await works("predict", out, payRows)).stdout);
    expect(table[0]).toEqual(["prediction", "low", "high"]);
    for (const [value, low, high] of table.slice(1).map((row) => row.map(Number))) expect(low < value && value < high).toBe(true);
    checked("predict", (await works("predict", out, payRows, "--json")).stdout);
    expect((await works("evaluate", out, payRows)).stdout).toMatch(/truth in set or interval/);
  });

  it.each([
    ["without anything to do", [], 2, /there is nothing to do; give --method, --alpha or both \[USAGE\]/],
    [
      "--score without sets",
      ["--method", "isotonic", "--score", "aps"],
      2,
      /--score applies to sets and intervals; give --alpha/,
    ],
    ["--share of one thing", ["--alpha", "0.1", "--share", "0.3"], 2, /--share divides the rows between/],
    ["an alpha that is none", ["--alpha", "1"], 2, /It must lie between 0 and 1/],
    ["a score of numbers", ["--alpha", "0.1", "--score", "scaled"], 2, /score is "scaled", but must be "lac" or "aps"/],
    ["too few rows", ["--alpha", "0.0001"], 1, /599 rows are too few for alpha 0\.0001; give 9999 or more/],
  ] as const)("refuses %s", async (_, options, code, words) => {
    const out = file("none.safetensors");
    const found = await ergodic("calibrate", model, held, ...options, "--out", out);
    expect(found.stderr).toMatch(words);
    expect(found.code).toBe(code);
    await expect(predictor(out)).rejects.toThrow(/no such file/);
  });

  it("refuses to overwrite the model or the rows, a --method for numbers, and ratings", async () => {
    expect((await ergodic("calibrate", model, held, "--alpha", "0.1", "--out", model)).stderr).toMatch(/--out .* is MODEL/);
    expect((await ergodic("calibrate", model, held, "--alpha", "0.1", "--out", held)).stderr).toMatch(/--out .* is DATA/);
    expect((await ergodic("calibrate", pay, payRows, "--method", "isotonic", "--out", file("n"))).stderr).toMatch(
      /predicts numbers/,
    );
    const [stars, rated] = [file("stars.csv"), file("stars.safetensors")];
    writeFileSync(stars, `who,film,stars\n${Array.from({ length: 40 }, (_, i) => `u${i % 7},f${i % 9},${i % 5}`).join("\n")}\n`);
    await works("recommend", stars, "--user", "who", "--item", "film", "--value", "stars", "--out", rated, "--quiet");
    expect((await ergodic("calibrate", rated, stars, "--alpha", "0.1", "--out", file("n"))).stderr).toMatch(/predicts ratings/);
  });
});

/** `--interactions` and `--degree`: their columns, which are stored with the model. */
import { writeFileSync } from "node:fs";
import { type LinearPredictor, predictor } from "ergodic";
import { beforeAll, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";

const file = temporary();
const [rows, more, model] = [file("rows.csv"), file("more.csv"), file("model.safetensors")];
const line = (i: number): string => {
  const [a, b, work] = [(i % 7) - 3, (i % 5) - 2, ["own", "state"][i % 2]];
  return `${a},${b},${work},${1 + a * b + (work === "own" ? 2 * a : 0) + a * a}`;
};

beforeAll(() => {
  writeFileSync(rows, `a,b,work,y\n${Array.from({ length: 70 }, (_, i) => line(i)).join("\n")}\n`);
  writeFileSync(more, `a,b,work,y\n${Array.from({ length: 11 }, (_, i) => line(i + 500)).join("\n")}\n`);
});

it("interactions and powers are learnt, stored with the model and used for prediction", async () => {
  const args = ["train", rows, "--target", "y", "--no-classes", "--algorithm", "newton", "--precision", "f64", "--quiet"];
  const { stdout } = await works(...args, "--interactions", "a:b,a:work,a:a", "--test", more, "--out", model);
  expect(Number(/^ +RMSE +(\S+)/m.exec(stdout)![1])).toBeLessThan(1e-6);
  const { columns } = (await predictor<LinearPredictor>(model)).description;
  expect(columns).toEqual(["a", "b", "work=own", "work=state", "a:b", "a:work=own", "a:work=state", "a^2"]);
  const predictions = (await works("predict", model, more)).stdout.trim().split("\n").slice(1).map(Number);
  for (const [i, value] of predictions.entries()) expect(value).toBeCloseTo(Number(line(i + 500).split(",")[3]), 6);
  const whole = await works(...args, "--degree", "2", "--test", more);
  expect(Number(/^ +RMSE +(\S+)/m.exec(whole.stdout)![1])).toBeLessThan(1e-6);
  const without = await works(...args, "--degree", "1", "--test", more);
  expect(Number(/^ +RMSE +(\S+)/m.exec(without.stdout)![1])).toBeGreaterThan(1);
});

it("path and tune accept interactions and powers, too", async () => {
  const path = await works(
    "path",
    rows,
    "--target",
    "y",
    "--no-classes",
    "--interactions",
    "a:b",
    "--folds",
    "0",
    "--json",
    "--quiet",
  );
  expect((JSON.parse(path.stdout) as { columnCount: number }).columnCount).toBe(5);
  const tune = await works(
    ...[
      "tune",
      rows,
      "--target",
      "y",
      "--no-classes",
      "--degree",
      "2",
      "--over",
      "rate:log:0.1..1",
      "--trials",
      "2",
      "--json",
      "--quiet",
    ],
  );
  expect((JSON.parse(tune.stdout) as { columnCount: number; train: string }).train).toContain("--degree 2");
});

it.each([
  ["one column alone", ["--interactions", "a"], /--interactions: "a" is one column; write the columns of a product with colons/],
  [
    "a column that is not there",
    ["--interactions", "a:c"],
    /--interactions names a column "c" that does not exist; the columns are "a", "b", "work"/,
  ],
  ["a degree of 7", ["--degree", "7"], /--degree/],
])("refuses %s", async (_, args, message) => {
  const { code, stdout, stderr } = await ergodic("train", rows, "--target", "y", ...args, "--quiet");
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
});

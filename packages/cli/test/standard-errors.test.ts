/** `train --standard-errors`: the table that it prints and stores, and refusals. */
import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const golden = JSON.parse(readFileSync(new URL("../../ergodic/test/golden/regression.json", import.meta.url), "utf8")) as {
  data: Record<string, (number | string)[]>;
  models: Record<string, { estimate: number[]; standardError: number[] }>;
};
const file = temporary();
const [people, model] = [file("people.csv"), file("people.safetensors")];

beforeAll(() => {
  const names = ["age", "hours", "work", "pay", "rich"];
  const lines = golden.data.age.map((_, i) => names.map((name) => golden.data[name][i]).join(","));
  writeFileSync(people, `${names.join(",")}\n${lines.join("\n")}\n`);
});

interface Regression {
  coefficients: { name: string; estimate: number; standardError: number }[];
}

it("prints a regression table and stores it in the model, and describe shows it", async () => {
  const args = ["train", people, "--target", "pay", "--drop", "rich", "--standard-errors", "--quiet"];
  const { stdout } = await works(...args, "--out", model);
  const table = stdout.slice(stdout.indexOf("  coefficient"), stdout.indexOf("saved to"));
  expect(table).toMatch(/^ {2}coefficient +estimate +standard error +t +p +95 % from +to\n {2}\(intercept\) /);
  expect(table).toMatch(/\n {2}work=public +[\d.]+ /);
  expect(table).toMatch(
    /gaussian, 120 rows, 115 degrees of freedom, residual standard error [\d.]+\n {2}dropped as linearly dependent, including reference levels: work=own\n$/,
  );
  expect((await works("describe", model)).stdout).toContain(table);
  const described = checked("describe", (await works("describe", model, "--json")).stdout) as unknown as {
    description: { regression: Regression; model: { l2: number } };
  };
  // The penalty is 0 regardless of the default.
  expect(described.description.model.l2).toBe(0);
  const { regression } = checked("train", (await works(...args, "--json")).stdout) as unknown as { regression: Regression };
  expect(described.description.regression).toEqual(regression);
  const wanted = golden.models["lm(pay ~ age + hours + work)"];
  for (const [k, { estimate, standardError }] of regression.coefficients.entries()) {
    expect(estimate / wanted.estimate[k]).toBeCloseTo(1, 6);
    expect(standardError / wanted.standardError[k]).toBeCloseTo(1, 6);
  }
});

it("prints z and a deviance for two classes", async () => {
  const { stdout } = await works("train", people, "--target", "rich", "--drop", "pay", "--standard-errors", "--quiet");
  expect(stdout).toMatch(/ {2}coefficient +estimate +standard error +z +p /);
  expect(stdout).toMatch(/binomial, 120 rows, 115 degrees of freedom, deviance [\d.]+\n/);
  expect(
    JSON.parse((await works("train", people, "--target", "rich", "--epochs", "1", "--json", "--quiet")).stdout),
  ).not.toHaveProperty("regression");
});

it.each([
  ["a penalty", ["--l2", "0.1"], 2, /--standard-errors: a penalty biases the coefficients, but --l2 is 0\.1/],
  ["a network", ["--model", "mlp:4"], 2, /--standard-errors: applies only to linear models, but --model is mlp:4/],
  [
    "a run that is not at the maximum",
    ["--rule", "adagrad", "--epochs", "1"],
    2,
    /standard errors from the maximum of the likelihood/,
  ],
])("refuses %s", async (_, args, code, message) => {
  const out = file("refused.safetensors");
  const outcome = await ergodic(
    "train",
    people,
    "--target",
    "pay",
    "--drop",
    "rich",
    "--standard-errors",
    ...args,
    "--quiet",
    "--out",
    out,
  );
  expect([outcome.code, outcome.stdout]).toEqual([code, ""]);
  expect(outcome.stderr).toMatch(message);
});

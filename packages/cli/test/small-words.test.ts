/** Errors in terms of the command line, and outputs without a name. */
import { writeFileSync } from "node:fs";
import { DataError, OptionError } from "ergodic";
import { describe, expect, it } from "vitest";
import { inCommandLineTerms, reportError } from "../src/errors.ts";
import { captured, ergodic, temporary } from "./captured.ts";

const file = temporary();
const rows = file("rows.csv");
const pairsOfRows = Array.from({ length: 12 }, (_, i) => `${i},${i % 2 ? "no" : "yes"}`).join("\n");
writeFileSync(rows, `a,y\n${pairsOfRows}\n`);

describe("outputs", () => {
  it.each([
    ["", /--out is empty; give the name of a file, or leave it out \[USAGE\]/],
    ["-", /--out - would write a file named -, not standard output; give another name, or \.\/- to write that file \[USAGE\]/],
  ])("refuses --out %j", async (out, message) => {
    const { code, stderr } = await ergodic("train", rows, "--target", "y", "--out", out, "--quiet");
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

it("refuses --no-classes for a target of classes, and accepts it for numbers", async () => {
  const { code, stderr } = await ergodic("train", rows, "--target", "y", "--no-classes", "--quiet");
  expect(code).toBe(2);
  expect(stderr).toMatch(/--no-classes: the target y holds texts, like "no", which are classes; leave the option out/);
  const numbers = file("numbers.csv");
  writeFileSync(numbers, "a,y\n1,0\n2,1\n3,0\n4,1\n");
  const done = await ergodic("train", numbers, "--target", "y", "--no-classes", "--epochs", "1", "--quiet");
  expect([done.code, done.stderr]).toEqual([0, ""]);
  const texts = await ergodic(
    "train",
    numbers,
    "--target",
    "y",
    "--types",
    "y=category",
    "--no-classes",
    "--epochs",
    "1",
    "--quiet",
  );
  expect([texts.code, texts.stderr]).toEqual([2, expect.stringContaining('loss "squared" needs numbers')]);
});

it("names options as they are typed", () => {
  expect(inCommandLineTerms('rescale the column or pass type: "f64"')).toBe("rescale the column or pass --precision f64");
  const terminal = captured();
  expect(reportError(new OptionError("newtonCholesky", 'unknown option "foo"', "OPTION_UNKNOWN"), terminal)).toBe(2);
  expect(terminal.stderr).toBe('ergodic: --algorithm newton: unknown option "foo" [OPTION_UNKNOWN]\n');
});

it("quotes at most 200 characters of a text", () => {
  const terminal = captured();
  reportError(new DataError("a.csv", `"${"x".repeat(5000)}" and "${"y".repeat(200)}" are not numbers`, "DATA_TYPE"), terminal);
  expect(terminal.stderr).toBe(`ergodic: a.csv: "${"x".repeat(200)}…" and "${"y".repeat(200)}" are not numbers [DATA_TYPE]\n`);
});

it("uses the singular for one row and the plural for two", async () => {
  const [test, plural] = [file("one.csv"), file("two.csv")];
  writeFileSync(test, "a,y\n3,no\n");
  writeFileSync(plural, "a,y\n3,no\n4,yes\n");
  for (const [of, wanted] of [
    [test, /^test, 1 row$/m],
    [plural, /^test, 2 rows$/m],
  ] as const) {
    const { code, stdout } = await ergodic("train", rows, "--target", "y", "--test", of, "--quiet");
    expect(code).toBe(0);
    expect(stdout).toMatch(wanted);
  }
});

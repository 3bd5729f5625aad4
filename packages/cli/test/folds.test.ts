/** `train --folds`: metrics of each fold with their spread, groups and times, and refusals. */
import { writeFileSync } from "node:fs";
import { readTable } from "@ergodic/ingest";
import { crossValidate, Dataset, linear, newtonCholesky } from "ergodic";
import { beforeAll, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const rows = file("rows.csv");
const train = ["train", rows, "--target", "y", "--no-classes", "--algorithm", "newton"];
const count = 40;

beforeAll(() => {
  const lines = Array.from({ length: count }, (_, i) => {
    const [a, b] = [i % 7, (i * i) % 11];
    return `0${i % 8},${a},${b},${2000 + ((i * 3) % count)},${a - b + ((i * 31) % 17) / 9}`;
  });
  writeFileSync(rows, `patient,a,b,year,y\n${lines.join("\n")}\n`);
});

interface Cv {
  cv: {
    by: string;
    folds: { train: number; test: number; metrics: Record<string, number> }[];
    metrics: Record<string, { mean: number; sd: number }>;
  };
  columnCount: number;
}
const cvOf = async (...args: string[]): Promise<Cv> =>
  checked("train", (await works(...train, ...args, "--json", "--quiet")).stdout) as unknown as Cv;

it("reports each fold and prints metrics with their spread before the model of all rows", async () => {
  const out = file("model.safetensors");
  const { stdout, stderr } = await works(...train, "--drop", "patient,year", "--folds", "4", "--seed", "2", "--out", out);
  expect(stderr).toMatch(/fold 1 of 4: 30 rows to train on, 10 held out; RMSE [\d.]+; [\d.]+ s\n/);
  expect(stdout).toMatch(
    /^ {2}4 folds, rows at random +1 +2 +3 +4 +mean +± sd\n {2}RMSE( +[\d.]+){6}\n {2}MAE( +[\d.]+){6}\n {2}R²( +-?[\d.]+){6}\n/,
  );
  expect(stdout).toContain(`saved to ${out}`);
  const { cv } = await cvOf("--drop", "patient,year", "--folds", "4", "--seed", "2");
  const table = await readTable(rows);
  const data = Dataset.fromTable(table, { target: "y", drop: ["patient", "year"] });
  const ours = await crossValidate(linear(), data, { folds: 4, seed: 2, fit: { algorithm: newtonCholesky() } });
  expect(cv.folds.map(({ metrics }) => metrics)).toEqual(ours.folds.map(({ metrics }) => metrics));
  expect(cv.metrics).toEqual(ours.metrics);
  expect(JSON.parse((await works(...train, "--json", "--quiet")).stdout)).not.toHaveProperty("cv");
});

it("holds out whole groups or splits by time, without using that column as a feature", async () => {
  const groups = await cvOf("--drop", "year", "--folds", "4", "--group", "patient");
  expect([groups.cv.by, groups.columnCount]).toEqual(["group", 2]);
  // Eight patients with five rows each.
  expect(groups.cv.folds.map(({ test }) => test)).toEqual([10, 10, 10, 10]);
  expect((await cvOf("--drop", "year", "--folds", "4", "--group", "0")).cv.metrics).toEqual(groups.cv.metrics);
  const time = await cvOf("--drop", "patient", "--folds", "3", "--time", "year");
  expect([time.cv.by, time.columnCount]).toEqual(["time", 2]);
  expect(time.cv.folds.map(({ train: seen, test }) => [seen, test])).toEqual([
    [10, 10],
    [20, 10],
    [30, 10],
  ]);
  const table = await readTable(rows);
  const years = table.columns[3].kind === "number" ? table.columns[3].values : [];
  const data = Dataset.fromTable(table, { target: "y", drop: ["patient", "year"] });
  const ours = await crossValidate(linear(), data, { folds: 3, time: years, fit: { algorithm: newtonCholesky() } });
  expect(time.cv.metrics).toEqual(ours.metrics);
});

it("takes any name of a column for the folds", async () => {
  for (const name of ["a,b", 'q"uote', "new\nline", "😀 emoji", "$(id)"]) {
    const odd = file("odd.csv");
    const lines = Array.from({ length: count }, (_, i) => `${i % 8},${i % 7},${(i % 7) + ((i * 31) % 17) / 9}`);
    writeFileSync(odd, `"${name.replaceAll('"', '""')}",x,y\n${lines.join("\n")}\n`);
    const { stdout } = await works(
      "train",
      odd,
      "--target",
      "y",
      "--folds",
      "4",
      "--group",
      name,
      "--epochs",
      "1",
      "--json",
      "--quiet",
    );
    const { cv, columnCount } = JSON.parse(stdout) as Cv;
    expect([cv.by, columnCount]).toEqual(["group", 1]);
    const wrong = await ergodic("train", odd, "--target", "y", "--folds", "4", "--group", `${name}!!!!!`);
    expect(wrong.stderr).toMatch(/^ergodic: odd\.csv: --group asks for a column .*!!!!!. that is not there/s);
  }
});

it("makes folds only from rows that are not held out for the test", async () => {
  const { cv } = await cvOf("--drop", "patient,year", "--folds", "4", "--test-share", "0.2");
  expect(cv.folds.reduce((sum, { test }) => sum + test, 0)).toBe(32);
});

it.each([
  ["one fold", ["--folds", "1"], /--folds/],
  ["a group without folds", ["--group", "patient"], /--group: defines the folds, but --folds is not given; add --folds 5/],
  ["groups and times", ["--folds", "3", "--group", "patient", "--time", "year"], /--group: and --time were both given/],
  [
    "a share that parts groups",
    ["--folds", "3", "--group", "patient", "--test-share", "0.2"],
    /--group: keeps rows together, but --test-share would split them/,
  ],
  [
    "a resumed run",
    ["--folds", "3", "--resume", "kept"],
    /--folds was given, but --resume continues the run with its original options; leave --folds out/,
  ],
  [
    "a column that is not there",
    ["--folds", "3", "--group", "clinic"],
    /--group asks for a column "clinic" that is not there; the columns are "patient"/,
  ],
  [
    "a column with a typing error",
    ["--folds", "3", "--drop", "a", "--group", "patint"],
    /--group asks for a column "patint" that is not there; did you mean "patient"\?/,
  ],
  ["a period with a typing error", ["--folds", "3", "--time", "Year"], /--time asks for a column "Year" .*did you mean "year"\?/],
  [
    "a position that is too large",
    ["--folds", "3", "--group", "9"],
    /--group asks for column 9, but columns are numbered 0 to 4/,
  ],
  ["the target", ["--folds", "3", "--group", "-1"], /: column "y" is both --target and --group; give different columns/],
  [
    "the target next to a dropped column",
    ["--folds", "3", "--time", "y", "--drop", "a"],
    /: column "y" is both --target and --time; give different columns/,
  ],
  [
    "a dropped target",
    ["--folds", "3", "--group", "patient", "--drop", "y"],
    /: column "y" is both target and dropped; take it out of drop/,
  ],
  [
    "a dropped column that is not there",
    ["--folds", "3", "--drop", "c", "--group", "patient"],
    /--drop asks for a column "c" that is not there/,
  ],
])("refuses %s", async (_, args, message) => {
  const { code, stdout, stderr } = await ergodic(...(args.includes("--resume") ? train.slice(0, 4) : train), ...args, "--quiet");
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
});

it("tune refuses --folds, which it would ignore", async () => {
  const { code, stderr } = await ergodic("tune", rows, "--target", "y", "--over", "l2:log:1e-3..1", "--folds", "3");
  expect([code, stderr]).toEqual([2, expect.stringContaining("unknown option '--folds'")]);
});

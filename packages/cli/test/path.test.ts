/** `ergodic path`: its output, its choice of λ, seeded folds, the saved model, and interruption. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readCsv } from "@ergodic/ingest";
import { fit, type LinearPredictor, linear, predictor } from "ergodic";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { curve } from "../src/report/curve.ts";
import { captured, ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const [planted, others] = [file("planted.csv"), file("others.csv")];
const COLUMNS = ["a", "b", "c", "d", "e", "f"];

/** y = 3a − 2b + noise, and c … f are irrelevant. Uses Lehmer's generator. */
function plantedRows(count: number, seed: number): { x: number[][]; y: number[] } {
  let state = seed;
  const next = (): number => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
  const x = Array.from({ length: count }, () => COLUMNS.map(() => 2 * next()));
  return { x, y: x.map(([a, b]) => 3 * a - 2 * b + next()) };
}

function csv({ x, y }: { x: number[][]; y: number[] }): string {
  return `${[...COLUMNS, "y"].join(",")}\n${x.map((row, i) => [...row, y[i]].join(",")).join("\n")}\n`;
}

interface PathJson {
  lambdas: number[];
  gaps: number[];
  nonZeros: number[];
  explained: number[];
  cv: { folds: number; mean: number[]; standardError: number[]; minimum: number; oneStandardError: number } | null;
  chosen: { index: number; lambda: number; by: string };
  intercept: number[];
  coefficients: { column: string; output: string | null; weight: number }[];
  test: Record<string, number> | null;
}

async function pathJson(...args: string[]): Promise<PathJson> {
  const { stdout } = await works("path", ...args, "--json", "--quiet");
  return checked("path", stdout) as unknown as PathJson;
}

const target = ["--target", "y"];
/** Output without times. */
const lasting = ({ lambdas, gaps, nonZeros, explained, cv, chosen, coefficients }: PathJson) => ({
  ...{ lambdas, gaps, nonZeros, explained, cv, chosen, coefficients },
});

beforeAll(() => {
  writeFileSync(planted, csv(plantedRows(150, 7)));
  writeFileSync(others, csv(plantedRows(60, 11)));
});

describe("text output", () => {
  it("prints progress at doubling intervals, then rows, the curve, the chosen model and its test", async () => {
    const out = file("text.safetensors");
    const { stdout, stderr } = await works("path", planted, ...target, "--test-share", "0.2", "--seed", "3", "--out", out);
    const notes = stderr.trimEnd().split("\n");
    expect(notes[0]).toBe(`${planted}: 120 rows to train on, 30 to test; 6 columns; target y`);
    expect(notes[1]).toMatch(
      /^linear model, squared loss · 100 λ, l1 ratio 1, tolerance 1e-6, 10 folds · 1 worker · .* · seed 3$/,
    );
    expect(notes[2].trim().split(/\s{2,}/)).toEqual(["λ", "of 100", "nonzeros", "gap", "CV error"]);
    const solved = notes.slice(3).map((line) => Number(line.trim().split(/\s+/)[1]));
    // The path ends when the deviance stops growing.
    expect(solved.at(-1)).toBeGreaterThan(20);
    expect(solved.at(-1)).toBeLessThan(100);
    for (let i = 1; i < solved.length - 1; i++) expect(solved[i]).toBeGreaterThanOrEqual(2 * solved[i - 1]);

    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(new RegExp(`^${solved.at(-1)} λ in \\S+ s$`));
    expect(lines[1].trim().split(/\s{2,}/)).toEqual(["λ", "nonzeros", "explained", "gap", "CV error", "± se"]);
    const plot = lines.indexOf("CV error, from the largest λ to the least");
    const rows = lines.slice(2, plot).map((line) => line.trim().split(/\s{2,}/));
    expect(rows.length).toBeGreaterThanOrEqual(12);
    expect(rows.length).toBeLessThanOrEqual(14);
    for (const [i, cells] of rows.entries()) {
      expect(Number(cells[3])).toBeLessThanOrEqual(1e-6);
      if (i > 0) expect(Number(cells[0])).toBeLessThan(Number(rows[i - 1][0]));
    }
    expect(rows[0].slice(1, 3)).toEqual(["0", "0.0 %"]);
    expect(rows.filter((cells) => cells.includes("▲ minimum"))).toHaveLength(1);
    expect(rows.filter((cells) => cells.includes("△ one standard error"))).toHaveLength(1);

    const drawn = lines.slice(plot + 1, plot + 11);
    for (const line of drawn.slice(0, 8)) expect(line).toMatch(/^ +[\d.]* │[ ░█]*$/);
    expect(drawn[8]).toMatch(/△ +▲/);
    expect(drawn[9]).toMatch(/▲ minimum {3}△ one standard error$/);
    const lambda = rows.find((cells) => cells.includes("▲ minimum"))![0];
    expect(lines[plot + 11]).toMatch(
      new RegExp(`^chosen: λ ${lambda}, the one with the least CV error; [2-6] coefficients of 6 not zero$`),
    );
    expect(lines[plot + 12].trim()).toBe("coefficients");
    expect(lines.slice(plot + 13, plot + 15).map((line) => line.trim().split(/\s+/)[0])).toEqual(["a", "b"]);
    expect(stdout).toMatch(/\ntest, 30 rows\n {2}RMSE +0\.\d+\n {2}MAE .*\n {2}R² .*\nsaved to .*\n$/);
  });

  it("rewrites one line that fits the terminal, and is silent with --quiet", async () => {
    const terminal = captured({ live: true, columns: 60 });
    expect(await runCommandLine(["path", planted, ...target], terminal)).toBe(0);
    expect(terminal.rewritten[0]).toMatch(/ \d+ % {2}λ \d+ of 100 · \d nonzeros · gap /);
    for (const line of terminal.rewritten) expect(line.length).toBeLessThan(60);
    expect(terminal.rewritten.at(-1)).toBe("");
    expect((await works("path", planted, ...target, "--quiet")).stderr).toBe("");
  });
});

describe("the path", () => {
  it("equals the library's path and begins at the least λ without coefficients: max |xᵀ(y − ȳ)|/n", async () => {
    const args = ["--no-standardise", "--seed", "5", "--precision", "f64", "--l1-ratio", "0.5", "--tolerance", "1e-9"];
    const ours = await pathJson(planted, ...target, ...args);
    const data = await readCsv(planted, { target: "y", type: "f64" });
    const options = { folds: 10, seed: 5, l1Ratio: 0.5, tolerance: 1e-9 };
    const theirs = await fit.path(linear({ loss: "squared", standardise: false }), data, options);
    expect(ours.lambdas).toEqual([...theirs.lambdas]);
    expect(ours.nonZeros).toEqual([...theirs.nonZeros]);
    expect(ours.cv!.mean).toEqual([...theirs.crossValidation!.mean]);
    expect(ours.chosen).toEqual({ index: theirs.chosen, lambda: theirs.lambdas[theirs.chosen], by: "minimum" });
    const { x, y } = plantedRows(150, 7);
    const mean = y.reduce((a, b) => a + b) / y.length;
    const pulls = COLUMNS.map((_, j) => Math.abs(x.reduce((sum, row, i) => sum + row[j] * (y[i] - mean), 0)) / y.length);
    expect(ours.lambdas[0]).toBeCloseTo(Math.max(...pulls) / 0.5, 12);
    expect(ours.lambdas.at(-1)! / ours.lambdas[0]).toBeCloseTo(1e-4 ** ((ours.lambdas.length - 1) / 99), 14);
    expect(ours.coefficients).toHaveLength(ours.nonZeros[ours.chosen.index]);
  });

  it("selects the λ with the least error, or the largest λ within a standard error of it", async () => {
    const least = await pathJson(planted, ...target);
    const sparser = await pathJson(planted, ...target, "--select", "one-standard-error");
    const { mean, standardError, minimum, oneStandardError } = least.cv!;
    expect(mean[minimum]).toBe(Math.min(...mean));
    expect(mean.findIndex((error) => error <= mean[minimum] + standardError[minimum])).toBe(oneStandardError);
    expect([least.chosen.index, least.chosen.by]).toEqual([minimum, "minimum"]);
    expect([sparser.chosen.index, sparser.chosen.by]).toEqual([oneStandardError, "oneStandardError"]);
    expect(sparser.coefficients.map(({ column }) => column)).toEqual(["a", "b"]);
  });

  it("uses as many folds as rows if there are fewer than ten, and no folds for one row", async () => {
    const few = file("few.csv");
    for (const [rows, folds] of [
      [12, 10],
      [9, 9],
      [2, 2],
      [1, undefined],
    ] as const) {
      writeFileSync(few, csv(plantedRows(rows, 7)));
      expect((await pathJson(few, ...target, "--lambdas", "5", "--ratio", "0.1")).cv?.folds, String(rows)).toBe(folds);
    }
    writeFileSync(few, csv(plantedRows(9, 7)));
    const refused = await ergodic("path", few, ...target, "--folds", "10");
    expect([refused.code === 0, refused.stderr]).toEqual([
      false,
      expect.stringMatching(/folds is 10, but must be 0, for none, or a whole number from 2 to 9/),
    ]);
  });

  it("assigns folds by the seed, independently of the workers", async () => {
    const few = [planted, ...target, "--lambdas", "10", "--ratio", "0.01", "--folds", "3"];
    const [one, two, other] = [
      await pathJson(...few, "--seed", "1"),
      await pathJson(...few, "--seed", "1", "--workers", "2"),
      await pathJson(...few, "--seed", "2"),
    ];
    expect(lasting(two)).toEqual(lasting(one));
    expect(other.lambdas).toEqual(one.lambdas);
    expect(other.cv!.mean).not.toEqual(one.cv!.mean);
  });

  it("accepts a list of λ, and selects the last without cross-validation", async () => {
    const path = await pathJson(planted, ...target, "--lambdas", "0.5,0.1,0.02", "--folds", "0");
    expect(path.lambdas).toEqual([0.5, 0.1, 0.02]);
    expect(path.cv).toBeNull();
    expect(path.chosen).toEqual({ index: 2, lambda: 0.02, by: "last" });
    const { stdout } = await works("path", planted, ...target, "--lambdas", "3", "--folds", "0", "--quiet");
    expect(stdout).not.toContain("CV error");
    expect(stdout).toMatch(/chosen: λ \S+, the last; /);
  });

  it("has coefficients for each of several classes, and restricts signs on request", async () => {
    const classes = file("classes.csv");
    const { x, y } = plantedRows(150, 7);
    const kind = (v: number): string => (v < -0.7 ? "low" : v > 0.7 ? "high" : "mid");
    const text = x.map((row, i) => [...row, kind(y[i])].join(",")).join("\n");
    writeFileSync(classes, `${[...COLUMNS, "y"].join(",")}\n${text}\n`);
    const path = await pathJson(classes, ...target, "--lambdas", "5", "--folds", "3", "--ratio", "0.01");
    expect(path.intercept).toHaveLength(3);
    // A common shift of a column's coefficients affects only the penalty, which is least if their median is 0.
    expect(path.coefficients.length).toBeGreaterThan(1);
    for (const name of COLUMNS) {
      const own = path.coefficients.filter(({ column }) => column === name).map(({ weight }) => weight);
      expect(own.length).toBeLessThanOrEqual(2);
      if (own.length === 2) expect(own[0] * own[1]).toBeLessThan(0);
    }
    for (const { output } of path.coefficients) expect(["low", "mid", "high"]).toContain(output);
    const { stdout } = await works("path", classes, ...target, "--lambdas", "5", "--folds", "3", "--ratio", "0.01", "--quiet");
    expect(stdout).toMatch(/\n {2}coefficients +class\n/);
    const signed = await pathJson(planted, ...target, "--non-negative", "--folds", "0");
    expect(signed.coefficients.map(({ column }) => column)).not.toContain("b");
    for (const { weight } of signed.coefficients) expect(weight).toBeGreaterThan(0);
  });
});

it("the saved model performs on other rows as reported, and describe shows the path", async () => {
  const out = file("saved.safetensors");
  const path = await pathJson(planted, ...target, "--test", others, "--out", out);
  const { metrics } = JSON.parse((await works("evaluate", out, others, "--json")).stdout) as { metrics: object };
  expect(metrics).toEqual(path.test);
  const model = await predictor<LinearPredictor>(out);
  const a = path.coefficients.find(({ column }) => column === "a")!;
  expect(model.weights[model.columns.indexOf("a")]).toBe(a.weight);
  expect((await works("describe", out)).stdout).toMatch(/path +100 λ, l1 ratio 1, tolerance 1e-6, 10 folds\n/);
  expect(checked("describe", (await works("describe", out, "--json")).stdout)).toMatchObject({
    description: { path: { folds: 10 } },
  });
});

it("saves the path on Ctrl-C, prints a command to resume and then ends with the same result", async () => {
  const out = file("joined.safetensors");
  const options = [...target, "--lambdas", "600", "--folds", "10", "--seed", "4"];
  const straight = await pathJson(planted, ...options);
  const terminal = captured({ interruptAt: /CV error/ });
  expect(await runCommandLine(["path", planted, ...options, "--out", out], terminal)).toBe(1);
  expect(terminal.stdout).toBe("");
  const kept = file("joined.checkpoint");
  const hint = `ergodic path ${planted} --target y --seed 4 --out ${out} --resume ${kept}`;
  expect(terminal.stderr.trimEnd().split("\n").at(-1)).toBe(
    `ergodic: path: interrupted; the run is saved in ${kept}; resume it with: ${hint} [INTERRUPTED]`,
  );
  expect(existsSync(out)).toBe(false);
  const joined = await pathJson(...hint.split(" ").slice(2));
  expect(lasting(joined)).toEqual(lasting(straight));
  const { stderr } = await ergodic("train", planted, ...target, "--resume", kept, "--quiet");
  expect(stderr).toMatch(/the checkpoint is of a path, not of one fit.*\[CHECKPOINT_KIND\]/);
});

it("draws a curve with its band and marks below it", () => {
  const lines = curve(
    { values: [4, 2, 1, 2], spread: [0, 1, 0, 0] },
    [
      { at: 2, sign: "v", name: "least" },
      { at: 1, sign: "o", name: "other" },
    ],
    String,
    { width: 4, height: 3 },
  );
  expect(lines).toEqual(["4 │██", "  │  ░░", "1 │  ██████", "     o v", "   v least   o other"]);
  expect(curve({ values: [1], spread: [0] }, [{ at: 0, sign: "v", name: "x" }], String, { width: 5, height: 2 })).toEqual([
    "1 │██",
    "1 │",
    "   v",
    "   v x",
  ]);
});

const refused: [string, string[], RegExp][] = [
  ["no target", [planted], /^ergodic: path: --target is missing; name the column to predict: one of "a"/],
  [
    "an unknown choice",
    [planted, ...target, "--select", "best"],
    /--select: "best" is not known \(known: minimum, one-standard-error\)/,
  ],
  [
    "a choice without errors",
    [planted, ...target, "--select", "minimum", "--folds", "0"],
    /select needs folds: .*\[OPTION_MISSING\]/,
  ],
  ["strengths that rise", [planted, ...target, "--lambdas", "0.1,0.2"], /lambdas must fall.*\[OPTION_RANGE\]/],
  ["a list and a ratio", [planted, ...target, "--lambdas", "2,1", "--ratio", "0.1"], /leave ratio out \[OPTION_CONFLICT\]/],
  [
    "no share of l1",
    [planted, ...target, "--l1-ratio", "0"],
    /--l1-ratio <share>' argument '0' is invalid\. It must be a number > 0 and <= 1/,
  ],
  ["a penalty of its own", [planted, ...target, "--l1", "1"], /unknown option '--l1'/],
  ["kinks", [planted, ...target, "--loss", "quantile"], /"quantile" has kinks.*\[MODEL_CAPABILITY\]/],
  [
    "what a checkpoint brings",
    [planted, ...target, "--resume", "x", "--folds", "3"],
    /--folds was given, but --resume continues the run/,
  ],
];

it.each(refused)("refuses %s", async (_, args, message) => {
  const { code, stdout, stderr } = await ergodic("path", ...args, ...(args.length > 1 ? ["--quiet"] : []));
  expect([code, stdout, stderr.trimEnd().split("\n").length]).toEqual([2, "", 1]);
  expect(stderr).toMatch(message);
});

const wine = new URL("../../../../shared/data/linear/wine_quality.csv", import.meta.url);
const there = existsSync(wine);
if (!there) console.warn("path: wine quality skipped, ../shared/data/linear/wine_quality.csv is absent");

describe.skipIf(!there)(`on wine quality${there ? "" : " (skipped: no ../shared/data)"}`, () => {
  it("satisfies the definition of the largest λ and certifies every model", async () => {
    const path = await pathJson(fileURLToPath(wine), "--target", "quality", "--no-classes", "--standardise", "--folds", "5");
    const [header, ...rows] = readFileSync(wine, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(","));
    const at = header.findIndex((name) => name.replaceAll('"', "") === "quality");
    const column = (j: number): number[] => {
      const values = rows.map((row) => Number(row[j]));
      const mean = values.reduce((a, b) => a + b) / values.length;
      return values.map((v) => v - mean);
    };
    const y = column(at);
    const pulls = header.flatMap((_, j) => {
      if (j === at) return [];
      const x = column(j);
      const deviation = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);
      return [Math.abs(x.reduce((sum, v, i) => sum + v * y[i], 0)) / x.length / deviation];
    });
    // Columns are float32 in memory.
    expect(path.lambdas[0] / Math.max(...pulls)).toBeCloseTo(1, 6);
    expect(path.gaps).toHaveLength(path.lambdas.length);
    expect(path.explained.at(-1)! - path.explained.at(-2)!).toBeLessThan(1e-5 * path.explained.at(-1)!);
    for (const gap of path.gaps) expect(gap).toBeLessThanOrEqual(1e-6);
    expect(path.cv!.mean.every((error) => error > 0.5 && error < 0.8)).toBe(true);
  });
});

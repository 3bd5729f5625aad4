/** `ergodic train --algorithm`: coordinate descent and its dual, their duality gaps, and incompatible options. */
import { writeFileSync } from "node:fs";
import { readLibsvm } from "@ergodic/ingest";
import { coordinateDescent, cosineDecay, fit, type LinearPredictor, linear, newtonCholesky, predictor } from "ergodic";
import type { Algorithm } from "ergodic/extend";
import { dualCoordinateDescent } from "ergodic/learning";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { parseAlgorithm } from "../src/options/things.ts";
import { captured, ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const rows = file("rows.libsvm");

/** 200 rows of 30 columns. The first three columns determine the class in nine of ten rows. Uses Lehmer's generator. */
function sparseRows(): string {
  let state = 3;
  const next = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const line = (): string => {
    const columns = Array.from({ length: 30 }, (_, j) => j).filter(() => next() < 0.4);
    const cells = columns.map((j): [number, number] => [j, Math.round(1e3 * (2 * next() - 1)) / 1e3]);
    const score = cells.reduce((sum, [j, x]) => sum + (j < 3 ? [3, -2, 2][j] * x : 0), 0) + 0.2;
    const label = score > 0 !== next() < 0.1 ? 1 : -1;
    return `${label} ${cells.map(([j, x]) => `${j + 1}:${x}`).join(" ")}`;
  };
  return `${Array.from({ length: 200 }, line).join("\n")}\n`;
}

beforeAll(() => writeFileSync(rows, sparseRows()));

async function trained(...args: string[]): Promise<{ weights: Float64Array; gap: number; stdout: string }> {
  const out = file("trained.safetensors");
  const { stdout } = await works("train", rows, ...args, "--json", "--quiet", "--out", out);
  const { run } = checked("train", stdout) as unknown as { run: { report: { gap: number } } };
  return { weights: (await predictor<LinearPredictor>(out)).weights, gap: run.report.gap, stdout };
}

describe("coordinate descent", () => {
  it("trains the same model as the library to its certified gap", async () => {
    const { weights, gap } = await trained("--l1", "0.01", "--l2", "0.001", "--algorithm", "coordinate:tolerance=1e-10");
    const data = await readLibsvm(rows);
    const algorithm = coordinateDescent({ tolerance: 1e-10 });
    const ours = await fit(linear({ loss: "logistic", l1: 0.01, l2: 0.001 }), data.asClasses(), { algorithm });
    expect(weights).toEqual(ours.weights);
    expect(gap).toBe(ours.gap);
    expect(gap).toBeLessThanOrEqual(1e-10);
  });

  it("reaches the same minimum with every pick", async () => {
    const model = ["--l1", "0.01", "--l2", "0.01"];
    const { weights: exact } = await trained(...model, "--algorithm", "coordinate:tolerance=1e-12");
    for (const pick of ["cyclic", "random", "permutation"]) {
      const { weights, gap } = await trained(...model, "--algorithm", `coordinate:pick=${pick},tolerance=1e-12`);
      expect(gap).toBeLessThanOrEqual(1e-12);
      // F ≤ log 2 and is l2-strongly convex: ‖w − w*‖² ≤ 2 · 1e-12 log 2/0.01, twice.
      const distance = Math.sqrt(weights.reduce((sum, w, j) => sum + (w - exact[j]) ** 2, 0));
      expect(distance).toBeLessThan(2 * Math.sqrt((2 * 1e-12 * Math.LN2) / 0.01));
    }
  });

  it("reports the gap during the run and at the end", async () => {
    const args = ["train", rows, "--l2", "0.01", "--algorithm", "coordinate:pick=cyclic,tolerance=1e-9"];
    const { stdout, stderr } = await works(...args);
    const notes = stderr.trimEnd().split("\n");
    expect(notes[1]).toMatch(/ · l2 0\.01 · coordinate descent pick cyclic, step exact, tolerance 1e-9 · 1 worker · /);
    expect(notes[1]).not.toContain("batch");
    expect(notes[2].trim().split(/\s+/)).toEqual(["update", "epoch", "loss", "validation", "updates/s", "gap"]);
    expect(Number(notes.at(-1)!.trim().split(/\s+/).at(-1))).toBeLessThanOrEqual(1e-9);
    expect(stdout).toMatch(
      /: converged\nmean loss of the last epoch 0\.\d+\nrelative duality gap (?:0|\d\.\de-\d+), certified\n/,
    );
    const terminal = captured({ live: true, columns: 100 });
    expect(await runCommandLine(args, terminal)).toBe(0);
    expect(terminal.rewritten.join("\n")).toMatch(/ · gap \d/);
  });

  it("keeps coefficients from falling below 0 with --non-negative", async () => {
    const { weights } = await trained("--l2", "0.001", "--non-negative", "--algorithm", "coordinate");
    expect(Math.min(...weights)).toBe(0);
    expect(weights[0]).toBeGreaterThan(1);
    expect(weights[1]).toBe(0);
  });

  it("is shown by describe", async () => {
    const out = file("described.safetensors");
    await works("train", rows, "--l2", "0.01", "--algorithm", "coordinate", "--quiet", "--out", out);
    const { stdout } = await works("describe", out);
    expect(stdout).toMatch(/algorithm +coordinate descent pick auto, step exact, tolerance 1e-6\n/);
    checked("describe", (await works("describe", out, "--json")).stdout);
  });
});

describe("dual coordinate descent", () => {
  it("trains the same model as the library to its certified gap", async () => {
    const args = ["--loss", "hinge", "--l2", "0.01", "--seed", "2", "--algorithm", "dual:tolerance=1e-8"];
    const { weights, gap } = await trained(...args);
    const algorithm = dualCoordinateDescent({ tolerance: 1e-8 });
    const ours = await fit(linear({ loss: "hinge", l2: 0.01 }), (await readLibsvm(rows)).asClasses(), { algorithm, seed: 2 });
    expect(weights).toEqual(ours.weights);
    expect(gap).toBe(ours.gap);
    expect(gap).toBeLessThanOrEqual(1e-8);
    const { stdout } = await works("train", rows, ...args, "--quiet");
    expect(stdout).toMatch(/: converged\n.*\nrelative duality gap \d\.\de-(?:[89]|\d\d), certified\n/);
  });
});

it("resumes a checkpoint of either algorithm bit for bit", async () => {
  const [straight, kept, joined] = ["straight", "kept", "joined"].map(file);
  for (const options of [
    ["--algorithm", "coordinate:pick=random,tolerance=0", "--l2", "0.01"],
    ["--algorithm", "dual:tolerance=0", "--loss", "hinge", "--l2", "0.01"],
  ]) {
    await works("train", rows, "--quiet", ...options, "--epochs", "20", "--out", straight);
    await works("train", rows, "--quiet", ...options, "--epochs", "7", "--checkpoint", kept);
    await works("train", rows, "--quiet", "--epochs", "20", "--resume", kept, "--out", joined);
    expect((await predictor<LinearPredictor>(joined)).weights).toEqual((await predictor<LinearPredictor>(straight)).weights);
  }
});

it("parses algorithms from their text", () => {
  expect(parseAlgorithm("gradient")).toBe("gradient");
  expect(parseAlgorithm("auto")).toBe("auto");
  const made = (text: string): unknown => (parseAlgorithm(text) as Algorithm).toJSON();
  expect(made("newton:tolerance=1e-6")).toEqual(newtonCholesky({ tolerance: 1e-6 }).toJSON());
  expect(made("coordinate:pick=greedy,block=4")).toEqual(coordinateDescent({ pick: "greedy", block: 4 }).toJSON());
  const rate = cosineDecay({ rate: 0.5, updates: 100 });
  expect(made("coordinate:rows=10,rate=cosineDecay(rate=0.5,updates=100)")).toEqual(
    coordinateDescent({ estimate: { rows: 10, rate } }).toJSON(),
  );
  expect(made("dual:shrinking=false")).toEqual(dualCoordinateDescent({ shrinking: false }).toJSON());
});

const refused: [string, string[], RegExp][] = [
  ["a rule beside it", ["--algorithm", "coordinate", "--rule", "adam"], /both --algorithm coordinate and --rule.*leave one out/],
  ["a rate beside it", ["--algorithm", "dual", "--rate", "0.1"], /both --algorithm dual and --rate.*leave one out/],
  [
    "variance reduction beside it",
    ["--algorithm", "dual", "--variance", "saga"],
    /variance reduction applies only to gradient descent/,
  ],
  ["options of auto", ["--algorithm", "auto:tolerance=1"], /--algorithm: auto takes no options; name an algorithm/],
  ["a rule beside auto", ["--algorithm", "auto", "--rule", "adam"], /both --algorithm auto and --rule.*leave one out/],
  ["an unknown one", ["--algorithm", "coord"], /--algorithm: "coord" is not known; did you mean coordinate\?/],
  ["an unknown option", ["--algorithm", "coordinate:pcik=cyclic"], /unknown option "pcik" \(known: pick, /],
  ["an unknown pick", ["--algorithm", "coordinate:pick=best"], /pick is "best", but must be one of .*\[OPTION_RANGE\]/],
  ["options of gradient descent", ["--algorithm", "gradient:rate=1"], /gradient takes no options; write them as --rule/],
  [
    "signs with gradient steps",
    ["--non-negative", "--epochs", "2"],
    /--non-negative is set.*use --algorithm coordinate \[MODEL_PENALTY\]/,
  ],
  ["kinks", ["--loss", "hinge", "--algorithm", "coordinate"], /has kinks.*use --algorithm dual, or one of/],
  ["an L1 penalty in the dual", ["--l1", "0.1", "--algorithm", "dual"], /\[MODEL_/],
];

it.each(refused)("refuses %s", async (_, args, message) => {
  const { code, stdout, stderr } = await ergodic("train", rows, "--quiet", ...args);
  expect([code, stdout, stderr.trimEnd().split("\n").length]).toEqual([2, "", 1]);
  expect(stderr).toMatch(message);
});

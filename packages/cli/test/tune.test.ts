/** `ergodic tune`: its search, its output, and the printed command, which trains the saved model. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fit, linear, tune } from "ergodic";
import type { Tuned } from "ergodic/search";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { cut, readTraining } from "../src/data.ts";
import { parseOver, readable, withSettings } from "../src/options/over.ts";
import { fitOptions, modelOptions, type TrainOptions } from "../src/options/training.ts";
import { trialTable } from "../src/report/tune.ts";
import { captured, digits, ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const bytes = (path: string): string => readFileSync(path).toString("hex");
const data = ["tune", digits, "--target", "label", "--classes"];
const over = "rate:log:1e-4..1,l2:log:1e-6..1e-1";
const base: TrainOptions = { seed: 0, intercept: true, header: true, checkpointEvery: 30 };
const plain = captured().paint.out;

/** Words of a printed command without the program's name. */
const wordsOf = (line: string): string[] => line.split(" ").slice(1);

describe("--over", () => {
  it("parses ranges", () => {
    expect(parseOver("rate:log:1e-4..1, l2:0..0.5,batch:log:1..256,epochs:int:1..20,epsilon:log:1e-12..1e-6", base)).toEqual({
      rate: { low: 1e-4, high: 1, scale: "log", integer: false },
      l2: { low: 0, high: 0.5, scale: "linear", integer: false },
      batch: { low: 1, high: 256, scale: "log", integer: true },
      epochs: { low: 1, high: 20, scale: "linear", integer: true },
      epsilon: { low: 1e-12, high: 1e-6, scale: "log", integer: false },
    });
  });

  it("writes settings into the options of train", () => {
    const chain = { ...base, rule: "clipNorm:norm=1+adam" };
    const settings = { rate: 0.123456, batch: 17, beta1: 0.87654321, "adam.beta2": 0.99 };
    expect(Object.keys(parseOver("rate:0..1,batch:1..9,beta1:0..1,adam.beta2:0..1", chain))).toEqual(Object.keys(settings));
    expect(withSettings(chain, settings)).toEqual({
      ...chain,
      rate: "0.1235",
      batch: 17,
      rule: "clipNorm:norm=1+adam:beta1=0.8765,beta2=0.99",
    });
    expect(withSettings(base, { epsilon: 1e-8 }).rule).toBe("adagrad:epsilon=1e-8");
    expect(withSettings({ ...base, rule: "adam:beta2=0.9" }, { beta1: 0.5 }).rule).toBe("adam:beta2=0.9,beta1=0.5");
    expect(chain).toEqual({ ...base, rule: "clipNorm:norm=1+adam" });
  });

  it.each<[string, string, Partial<TrainOptions>, RegExp]>([
    ["no range", "rate", {}, /"rate" cannot be read; write name:low\.\.high/],
    ["no number", "rate:a..1", {}, /cannot be read/],
    ["a scale unknown", "rate:exp:0..1", {}, /cannot be read/],
    ["a range upside down", "rate:1..0", {}, /"rate:1\.\.0" is not a range; write the lower end first/],
    ["a logarithm of 0", "rate:log:0..1", {}, /with log, both ends must be > 0/],
    ["nothing", ",", {}, /names nothing to search/],
    ["a name twice", "rate:0..1,rate:0..2", {}, /rate is given twice/],
    ["an unknown name", "beta1:0..1", {}, /"beta1" is not known \(known: rate, l1, l2, batch, epochs; of adagrad: epsilon/],
    [
      "an option of no rule",
      "epsilon:0..1",
      { algorithm: "dual" },
      /"epsilon" is not known \(known: rate, l1, l2, batch, epochs\)/,
    ],
    ["a link that is not there", "sgd.beta1:0..1", { rule: "adam" }, /"sgd.beta1" is not known/],
    ["what is given, too", "l2:0..1", { l2: 0.1 }, /l2 is searched, and --l2 was given/],
    ["what the rule sets", "beta1:0..1", { rule: "adam:beta1=0.5" }, /beta1 is searched, and --rule adam:beta1=0\.5 sets it/],
  ])("refuses %s", (_, text, options, message) => {
    expect(() => parseOver(text, { ...base, ...options })).toThrow(message);
  });
});

it("gives the library's result as a table and as JSON, and trains the best settings on all rows", async () => {
  const out = file("best.safetensors");
  const words = [...data, "--over", over, "--trials", "12", "--epochs", "3", "--test-share", "0.2", "--seed", "3", "--out", out];
  const { stdout, stderr } = await works(...words);
  const lines = stderr.split("\n");
  expect(lines[0]).toContain("1,150 rows to train on, 288 to validate, 359 to test");
  expect(lines[1]).toBe("randomSearch · 12 trials · halving 3 · seed 3");
  expect(lines[2].trim().split(/\s+/)).toEqual(["trial", "of", "12", "stopped", "failed", "best"]);
  expect(lines.at(-2)!.trim().split(/\s+/)[0]).toBe("12");

  const options: TrainOptions = {
    ...base,
    target: "label",
    classes: true,
    epochs: 3,
    testShare: 0.2,
    validateShare: 0.2,
    seed: 3,
  };
  const parts = await cut((await readTraining(digits, options, undefined)).data, options);
  const ours: Tuned = await tune(
    (settings: Record<string, number>, { signal }) => {
      const chosen = withSettings(options, settings);
      return fit(linear(modelOptions(chosen)), parts.train, { ...fitOptions(chosen), validate: parts.validate, signal });
    },
    { over: parseOver(over, options), trials: 12, seed: 3 },
  );
  expect(ours.stopped).toBeGreaterThan(0);
  expect(stdout).toContain(trialTable(ours, plain));
  const found = checked("tune", (await works(...words, "--json", "--quiet")).stdout) as unknown as Tuned & { train: string };
  expect(found.best).toEqual({ trial: ours.best.number, settings: readable(ours.settings), value: ours.value });
  expect(found.trials.map(({ value, state, epochs }) => [value, state, epochs])).toEqual(
    ours.trials.map(({ value, state, epochs }) => [value, state, epochs]),
  );
  expect([found.finished, found.stopped, found.epochs, found.epochsSaved]).toEqual([
    ...[ours.finished, ours.stopped, ours.epochs, ours.epochsSaved],
  ]);

  const { rate, l2 } = readable(ours.settings);
  const command = `ergodic train ${digits} --target label --classes --test-share 0.2 --l2 ${l2} --rate ${rate} --seed 3 --epochs 3 --out ${out}`;
  expect(found.train).toBe(command);
  expect(stdout).toContain(`train with them: ${command}\n`);
  expect(stdout).toContain("test, 359 rows, trained on 1,438\n");
  expect(stdout).toContain(`trained on 1,438 rows, saved to ${out}\n`);
  const saved = bytes(out);
  await works(...wordsOf(command), "--quiet");
  expect(bytes(out)).toBe(saved);
});

it("uses the least loss with --patience, and trains the model for as long as the best trial needed", async () => {
  const out = file("patient.safetensors");
  const words = [
    "--over",
    "rate:log:0.01..10",
    "--trials",
    "4",
    "--no-halving",
    "--epochs",
    "40",
    "--patience",
    "2",
    "--rule",
    "sgd",
  ];
  const { stdout } = await works(...data, ...words, "--out", out, "--json", "--quiet");
  const found = checked("tune", stdout) as unknown as Tuned & { train: string; best: { trial: number; value: number } };
  for (const { value, losses, state } of found.trials)
    if (state === "finished") expect(value).toBe(Math.min(...losses.map(({ loss }) => loss)));
  const { losses } = found.trials[found.best.trial];
  const { epoch } = losses.find(({ loss }) => loss === found.best.value)!;
  expect(epoch).toBeLessThan(losses.at(-1)!.epoch);
  expect(found.train).toContain(` --epochs ${epoch} --out ${out}`);
  expect(found.train).not.toContain("patience");
  const saved = bytes(out);
  await works(...wordsOf(found.train), "--quiet");
  expect(bytes(out)).toBe(saved);
});

it("reports why a search ended early, and nothing if all trials were made", async () => {
  const line = file("ended.csv");
  writeFileSync(line, `x,y\n${Array.from({ length: 60 }, (_, i) => `${i % 10},${(i % 10) + (i % 3)}`).join("\n")}\n`);
  const words = ["tune", line, "--target", "y", "--no-classes", "--over", "rate:log:1e-4..1", "--epochs", "1"];
  const few = await works(...words, "--trials", "3");
  expect(few.stdout).toMatch(/^3 trials in .*\d epochs(, \S+ % saved)?\n/);
  const many = await works(...words, "--trials", "1000", "--search", "nelderMead");
  const [, made, reason] = /^(\S+) trials in .*; no more trials: (.*)\n/.exec(many.stdout)!;
  expect(Number(made)).toBeLessThan(1000);
  expect(reason).toMatch(/^[a-z].*[a-z]$/);
});

it("counts diverging trials as failed, names the search and chooses halving", async () => {
  const line = file("line.csv");
  writeFileSync(line, `x,y\n${Array.from({ length: 100 }, (_, i) => `${(i % 10) - 4.5},${i % 10}`).join("\n")}\n`);
  const words = ["tune", line, "--target", "y", "--rule", "sgd", "--no-standardise", "--no-classes"];
  const { stdout, stderr } = await works(
    ...words,
    "--over",
    "rate:log:1e-3..1e3",
    "--trials",
    "8",
    "--search",
    "nelderMead",
    "--halving",
    "2",
  );
  expect(stderr).toContain("nelderMead · 8 trials · halving 2 · seed 0");
  expect(stdout).toMatch(/8 trials in .*, \d failed; /);
  expect(stdout).toMatch(/ – +0 +failed\n/);
  const none = await ergodic(...words, "--over", "rate:log:1e3..1e4", "--trials", "3");
  expect([none.code, none.stderr.trimEnd().split("\n").at(-1)]).toEqual([
    1,
    expect.stringMatching(/^ergodic: tune: all of 3 trials diverged/),
  ]);
});

it("saves the trials on Ctrl-C and prints a command to resume", async () => {
  const [straight, joined] = [file("straight.safetensors"), file("joined.safetensors")];
  const words = ["--over", over, "--trials", "12", "--epochs", "10", "--halving", "4"];
  await works(...data, ...words, "--out", straight, "--quiet");
  const terminal = captured({ interruptAt: /^ +1 / });
  expect(await runCommandLine([...data, ...words, "--out", joined], terminal)).toBe(1);
  expect(existsSync(joined)).toBe(false);
  const kept = file("joined.checkpoint");
  const hint = `ergodic tune ${digits} --target label --classes --trials 12 --epochs 10 --out ${joined} --resume ${kept}`;
  expect(terminal.stderr.trimEnd().split("\n").at(-1)).toContain(`resume it with: ${hint} [INTERRUPTED]`);
  await works(...wordsOf(hint), "--quiet");
  expect(bytes(joined)).toBe(bytes(straight));
  const refused = await ergodic(...wordsOf(hint), "--over", over);
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining("--over was given, but --resume continues the run with its original options"),
  ]);
});

it.each<[string, string[], RegExp]>([
  ["without --over", [], /tune: --over is missing/],
  ["an unknown search", ["--over", "l2:0..1", "--search", "grid"], /--search: "grid" is not known \(known: cmaEs, /],
  ["a rate for coordinates", ["--over", "rate:0..1", "--algorithm", "coordinate"], /--rate were given/],
  ["no trials", ["--over", "l2:0..1", "--trials", "0"], /--trials <n>' argument '0' is invalid\. It must be a whole number >= 1/],
])("refuses %s", async (_, words, message) => {
  const { code, stderr } = await ergodic(...data, ...words);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

/**
 * A checkpointed run resumes bit for bit: 3 epochs equal 1 + 2, and an interrupted run equals an uninterrupted one.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { captured, digits, ergodic, temporary, works } from "./captured.ts";

const file = temporary();
const data = ["train", digits, "--target", "label", "--classes", "--test-share", "0.2", "--seed", "5", "--quiet"];
const bytes = (path: string): string => readFileSync(path).toString("hex");

const modes: [string, string[]][] = [
  ["normal mode, one worker", ["--rule", "adam:rate=0.01"]],
  ["deterministic mode", ["--rule", "adam:rate=0.01", "--deterministic"]],
  [
    "minibatches and a schedule",
    ["--rule", "momentum", "--rate", "cosineDecay:rate=0.1,updates=100", "--batch", "32", "--schedule", "replacement"],
  ],
  ["variance reduction", ["--variance", "saga"]],
  ["replicas on two workers", ["--rule", "adagrad", "--rate", "0.1", "--workers", "2", "--replicas", "2"]],
];

it.each(modes)("3 epochs equal 1 + 2: %s", async (name, options) => {
  const [straight, kept, joined] = ["straight", "kept", "joined"].map((word) => file(`${name} ${word}`));
  await works(...data, ...options, "--epochs", "3", "--out", straight);
  await works(...data, ...options, "--epochs", "1", "--checkpoint", kept);
  await works(...data, "--epochs", "3", "--resume", kept, "--out", joined);
  expect(bytes(joined)).toBe(bytes(straight));
});

it("Ctrl-C saves the run and prints a command that resumes it with the same result", async () => {
  const [straight, joined] = [file("straight"), file("joined.safetensors")];
  const options = ["--rule", "nesterov:rate=0.001", "--epochs", "100", "--validate-share", "0.2", "--patience", "80"];
  await works(...data, ...options, "--out", straight);
  const terminal = captured({ interruptAt: /^ +[\d,]{5,} / });
  expect(await runCommandLine([...data.slice(0, -1), ...options, "--out", joined], terminal)).toBe(1);
  expect(terminal.stdout).toBe("");
  const kept = file("joined.checkpoint");
  const hint = `ergodic train ${digits} --target label --classes --test-share 0.2 --seed 5 --epochs 100 --validate-share 0.2 --patience 80 --out ${joined} --resume ${kept}`;
  expect(terminal.stderr.trimEnd().split("\n").at(-1)).toBe(
    `ergodic: train: interrupted; the run is saved in ${kept}; resume it with: ${hint} [INTERRUPTED]`,
  );
  expect(existsSync(joined)).toBe(false);
  // A second interruption prints the same command, which names the original checkpoint only once.
  const second = captured({ interruptAt: /^ +[\d,]{5,} / });
  const code = await runCommandLine(hint.split(" ").slice(1), second);
  expect([code, second.stderr.trimEnd().split("\n").at(-1)]).toEqual([
    1,
    `ergodic: train: interrupted; the run is saved in ${kept}; resume it with: ${hint} [INTERRUPTED]`,
  ]);
  await works(...hint.split(" ").slice(1), "--quiet");
  expect(bytes(joined)).toBe(bytes(straight));
});

describe("the command that Ctrl-C prints runs although the checkpoint cannot store", () => {
  const table = file("table.csv");
  const start = file("start.safetensors");
  const rows = Array.from({ length: 400 }, (_, i) => [Math.sin(i), Math.cos(7 * i), i % 4, i % 2, i % 3, i % 5]);
  writeFileSync(table, ['a,b,site,two,three,"place,part"', ...rows.map((row) => row.join(","))].join("\n"));

  it.each<[string, string[]]>([
    ["the folds", ["--target", "two", "--folds", "2"]],
    ["the column of the folds", ["--target", "two", "--folds", "2", "--group", "site", "--drop", "b"]],
    ["a column of the folds with a comma in its name", ["--target", "two", "--folds", "2", "--group", "place,part"]],
    ["the target named by the initial model", ["--from", start]],
    ["numbers because of the loss", ["--target", "two", "--loss", "squared"]],
    ["classes because of the loss", ["--target", "three", "--loss", "multinomial"]],
  ])("%s", async (_, options) => {
    await works("train", table, "--target", "two", "--epochs", "2", "--rule", "adagrad", "--out", start, "--quiet");
    const [straight, joined] = [file("straight.safetensors"), file("joined2.safetensors")];
    const words = ["train", table, ...options, "--rule", "adagrad", "--epochs", "40", "--out"];
    await works(...words, straight, "--quiet");
    const terminal = captured({ interruptAt: /^linear model/ });
    expect(await runCommandLine([...words, joined], terminal)).toBe(1);
    const line = /resume it with: ergodic (.*) \[INTERRUPTED\]$/.exec(terminal.stderr.trimEnd())![1];
    await works(...line.split(" "), "--quiet");
    expect(bytes(joined)).toBe(bytes(straight));
  });

  it("the kind of target that a path's loss implies", async () => {
    const words = ["path", table, "--target", "two", "--loss", "squared", "--folds", "0", "--out"];
    const [straight, joined] = [file("straight-path.safetensors"), file("joined-path.safetensors")];
    await works(...words, straight, "--quiet");
    const terminal = captured({ interruptAt: /^linear model/ });
    expect(await runCommandLine([...words, joined], terminal)).toBe(1);
    const line = /resume it with: ergodic (.*) \[INTERRUPTED\]$/.exec(terminal.stderr.trimEnd())![1];
    await works(...line.split(" "), "--quiet");
    expect(bytes(joined)).toBe(bytes(straight));
  });
});

it("refuses other rows", async () => {
  const kept = file("other");
  await works(...data, "--epochs", "1", "--checkpoint", kept);
  const { code, stderr } = await ergodic("train", digits, "--target", "label", "--classes", "--resume", kept, "--quiet");
  expect(code).toBe(1);
  expect(stderr).toMatch(/give the same dataset \[CHECKPOINT_DATA\]/);
});

it("refuses numbers if the run had classes, and classes if it had numbers", async () => {
  const rows = ["train", digits, "--target", "label", "--quiet"];
  for (const [first, then] of [
    [["--classes"], []],
    [[], ["--classes"]],
  ]) {
    const kept = file("classes");
    await works(...rows, ...first, "--epochs", "1", "--checkpoint", kept);
    const { code, stderr } = await ergodic(...rows, ...then, "--epochs", "2", "--resume", kept);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/64 columns( and 10 classes)? \(digest \w+\), but .*\[CHECKPOINT_DATA\]/),
    ]);
    expect(stderr).toContain("10 classes");
  }
});

it("ends a run whose checkpoint cannot be written", async () => {
  const { code, stderr } = await ergodic(
    ...data,
    "--epochs",
    "1000",
    "--checkpoint",
    "/nonexistent/c",
    "--checkpoint-every",
    "0",
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/\/nonexistent\/c: cannot be written/);
});

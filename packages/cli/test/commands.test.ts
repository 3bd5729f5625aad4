/** Every command on real data in this process: its output, and JSON that fits the schemas. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Dataset, fit, type LinearPredictor, linear, predictor } from "ergodic";
import { type LedgerRow, ruleRegistry } from "ergodic/rules";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { parseRule } from "../src/options/things.ts";
import { captured, digits, ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const people = file("people.csv");
const sparse = file("rows.libsvm");
const model = file("digits.safetensors");

/** Two informative columns, one of them text, and one irrelevant column. */
function peopleCsv(rows: number, from = 0): string {
  const lines = Array.from({ length: rows }, (_, k) => {
    const i = k + from;
    const age = 20 + ((i * 7) % 50);
    const work = ["public", "private", "own"][i % 3];
    return `${age},${work},${(i * 13) % 10},${age + (work === "own" ? 15 : 0) > 45 ? "rich" : "poor"},${3 * age + (i % 5)}`;
  });
  return `age,work,noise,class,pay\n${lines.join("\n")}\n`;
}

beforeAll(async () => {
  writeFileSync(people, peopleCsv(300));
  writeFileSync(
    sparse,
    Array.from({ length: 120 }, (_, i) => `${i % 2 ? 1 : -1} ${1 + (i % 2)}:1 ${3 + (i % 4)}:0.5`).join("\n"),
  );
  await works("train", digits, "--target", "label", "--classes", "--test-share", "0.2", "--out", model, "--quiet");
});

describe("train", () => {
  it("reports the data and its choices, prints progress at doubling intervals, and prints test metrics", async () => {
    const out = file("people.safetensors");
    const { stdout, stderr } = await works(
      "train",
      people,
      "--target",
      "class",
      "--drop",
      "pay",
      "--test-share",
      "0.25",
      "--validate-share",
      "0.2",
      "--epochs",
      "8",
      "--out",
      out,
    );
    const lines = stderr.split("\n");
    expect(lines[0]).toBe(`${people}: 180 rows to train on, 45 to validate, 75 to test; 5 columns; target class`);
    expect(lines[1]).toMatch(
      /^linear model, logistic loss \(2 classes\) · columns standardised · adagrad rate 0\.1 · batch 1 · 1 worker · f32 · \S+ build · seed 0$/,
    );
    expect(lines[2].trim().split(/\s+/)).toEqual(["update", "epoch", "loss", "validation", "updates/s"]);
    const updates = lines.slice(3, -1).map((line) => Number(line.trim().split(/\s+/)[0].replaceAll(",", "")));
    expect(updates.at(-1)).toBe(1440);
    for (let i = 1; i < updates.length - 1; i++) expect(updates[i]).toBeGreaterThanOrEqual(2 * updates[i - 1]);
    expect(stdout).toMatch(
      /^1,440 updates in .* 8 epochs: all updates made, but the loss still fell by \d+ % in the last epoch\nmean loss of the last epoch 0\.\d+, validation 0\.\d+\ntest, 75 rows\n/,
    );
    for (const name of ["accuracy", "log loss", "AUC", "F1", "calibration error"]) expect(stdout).toContain(name);
    expect(stdout).toMatch(/truth ↓ predicted →\s+poor\s+rich/);
    expect(stdout).toContain(`saved to ${out}`);
    expect((await predictor<LinearPredictor>(out)).targetName).toBe("class");
  });

  it("shows losses and validations of numbers on one scale, or names the scale of the validation", async () => {
    const words = ["train", people, "--target", "pay", "--drop", "class", "--validate", people];
    // The rows are the same, and the run converges, so both numbers are the RMSE of the solution.
    const solved = await works(...words, "--algorithm", "newton", "--l2", "0");
    const [, loss, validation] = /\nRMSE of the last epoch ([\d.]+), validation ([\d.]+)\n/.exec(solved.stdout)!;
    expect(loss).toBe(validation);
    const last = solved.stderr.trimEnd().split("\n").at(-1)!.trim().split(/\s+/);
    expect(last.slice(2, 4)).toEqual([loss, validation]);
    const robust = await works(...words, "--loss", "huber", "--rule", "adagrad", "--epochs", "2");
    expect(robust.stderr).toMatch(/\n {6}update {4}epoch {8}loss {2}validation RMSE {2}updates\/s\n/);
    expect(robust.stdout).toMatch(/\nmean loss of the last epoch [\d.]+, validation RMSE [\d.]+\n/);
    const line = captured({ live: true, columns: 200 });
    expect(await runCommandLine([...words, "--loss", "huber", "--rule", "adagrad", "--epochs", "2"], line)).toBe(0);
    expect(line.rewritten.join("")).toMatch(/loss [\d.]+ · validation RMSE [\d.]+ · /);
  });

  it("trains the same model as the library", async () => {
    const out = file("same.safetensors");
    await works("train", people, "--target", "class", "--drop", "pay", "--l2", "0.01", "--seed", "3", "--out", out, "--quiet");
    const { readTable } = await import("@ergodic/ingest");
    const data = Dataset.fromTable(await readTable(people), { target: "class", drop: ["pay"] });
    const ours = await fit(linear({ l2: 0.01 }), data, { seed: 3 });
    expect((await predictor<LinearPredictor>(out)).weights).toEqual(ours.weights);
  });

  it("writes JSON that fits its schema, and nothing else on stdout", async () => {
    const cases = [
      [digits, "--target", "label", "--classes", "--test-share", "0.2", "--epochs", "2", "--variance", "svrg"],
      [
        digits,
        "--target",
        "label",
        "--classes",
        "--rule",
        "clipNorm:norm=1+momentum",
        "--rate",
        "cosineDecay:rate=0.1,updates=2000",
        "--batch",
        "32",
        "--validate-share",
        "0.1",
      ],
      [people, "--target", "class", "--loss", "hinge", "--test-share", "0.2", "--class-weights", "rich=2"],
      [people, "--target", "pay", "--test-share", "0.2", "--loss", "huber:delta=2", "--workers", "2", "--replicas", "2"],
      [people, "--target", "noise", "--loss", "poisson", "--rate", "0.01", "--test-share", "0.2"],
      [sparse, "--test-share", "0.25", "--precision", "i8:i16", "--workers", "2"],
    ];
    const losses: string[] = [];
    for (const args of cases) {
      const { stdout } = await works("train", ...args, "--json", "--quiet");
      const { chosen } = checked("train", stdout) as unknown as { chosen: { loss: { name: string } } };
      losses.push(chosen.loss.name);
    }
    expect(losses).toEqual(["multinomial", "multinomial", "hinge", "huber", "poisson", "logistic"]);
  });

  it("reports why a strength was chosen, also for gradient descent chosen by name", async () => {
    const args = ["train", people, "--target", "pay", "--algorithm", "gradient", "--epochs", "1", "--l2", "auto"];
    expect((await works(...args)).stderr).toContain(" (l2 is 0, since there are 20 rows or more for each column) · ");
  });

  it("chooses the strength of l1 for --l1 auto, and refuses it for networks", async () => {
    const { stdout, stderr } = await works("train", people, "--target", "pay", "--l1", "auto", "--json");
    const { chosen } = checked("train", stdout) as unknown as { chosen: { model: { l1: number }; why: string } };
    expect(chosen.model.l1).toBeGreaterThan(0);
    expect(stderr).toMatch(/ · l1 [\d.e-]+ .*l1 is [\d.e-]+, under which held-out rows are predicted best/);
    const refused = await ergodic("train", people, "--target", "pay", "--l1", "auto", "--model", "mlp:4");
    expect(refused.stderr).toMatch(/--l1 auto: applies only to linear models, but --model is mlp:4/);
  });

  it("reads a file with semicolons and decimal commas, and says so, also with --quiet", async () => {
    const european = file("european.csv");
    writeFileSync(european, `a;pay\n${Array.from({ length: 40 }, (_, i) => `${i},5;${2 * i},25`).join("\n")}\n`);
    const { stdout, stderr } = await works("train", european, "--target", "pay", "--json", "--quiet");
    expect(stderr).toContain('the file was read with --delimiter ";" and --decimal ,');
    const { remarks } = checked("train", stdout) as unknown as { remarks: { kind: string }[] };
    expect(remarks.map(({ kind }) => kind)).toContain("dialect");
  });

  it("reports why descent uses only one worker, unless replicas share the updates", async () => {
    const args = ["train", people, "--target", "pay", "--rule", "sgd", "--rate", "0.01", "--workers", "2"];
    const line = "1 worker, because each update needs the one before; --replicas shares updates among 2 workers";
    expect((await works(...args)).stderr).toContain(line);
    const { chosen } = checked("train", (await works(...args, "--json", "--quiet")).stdout) as unknown as {
      chosen: { plan: { workers: number } };
    };
    expect(chosen.plan.workers).toBe(1);
    for (const others of [
      ["--replicas", "2"],
      ["--batch", "all"],
    ])
      expect((await works(...args, ...others)).stderr).not.toContain("--replicas says");
  });

  describe("whole numbers as a target", () => {
    const plans = file("plans.csv");
    const row = (i: number) => [i % 7, (i * 3) % 5, 2 * (i % 7) + ((i * 3) % 5), i % 2, (i % 2) - 0.5, 1 + (i % 2) * 4, 3, i];
    const names = "a,b,sum,bit,half,two,one,id";
    writeFileSync(plans, `${names}\n${Array.from({ length: 700 }, (_, i) => row(i).join(",")).join("\n")}\n`);
    const few = file("few.csv");
    writeFileSync(few, `a,sum\n${Array.from({ length: 12 }, (_, i) => `${i},${i % 4}`).join("\n")}\n`);
    const columns = names.split(",");
    const run = async (data: string, target: string, ...args: string[]) => {
      const drop =
        data === plans
          ? [
              "--drop",
              columns
                .slice(2)
                .filter((name) => name !== target)
                .join(","),
            ]
          : [];
      const { stdout, stderr } = await works("train", data, "--target", target, ...drop, "--epochs", "1", ...args);
      return { stdout, stderr, loss: /model, (\S+) loss/.exec(stderr)?.[1] };
    };

    it("are read as numbers, and the output suggests --classes", async () => {
      const { stdout, stderr, loss } = await run(plans, "sum", "--test-share", "0.2");
      expect(loss).toBe("squared");
      const said = "17 whole numbers, read as numbers; --classes reads them as classes";
      expect(stderr.split("\n")[0]).toMatch(new RegExp(`target sum \\(${said}\\)$`));
      expect(stdout).toMatch(/\n {2}RMSE /);
      expect(stdout).toContain(`\ntarget sum: ${said}\n`);
      expect((await run(plans, "sum", "--test-share", "0.2", "--quiet")).stdout).toContain(said);
      const digit = await run(digits, "-1");
      expect([digit.loss, digit.stdout]).toEqual([
        "squared",
        expect.stringContaining("target label: 10 whole numbers, read as numbers;"),
      ]);
      const path = await works(
        "path",
        plans,
        "--target",
        "sum",
        "--drop",
        "bit,half,two,one,id",
        "--lambdas",
        "5",
        "--folds",
        "0",
      );
      expect(path.stdout).toContain(`\ntarget sum: ${said}\n`);
      const tuned = await works(
        ...["tune", plans, "--target", "sum", "--drop", "bit,half,two,one,id", "--over", "rate:0.1..1"],
        "--trials",
        "1",
      );
      expect(tuned.stdout).toContain(`\ntarget sum: ${said}\n`);
    });

    it("are read as classes on request, and nothing is suggested if the choice is clear", async () => {
      const cases: [string, string[], string, string][] = [
        [digits, ["label", "--classes"], "multinomial", "no offer"],
        [digits, ["label", "--no-classes"], "squared", "no offer"],
        [digits, ["label", "--loss", "squared"], "squared", "no offer"],
        [digits, ["label", "--loss", "multinomial"], "multinomial", "no offer"],
        [plans, ["bit"], "logistic", "2 whole numbers, read as classes; --no-classes reads them as numbers"],
        [plans, ["bit", "--no-classes"], "squared", "no offer"],
        // Any two whole numbers are classes, too.
        [plans, ["two"], "logistic", "2 whole numbers, read as classes"],
        [plans, ["half"], "squared", "no offer"],
        [plans, ["one"], "squared", "no offer"],
        [plans, ["id"], "squared", "no offer"],
        // Four values in twelve rows are numbers that happen to have few values.
        [few, ["sum"], "squared", "no offer"],
        [people, ["pay", "--drop", "class"], "squared", "no offer"],
        [people, ["class", "--drop", "pay"], "logistic", "no offer"],
      ];
      for (const [data, [target, ...args], loss, said] of cases) {
        const found = await run(data, target, ...args);
        expect([target, ...args, found.loss]).toEqual([target, ...args, loss]);
        if (said === "no offer") expect(found.stderr + found.stdout).not.toContain("whole numbers");
        else expect(found.stderr).toContain(said);
        expect(found.stdout).not.toContain("whole numbers");
      }
    });
  });

  it("warns if predictions for held-out rows are worse than their mean", async () => {
    const shifted = file("shifted.csv");
    writeFileSync(shifted, `x,y\n${Array.from({ length: 60 }, (_, i) => `${i / 10},${i / 10 + 0.5 * (i % 2)}`).join("\n")}\n`);
    const held = file("turned.csv");
    writeFileSync(held, `x,y\n${Array.from({ length: 20 }, (_, i) => `${i / 4},${5 - i / 4}`).join("\n")}\n`);
    const data = ["train", shifted, "--target", "y", "--epochs", "20"];
    const { stdout } = await works(...data, "--validate", held, "--test", held);
    const warning = /worse than predicting the mean: (validation )?RMSE [\d.]+, where the mean of these rows gives 1\.4\d+/g;
    expect(stdout.match(warning)).toHaveLength(2);
    expect((await works(...data, "--validate-share", "0.2", "--test", shifted)).stdout).not.toContain("worse");
    const tested = checked("train", (await works(...data, "--test", held, "--json", "--quiet")).stdout) as unknown as {
      test: object;
    };
    expect(tested.test).toHaveProperty("warning");
  });

  it("random features exceed 98 % on the digits", async () => {
    const { stdout } = await works(
      ...["train", digits, "--target", "label", "--classes", "--features", "rff:2000", "--rate", "0.3", "--batch", "16"],
      ...["--epochs", "10", "--test-share", "0.2", "--seed", "1", "--json", "--quiet"],
    );
    expect((JSON.parse(stdout) as { test: { accuracy: number } }).test.accuracy).toBeGreaterThan(0.98);
  });

  it("transforms the rows of a separate test file with the steps of the training rows", async () => {
    const other = file("others.csv");
    writeFileSync(other, peopleCsv(40, 1000).replaceAll("own", "unheard-of"));
    const { stdout } = await works("train", people, "--target", "class", "--drop", "pay", "--test", other, "--json", "--quiet");
    expect(checked("train", stdout)).toMatchObject({ rows: { train: 300, validate: 0, test: 40 } });
  });

  it("stops early with --patience and reports it", async () => {
    const { stdout } = await works(
      "train",
      digits,
      "--target",
      "label",
      "--classes",
      "--validate-share",
      "0.2",
      "--patience",
      "2",
      "--epochs",
      "500",
      "--rate",
      "0.5",
    );
    expect(stdout).toMatch(/no lower validation loss in 2 validations/);
  });

  it("rewrites one line that fits the terminal", async () => {
    const terminal = captured({ live: true, columns: 60 });
    expect(await runCommandLine(["train", digits, "--target", "label", "--classes", "--epochs", "30"], terminal)).toBe(0);
    expect(terminal.rewritten.length).toBeGreaterThan(1);
    for (const line of terminal.rewritten) expect(line.length).toBeLessThan(60);
    expect(terminal.rewritten[0]).toMatch(/ \d+ % {2}epoch \d/);
    expect(terminal.rewritten.at(-1)).toBe("");
    expect(terminal.stderr.split("\n")).toHaveLength(3);
  });

  it("reports full gradients for one column and no total number of epochs", async () => {
    const line = file("line.csv");
    writeFileSync(line, `x,y\n${Array.from({ length: 40 }, (_, i) => `${i / 10},${i / 5 + 0.5}`).join("\n")}\n`);
    const terminal = captured({ live: true });
    expect(await runCommandLine(["train", line, "--target", "y", "--rule", "lbfgs"], terminal)).toBe(0);
    expect(terminal.stderr).toContain(`${line}: 40 rows to train on; 1 column; target y`);
    expect(terminal.rewritten.join("\n")).toMatch(/epoch \d/);
    expect(terminal.rewritten.join("\n")).not.toMatch(/epoch \d+\.\d of/);
    expect((await works("describe", line)).stdout).toContain("40 rows, 2 columns");
  });

  it("is silent with --quiet", async () => {
    const { stderr } = await works("train", people, "--target", "class", "--quiet");
    expect(stderr).toBe("");
  });
});

describe("predict", () => {
  it("prints CSV: the prediction, then probabilities that sum to 1", async () => {
    const { stdout, stderr } = await works("predict", model, digits);
    const [header, ...rows] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    expect(header).toEqual(["prediction", ...Array.from({ length: 10 }, (_, k) => `p_${k}`)]);
    expect(rows).toHaveLength(1797);
    for (const [value, ...p] of rows) {
      const probabilities = p.map(Number);
      expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      expect(probabilities[Number(value)]).toBe(Math.max(...probabilities));
    }
    expect(stderr).toBe("");
  });

  it("agrees with the library in CSV and in JSON", async () => {
    const { stdout } = await works("predict", model, digits, "--json");
    const { predictions } = checked("predict", stdout) as unknown as { predictions: unknown[] };
    const { readTable } = await import("@ergodic/ingest");
    expect(predictions).toEqual((await predictor<LinearPredictor>(model)).predict(await readTable(digits)));
  });

  it("writes a complete file or none", async () => {
    const out = file("predictions.csv");
    const { stdout } = await works("predict", model, digits, "--out", out);
    expect(stdout).toBe("");
    expect(readFileSync(out, "utf8").split("\n")).toHaveLength(1799);
    const cut = file("cut.csv");
    writeFileSync(cut, `${readFileSync(digits, "utf8").split("\n").slice(0, 5).join("\n")}\n1,2,3\n`);
    const failed = file("failed.csv");
    expect((await ergodic("predict", model, cut, "--out", failed)).code).toBe(1);
    expect(existsSync(failed)).toBe(false);
  });

  it("reads sparse lines without labels, quoted text and numbers", async () => {
    const [out, unlabelled] = [file("sparse.safetensors"), file("unlabelled.libsvm")];
    await works("train", sparse, "--quiet", "--out", out, "--epochs", "30");
    writeFileSync(unlabelled, "1:1 3:0.5\n2:1 4:0.5\n");
    expect((await works("predict", out, unlabelled)).stdout).toMatch(/^prediction,p_-1,p_1\n-1,.*\n1,.*\n$/);
    const [odd, oddModel] = [file("odd.csv"), file("odd.safetensors")];
    writeFileSync(odd, `x,y\n${Array.from({ length: 40 }, (_, i) => `${i % 2},"a ""b"", ${i % 2}"`).join("\n")}\n`);
    await works("train", odd, "--target", "y", "--quiet", "--out", oddModel);
    expect((await works("predict", oddModel, odd)).stdout).toMatch(/^prediction,"p_a ""b"", 0","p_a ""b"", 1"\n"a ""b"", 0",/);
    const pay = file("pay.safetensors");
    await works("train", people, "--target", "pay", "--quiet", "--out", pay);
    expect((await works("predict", pay, people)).stdout).toMatch(/^prediction\n[\d.]+\n/);
    const { metrics } = checked("evaluate", (await works("evaluate", pay, people, "--json")).stdout) as unknown as {
      metrics: { r2: number };
    };
    expect(metrics.r2).toBeGreaterThan(0.9);
  });
});

describe("evaluate", () => {
  it("prints metrics and the confusion matrix", async () => {
    const { stdout } = await works("evaluate", model, digits);
    expect(stdout).toMatch(/label, 1,797 rows of /);
    expect(stdout).toMatch(/accuracy\s+9\d\.\d %/);
    expect(stdout).toMatch(/truth ↓ predicted →\s+0\s+1\s+2/);
  });

  it("prints JSON that fits its schema, for numbers and margins too", async () => {
    checked("evaluate", (await works("evaluate", model, digits, "--json")).stdout);
    const hinge = file("hinge.safetensors");
    await works("train", people, "--target", "class", "--loss", "hinge", "--quiet", "--out", hinge);
    expect(checked("evaluate", (await works("evaluate", hinge, people, "--json")).stdout)).toMatchObject({
      metrics: { logLoss: null },
    });
    const pay = file("pay2.safetensors");
    await works("train", people, "--target", "pay", "--quiet", "--out", pay);
    expect(checked("evaluate", (await works("evaluate", pay, people, "--json")).stdout)).toMatchObject({
      task: "regression",
      classes: null,
      positive: null,
    });
  });

  it("names the second of two classes as the class of F1 and average precision", async () => {
    const out = file("second.safetensors");
    const train = ["train", people, "--target", "class", "--quiet", "--test-share", "0.3", "--out", out];
    expect((await works(...train)).stdout).toMatch(/ {2}average precision of class rich {2}.*\n {2}F1 of class rich {2} +0/);
    expect((await works("evaluate", out, people)).stdout).toMatch(/F1 of class rich/);
    expect(checked("evaluate", (await works("evaluate", out, people, "--json")).stdout)).toMatchObject({ positive: "rich" });
    expect((await works(...train, "--folds", "3")).stdout).toMatch(/F1 of class rich( +[01]\.\d+){5}\n/);
    expect(checked("train", (await works(...train, "--json")).stdout)).toMatchObject({ positive: "rich" });
  });

  it("reports R² as undefined for one row and AUC as undefined for one class", async () => {
    const [pay, kind, one] = [file("pay3.safetensors"), file("kind.safetensors"), file("one.csv")];
    writeFileSync(one, `${readFileSync(people, "utf8").split("\n").slice(0, 2).join("\n")}\n`);
    await works("train", people, "--target", "pay", "--quiet", "--out", pay);
    await works("train", people, "--target", "class", "--quiet", "--out", kind);
    expect((await works("evaluate", pay, one)).stdout).toMatch(/ {2}R² {4}not defined\n/);
    expect((await works("evaluate", pay, one, "--json")).stdout).toContain('"r2":null');
    expect((await works("evaluate", kind, one)).stdout).toMatch(/ {2}AUC +not defined\n/);
  });
});

describe("describe", () => {
  it("describes a model: its kind, its training and its largest weights", async () => {
    const { stdout } = await works("describe", model);
    for (const part of [
      "linear, multiclass",
      "label, 10 classes",
      "multinomial:",
      "columns → oneHot → standardise",
      "lbfgs rate 1",
      "pixel_",
    ]) {
      expect(stdout).toContain(part);
    }
    expect(checked("describe", (await works("describe", model, "--json")).stdout)).toMatchObject({ kind: "model" });
  });

  it("describes data: kinds, ranges, levels and missing values", async () => {
    const gaps = file("gaps.csv");
    writeFileSync(gaps, "a,b\n1,x\n,y\n3,x\n");
    expect((await works("describe", gaps)).stdout).toMatch(
      /3 rows, 2 columns\n.*\n {2}a\s+number\s+1\s+2\s+1 … 3, mean 2, sd 1\.414\n {2}b\s+category\s+2\s+x 2, y 1/,
    );
    for (const data of [gaps, digits, sparse]) checked("describe", (await works("describe", data, "--json")).stdout);
  });
});

describe("rules", () => {
  it("prints the ledger of every rule with equations", async () => {
    const { stdout } = await works("rules", "--quick");
    expect(stdout).toMatch(/^ {2}adam\s+8\s+\d+\s+0\s+lazy\s+[\d.]+ {2}\S/m);
    expect(stdout).toMatch(/^ {2}sgd\s+0\s+0\s+0\s+exact\s+[\d.]+/m);
    expect(stdout).toContain("100,000 f32 parameters, which fit in the cache");
    expect(stdout).toContain("sgd  Robbins, Monro 1951\n    p ← p − η·g\n");
  });

  it("prints JSON that fits its schema", async () => {
    const { rules } = checked("rules", (await works("rules", "--quick", "--json")).stdout) as unknown as {
      rules: { kind: string; equation: string | null; nanosecondsPerParameter: number }[];
    };
    for (const rule of rules) {
      expect(rule.equation === null).toBe(rule.kind !== "equation");
      if (rule.kind === "equation") expect(rule.nanosecondsPerParameter).toBeGreaterThan(0);
    }
  });

  it("prints one rule's options, their signs and defaults, without measuring", async () => {
    const { stdout } = await works("rules", "polyak");
    expect(stdout.split("\n")).toEqual([
      "polyak  Polyak 1969",
      "    p ← p − (0 if Σ(g²) = 0 else min(max(f − f*, 0) / Σ(g²), η_max))·g",
      "    rate from the distance of the loss to its known minimum",
      "",
      "  option   sign     value",
      "  optimum  f*           0",
      "  maximum  η_max  1000000",
      "",
      "ergodic train DATA --target COLUMN --rule polyak:optimum=0,maximum=1000000",
      "",
    ]);
    for (const name of Object.keys(ruleRegistry)) {
      const text = (await works("rules", name)).stdout;
      for (const [option, value] of Object.entries(ruleRegistry[name].make().options))
        expect(text, name).toMatch(new RegExp(`^ {2}${option} +\\S* +${String(value).replace(".", "\\.")}$`, "m"));
      // The following line works as printed, including chain links.
      const written = / --rule (\S+)\n$/.exec(text)![1];
      expect(parseRule(written, undefined, "sgd")!.name, written).toMatch(
        new RegExp(`^${name}$|^chain\\((${name}, sgd|sgd, ${name})\\)$`),
      );
    }
  });

  it("prints the equation for given options and refuses anything but a single rule", async () => {
    expect((await works("rules", "rmsprop:momentum=0.9")).stdout).toContain("\n    b ← μ·b + g / (√r' + ε)\n    p ← p − η·b'\n");
    // The command includes them, too.
    expect((await works("rules", "rmsprop:momentum=0.9")).stdout).toMatch(/ --rule rmsprop:momentum=0\.9\n$/);
    expect((await works("rules", "rmsprop")).stdout).toContain("\n    p ← p − η·(g / (√r' + ε))\n");
    const { rule } = checked("rules", (await works("rules", "adam:biasCorrection=false", "--json")).stdout) as unknown as {
      rule: LedgerRow;
    };
    expect([rule.equation?.split("\n").at(-1), rule.options.biasCorrection, rule.signs.beta1]).toEqual([
      "p ← p − η·m' / (√v' + ε)",
      false,
      "β₁",
    ]);
    checked("rules", (await works("rules", "lbfgs", "--json")).stdout);
    for (const [args, message] of [
      [["sgdd"], '"sgdd" is not known; did you mean sgd?'],
      [["clipNorm+sgd"], '"clipNorm+sgd" is a chain; ask for each link separately'],
      [["adam:beta3=1"], "beta3"],
      [["adam", "--quick"], "--quick: times updates"],
    ] as const) {
      const { code, stdout, stderr } = await ergodic("rules", ...args);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(message);
    }
  });
});

it("prints its version and its help", async () => {
  expect((await works("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect((await works("--help")).stdout).toMatch(/train[\s\S]*predict[\s\S]*evaluate[\s\S]*describe[\s\S]*rules[\s\S]*demo/);
  expect((await works("train", "--help")).stdout).toContain("--target <column>");
  const bare = await ergodic();
  expect(bare.code).toBe(2);
  expect(bare.stderr).toContain("Usage: ergodic");
});

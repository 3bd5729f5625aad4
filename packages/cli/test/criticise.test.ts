/** Draws in files and their models on the command line: checked, compared, and used to predict new rows. */
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compare, type Draws, loadDraws, regression, sample } from "ergodic";
import type { PredictedNumber } from "ergodic/bayes";
import { beforeAll, describe, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";
import flat from "./models/flat.mjs";
import line, { data } from "./models/line.mjs";

const file = temporary();
const here = (name: string): string => fileURLToPath(new URL(`models/${name}`, import.meta.url));
const words = ["--chains", "2", "--warmup", "200", "--draws", "200", "--seed", "3", "--quiet"];
const options = { chains: 2, warmup: 200, draws: 200, seed: 3 };
let byLine: Draws;
let byFlat: Draws;
let [lineOut, flatOut, y] = ["", "", ""];

beforeAll(async () => {
  [lineOut, flatOut, y] = [file("line"), file("flat"), file("y.json")];
  writeFileSync(y, JSON.stringify({ y: data.y }));
  await works("sample", here("line.mjs"), ...words, "--out", lineOut);
  await works("sample", here("flat.mjs"), ...words, "--data", y, "--out", flatOut, "--format", "arrow");
  byLine = await sample(line, data, options);
  byFlat = await sample(flat, { y: data.y }, options);
});

describe("loo", () => {
  it("prints the library's table for one model", async () => {
    const { stdout, stderr } = await works("loo", lineOut);
    expect([stdout, stderr]).toEqual([`${byLine.loo()}\n`, ""]);
    const answer = JSON.parse((await works("loo", lineOut, "--json")).stdout);
    expect(answer).toMatchObject({ command: "loo", draws: lineOut, observed: "y", kind: "leave-one-out" });
    expect(answer.elpd).toEqual(byLine.loo().elpd);
    expect(answer.pointwise.elpd).toEqual([...byLine.loo().pointwise.elpd]);
  });

  it("compares several models", async () => {
    const wanted = compare({ flat: byFlat, line: byLine });
    expect((await works("loo", flatOut, lineOut)).stdout).toBe(`${wanted}\n`);
    const answer = JSON.parse((await works("loo", flatOut, lineOut, "--json", "--weights", "pseudoBma", "--seed", "2")).stdout);
    const plus = compare({ flat: byFlat, line: byLine }, { weights: "pseudoBma", seed: 2 });
    expect(answer.models.map((one: { name: string; weight: number }) => [one.name, one.weight])).toEqual(
      plus.models.map(({ name, weight }) => [name, weight]),
    );
    expect(answer.draws).toEqual([flatOut, lineOut]);
    // Two folders with the same name are distinguished by their paths.
    const twice = join(file("other"), "line");
    mkdirSync(dirname(twice));
    await works("sample", here("line.mjs"), "--chains", "2", "--warmup", "50", "--draws", "50", "--quiet", "--out", twice);
    expect((await works("loo", lineOut, twice)).stdout).toContain(`\n${twice} `);
  });

  it("accepts one model for all draws or one for each if the draws name none", async () => {
    const [a, b] = ["a", "b"].map((name) => join(file(name), "chain.csv"));
    for (const [path, name] of [
      [a, "chain_1.csv"],
      [b, "chain_2.csv"],
    ] as const) {
      mkdirSync(dirname(path));
      // Imitates CmdStan by removing what only this library writes.
      writeFileSync(path, readFileSync(join(lineOut, name), "utf8").replace(/^# ergodic = .*\n/m, ""));
    }
    const none = await ergodic("loo", a);
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringMatching(/--model: .*chain\.csv does not say what model it was drawn from; give its file: --model FILE/),
    ]);
    const one = await works("loo", dirname(a), dirname(b), "--model", here("line.mjs"));
    const each = await works("loo", dirname(a), dirname(b), "--model", here("line.mjs"), "--model", here("line.mjs"));
    expect(each.stdout).toBe(one.stdout);
    const others = await works("loo", dirname(a), flatOut, "--model", here("line.mjs"), "--model", here("flat.mjs"));
    expect(others.stdout).toMatch(/^a .*\nflat /m);
    const three = await ergodic("loo", a, "--model", here("line.mjs"), "--model", here("line.mjs"), "--model", here("line.mjs"));
    expect([three.code, three.stderr]).toEqual([2, expect.stringMatching(/was given 3 times for 1 folder of/)]);
    const [model, more] = [here("line.mjs"), here("flat.mjs")];
    for (const [wrong, message] of [
      [
        ["loo", dirname(a), flatOut, "--model", model, more],
        `--model: ${more} is given in place of draws; repeat the option for each file: --model ${model} --model ${more} [USAGE]`,
      ],
      [
        ["loo", dirname(a), model],
        `--model: ${model} is given in place of draws; repeat the option for each file: --model ${model} [USAGE]`,
      ],
      [
        ["loo", dirname(a), flatOut, "--data", y, y],
        `--data: ${y} is given in place of draws; repeat the option for each file: --data ${y} --data ${y} [USAGE]`,
      ],
    ] as const) {
      const { code, stderr } = await ergodic(...wrong);
      expect([code, stderr]).toEqual([2, `ergodic: ${message}\n`]);
    }
    const other = await ergodic("loo", dirname(a), "--model", here("flat.mjs"), "--data", y);
    expect(other.code).toBe(0);
    expect((await ergodic("loo", lineOut, "--model", here("flat.mjs"), "--data", y)).stderr).toMatch(/DRAWS_MODEL/);
  });

  it("finds the model again if both were moved, and otherwise reports its expected place", async () => {
    const root = file("project");
    mkdirSync(root);
    const [model, given, out] = ["flat.mjs", "y.json", "out"].map((name) => join(root, name));
    // Packages are resolved from the real location of the file.
    writeFileSync(model, `export { default } from ${JSON.stringify(here("flat.mjs"))};`);
    copyFileSync(y, given);
    await works("sample", model, ...words, "--data", given, "--out", out);
    const before = (await works("loo", out)).stdout;
    expect((await loadDraws(out)).description.files).toEqual({ model: "../flat.mjs", data: "../y.json" });
    renameSync(root, file("moved"));
    const moved = join(file("moved"), "out");
    expect((await works("loo", moved)).stdout).toBe(before);
    renameSync(join(file("moved"), "y.json"), join(file("moved"), "z.json"));
    const lost = await ergodic("loo", moved);
    expect([lost.code, lost.stderr]).toEqual([
      1,
      expect.stringMatching(/was drawn from .*y\.json, which is no longer there; give it with --data FILE/),
    ]);
    expect((await works("loo", moved, "--data", join(file("moved"), "z.json"))).stdout).toBe(before);
  });
});

describe("draws of a formula", () => {
  it.each(["csv", "json", "arrow"])("find their formula, levels and data again: %s", async (format) => {
    const root = file(`formula ${format}`);
    mkdirSync(root);
    const [table, out, fresh] = ["size.csv", "out", "new.csv"].map((name) => join(root, name));
    const rows = Array.from({ length: 30 }, (_, i) => ({
      size: ["small", "large"][Number((i * 7) % 10 > i / 4)],
      x: i,
      g: `g${i % 3}`,
    }));
    writeFileSync(table, `size,x,g\n${rows.map((row) => Object.values(row).join(",")).join("\n")}\n`);
    writeFileSync(fresh, "x,g\n3,g1\n9,g7\n");
    const given = ["--formula", "size ~ x + (1 | g)", "--family", "bernoulli", "--levels", "size=small,large", "--data", table];
    await works("sample", ...given, ...words, "--out", out, "--format", format);
    const formula = regression("size ~ x + (1 | g)", { family: "bernoulli", levels: { size: ["small", "large"] } });
    const run: Draws = await sample(formula, rows, options);
    expect((await works("loo", out)).stdout).toBe(`${run.loo()}\n`);
    expect((await works("check", out, "--seed", "4")).stdout).toContain(`${run.check("size", { seed: 4 })}\n`);
    // The formats differ only in how they store the formula.
    if (format !== "csv") return;
    const predictor = await run.predictor();
    const ahead = predictor.predict([
      { x: 3, g: "g1" },
      { x: 9, g: "g7" },
    ] as never);
    predictor.dispose();
    const { predictions } = JSON.parse((await works("predict", out, fresh, "--json")).stdout);
    expect(predictions).toEqual(ahead);
    const { stdout, stderr } = await works("predict", out, fresh);
    expect(stderr).toBe(`${fresh}: 1 of 2 rows had a new group of "g" ("g7"), so its effects were drawn from the population\n`);
    const [head, first] = stdout.split("\n").map((line) => line.split(","));
    expect(head).toEqual(["prediction", "sd", "low", "high", "p_small", "p_large"]);
    const { mean, sd, lower, upper, levels } = (ahead as unknown as readonly Record<string, PredictedNumber>[])[0].size;
    const wanted = [mean, sd, lower, upper, levels!.small.probability, levels!.large.probability];
    expect(first.map(Number)).toEqual(wanted);
    // Replaces the recorded formula: a model with other priors does not belong to these draws.
    const [own, other, columns] = ["own.mjs", "other.mjs", "columns.json"].map((name) => join(root, name));
    const optionsOf = (priors: string) => `{ family: "bernoulli", levels: { size: ["small", "large"] }, priors: ${priors} }`;
    const write = (path: string, priors: string): void =>
      writeFileSync(
        path,
        `import { normal, regression } from ${JSON.stringify(here("regression.mjs"))};\nexport default regression("size ~ x + (1 | g)", ${optionsOf(priors)});\n`,
      );
    const byName = Object.fromEntries((["size", "x", "g"] as const).map((name) => [name, rows.map((row) => row[name])]));
    writeFileSync(columns, JSON.stringify(byName));
    write(own, "{}");
    expect((await works("loo", out, "--model", own, "--data", columns)).stdout).toBe(`${run.loo()}\n`);
    write(other, "{ x: normal(0, 9) }");
    expect((await ergodic("loo", out, "--model", other, "--data", columns)).stderr).toMatch(
      /priors, likelihood or data have changed/,
    );
    writeFileSync(fresh, "x\n3\n");
    expect((await ergodic("predict", out, fresh)).stderr).toMatch(
      /new\.csv: .* a column "g" that is not there; the columns are "x"/,
    );
    writeFileSync(fresh, "x,g\n3,g1\n4,\n");
    expect((await ergodic("predict", out, fresh)).stderr).toMatch(/row 2: "g" is missing \(null\)/);
    renameSync(table, join(root, "other.csv"));
    const lost = await ergodic("loo", out);
    expect([lost.code, lost.stderr]).toEqual([
      1,
      expect.stringMatching(/size\.csv, which is no longer there; give it with --data FILE/),
    ]);
    expect((await works("loo", out, "--data", join(root, "other.csv"))).stdout).toBe(`${run.loo()}\n`);
  });
});

describe("check", () => {
  it("prints the library's table and sets the exit code by --strict", async () => {
    const good = await works("check", lineOut, "--seed", "4", "--strict");
    expect(good.stdout).toBe(`${byLine.check("y", { seed: 4 })}\nThe model generates data like the observed data.\n`);
    const found = byFlat.check();
    expect(found.suspect).toContain("sd");
    const bad = await ergodic("check", flatOut, "--strict");
    expect([bad.code, bad.stdout, bad.stderr]).toEqual([
      1,
      `${found}\nThe model does not generate data like the observed data: look at ${found.suspect.join(", ")}.\n`,
      "",
    ]);
    expect((await ergodic("check", flatOut)).code).toBe(0);
    const { statistics, suspect, command } = JSON.parse((await works("check", flatOut, "--json")).stdout);
    expect([command, suspect]).toEqual(["check", found.suspect]);
    expect(statistics.sd).toEqual({
      observed: found.statistics.sd.observed,
      mean: found.statistics.sd.mean,
      q5: found.statistics.sd.q5,
      q95: found.statistics.sd.q95,
      pValue: found.statistics.sd.pValue,
    });
    expect((await ergodic("check", lineOut, "--of", "z")).stderr).toMatch(/"z" was not observed; name one of y/);
  });
});

describe("predict", () => {
  const rows = "id,x,z[1],z[2],other\nfirst,2.5,1,0,7\nsecond,9,0,1,8\n";

  it("predicts rows from the draws", async () => {
    const given = file("rows.csv");
    writeFileSync(given, rows);
    const predictor = await byLine.predictor({ level: 0.5 });
    const wanted = predictor.predict([
      { x: 2.5, z: [1, 0] },
      { x: 9, z: [0, 1] },
    ] as never) as never as { y: Record<string, number> }[];
    const { stdout } = await works("predict", lineOut, given, "--level", "0.5", "--id", "id");
    const [head, ...body] = stdout.trimEnd().split("\n");
    expect(head).toBe("id,prediction,sd,low,high");
    expect(body.map((text) => text.split(",").slice(1).map(Number))).toEqual(
      wanted.map(({ y: { mean, sd, lower, upper } }) => [mean, sd, lower, upper]),
    );
    expect(body.map((text) => text.split(",")[0])).toEqual(["first", "second"]);
    const answer = JSON.parse((await works("predict", lineOut, given, "--json", "--level", "0.5", "--keep", "x")).stdout);
    expect(answer).toMatchObject({ command: "predict", model: lineOut, data: given, outputs: ["y"], level: 0.5, draws: 400 });
    expect(answer.predictions).toEqual(wanted.map((row, i) => ({ kept: { x: ["2.5", "9"][i] }, ...row })));
    const out = file("predicted.csv");
    expect((await works("predict", lineOut, given, "--level", "0.5", "--id", "id", "--out", out)).stderr).toMatch(
      /predictions written to/,
    );
    expect(readFileSync(out, "utf8")).toBe(stdout);
  });

  it("reports invalid arguments", async () => {
    const given = file("wrong.csv");
    writeFileSync(given, "x,z[1]\n1,0\n");
    const cases: [string[], RegExp, number][] = [
      [[lineOut, given], /row 1.*z/, 1],
      [[lineOut, given, "--unknown", "zero"], /--unknown: applies only to saved models, but MODEL holds draws; omit it/, 2],
      [[lineOut, given, "--level", "1.5"], /--level/, 2],
      [
        [file("none.safetensors"), given, "--level", "0.5"],
        /--level: applies only to draws, but MODEL is a saved model; omit it/,
        2,
      ],
    ];
    for (const [args, message, code] of cases) {
      const found = await ergodic("predict", ...args);
      expect(found.stderr).toMatch(message);
      expect(found.code).toBe(code);
    }
    writeFileSync(given, "x,u\n1,0\n");
    expect((await ergodic("predict", lineOut, given)).stderr).toMatch(
      /there is no column "z" \(nor "z\[1\]", "z\[2\]" …\), which the model reads; it has "x", "u"/,
    );
    writeFileSync(given, "x,z[1],z[2]\nlow,0,1\n");
    expect((await ergodic("predict", lineOut, given)).stderr).toMatch(/column "x" holds texts, but the model takes numbers/);
  });
});

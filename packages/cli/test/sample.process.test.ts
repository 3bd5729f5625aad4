/** Models on the command line: sampling, approximation, writing, summaries and diagnosis. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readDrawsArrow } from "@ergodic/ingest/draws";
import { plot } from "@ergodic/plots";
import { loadDraws, model as modelOf, sample } from "ergodic";
import { sgld } from "ergodic/bayes";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { isGroupEffect } from "../src/report/draws-table.ts";
import { type Captured, captured, ergodic, type Outcome, temporary, works } from "./captured.ts";
import schools, { data } from "./models/schools.mjs";
import oneMean, { data as oneMeanData } from "./models/schools.ts";

const file = temporary();
const here = (name: string): string => fileURLToPath(new URL(`models/${name}`, import.meta.url));
const model = here("schools.mjs");
const short = ["--chains", "2", "--warmup", "200", "--draws", "100", "--seed", "3"];
/** For formulas, whose steps take longer. */
const shortest = ["--chains", "2", "--warmup", "50", "--draws", "20", "--seed", "3"];

const kept = file("kept");
let run: Promise<Outcome> | undefined;
/** The run with the defaults, saved in `kept`. */
const sampled = (): Promise<Outcome> => (run ??= works("sample", model, "--seed", "1", "--out", kept));

/** A terminal that simulates Ctrl-C when some draws are made. Until then the clock is fast, so every tick is reported. */
function interruptedWhileDrawing(): Captured {
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 200));
  onTestFinished(() => clock.mockRestore());
  const terminal = captured({ live: true, interruptAt: / \d\d draws per chain/ });
  const { interrupt } = terminal;
  terminal.interrupt = () => {
    clock.mockRestore();
    interrupt();
  };
  return terminal;
}

describe("sample", () => {
  it("returns a summary and a verdict, and saves the draws", async () => {
    const { stdout, stderr } = await sampled();
    expect(stderr.split("\n")[0]).toBe(
      "schools: 10 unconstrained numbers · nuts · 4 chains of 1,000 warm-up + 1,000 draws · seed 1",
    );
    expect(stderr).toMatch(/100 % {2}1,000 draws per chain · \d+ divergences · step 0\.\d+ · R-hat 1\.0\d\d/);
    expect(stdout).toMatch(/^ +mean +mcse +sd +q5 +q50 +q95 +ess bulk +ess tail +R-hat\nmu .*\ntau .*\ntheta\[1\] /);
    expect(stdout).toMatch(/These draws can be (trusted|used)/);
    expect((await loadDraws(kept)).count).toBe(1000);
    expect(readdirSync(kept).sort()).toEqual(["chain_1.csv", "chain_2.csv", "chain_3.csv", "chain_4.csv", "draws.json"]);
  });

  it("reads data from a file, accepts a sampler with options and answers in JSON", async () => {
    const given = file("data.json");
    writeFileSync(given, JSON.stringify({ y: [1, 2], sigma: [1, 1] }));
    const words = ["--data", given, "--algorithm", "hmc:leapfrogs=8,metric=dense", "--json", "--quiet"];
    const { stdout, stderr } = await works("sample", model, ...short, ...words);
    expect(stderr).toBe("");
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ command: "sample", chains: 2, draws: 100, out: null });
    expect(answer.description.algorithm).toMatchObject({ algorithm: "hmc", leapfrogs: 8, metric: "dense" });
    expect(Object.keys(answer.summary)).toEqual(["mu", "tau", "theta[1]", "theta[2]"]);
    expect(answer.verdict.findings.map(({ code }: { code: string }) => code)).toContain("ess");
  });

  it("does not report a line of its own code if the data are invalid", async () => {
    const given = file("gap.json");
    writeFileSync(given, JSON.stringify({ y: [1, null], sigma: [1, 1] }));
    const { stderr, code } = await ergodic("sample", model, ...short, "--data", given);
    expect(code).toBe(1);
    expect(stderr).toMatch(/"y"/);
    expect(stderr).not.toContain("(at ");
  });

  it("accepts a formula and a table instead of a model file", async () => {
    const data = file("growth.csv");
    const rows = Array.from({ length: 40 }, (_, i) => `${(i % 7) + (i % 4) / 2},${i % 7},${["low", "high"][i % 2]},g${i % 4}`);
    writeFileSync(data, `y,x,dose,g\n${rows.join("\n")}\n`);
    const words = [
      "--formula",
      "y ~ x + dose + (1 | g)",
      "--data",
      data,
      "--levels",
      "dose=low,high",
      ...shortest,
      "--deterministic",
    ];
    const { stdout, stderr } = await works("sample", ...words, "--out", file("of formula"));
    expect(stderr.split("\n")[0]).toMatch(/^y ~ x \+ dose \+ \(1 \| g\): \d+ unconstrained numbers · nuts · 2 chains/);
    expect(stdout).toMatch(
      /\nIntercept .*\nx .*\ndosehigh .*\nsd\(g\): Intercept .*\nsigma .*\nmcse: .*\n4 group effects not shown; --group-effects prints them\n\n/,
    );
    const table = async (...more: string[]) => (await works("summary", file("of formula"), ...more)).stdout;
    expect(await table()).toMatch(
      /^ .*\nIntercept .*(\n.*){3}\nsigma .*\nmcse: .*\n4 group effects not shown; --group-effects prints them\n$/,
    );
    expect(await table("--group-effects")).toMatch(/\nsigma .*\ng\[g0\]: Intercept (.*\n){4}mcse: .*\n$/);
    expect(await table("--of", "g[g1]: Intercept")).toMatch(/^ .*\ng\[g1\]: Intercept .*\nmcse: .*\n$/);
    expect(Object.keys(JSON.parse(await table("--json")).summary)).toHaveLength(9);
    const all = await works("sample", ...words, "--quiet", "--group-effects");
    expect(all.stdout).toMatch(/\nsigma .*\ng\[g0\]: Intercept .*\ng\[g1\](.*\n){3}mcse: .*\n\n/);
    expect(Object.keys(JSON.parse((await works("sample", ...words, "--quiet", "--json")).stdout).summary)).toHaveLength(9);
    expect((await loadDraws(file("of formula"))).quantities.map(({ name }) => name).slice(0, 3)).toEqual([
      "Intercept",
      "x",
      "dosehigh",
    ]);
    const fast = await works(
      "approximate",
      "--formula",
      "dose ~ x",
      "--family",
      "bernoulli",
      "--data",
      data,
      "--method",
      "meanfield",
      "--draws",
      "250",
      "--json",
      "--quiet",
    );
    expect(Object.keys(JSON.parse(fast.stdout).summary)).toEqual(["Intercept", "x"]);
    expect(JSON.parse(fast.stdout).model).toBe("dose ~ x");
  });

  it("hides the effects of groups, but no other numbers in brackets", () => {
    const names = ["x", "sd(a:b): x", "a:b[u[1]:v]: x", "a:b[u: x]: z", "theta[1]", "c[1]: x", "sd(s(x))", "s(x)[1]"];
    expect(names.filter((name) => isGroupEffect(name, names))).toEqual(["a:b[u[1]:v]: x"]);
  });

  it("refuses a formula without a table or next to a model file, and reports its faults", async () => {
    const table = file("few.csv");
    writeFileSync(table, "y,x\n1,2\n2,3\n3,5\n");
    const said = async (...words: string[]): Promise<string> => (await ergodic("sample", ...words)).stderr;
    expect(await said()).toMatch(/no model is given; give its file, or --formula "y ~ x \+ \(1 \| group\)" --data d\.csv/);
    expect(await said("--formula", "y ~ x")).toMatch(/--formula: it needs a table; give --data d\.csv/);
    expect(await said(model, "--formula", "y ~ x")).toMatch(/it replaces the model file, but .*schools\.mjs is also given/);
    expect(await said(model, "--family", "poisson")).toMatch(
      /--family: it applies only to a formula; give --formula, or leave it out/,
    );
    expect(await said(model, "--group-effects")).toMatch(/--group-effects: it applies only to a formula; give --formula/);
    expect(await said("--formula", "y ~ x +", "--data", table)).toMatch(
      /formula "y ~ x \+": at its end: after "\+" a term is missing/,
    );
    expect(await said("--formula", "y ~ z", "--data", table)).toMatch(/needs the column "z", but there are y, x/);
    expect(await said("--formula", "y ~ x", "--data", table, "--family", "logistic")).toMatch(/write .*"?bernoulli"?/);
    expect(await said("--formula", "y ~ x", "--data", table, "--levels", "x")).toMatch(
      /"x" names no column; write --levels size=small,large/,
    );
  });

  it("reads a model written in TypeScript", async () => {
    const { stdout } = await works("sample", here("schools.ts"), ...short, "--quiet", "--json");
    expect(Object.keys(JSON.parse(stdout).summary)).toEqual(["mu"]);
  });

  it("hints at a probable mistake before sampling and in the verdict", async () => {
    const words =
      /the parameter "sigma" has no bounds, but is the sigma of normal, .*unbounded-scale\.ts:4:\d+\): write param\("sigma", "positive"\)/;
    const { stdout, stderr } = await works("sample", here("unbounded-scale.ts"), ...short);
    expect(stderr.split("\n")[0]).toMatch(new RegExp(`^hint: ${words.source}`));
    expect(stdout).toMatch(words);
    const quiet = await works("sample", here("unbounded-scale.ts"), ...short, "--quiet", "--json");
    expect(quiet.stderr).toBe("");
    expect(JSON.parse(quiet.stdout).description.hints).toMatchObject([{ code: "unbounded" }]);
  });

  it("uses some rows in each step with --rows", async () => {
    const words = [...short, "--quiet", "--deterministic", "--algorithm", "sgld:stepSize=0.001,batch=2"];
    const out = file("rows");
    await works("sample", here("schools.ts"), ...words, "--rows", "J", "--out", out);
    const algorithm = sgld({ stepSize: 0.001, batch: 2 });
    const plan = { chains: 2, warmup: 200, draws: 100, seed: 3, deterministic: true };
    const ours = await sample(modelOf(oneMean), oneMeanData, { ...plan, algorithm, rows: "J" });
    expect((await loadDraws(out)).draws("mu")).toEqual(ours.draws("mu"));
    const none = await ergodic("sample", here("schools.ts"), ...words);
    expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/a batch of 2 rows is asked for.*; give --rows, naming/)]);
    const other = await ergodic("sample", here("schools.ts"), ...words, "--rows", "K");
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/rows is "K", but no data .*there are: J/)]);
  });

  it("reports the progress of particles in its header and its progress line", async () => {
    const { stderr } = await works("sample", model, "--algorithm", "sequentialMonteCarlo", "--draws", "200", "--chains", "2");
    const lines = stderr.trimEnd().split("\n");
    expect(lines[0]).toBe("schools: 10 unconstrained numbers · sequentialMonteCarlo · 2 populations of 200 · seed 0");
    expect(lines.at(-1)).toMatch(/^ {2}\d+ updates · power 1 · acceptance 0\.\d+$/);
  });

  it("saves a checkpoint on Ctrl-C, prints a command to resume and resumes bit for bit", async () => {
    const terminal = interruptedWhileDrawing();
    const kept = file("kept.checkpoint");
    const words = ["--chains", "2", "--warmup", "200", "--draws", "8000", "--seed", "3", "--checkpoint", kept];
    expect(await runCommandLine(["sample", model, ...words], terminal)).toBe(1);
    expect(terminal.stderr).toMatch(
      /interrupted; the run is saved in .*kept\.checkpoint; resume it with: ergodic sample .* --resume /,
    );
    const out = file("resumed");
    await works("sample", model, "--resume", kept, "--out", out, "--quiet", "--format", "json");
    const whole = await sample(schools, data, { chains: 2, warmup: 200, draws: 8000, seed: 3 });
    expect((await loadDraws(out)).draws("mu")).toEqual(whole.draws("mu"));
    const refused = await ergodic("sample", model, "--resume", kept, "--seed", "4");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/--seed was given, but --resume/)]);
  });

  it("resumes a formula with values split from a list by the command that Ctrl-C prints", async () => {
    const table = file("long.csv");
    const rows = Array.from({ length: 40 }, (_, i) => `${(i % 7) + (i % 4) / 2},${["low", "high"][i % 2]},${"abc"[i % 3]}`);
    writeFileSync(table, `y,dose,g\n${rows.join("\n")}\n`);
    const terminal = interruptedWhileDrawing();
    const words = ["sample", "--formula", "y ~ dose + g", "--data", table, "--levels", "dose=low,high", "--levels", "g=c,b,a"];
    const more = ["--chains", "1", "--warmup", "200", "--draws", "20000", "--out", file("of long"), "--format", "json"];
    expect(await runCommandLine([...words, ...more], terminal)).toBe(1);
    const line = /resume it with: ergodic (.*) \[INTERRUPTED\]$/.exec(terminal.stderr.trimEnd())![1];
    // resume-command.process.test.ts lets a shell split such lines.
    const again = line.match(/'[^']*'|[^ ]+/g)!.map((word) => word.replaceAll("'", ""));
    await works(...again, "--quiet");
    const names = (await loadDraws(file("of long"))).quantities.map(({ name }) => name);
    expect(names).toEqual(["Intercept", "dosehigh", "gb", "ga", "sigma"]);
  });

  it("reports invalid command lines", async () => {
    for (const [words, message] of [
      [[here("number.mjs")], /the default export is number, but must be a model/],
      [[here("none.mjs")], /cannot be read: no such file/],
      [[model, "--algorithm", "nut"], /"nut" is not known \(known: ellipticalSlice, fullRank, gibbs, hmc/],
      [[model, "--algorithm", "nuts:depth=3"], /depth/],
      [[model, "--format", "xml"], /use csv, json or arrow/],
      [[here("plain.mjs")], /plain\.mjs: the function does not use param.* needs the API: await sample\(/],
      [[here("pair.mjs")], /pair\.mjs: the function does not use param.* needs the API: await sample\(/],
      [[model, "--data", here("schools.mjs")], /is not JSON/],
      [[model, "--chains", "0"], /--chains <n>.*must be a whole number >= 1/],
    ] as const) {
      const { code, stderr } = await ergodic("sample", ...words);
      expect(stderr).toMatch(message);
      expect(code).toBeGreaterThan(0);
    }
  });
});

describe("approximate", () => {
  const ofMethod = /^ {2}\d[\d,]* updates · ELBO -\d.* · Pareto k -?\d\.\d\d$/;
  it.each([
    ["pathfinder", "1,000 draws", ofMethod],
    ["meanfield", "1,000 draws", ofMethod],
    ["fullrank", "1,000 draws", ofMethod],
    ["svgd:particles=50,iterations=300", "50 particles", /^ {2}\d[\d,]* updates · flow 0\.\d+/],
  ])("approximates by %s, and reports the result and no share of its maximum work", async (method, made, last) => {
    const draws = method.startsWith("svgd") ? [] : ["--draws", "250"];
    const { stdout, stderr } = await works("approximate", here("schools.ts"), "--method", method, ...draws, "--json");
    const { summary, report } = JSON.parse(stdout);
    // The posterior of mu is normal, 3.30 ± 4.14, and the mean of 1,000 draws has a standard error of 0.13.
    expect(Math.abs(summary.mu.mean - 3.3)).toBeLessThan(1);
    if (!method.startsWith("svgd")) expect(report.paretoK).toEqual(expect.any(Number));
    // A single approximation has no chains to compare.
    expect(summary.mu.rhat).toBeNull();
    const [header, ...lines] = stderr.trimEnd().split("\n");
    expect(header).toMatch(new RegExp(`^schools: 1 unconstrained number · \\w+ · ${made} · seed 0$`));
    expect(lines.at(-1)).toMatch(last);
    expect(stderr).not.toMatch(/%|warm-up/);
  });

  it("refuses draws that svgd would ignore and rows that nuts would ignore, by their typed names", async () => {
    const draws = await ergodic("approximate", model, "--method", "svgd", "--draws", "250");
    expect(draws.code).toBe(2);
    expect(draws.stderr).toMatch(
      /draws is 250, but .* its 100 particles.*; leave draws out, or use svgd:particles=250 \[OPTION_MEANING\]/,
    );
    const rows = await ergodic("sample", model, "--rows", "J");
    expect(rows.code).toBe(2);
    expect(rows.stderr).toMatch(/rows is "J", but nuts\(\) .*leave rows out.*, as in meanField:batch=100 \[OPTION_MEANING\]/);
  });

  it("reports Pareto k with the table and the verdict, also from files, and nothing about chains", async () => {
    const out = file("near");
    const { stdout } = await works("approximate", here("schools.ts"), "--draws", "250", "--out", out, "--quiet");
    const k = /\nPareto k (-?\d\.\d\d) of the approximation, good below 0\.7\n/.exec(stdout)?.[1];
    const trusted = `These draws can be trusted (1000 draws of an approximation by pathfinder(), Pareto k ${k}).\n`;
    expect(stdout).toContain(`\n\n${trusted}`);
    const summarised = (await works("summary", out)).stdout;
    expect(stdout.startsWith(summarised)).toBe(true);
    const diagnosed = (await works("diagnose", out, "--strict")).stdout;
    expect(diagnosed).toBe(trusted);
    for (const text of [stdout, summarised, diagnosed]) expect(text).not.toMatch(/R-hat|chain/);
    const answer = JSON.parse((await works("diagnose", out, "--json")).stdout);
    expect(answer.paretoK.toFixed(2)).toBe(k);
  });

  it("shows no progress bar on a terminal, because the end is unknown", async () => {
    const terminal = captured({ live: true });
    expect(await runCommandLine(["approximate", here("schools.ts"), "--draws", "250"], terminal)).toBe(0);
    const shown = terminal.rewritten.filter((line) => line !== "");
    expect(shown.at(-1)).toMatch(/^\d[\d,]* updates · ELBO/);
    expect(terminal.rewritten.at(-1)).toBe("");
  });

  it("refuses an unknown method", async () => {
    const { code, stderr } = await ergodic("approximate", model, "--method", "laplace");
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/"laplace" is not known \(known: pathfinder, meanfield, fullrank, svgd\)/),
    ]);
  });
});

describe("summary and diagnose", () => {
  const out = kept;
  beforeAll(() => sampled());

  it("read the written draws", async () => {
    const { stdout } = await works("summary", out, "--of", "mu,tau", "--probabilities", "0.1,0.9");
    expect(stdout.split("\n").map((line) => line.slice(0, 4).trim())).toEqual(["", "mu", "tau", "mcse", ""]);
    expect(stdout).toMatch(/q10 +q90/);
    const { summary } = JSON.parse((await works("summary", out, "--json")).stdout);
    expect(summary.mu.mean).toBeCloseTo((await loadDraws(out)).summary().mu.mean, 12);
    const one = await works("summary", join(out, "chain_1.csv"), "--of", "mu");
    expect(one.stdout).toMatch(/^mu /m);
    for (const [given, message] of [
      ["a", '--probabilities: "a" is not a number from 0 to 1; separate'],
      ["0.1,1.5", '--probabilities: "1.5" in "0.1,1.5" is not a number'],
      ["0.1,", '--probabilities: "" in "0.1," is not a number'],
    ]) {
      const refused = await ergodic("summary", out, "--probabilities", given);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(message)]);
    }
  });

  it("name elements of arrays, whose commas do not separate names", async () => {
    const draws = file("matrix.csv");
    const lines = Array.from({ length: 40 }, (_, i) => [-i, i % 7, i % 5, i % 3, (7 * i) % 11, i % 2].join(","));
    writeFileSync(draws, `lp__,mu,b.1.1,b.2.1,b.1.2,b.2.2\n${lines.join("\n")}\n`);
    const { stdout } = await works("summary", draws, "--of", "b[1,2],mu", "--json");
    expect(Object.keys(JSON.parse(stdout).summary)).toEqual(["b[1,2]", "mu"]);
    const refused = await ergodic("summary", draws, "--of", "b[1,2],c");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('"c"')]);
  });

  it("write every kind of picture that the draws support into a folder", async () => {
    const folder = file("plots/of/draws");
    const { stdout, stderr } = await works("summary", out, "--plots", folder);
    expect(stdout).toMatch(/^ +mean/);
    expect(stderr).toContain(`plots written to ${folder}: trace.svg, rank.svg, pairs.svg, forest.svg, energy.svg`);
    const draws = await loadDraws(out);
    for (const kind of ["trace", "rank", "pairs", "forest", "energy"] as const)
      expect(readFileSync(join(folder, `${kind}.svg`), "utf8")).toBe(plot(draws, kind));
    const one = file("plots-of-one");
    const answer = JSON.parse((await works("summary", out, "--of", "mu", "--plots", one, "--json")).stdout);
    expect(answer.plots).toEqual(["trace", "rank", "forest", "energy"].map((kind) => join(one, `${kind}.svg`)));
    const refused = await ergodic("summary", out, "--plots", join(out, "chain_1.csv"));
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/chain_1\.csv.*\[FILE_WRITE\]/)]);
  });

  it("report whether the draws can be trusted, and draw a number", async () => {
    const { stdout } = await works("diagnose", out, "--plot", "theta[1]");
    expect(stdout).toMatch(/These draws can be (trusted|used)/);
    expect(stdout).toMatch(/E-BFMI +\d\.\d\d {2}\d\.\d\d/);
    expect(stdout).toMatch(/tree depths +0: \d/);
    expect(stdout.split("\n").length).toBeGreaterThan(20);
    const answer = JSON.parse((await works("diagnose", out, "--json")).stdout);
    expect(answer.ebfmi).toHaveLength(4);
    const { code, stderr } = await ergodic("diagnose", out, "--plot", "nu");
    expect([code, stderr]).toEqual([2, expect.stringMatching(/there is no "nu"; there are mu, tau, theta\[1\]/)]);
    expect((await ergodic("summary", file("nothing"))).code).toBe(1);
    expect(answer.paretoK).toBeNull();
    expect(readFileSync(join(out, "draws.json"), "utf8")).toMatch(/"nuts"/);
  });
});

describe("diagnose --strict", () => {
  it("exits with 1 for untrusted draws and 0 for trusted ones, and always with 0 without --strict", async () => {
    const good = file("good");
    await works("sample", here("schools.ts"), "--seed", "1", "--out", good, "--quiet");
    const bad = file("bad");
    await works("sample", model, "--chains", "2", "--warmup", "5", "--draws", "10", "--seed", "3", "--out", bad, "--quiet");
    const outcome = async (path: string, ...words: string[]) => {
      const { code, stdout, stderr } = await ergodic("diagnose", path, ...words);
      expect(stderr).toBe("");
      return [
        code,
        stdout.length > 0 && (words.includes("--json") ? JSON.parse(stdout).trusted : !stdout.startsWith("Do not trust")),
      ];
    };
    for (const words of [[], ["--json"]]) {
      expect(await outcome(good, ...words)).toEqual([0, true]);
      expect(await outcome(good, "--strict", ...words)).toEqual([0, true]);
      expect(await outcome(bad, ...words)).toEqual([0, false]);
      expect(await outcome(bad, "--strict", ...words)).toEqual([1, false]);
    }
    // All requested output is printed before the command exits.
    const drawn = await ergodic("diagnose", bad, "--strict", "--plot", "mu");
    expect([drawn.code, drawn.stdout.split("\n").length > 20]).toEqual([1, true]);
    // Draws that can be used with care do not cause exit code 1.
    const one = await ergodic("diagnose", join(good, "chain_1.csv"), "--strict");
    expect([one.code, one.stdout]).toEqual([0, expect.stringMatching(/can be used, with care/)]);
    expect((await ergodic("diagnose", file("nothing"), "--strict")).code).toBe(1);
    expect((await ergodic("diagnose", bad, "--strict", "--plot", "nu")).code).toBe(2);
  });
});

describe("Arrow", () => {
  it("holds the library's draws, is read from its file and its folder, and replaces earlier draws", async () => {
    const out = file("arrow");
    await works("sample", model, ...short, "--quiet", "--out", out);
    const before = await works("summary", out);
    const csv = await loadDraws(out);
    await works("sample", model, ...short, "--quiet", "--out", out, "--format", "arrow");
    expect(readdirSync(out)).toEqual(["draws.arrow"]);
    const draws = await readDrawsArrow(readFileSync(join(out, "draws.arrow")));
    const ours = await sample(schools, data, { chains: 2, warmup: 200, draws: 100, seed: 3 });
    for (const name of ["mu", "tau", "theta"])
      for (const read of [csv, draws]) expect(read.draws(name)).toEqual(ours.draws(name));
    renameSync(join(out, "draws.arrow"), join(out, "posterior.arrow"));
    for (const path of [out, join(out, "posterior.arrow")]) {
      expect((await works("summary", path)).stdout).toBe(before.stdout);
      expect((await works("diagnose", path)).stdout).toMatch(/E-BFMI/);
    }
  });

  it("removes other runs from the folder, and refuses to guess between two", async () => {
    const out = file("both");
    await works("sample", here("schools.ts"), ...short, "--quiet", "--out", out, "--format", "arrow");
    const arrow = readFileSync(join(out, "draws.arrow"));
    await works("sample", here("schools.ts"), ...short, "--quiet", "--out", out, "--format", "json");
    expect(readdirSync(out)).toEqual(["draws.json"]);
    expect((await ergodic("summary", here("."))).stderr).toMatch(
      /there is no draws\.json, CSV or Arrow file in this folder; give/,
    );
    writeFileSync(join(out, "draws.arrow"), arrow);
    const { code, stderr } = await ergodic("summary", out);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/both: the folder holds draws\.arrow, draws\.json; give the file/)]);
    writeFileSync(join(out, "cut.arrow"), arrow.subarray(0, 400));
    expect((await ergodic("summary", join(out, "cut.arrow"))).stderr).toMatch(/cut\.arrow: the bytes cannot be read as an Arrow/);
  });

  it("refuses devices, which may be endless, as CSV does", async () => {
    for (const name of ["draws.arrow", "chain_1.csv"]) {
      const out = file(`device of ${name}`);
      mkdirSync(out);
      symlinkSync("/dev/zero", join(out, name));
      for (const path of [out, join(out, name)]) {
        const { code, stderr } = await ergodic("summary", path);
        expect([code, stderr]).toEqual([1, expect.stringContaining(`${name}: cannot be read: it is a device, but must be`)]);
      }
    }
  });

  it("reports before the run that it needs apache-arrow", async () => {
    vi.resetModules();
    vi.doMock("apache-arrow", () => {
      throw new Error("Cannot find package 'apache-arrow'");
    });
    onTestFinished(() => void vi.doUnmock("apache-arrow"));
    const out = file("without");
    // Commands are loaded when they run, so their errors must come from the same modules as the command line.
    const fresh = await import("./captured.ts");
    const { code, stderr } = await fresh.ergodic("sample", here("none.mjs"), "--out", out, "--format", "arrow");
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^ergodic: .*run npm install apache-arrow.*\[ARROW_MISSING\]\n$/)]);
    expect(existsSync(out)).toBe(false);
  });
});

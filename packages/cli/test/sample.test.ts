/** Models from the command line: sampled, approximated, written, summarised and diagnosed. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadDraws, sample } from "ergodic";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { captured, ergodic, temporary, works } from "./captured.ts";
import schools, { data } from "./models/schools.mjs";

const file = temporary();
const here = (name: string): string => fileURLToPath(new URL(`models/${name}`, import.meta.url));
const model = here("schools.mjs");
const short = ["--chains", "2", "--warmup", "200", "--draws", "100", "--seed", "3"];

describe("sample", () => {
  it("gives the library's draws, a summary and a verdict", async () => {
    const out = file("draws");
    const { stdout, stderr } = await works("sample", model, "--seed", "1", "--out", out);
    expect(stderr.split("\n")[0]).toBe("schools: 10 unconstrained numbers · nuts · 4 chains of 1,000 + 1,000 · seed 1");
    expect(stderr).toMatch(/100 % {2}1,000 draws a chain · \d+ divergences · step 0\.\d+ · R-hat 1\.0\d\d/);
    expect(stdout).toMatch(/^ +mean +mcse +sd +q5 +q50 +q95 +ess bulk +ess tail +R-hat\nmu .*\ntau .*\ntheta\[1\] /);
    expect(stdout).toMatch(/These draws can be (trusted|used)/);
    const ours = await sample(schools, data, { seed: 1 });
    const read = await loadDraws(out);
    for (const name of ["mu", "tau", "theta"]) expect(read.draws(name)).toEqual(ours.draws(name));
    expect(readdirSync(out).sort()).toEqual(["chain_1.csv", "chain_2.csv", "chain_3.csv", "chain_4.csv", "draws.json"]);
  });

  it("takes data from a file, a sampler with options, and answers in JSON", async () => {
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

  it("reads a model of TypeScript", async () => {
    const { stdout } = await works("sample", here("schools.ts"), ...short, "--quiet", "--json");
    expect(Object.keys(JSON.parse(stdout).summary)).toEqual(["mu"]);
  });

  it("is kept on Ctrl-C, says how to go on, and goes on bit for bit", async () => {
    const terminal = captured();
    const kept = file("kept.checkpoint");
    const words = ["--chains", "2", "--warmup", "200", "--draws", "20000", "--seed", "3", "--checkpoint", kept];
    const running = runCommandLine(["sample", model, ...words], terminal);
    // Once it is at work, and listens.
    while (!/ % {2}/.test(terminal.stderr)) await new Promise((resolve) => setTimeout(resolve, 2));
    terminal.interrupt();
    expect(await running).toBe(1);
    expect(terminal.stderr).toMatch(
      /interrupted; the run so far is kept in .*kept\.checkpoint, go on with: ergodic sample .* --resume /,
    );
    const out = file("resumed");
    await works("sample", model, "--resume", kept, "--out", out, "--quiet", "--format", "json");
    const whole = await sample(schools, data, { chains: 2, warmup: 200, draws: 20_000, seed: 3 });
    expect((await loadDraws(out)).draws("mu")).toEqual(whole.draws("mu"));
    const refused = await ergodic("sample", model, "--resume", kept, "--seed", "4");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/--seed was given, but --resume/)]);
  });

  it("says what is wrong with the command line", async () => {
    for (const [words, message] of [
      [[here("number.mjs")], /the default export is number, but must be a model/],
      [[here("none.mjs")], /cannot be read: no such file/],
      [[model, "--algorithm", "nut"], /"nut" is not known \(known: nuts, hmc/],
      [[model, "--algorithm", "nuts:depth=3"], /depth/],
      [[model, "--format", "xml"], /take csv or json/],
      [[model, "--data", here("schools.mjs")], /is not JSON/],
      [[model, "--chains", "0"], /chains is 0/],
    ] as const) {
      const { code, stderr } = await ergodic("sample", ...words);
      expect(stderr).toMatch(message);
      expect(code).toBeGreaterThan(0);
    }
  });
});

describe("approximate", () => {
  it.each(["pathfinder", "meanfield", "fullrank", "svgd"])("by %s", async (method) => {
    const { stdout } = await works("approximate", model, "--method", method, "--draws", "250", "--json", "--quiet");
    const { summary, report } = JSON.parse(stdout);
    // The posterior of mu is 4.4 ± 3.3; a poor approximation is flagged.
    expect(Math.abs(summary.mu.mean - 4.4)).toBeLessThan(3.3);
    if (method !== "svgd") expect(report.paretoK).toEqual(expect.any(Number));
  });

  it("refuses a method that it does not know", async () => {
    const { code, stderr } = await ergodic("approximate", model, "--method", "laplace");
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/"laplace" is not known \(known: pathfinder, meanfield, fullrank, svgd\)/),
    ]);
  });
});

describe("summary and diagnose", () => {
  const out = file("kept");

  it("read what was written", async () => {
    await works("sample", model, "--seed", "1", "--out", out, "--quiet");
    const { stdout } = await works("summary", out, "--of", "mu,tau", "--probabilities", "0.1,0.9");
    expect(stdout.split("\n").map((line) => line.slice(0, 4).trim())).toEqual(["", "mu", "tau", ""]);
    expect(stdout).toMatch(/q10 +q90/);
    const { summary } = JSON.parse((await works("summary", out, "--json")).stdout);
    expect(summary.mu.mean).toBeCloseTo((await loadDraws(out)).summary().mu.mean, 12);
    const one = await works("summary", join(out, "chain_1.csv"), "--of", "mu");
    expect(one.stdout).toMatch(/^mu /m);
  });

  it("say whether to trust it, and draw a number", async () => {
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
    expect(readFileSync(join(out, "draws.json"), "utf8")).toMatch(/"nuts"/);
  });
});

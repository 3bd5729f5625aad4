/** Graphs on the command line: reading, inference, writing, interruption and resumption. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readGraphJson, writeDimmWitted, writeGraphJson, writeUai } from "@ergodic/ingest/graphs";
import { factorGraph, infer } from "ergodic";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { captured, ergodic, temporary, works } from "./captured.ts";

const file = temporary();

function sprinkler() {
  const graph = factorGraph();
  graph.variable("rain", ["no", "yes"]);
  graph.variable("wet", ["no", "yes"]);
  graph.table(["rain"], [0.8, 0.2]);
  graph.table(
    ["rain", "wet"],
    [
      [0.9, 0.1],
      [0.2, 0.8],
    ],
  );
  return graph;
}

describe("infer", () => {
  const path = file("sprinkler.json");
  writeFileSync(path, writeGraphJson(sprinkler()));
  writeFileSync(file("one.evid"), "1 1 1\n");

  it("prints probabilities, the work done and the certificate", async () => {
    const { stdout, stderr } = await works("infer", path, "--evidence", "wet=yes");
    expect(stderr.split("\n")[0]).toBe(`${path}: 2 variables, 2 factors`);
    // 0.2 · 0.8 / (0.2 · 0.8 + 0.8 · 0.1)
    expect(stdout).toMatch(/^rain {2}no 0\.3333 {2}yes 0\.6667\nwet {3}no 0\.0000 {2}yes 1\.0000\n.*\ncertificate: exact\n/);
  });

  it("performs the other tasks, and writes JSON and UAI result files", async () => {
    const uai = file("sprinkler.uai");
    writeFileSync(uai, writeUai(sprinkler()));
    const evidence = file("sprinkler.evid");
    writeFileSync(evidence, "2\n1 1 1\n1 0 0\n");
    const out = file("answer.PR");
    const { stdout } = await works(
      "infer",
      uai,
      "--evidence",
      evidence,
      "--task",
      "partition",
      "--out",
      out,
      "--json",
      "--quiet",
    );
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ command: "infer", task: "partition", certificate: { exact: true }, out });
    expect(answer.logZ).toBeCloseTo(Math.log(0.24), 12);
    expect(readFileSync(out, "utf8")).toBe(`PR\n${answer.logZ / Math.LN10}\n`);
    const second = await works("infer", uai, "--evidence", evidence, "--sample", "1", "--task", "partition", "--json");
    expect(JSON.parse(second.stdout).logZ).toBeCloseTo(Math.log(0.8), 12);
    const best = await works("infer", path, "--task", "map");
    expect(best.stdout).toMatch(/^rain {2}no\nwet {3}no\nln of the product of the factors: -0\.3\d+; no state has more\n/);
    expect((await works("infer", path, "--algorithm", "miniBuckets", "--task", "partition")).stdout).toMatch(
      /mini-bucket elimination/,
    );
  });

  it("reads evidence about variables whose names contain commas in brackets", async () => {
    const graph = factorGraph();
    for (const name of ["friends(a,b)", "b[1,2]", "odd("]) graph.variable(name, ["no", "yes"]);
    graph.table(
      ["friends(a,b)", "b[1,2]"],
      [
        [0.4, 0.1],
        [0.1, 0.4],
      ],
    );
    graph.table(["odd("], [0.5, 0.5]);
    const named = file("named.json");
    writeFileSync(named, writeGraphJson(graph));
    const given = async (evidence: string) =>
      JSON.parse((await works("infer", named, "--evidence", evidence, "--json", "--quiet")).stdout).marginals;
    expect((await given("friends(a,b)=yes"))["b[1,2]"].p[1]).toBeCloseTo(0.8, 12);
    const both = await given("b[1,2]=no,friends(a,b)=yes");
    expect([both["b[1,2]"].p, both["friends(a,b)"].p]).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect((await given("odd(=yes"))["odd("].p).toEqual([0, 1]);
  });

  it("recognises a folder of DimmWitted's files", async () => {
    const graph = factorGraph();
    const weight = graph.weight("bias", 0.5 * Math.log(3));
    for (const name of ["0", "1"]) {
      graph.variable(name);
      graph.isTrue(name, { weight });
    }
    graph.observe("1", true);
    const folder = file("spouses.json");
    mkdirSync(folder);
    for (const [name, bytes] of Object.entries(writeDimmWitted(graph))) writeFileSync(join(folder, name), bytes);
    const { stdout } = await works("infer", folder, "--json", "--quiet");
    expect(Object.values<{ p: number[] }>(JSON.parse(stdout).marginals)[0].p[1]).toBeCloseTo(0.75, 12);
    await works("learn", folder, "--epochs", "1", "--quiet");
    const other = file("empty");
    mkdirSync(other);
    const { stderr } = await ergodic("infer", other);
    expect(stderr).toMatch(/the folder .*empty has no graph\.weights; it must have graph\.weights, graph\.variables/);
  });

  it("writes -Infinity in JSON for impossible evidence", async () => {
    const graph = factorGraph();
    graph.variable("a", ["no", "yes"]);
    graph.table(["a"], [1, 0]);
    const never = file("never.json");
    writeFileSync(never, writeGraphJson(graph));
    const { stdout } = await works("infer", never, "--evidence", "a=yes", "--task", "partition", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ logZ: "-Infinity", certificate: { exact: true } });
  });

  it("writes a rough answer to every task if the time limit is already over", async () => {
    const graph = factorGraph();
    for (let v = 0; v < 400; v++) graph.variable(`x${v}`);
    for (let v = 0; v < 400; v++) for (const w of [1, 20, 33]) graph.equal([v, (v + w) % 400], { weight: w === 33 ? -0.3 : 0.4 });
    const wide = file("wide.json");
    writeFileSync(wide, writeGraphJson(graph));
    const out = file("rough.MAR");
    const { stdout } = await works("infer", wide, "--seconds", "0.000001", "--out", out);
    expect(stdout).toContain("\ncertificate: no guarantee: the run ended before its algorithm had an answer\n");
    expect(stdout).toMatch(/: time is up; written to /);
    expect(readFileSync(out, "utf8").split("\n")[1].split(" ").length).toBe(1 + 3 * 400);
    for (const task of ["partition", "map"]) {
      const made = JSON.parse((await works("infer", wide, "--seconds", "0.000001", "--task", task, "--json")).stdout);
      expect([task, Object.keys(made.certificate)]).toEqual([task, ["lower", "upper"]]);
    }
  });

  it("reads evidence by a state's name if it exists, else by its number, and in a file always by number", async () => {
    const graph = factorGraph();
    graph.variable("size", ["1", "2", "more"]);
    graph.variable("digit", [1, 2, 5]);
    graph.table(["size", "digit"], Float64Array.of(0.01, 0.02, 0.03, 0.04, 0.1, 0.2, 0.15, 0.25, 0.2));
    const sizes = file("sizes.json");
    writeFileSync(sizes, writeGraphJson(graph));
    const evidence = file("sizes.evid");
    const probability = async (given: string): Promise<number> =>
      Math.exp(JSON.parse((await works("infer", sizes, "--evidence", given, "--task", "partition", "--json")).stdout).logZ);
    expect(await probability("size=1,digit=2")).toBeCloseTo(0.02, 12);
    expect(await probability("size=0,digit=5")).toBeCloseTo(0.03, 12);
    expect(await probability("0=more,1=1")).toBeCloseTo(0.15, 12);
    writeFileSync(evidence, "2 0 1 1 2\n");
    expect(await probability(evidence)).toBeCloseTo(0.2, 12);
    writeFileSync(evidence, "1 1 5\n");
    const { code, stderr } = await ergodic("infer", sizes, "--evidence", evidence);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('sizes.evid:1:5: the state of variable 1 is "5", but must be a whole number from 0 to 2'),
    ]);
  });

  it("uses the given options, and a limit of 60 seconds by default", async () => {
    const planOf = async (...words: string[]) =>
      JSON.parse((await works("infer", path, "--json", ...words)).stdout).description.plan;
    expect(await planOf()).toEqual({ task: "marginals", seed: 0, memory: 1.5, seconds: 60 });
    expect(await planOf("--seconds", "5", "--seed", "7", "--memory", "0.5", "--task", "map")).toEqual({
      task: "map",
      seed: 7,
      memory: 0.5,
      seconds: 5,
    });
    expect(await planOf("--deterministic")).toMatchObject({ deterministic: true });
    const zipped = file("sprinkler.json.gz");
    writeFileSync(zipped, gzipSync(readFileSync(path)));
    const { stdout, stderr } = await works("infer", zipped);
    expect(stdout).toContain("certificate: exact");
    expect(stderr.split("\n")[1]).toMatch(/^\S+ s: 0 of 2 parts left|^\S+ m?s: 0 of 1 part left/);
  });

  it("gibbs selects graphGibbs, with the same answer for any number of workers", async () => {
    const [one, two] = await Promise.all(
      ["1", "2"].map(async (workers) =>
        JSON.parse((await works("infer", path, "--algorithm", "gibbs", "--workers", workers, "--json")).stdout),
      ),
    );
    expect(one.method).toMatch(/^chromatic Gibbs: 4 chains of \d+ sweeps/);
    expect(one.description.algorithm).toMatchObject({ algorithm: "graphGibbs", schedule: "chromatic" });
    expect(Object.keys(one.certificate)).toEqual(["mcse", "rhat", "ess"]);
    // 0.8 · 0.1 + 0.2 · 0.8
    expect(Math.abs(one.marginals.wet.p[1] - 0.24)).toBeLessThan(4 * 0.003);
    expect(two.marginals).toEqual(one.marginals);
  });

  const beyond = file("beyond.evid");
  writeFileSync(beyond, "1 9 0\n");
  it.each([
    [["infer", path, "--out", path], /--out/],
    [["infer", path, "--evidence", file("one.evid"), "--sample", "1"], /1 was given, but .* has 1 sample; count from 0/],
    [["infer", path, "--resume", file("none.checkpoint"), "--seed", "1"], /--seed/],
    [["infer", path, "--evidence", "rain=yes,rain=no"], /"rain" is given twice/],
    [["infer", path, "--evidence", "rainn=yes"], /did you mean "rain"\?/],
    [["infer", path, "--evidence", "rain=maybe"], /maybe/],
    [["infer", path, "--evidence", "rain=yes,wet"], /"wet" is not variable=state/],
    [["infer", path, "--evidence", "rain=yes", "--sample", "2"], /--evidence is not a file of samples/],
    [["infer", path, "--sample", "2"], /2 was given, but there is no evidence file/],
    [
      ["infer", path, "--evidence", beyond],
      /beyond\.evid:1:3: an observed variable is "9", but must be a whole number from 0 to 1/,
    ],
    [
      ["infer", path, "--algorithm", "luck"],
      /"luck" is not known \(known: auto, gibbs, annealedImportanceSampling, automatic, elimination/,
    ],
    [["infer", file("graph.txt")], /does not show the format; add --format uai\|bif\|fg\|json\|dimmwitted/],
    [["infer", path, "--task", "luck"], /It must be marginals, partition or map/],
    [["infer", file("none.uai")], /there is no such file/],
  ])("refuses %j", async (words, message) => {
    const { code, stderr } = await ergodic(...words);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });

  it("saves a checkpoint on Ctrl-C and resumes from it", async () => {
    const wide = factorGraph();
    for (let i = 0; i < 225; i++) wide.variable(`v${i}`);
    for (let i = 0; i < 225; i++)
      for (const to of [i % 15 < 14 ? i + 1 : -1, i + 15])
        if (to >= 0 && to < 225)
          wide.table(
            [`v${i}`, `v${to}`],
            [
              [1, 0.5 + (i % 3) / 10],
              [0.4, 1],
            ],
          );
    const graph = file("wide.json");
    writeFileSync(graph, writeGraphJson(wide));
    const checkpoint = file("kept.checkpoint");
    const terminal = captured({ live: true, interruptAt: / parts? left/ });
    const words = [
      "infer",
      graph,
      "--task",
      "partition",
      "--algorithm",
      "annealedImportanceSampling",
      "--checkpoint",
      checkpoint,
    ];
    expect(await runCommandLine(words, terminal)).toBe(1);
    expect(terminal.stderr).toMatch(/interrupted; the run is saved in .*; resume it with: ergodic infer .* --resume /);
    expect(existsSync(checkpoint)).toBe(true);
    const resumed = await works("infer", graph, "--resume", checkpoint, "--seconds", "0.1", "--json", "--quiet");
    expect(JSON.parse(resumed.stdout).task).toBe("partition");
    expect((await readGraphJson(graph)).variableCount).toBe(225);
    expect((await infer(sprinkler())).certificate).toEqual({ exact: true });
  });
});

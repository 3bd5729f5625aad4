/** Weights of graphs on the command line: learning, writing, interruption and resumption. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { readGraphJson, writeGraphJson } from "@ergodic/ingest/graphs";
import { factorGraph } from "ergodic";
import { describe, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";

const file = temporary();

/** Seven of ten coins show heads, so the weight of ±1 is half the log odds. */
function coins(count = 100) {
  const graph = factorGraph();
  const weight = graph.weight("heads");
  for (let i = 0; i < count; i++) {
    graph.variable(`coin ${i}`);
    graph.isTrue(`coin ${i}`, { weight });
    graph.observe(`coin ${i}`, i % 10 < 7);
  }
  return graph;
}

const path = file("coins.json");
writeFileSync(path, writeGraphJson(coins()));
const best = 0.5 * Math.log(7 / 3);

describe("learn", () => {
  it("prints the weights and writes the graph with them", async () => {
    const out = file("learned.json");
    const { stdout, stderr } = await works("learn", path, "--algorithm", "pseudoLikelihood", "--out", out);
    expect(stderr.split("\n")[0]).toBe(`${path}: 100 variables, 1 weight`);
    expect(stdout).toMatch(/^heads {2}0\.4236\n.*written to /);
    const learned = await readGraphJson(out);
    expect(learned.weightState("heads").value).toBeCloseTo(best, 3);
    expect(learned.observedState("coin 3")).toBe(1);
  });

  it("reports everything in JSON, including held-out evidence", async () => {
    const { stdout } = await works("learn", path, "--held-out", "0.2", "--l2", "0.1", "--seed", "3", "--json", "--quiet");
    const said = JSON.parse(stdout);
    expect(said).toMatchObject({ command: "learn", graph: path, out: null, run: { updates: 500 } });
    expect(said.heldOut).toBeGreaterThan(5);
    expect(said.weights).toHaveLength(1);
    // The penalty pulls the weight towards 0.
    expect(said.weights[0].value).toBeGreaterThan(0.2);
    expect(said.weights[0].value).toBeLessThan(best);
  });

  it("leaves the named weights without a penalty, and unnamed ones by number", async () => {
    const three = coins();
    for (const name of ["tails", undefined]) three.isTrue(0, { weight: three.weight(name), feature: -1 });
    const graph = file("three.json");
    writeFileSync(graph, writeGraphJson(three));
    const weights = async (...given: string[]): Promise<number[]> => {
      const options = ["--algorithm", "pseudoLikelihood", "--l2", "2", "--quiet", "--json", "--epochs", "40"];
      const { stdout } = await works("learn", graph, ...options, ...given);
      return JSON.parse(stdout).weights.map(({ value }: { value: number }) => value);
    };
    const [none, one, two] = [
      await weights(),
      await weights("--unpenalised", "heads"),
      await weights("--unpenalised", "2", "--unpenalised", "heads"),
    ];
    expect(one[0]).toBeGreaterThan(2 * none[0]);
    expect(one[2] / none[2]).toBeLessThan(2);
    expect(Math.abs(two[2])).toBeGreaterThan(2 * Math.abs(one[2]));
    const refused = await ergodic("learn", graph, "--unpenalised", "head");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/there is no weight "head"; did you mean "heads"\?/);
    const kept = file("three.checkpoint");
    await works("learn", graph, "--epochs", "2", "--checkpoint", kept, "--quiet");
    expect((await ergodic("learn", graph, "--resume", kept, "--unpenalised", "heads")).stderr).toMatch(
      /--unpenalised was given, but --resume/,
    );
  });

  it("resumes from a checkpoint and writes the same bytes", async () => {
    const [whole, half, kept] = [file("whole.json"), file("half.json"), file("half.checkpoint")];
    await works("learn", path, "--epochs", "4", "--out", whole, "--quiet");
    await works("learn", path, "--epochs", "2", "--checkpoint", kept, "--quiet");
    await works("learn", path, "--epochs", "4", "--resume", kept, "--out", half, "--quiet");
    expect(readFileSync(half, "utf8")).toBe(readFileSync(whole, "utf8"));
    const refused = await ergodic("learn", path, "--resume", kept, "--l2", "1");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/--l2 was given, but --resume/);
  });

  it.skipIf(process.platform !== "linux")("stores the result elsewhere if the disk is full, as infer does", async () => {
    const evidence = file("tossed.json");
    await works("learn", path, "--out", evidence, "--quiet", "--epochs", "2", "--seed", "1");
    for (const [command, graph] of [
      ["learn", path],
      ["infer", evidence],
    ]) {
      const limits = command === "learn" ? ["--epochs", "2", "--seed", "1"] : ["--task", "partition"];
      const { code, stderr } = await ergodic(command, graph, ...limits, "--quiet", "--out", "/dev/full");
      expect(code).toBe(1);
      const [, kept] = /the disk is full; the result is kept in (\S+); move it/.exec(stderr) ?? [];
      expect(stderr).toContain("[FILE_WRITE]");
      if (command === "learn") expect(readFileSync(kept, "utf8")).toBe(readFileSync(evidence, "utf8"));
      else expect(readFileSync(kept, "utf8")).toMatch(/^PR\n/);
      rmSync(kept);
    }
  });

  it("averages replicas, and reports what the weights of racing workers are", async () => {
    const [one, two] = [file("one.json"), file("two.json")];
    const replicas = ["--epochs", "6", "--replicas", "2", "--average-every", "3", "--quiet"];
    await works("learn", path, ...replicas, "--out", one);
    await works("learn", path, ...replicas, "--workers", "2", "--deterministic", "--out", two);
    expect(readFileSync(two, "utf8")).toBe(readFileSync(one, "utf8"));
    const racing = ["--replicas", "shared", "--workers", "2", "--epochs", "2", "--quiet"];
    const { stdout } = await works("learn", path, ...racing);
    expect(stdout).toMatch(/2 workers raced on one vector of weights.*use --replicas 2/);
    const said = JSON.parse((await works("learn", path, ...racing, "--json")).stdout);
    expect(said.findings).toMatchObject([{ code: "racing" }]);
    expect(JSON.parse((await works("learn", path, ...replicas, "--json")).stdout).findings).toEqual([]);
    const refused = await ergodic("learn", path, "--replicas", "2", "--algorithm", "pseudoLikelihood");
    expect(refused.stderr).toMatch(/pseudoLikelihood\(\) computes a single gradient/);
    expect((await ergodic("learn", path, "--replicas", "many")).stderr).toMatch(/--replicas/);
  });

  it("reports invalid arguments", async () => {
    expect((await ergodic("learn", path, "--algorithm", "pcd")).stderr).toMatch(/"pcd" is not known .*contrastiveDivergence/);
    const bare = file("bare.json");
    const graph = factorGraph();
    graph.variable("a");
    graph.isTrue("a", { weight: 1 });
    graph.observe("a", true);
    writeFileSync(bare, writeGraphJson(graph));
    expect((await ergodic("learn", bare)).stderr).toMatch(/no weight to learn/);
    const help = await works("learn", "--help");
    expect(help.stdout).toMatch(/--held-out <share>/);
  });
});

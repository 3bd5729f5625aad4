/**
 * Bit replicas through the public API: correct errors, warnings of stuck replicas, equal bytes at any number of
 * workers, and refused graphs.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { elimination, type FactorGraph, factorGraph, infer, replicaGibbs } from "../../../../src/entries/everything.ts";
import { judge } from "../../../../src/graphs/sampling/gibbs/chain-sums.ts";
import { BitLayout } from "../../../../src/graphs/sampling/replicas/bit-layout.ts";
import { power } from "../../../power.ts";
import { binomialLimit } from "../../../reference/binomial-limit.ts";
import { gridEdges } from "../../../reference/random-graph.ts";
import { expectContinued, expectShared } from "../gibbs/continued-runs.ts";

const engine = await openEngine({ families: ["graphs"] });

/** A lattice of ±w, with or without wrap-around, with fields of two sizes and one observed variable. */
function glass(rows: number, columns: number, { seed = 0, weight = 0.3, around = true } = {}): FactorGraph {
  const draws = stream(seed, "glass").at(0);
  const graph = factorGraph();
  for (let i = 0; i < rows * columns; i++) graph.variable();
  for (const [a, b] of gridEdges(rows, columns, around)) graph.equal([a, b], { weight: draws.bits() & 1 ? weight : -weight });
  for (let i = 0; i < rows * columns; i += 3) graph.isTrue(i, { weight: draws.bits() & 1 ? 0.2 : 0.6 });
  graph.observe(1, true);
  return graph;
}

describe("replicaGibbs", () => {
  it.each([64, 192])("has errors as large as claimed, %i replicas", async (replicas) => {
    const lattices = power(40, 300);
    let [beyond2, beyond4, count] = [0, 0, 0];
    for (let seed = 0; seed < lattices; seed++) {
      const graph = glass(3, 4 + (seed % 3), { seed, weight: 0.2 + 0.01 * (seed % 60), around: seed % 2 === 0 });
      const exact = await infer(graph, { algorithm: elimination() });
      const found = await infer(graph, { algorithm: replicaGibbs({ replicas, mcse: 0.005 }), seed });
      for (const variable of found.variables) {
        const { p, certificate } = found.marginal(variable);
        if ("exact" in certificate) {
          expect(p).toEqual(exact.marginal(variable).p);
          continue;
        }
        if (!("mcse" in certificate)) throw new Error(`seed ${seed}, ${variable}: ${JSON.stringify(certificate)}`);
        expect(certificate.mcse[0]).toBeLessThan(0.01);
        const off = Math.abs(p[0] - exact.marginal(variable).p[0]) / certificate.mcse[0];
        count++;
        if (off > 2) beyond2++;
        if (off > 4) beyond4++;
      }
    }
    console.log(`of ${count} probabilities ${beyond2} are off by more than 2 standard errors, ${beyond4} by more than 4`);
    expect(count).toBeGreaterThan((40 / 3) * lattices);
    // Among 11,197 errors from 800 other lattices, 5.8 % (64 replicas) and 4.8 % (192) exceeded 2, and 2 exceeded 4.
    // Scores within a lattice are strongly correlated, so its share beyond 2 has a deviation of 0.11. The probability
    // of a false alarm is 1e-3 and 1e-4.
    expect(beyond2).toBeLessThan((0.055 + (3.1 * 0.11) / Math.sqrt(lattices)) * count);
    expect(beyond4).toBeLessThan(binomialLimit(count, 2 / 11_197, 1.5e-4));
  });

  it("is exact for isolated and observed variables", async () => {
    const graph = factorGraph();
    for (const name of ["a", "b", "c"]) graph.variable(name);
    graph.isTrue("a", { weight: 0.5 });
    graph.equal(["b", "c"], { weight: 0.5 });
    graph.observe("c", true);
    const answer = await infer(graph, { algorithm: replicaGibbs() });
    for (const [name, p] of [
      ["a", 1 / (1 + Math.exp(-1))],
      ["b", 1 / (1 + Math.exp(-1))],
      ["c", 1],
    ] as const) {
      expect(answer.marginal(name).certificate).toEqual({ exact: true });
      expect(answer.marginal(name).p[1]).toBeCloseTo(p, 12);
    }
  });

  it("does not trust a magnet that cannot turn over, with any seed", async () => {
    const graph = factorGraph();
    for (let i = 0; i < 64; i++) graph.variable();
    for (const [a, b] of gridEdges(8, 8, true)) graph.equal([a, b], { weight: 1 });
    graph.isTrue(0, { weight: 0.01 });
    for (let seed = 0; seed < power(6, 20); seed++) {
      const { certificate } = await infer(graph, { algorithm: replicaGibbs({ sweeps: 1500 }), seed });
      expect(certificate).toEqual({ none: expect.stringMatching(/disagree/) });
    }
  });

  it("detects in R-hat that one group of replicas is stuck, in either state", () => {
    for (const own of [0, 1]) {
      const means = [own, ...new Array<number>(7).fill(0.5)];
      const variances = new Array<number>(8).fill(0.25);
      expect(judge({ means, variances, replicas: 8 }, 10_000).rhat).toBeGreaterThan(1.3);
      expect(judge({ means: means.fill(0.5), variances, replicas: 8 }, 10_000).rhat).toBeLessThan(1.001);
    }
  });

  it("has no error for a constant state and its neighbour, but has one for a certain state", async () => {
    const graph = factorGraph();
    for (const name of ["a", "b", "c", "d", "e"]) graph.variable(name);
    // Both alike, and almost never in the second state, which changes of one variable do not reach.
    graph.table(["a", "b"], [1, 1e-9, 1e-9, 1]);
    graph.isTrue("a", { weight: 12 });
    graph.equal(["b", "c"], { weight: 0.3 });
    graph.equal(["c", "d"], { weight: 0.3 });
    graph.isTrue("e", { weight: 10 });
    graph.equal(["d", "e"], { weight: 0.3 });
    const answer = await infer(graph, { algorithm: replicaGibbs({ sweeps: 1500 }) });
    const said = (name: string): string => JSON.stringify(answer.marginal(name).certificate);
    expect(said("b")).toContain("its state never changed");
    expect(said("c")).toContain("a neighbour's state never changed");
    for (const name of ["d", "e"]) expect(said(name)).toContain("mcse");
  });

  it("computes the same replicas at 1 and 3 workers that share colours", async () => {
    const graph = glass(130, 130);
    const layout = new BitLayout(graph.conditionals(), engine.memory);
    expect(layout.colourEnds[0]).toBeGreaterThan(8192);
    layout.dispose();
    await expectShared(graph, replicaGibbs({ warmup: 4, sweeps: 100 }), engine);
  });

  it("resumes a large lattice from the middle of a sweep to the same bytes with other workers", async () => {
    const graph = glass(120, 150);
    await expectContinued(graph, replicaGibbs({ replicas: 128, warmup: 5, sweeps: 100 }), engine);
  });

  it("refuses unsuitable graphs with the reason and the remedy", async () => {
    const refused = async (make: (graph: FactorGraph) => void, reason: RegExp): Promise<void> => {
      const graph = factorGraph();
      for (let i = 0; i < 20; i++) graph.variable();
      make(graph);
      const failure = await infer(graph, { algorithm: replicaGibbs() }).then(undefined, (error) => error);
      expect(String(failure)).toMatch(reason);
      expect(String(failure)).toMatch(/use graphGibbs\(\) for this graph \[GRAPH_REPLICAS\]/);
    };
    await refused((graph) => graph.variable("word", 3), /word has 3 states/);
    await refused((graph) => graph.or([0, 1, 2], { weight: 1 }), /a factor has 3 variables \(x0, x1, x2\)/);
    await refused((graph) => graph.atMost(1, [0, 1]), /a factor of .* is 0 in some state, but must be above 0/);
    await refused((graph) => {
      for (let i = 1; i < 6; i++) graph.equal([0, i], { weight: 0.1 * i });
    }, /x0 has 32 conditional probabilities .* at most 16/);
    await refused((graph) => {
      for (let i = 20; i < 300; i++) {
        graph.variable();
        graph.isTrue(i, { weight: i / 300 });
        graph.equal([i - 1, i], { weight: 1 });
      }
    }, /more than 256 sets/);
    expect(() => replicaGibbs({ replicas: 100 })).toThrow(/replicas is 100, but must be a multiple of 64 .*\[OPTION_RANGE\]/);
  });

  it("accepts sixteen levels: fifteen equal neighbours, or four different ones", async () => {
    const graph = factorGraph();
    for (let i = 0; i < 20; i++) graph.variable();
    for (let i = 1; i < 16; i++) graph.equal([0, i], { weight: 0.1 });
    for (let i = 16; i < 20; i++) graph.equal([1, i], { weight: 0.3 });
    graph.isTrue(0, { weight: 0.2 });
    const exact = await infer(graph, { algorithm: elimination() });
    const found = await infer(graph, { algorithm: replicaGibbs({ mcse: 0.001 }) });
    for (const variable of found.variables) {
      const { p, certificate } = found.marginal(variable);
      if (!("mcse" in certificate)) throw new Error(JSON.stringify(certificate));
      // One of twenty scores exceeds 5 with a probability of 1e-5.
      expect(Math.abs(p[1] - exact.marginal(variable).p[1])).toBeLessThan(5 * certificate.mcse[1]);
    }
  });
});

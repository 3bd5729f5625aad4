/**
 * Gibbs sampling on graphs through the public API: correct errors, warnings of stuck chains, and equal bytes at any
 * number of workers.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { elimination, factorGraph, graphGibbs, infer, is } from "../../../../src/entries/everything.ts";
import { coloursOf } from "../../../../src/graphs/sampling/gibbs/colours.ts";
import { Layout } from "../../../../src/graphs/sampling/gibbs/layout.ts";
import { power } from "../../../power.ts";
import { gridEdges } from "../../../reference/random-graph.ts";
import { expectContinued, expectShared } from "./continued-runs.ts";

const engine = await openEngine({ families: ["graphs"] });

/** Booleans, three-state variables, pairs and wider factors, all without zeros. */
function mixedGraph(seed: number) {
  const draws = stream(seed, "mixed graph").at(0);
  const graph = factorGraph();
  for (let i = 0; i < 14; i++) graph.variable(undefined, i % 5 === 4 ? 3 : undefined);
  const literal = (i: number) => (i % 5 === 4 ? is(i, draws.integer(3)) : i);
  for (let i = 0; i < 14; i++) graph.isTrue(literal(i), { weight: draws.normal() });
  for (let i = 0; i < 13; i++) graph.equal([literal(i), literal(i + 1)], { weight: 0.5 * draws.normal() });
  graph.ratio([0, 2, literal(4), 6], literal(9), { weight: draws.normal() });
  graph.or([1, 3, literal(14 - 5)], { weight: draws.normal() });
  graph.imply([7, 8], 10, { weight: 2 * draws.normal() });
  graph.table(
    [4, 9, 11],
    Array.from({ length: 18 }, () => 0.2 + draws.uniform()),
  );
  graph.observe(3, true);
  graph.soft(12, [0.3, 0.6]);
  return graph;
}

describe("graphGibbs", () => {
  it("has errors as large as claimed, on graphs of all kinds of factors without zeros", async () => {
    let [beyond2, beyond4, count] = [0, 0, 0];
    const graphs = power(40, 120);
    for (let seed = 0; seed < graphs; seed++) {
      const graph = mixedGraph(seed);
      const exact = await infer(graph, { algorithm: elimination() });
      const schedule = (["chromatic", "sequential", "random"] as const)[seed % 3];
      const found = await infer(graph, { algorithm: graphGibbs({ schedule, mcse: 0.01 }), seed });
      for (const variable of found.variables) {
        const { p, certificate } = found.marginal(variable);
        if ("exact" in certificate) {
          expect(p).toEqual(exact.marginal(variable).p);
          continue;
        }
        if (!("mcse" in certificate)) throw new Error(`seed ${seed}, ${variable}: ${JSON.stringify(certificate)}`);
        const off = Math.abs(p[0] - exact.marginal(variable).p[0]) / certificate.mcse[0];
        count++;
        if (off > 2) beyond2++;
        if (off > 4) beyond4++;
      }
    }
    console.log(`of ${count} probabilities ${beyond2} are off by more than 2 standard errors, ${beyond4} by more than 4`);
    expect(count).toBeGreaterThan(12.5 * graphs);
    // Among 3,900 errors from 300 other graphs, 5.1 % exceeded 2, and 2 exceeded 4. If errors within a graph were
    // equal, 7.5 % of 120 graphs would have a probability of 12 %. Shares of graphs have a deviation of 0.09, so the
    // limit for 40 graphs is 3.4 deviations away.
    expect(beyond2).toBeLessThan(power(0.1, 0.075) * count);
    expect(beyond4).toBeLessThan(power(3, 5));
  });

  it("is exact for isolated and observed variables", async () => {
    const graph = factorGraph();
    for (const name of ["a", "b", "c"]) graph.variable(name);
    graph.isTrue("a", { weight: 0.5 });
    graph.equal(["b", "c"], { weight: 0.5 });
    graph.observe("c", true);
    const answer = await infer(graph, { algorithm: graphGibbs() });
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
      const { certificate } = await infer(graph, { algorithm: graphGibbs({ sweeps: 1500 }), seed });
      expect(Object.keys(certificate)).toEqual(["none"]);
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
    const answer = await infer(graph, { algorithm: graphGibbs({ sweeps: 1500 }) });
    const said = (name: string): string => JSON.stringify(answer.marginal(name).certificate);
    expect(said("b")).toContain("its state never changed");
    expect(said("c")).toContain("a neighbour's state never changed");
    for (const name of ["d", "e"]) expect(said(name)).toContain("mcse");
  });

  it("names the islands that exclusive literals form for single changes", async () => {
    const graph = factorGraph();
    for (const name of ["a", "b", "c"]) graph.variable(name);
    graph.oneOf(["a", "b", "c"]);
    const answer = await infer(graph, { algorithm: graphGibbs() });
    expect(answer.certificate).toEqual({ none: expect.stringMatching(/islands/) });
  });

  it("computes the same chains at 1 and 3 workers that share colours", async () => {
    const graph = factorGraph();
    const side = 130;
    for (let i = 0; i < side * side; i++) graph.variable();
    for (const [a, b] of gridEdges(side, side, true)) graph.equal([a, b], { weight: 0.1 });
    for (let i = 0; i < side * side; i += 3) graph.isTrue(i, { weight: Math.sin(i) });
    for (let i = 0; i < 200; i += 10) graph.ratio([i, i + 1, i + 2, i + 3], i + 4, { weight: 0.5 });
    const { ends } = coloursOf(graph.conditionals());
    expect(ends[0]).toBeGreaterThan(8192);
    const { state } = await expectShared(graph, graphGibbs({ chains: 2, warmup: 4, sweeps: 100 }), engine);
    expect(state).toMatchObject({ parts: [{ scouts: expect.anything() }] });
  });

  it("resumes a large graph from the middle of a sweep to the same bytes with other workers", async () => {
    const graph = factorGraph();
    for (let i = 0; i < 20000; i++) graph.variable();
    for (let i = 0; i < 19999; i++) graph.equal([i, i + 1], { weight: 0.4 });
    for (let i = 0; i < 19990; i += 7) graph.or([i, i + 3, i + 5], { weight: 0.4 });
    await expectContinued(graph, graphGibbs({ chains: 2, warmup: 10, sweeps: 100 }), engine);
  });

  it("refuses the checkpoint of another graph", async () => {
    const graph = mixedGraph(1);
    const bytes = await infer(graph, { algorithm: graphGibbs({ sweeps: 100 }) })
      .pause()
      .checkpoint();
    const other = graph.withEvidence({ x7: true });
    await expect(infer.resume(bytes, other)).rejects.toThrow(/another graph .* \[CHECKPOINT_MODEL\]/);
  });

  it("warns that Hogwild is biased if workers race, and otherwise runs sequentially", async () => {
    const graph = mixedGraph(3);
    const answer = async (schedule: "hogwild" | "sequential", workers: number) =>
      await infer(graph, { algorithm: graphGibbs({ schedule, sweeps: 1000 }), workers });
    expect((await answer("hogwild", 2)).certificate).toEqual({ none: expect.stringMatching(/race/) });
    const deterministic = { algorithm: graphGibbs({ schedule: "hogwild", sweeps: 1000 }), deterministic: true };
    await expect(infer(graph, { ...deterministic, workers: 2 })).rejects.toThrow(
      /deterministic is true, but with schedule "hogwild" 2 workers race; use "chromatic", or one worker \[PLAN_MEANING\]/,
    );
    const run = infer(graph, deterministic);
    expect((await run).description).toMatchObject({ plan: { deterministic: true } });
    const kept = await run.checkpoint();
    await expect(infer.resume(kept, graph, { workers: 2 })).rejects.toThrow(/2 workers race/);
    expect((await infer.resume(kept, graph)).marginal("x0")).toEqual((await run).marginal("x0"));
    const alone = await answer("hogwild", 1);
    expect(alone.marginal("x0")).toEqual((await answer("sequential", 1)).marginal("x0"));
  });

  it("is the default for a graph of 200,000 variables, and the method reports why", async () => {
    const graph = factorGraph();
    for (let i = 0; i < 200_000; i++) graph.variable();
    for (let i = 0; i < 10_000; i++) graph.equal([i, i + 1], { weight: 0.3 });
    graph.isTrue(5000, { weight: 3 });
    const run = infer(graph, { until: { seconds: 300 } });
    for await (const { sweeps } of run) if ((sweeps as number) > 4) run.stop("enough");
    const answer = await run;
    expect(answer.method).toMatch(/^200000 variables are too many .*; chromatic Gibbs: 4 chains of \d+ sweeps/);
    // The probability is above 0.99, but the run is stopped early, while estimates are rough.
    expect(answer.marginal("x5000").p[1]).toBeGreaterThan(0.7);
  });

  it("refuses states beyond a byte, and infinite terms", async () => {
    const graph = factorGraph();
    graph.variable("word", 300);
    await expect(infer(graph, { algorithm: graphGibbs() })).rejects.toThrow(/word has 300 states.*256 .*\[GRAPH_STATES\]/);
    const large = factorGraph();
    large.variable("a");
    large.isTrue("a", { weight: 1e300, feature: 1e300 });
    await expect(infer(large, { algorithm: graphGibbs() })).rejects.toThrow(/which overflows.*\[GRAPH_OVERFLOW\]/);
    expect(() => graphGibbs({ chains: 1 })).toThrow(/chains .* \[OPTION_RANGE\]/);
    expect(() => graphGibbs({ schedule: "chromatc" as "chromatic" })).toThrow(/must be one of "chromatic", .* \[OPTION_RANGE\]/);
  });
});

describe("layouts", () => {
  it("need at most 24 bytes per edge, for 20,000 variables with 180,000 edges", () => {
    const draws = stream(1, "layout").at(0);
    const graph = factorGraph();
    const count = 20_000;
    for (let i = 0; i < count; i++) graph.variable();
    const weights = Array.from({ length: 100 }, (_, i) => graph.weight(undefined, Math.sin(i)).id);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < 4; k++) {
        const other = (i + 1 + draws.integer(count - 1)) % count;
        graph.addFactor("equal", [i, other], [1, 1], weights[draws.integer(100)]);
      }
      graph.addFactor("isTrue", [i], [1], weights[draws.integer(100)]);
    }
    const columns = graph.conditionals();
    const { order } = coloursOf(columns);
    const layout = Layout.of(columns, order, engine.memory);
    const bytes = layout.byteLength / graph.edgeCount;
    console.log(`${bytes.toFixed(1)} bytes an edge`);
    expect(bytes).toBeLessThan(24);
    layout.dispose();
  });

  it("have no factor with two variables of a colour, including wide factors", () => {
    const draws = stream(2, "colours").at(0);
    const graph = factorGraph();
    for (let i = 0; i < 400; i++) graph.variable();
    for (let f = 0; f < 300; f++) {
      const arity = f % 50 === 0 ? 60 : 2 + draws.integer(4);
      const scope = new Set<number>();
      while (scope.size < arity) scope.add(draws.integer(400));
      graph.or([...scope], { weight: 0.1 });
    }
    graph.observe(5, true);
    const columns = graph.conditionals();
    const { order, ends } = coloursOf(columns);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i).filter((i) => i !== 5));
    const colour = new Map<number, number>();
    order.forEach((variable, place) => {
      colour.set(
        variable,
        ends.findIndex((end) => place < end),
      );
    });
    for (let factor = 0, from = 0; factor < columns.ends.length; from = columns.ends[factor++]) {
      const seen = [...columns.variables.subarray(from, columns.ends[factor])].filter((variable) => variable !== 5);
      expect(new Set(seen.map((variable) => colour.get(variable))).size).toBe(seen.length);
    }
  });
});

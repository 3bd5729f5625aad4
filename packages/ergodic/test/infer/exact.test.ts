/** Exact inference against enumeration of every joint state. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elimination, infer } from "../../src/index.ts";
import { enumerateGraph, productAt } from "../reference/enumerate-graph.ts";
import { graphOf, randomGraphs } from "../reference/random-graph.ts";

describe("elimination", () => {
  it("equals enumeration on 500 random graphs", async () => {
    await fc.assert(
      fc.asyncProperty(randomGraphs, async (graph) => {
        const truth = enumerateGraph(graph);
        fc.pre(Number.isFinite(truth.logZ) || truth.logZ === -Infinity);
        const { logZ, certificate } = await infer(graph, { task: "partition", algorithm: elimination() });
        expect(certificate).toEqual({ exact: true });
        if (truth.logZ === -Infinity) {
          // What is out of float64's reach is 0 to the twin alone.
          expect(logZ).toBeLessThan(-700);
          return;
        }
        expect(Math.abs(logZ - truth.logZ)).toBeLessThan(1e-11 * Math.max(1, Math.abs(truth.logZ)));
        const marginals = await infer(graph, { algorithm: elimination() });
        truth.marginals.forEach((p, variable) => {
          const found = marginals.marginal(variable).p;
          p.forEach((value, state) => {
            expect(Math.abs(found[state] - value)).toBeLessThan(1e-12);
          });
        });
        const { best, gap } = await infer(graph, { task: "map", algorithm: elimination() });
        expect(gap).toBe(0);
        expect(Math.abs(best.value - truth.logLargest)).toBeLessThan(1e-11 * Math.max(1, Math.abs(truth.logLargest)));
        expect(Math.abs(Math.log(productAt(graph, best.states)) - truth.logLargest)).toBeLessThan(1e-9);
      }),
      { numRuns: 500, seed: 14 },
    );
  });

  it("evidence that cannot be is said to be", async () => {
    const graph = graphOf([2, 2], [{ scope: [0, 1], values: [0, 1, 1, 0] }], { 0: 0, 1: 0 });
    expect((await infer(graph, { task: "partition" })).logZ).toBe(-Infinity);
    await expect(infer(graph)).rejects.toThrow(/evidence has probability 0 .* \[GRAPH_IMPOSSIBLE\]/);
  });
});

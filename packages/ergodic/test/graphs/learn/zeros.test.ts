/**
 * Learning on graphs with zeros. Impossible evidence is refused, and so are chains that single changes cannot lead out
 * of excluded states.
 */
import { describe, expect, it } from "vitest";
import {
  contrastiveDivergence,
  exactLikelihood,
  type FactorGraph,
  factorGraph,
  fit,
  type GraphLearner,
  pseudoLikelihood,
  sgd,
} from "../../../src/entries/everything.ts";

const sampled: GraphLearner[] = [
  contrastiveDivergence(),
  contrastiveDivergence({ tempered: true }),
  contrastiveDivergence({ persistent: false }),
  pseudoLikelihood(),
];

/** Booleans that share one weight. */
function yes(count: number, truthiness: readonly number[] = []): FactorGraph {
  const graph = factorGraph();
  const weight = graph.weight("yes");
  for (let i = 0; i < count; i++) {
    graph.variable(undefined, undefined, truthiness.length > 0 && i === count - 1 ? { truthiness } : {});
    graph.isTrue(i, { weight });
  }
  return graph;
}

describe("fits of graphs with zeros", () => {
  it("refuses evidence of probability 0, with every algorithm", async () => {
    const graph = yes(3);
    graph.oneOf([0, 1, 2]);
    for (let i = 0; i < 3; i++) graph.observe(i, true);
    for (const algorithm of [...sampled, exactLikelihood()])
      await expect(fit(graph, { algorithm, epochs: 20 })).rejects.toThrow(/evidence has probability 0.*\[GRAPH_IMPOSSIBLE\]/);
  });

  it("refuses impossible evidence that no single factor can detect", async () => {
    const graph = yes(4);
    for (const pair of [
      [0, 1],
      [1, 2],
      [0, 2],
    ])
      graph.table(pair, [0, 1, 1, 0]);
    graph.observe(3, true);
    await expect(fit(graph, { algorithm: exactLikelihood(), epochs: 5 })).rejects.toThrow(
      /no state of this graph is possible, whatever its weights and evidence.*\[GRAPH_IMPOSSIBLE\]/,
    );
  });

  it("refuses labels that can be impossible", async () => {
    const graph = yes(2, [0.5, 0.5]);
    graph.oneOf([0, 1]);
    graph.observe(0, true);
    await expect(fit(graph, { algorithm: exactLikelihood(), epochs: 20 })).rejects.toThrow(/labels.*\[GRAPH_IMPOSSIBLE\]/);
  });

  it("refuses stuck chains in impossible states instead of returning meaningless weights", async () => {
    const graph = yes(12);
    for (let i = 0; i < 12; i += 3) graph.oneOf([i, i + 1, i + 2]);
    graph.observe(0, true);
    // Some of many chains begin there, but pseudoLikelihood() has only one.
    for (const algorithm of sampled.slice(0, 3))
      await expect(fit(graph, { algorithm, epochs: 20 })).rejects.toThrow(
        /changes of one variable do not leave.*\[GRAPH_ZEROS\]/,
      );
    // The sum of all is known, so the weight has no effect.
    expect((await fit(graph, { algorithm: exactLikelihood(), epochs: 20 })).weight("yes")).toBeCloseTo(0, 6);
  });

  it("learns if chains leave such states", async () => {
    const graph = yes(18);
    // The consequences of the observed states are true.
    for (let i = 0; i + 1 < 18; i += 2) graph.table([i, i + 1], [1, 1, 0, 1]);
    for (let i = 0; i < 18; i += 2) graph.observe(i, i % 3 === 0);
    const wanted = (await fit(graph, { algorithm: exactLikelihood(), rule: sgd({ rate: 0.5 }), l2: 0.01, epochs: 40 })).weight(
      "yes",
    );
    const found = (await fit(graph, { algorithm: contrastiveDivergence({ particles: 100 }), l2: 0.01 })).weight("yes");
    expect(Math.abs(found - wanted)).toBeLessThan(0.1);
  });

  it("reports islands that chains cannot leave, with and without evidence", async () => {
    // Both alike, or neither: two islands.
    const pair = (seen: readonly number[]): FactorGraph => {
      const graph = yes(4);
      graph.table([0, 1], [1, 0, 0, 1]);
      for (const i of seen) graph.observe(i, true);
      return graph;
    };
    const { findings } = await fit(pair([0, 1, 2]), { epochs: 5 });
    expect(findings).toMatchObject([{ code: "islands", serious: true }]);
    expect(findings[0].text).toMatch(/the model's chains stay in the island.*2 islands.*changes of one variable do not leave/);
    expect((await fit(pair([0, 1, 2]), { epochs: 5, algorithm: exactLikelihood() })).findings).toEqual([]);
    expect((await fit(pair([0]), { epochs: 5, replicas: "shared", workers: 2 })).findings.map(({ code }) => code)).toEqual([
      "racing",
      "islands",
    ]);
    // Islands anywhere in the graph count.
    const second = yes(4);
    second.table([0, 1], [1, 2, 3, 1]);
    second.table([2, 3], [1, 0, 0, 1]);
    second.observe(0, true);
    expect((await fit(second, { epochs: 5 })).findings).toMatchObject([{ code: "islands" }]);
    const open = yes(4);
    open.table([0, 1], [1, 1, 0, 1]);
    open.observe(2, true);
    expect((await fit(open, { epochs: 5 })).findings).toEqual([]);
    // 000, 001, 010, 100, 110 and 111 are connected. The evidence leaves 001 and 111, which are not.
    const clamped = yes(4);
    clamped.table([0, 1, 2], [1, 1, 1, 0, 1, 0, 1, 1]);
    clamped.observe(2, true);
    const said = (await fit(clamped, { epochs: 5 })).findings;
    expect(said).toMatchObject([{ code: "islands" }]);
    expect(said[0].text).toMatch(/^chains with the evidence stay/);
  });
});

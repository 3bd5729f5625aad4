/** Weights on which no evidence depends: found exactly, named, and reported by every learner, with or without a penalty. */
import { describe, expect, it } from "vitest";
import { atOnce } from "../../../src/engine/threads/steps.ts";
import {
  adam,
  contrastiveDivergence,
  exactLikelihood,
  type FactorGraph,
  factorGraph,
  fit,
  pseudoLikelihood,
} from "../../../src/entries/everything.ts";
import { partsWithEvidence } from "../../../src/graphs/learn/evidence-parts.ts";
import { unlabelledFindings } from "../../../src/graphs/learn/unlabelled.ts";

function found(graph: FactorGraph): string[] {
  const columns = graph.conditionals();
  const name = (weight: number): string => String(graph.weightState(weight).name ?? weight);
  return unlabelledFindings(columns, atOnce(partsWithEvidence(columns)), name).map(
    ({ text }) => /the evidence does not depend on the (.*?):/.exec(text)![1],
  );
}

/** A chain of Booleans with a weight for each variable and for each pair. */
function chain(length: number): FactorGraph {
  const graph = factorGraph();
  for (let i = 0; i < length; i++) {
    graph.variable(`x${i}`);
    graph.isTrue(`x${i}`, { weight: graph.weight(`one ${i}`) });
    if (i > 0) graph.equal([`x${i - 1}`, `x${i}`], { weight: graph.weight(`pair ${i}`) });
  }
  return graph;
}

describe("weights on which no evidence depends", () => {
  it("are all weights of connected parts without an observation or a label", () => {
    const graph = chain(3);
    expect(found(graph)).toEqual(["weights one 0, one 1, pair 1 and 2 more"]);
    // The last variable is far from the first, but connected with it.
    expect(found(graph.withEvidence({ x2: true }))).toEqual([]);
    graph.variable("alone");
    graph.isTrue("alone", { weight: graph.weight("alone") });
    expect(found(graph.withEvidence({ x0: true }))).toEqual(["weight alone"]);
    expect(found(graph.withEvidence({ alone: false }))).toEqual(["weights one 0, one 1, pair 1 and 2 more"]);
    // Fixed factors and tables connect too.
    graph.table(["x1", "alone"], [1, 2, 3, 4]);
    expect(found(graph.withEvidence({ alone: false }))).toEqual([]);
  });

  it("are not weights that some evidence depends on, fixed weights, or weights without effect", () => {
    const graph = factorGraph();
    for (const name of ["seen", "hidden", "label"])
      graph.variable(name, undefined, name === "label" ? { truthiness: [0.5, 0.5] } : {});
    const shared = graph.weight("shared");
    for (const name of ["seen", "hidden"]) graph.isTrue(name, { weight: shared });
    graph.isTrue("label", { weight: graph.weight("of label") });
    graph.isTrue("hidden", { weight: graph.weight("fixed", 1, { fixed: true }) });
    graph.isTrue("hidden", { weight: 2 });
    graph.isTrue("hidden", { weight: graph.weight("no effect"), feature: 0 });
    graph.weight("unused");
    expect(found(graph.withEvidence({ seen: true }))).toEqual([]);
    graph.isTrue("hidden", { weight: graph.weight("of hidden"), feature: -1 });
    expect(found(graph.withEvidence({ seen: true }))).toEqual(["weight of hidden"]);
  });

  it("leave the exact likelihood as it is", async () => {
    const graph = chain(2).withEvidence({});
    graph.variable("seen");
    graph.isTrue("seen", { weight: graph.weight("of seen") });
    graph.setWeights([0.5, -0.25, 1, 0.1]);
    const learned = await fit(graph.withEvidence({ seen: true }), { algorithm: exactLikelihood(), epochs: 5, l2: 0 });
    expect([...learned.weights].slice(0, 3)).toEqual([0.5, -0.25, 1]);
    expect(learned.weight("of seen")).toBeGreaterThan(0.1);
    expect(learned.findings.map(({ code }) => code)).toEqual(["unlabelled", "separable"]);
  });

  it.each([
    ["contrastiveDivergence", contrastiveDivergence()],
    ["pseudoLikelihood", pseudoLikelihood()],
    ["exactLikelihood", exactLikelihood()],
  ])("are reported by %s, with and without a penalty", async (_, algorithm) => {
    const graph = factorGraph();
    const [a, b] = ["a", "b"].map((name) => graph.weight(name));
    for (let i = 0; i < 40; i++) {
      graph.variable();
      graph.isTrue(i, { weight: i < 20 ? a : b });
      if (i < 20) graph.observe(i, i % 2 === 0);
    }
    for (const l2 of [0, 0.1]) {
      const { findings, run } = await fit(graph, { algorithm, epochs: 5, l2, rule: adam() });
      expect(run.findings).toEqual(findings);
      const [finding] = findings.filter(({ code }) => code === "unlabelled");
      expect(finding).toEqual({
        code: "unlabelled",
        serious: true,
        text: 'the evidence does not depend on the weight "b": no variable that its factors connect is observed or labelled, so its value is no estimate',
        advice: "observe or label some of these variables, or give their factors a number as the weight",
      });
    }
    // All evidence about one weight can be held out.
    const alone = factorGraph();
    alone.variable("x");
    alone.variable("y");
    alone.isTrue("x", { weight: alone.weight("of x") });
    alone.isTrue("y", { weight: alone.weight("of y") });
    alone.observe("x", true).observe("y", true);
    // If both or none are held out, there is nothing to learn or nothing to test.
    const held = Array.from({ length: 20 }, async (_, seed) => {
      const options = { algorithm, epochs: 1, heldOut: 0.5, seed, l2: 1, rule: adam() };
      const { heldOut, findings } = await fit(alone, options).catch(() => ({ heldOut: [], findings: [] }));
      if (heldOut.length !== 1) return undefined;
      const text = findings.find(({ code }) => code === "unlabelled")?.text ?? "";
      return text.includes(`the weight "of ${"xy"[heldOut[0].variable]}":`);
    });
    const all = (await Promise.all(held)).filter((one) => one !== undefined);
    expect(all.length).toBeGreaterThan(0);
    expect(all).not.toContain(false);
  });
});

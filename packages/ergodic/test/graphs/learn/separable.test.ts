/**
 * Separable evidence, which some direction of the weights makes ever more probable: detection, its limits, and the
 * report.
 */
import { describe, expect, it } from "vitest";
import { atOnce } from "../../../src/engine/threads/steps.ts";
import {
  contrastiveDivergence,
  exactLikelihood,
  type FactorGraph,
  factorGraph,
  fit,
  is,
  lbfgs,
  pseudoLikelihood,
} from "../../../src/entries/everything.ts";
import { partsWithEvidence } from "../../../src/graphs/learn/evidence-parts.ts";
import { separableFindings } from "../../../src/graphs/learn/separable.ts";

function found(graph: FactorGraph, values: readonly number[], bounded: readonly number[] = []): string[] {
  const columns = graph.conditionals();
  const hasEvidence = atOnce(partsWithEvidence(columns));
  const nameOf = (weight: number): string => `w${weight}`;
  const isBounded = (weight: number): boolean => bounded.includes(weight);
  const findings = atOnce(separableFindings(columns, Float64Array.from(values), { hasEvidence, isBounded, nameOf }));
  return findings.map(({ text }) => /ever more probable as (.*) without bound/.exec(text)![1]);
}

/** Booleans with the observed states `seen`. Each has a weight, chosen by the remainder of its number. */
function votes(seen: readonly (boolean | undefined)[], weights = 2): FactorGraph {
  const graph = factorGraph();
  for (let k = 0; k < weights; k++) graph.weight(`w${k}`);
  for (const [i, state] of seen.entries()) {
    graph.variable();
    graph.isTrue(i, { weight: `w${i % weights}` });
    if (state !== undefined) graph.observe(i, state);
  }
  return graph;
}

describe("separable evidence", () => {
  it("is found and named for a weight whose factors all agree, in either direction", () => {
    expect(found(votes([true, true, true, false]), [1, 1])).toEqual(["the weight w0 grows"]);
    expect(found(votes([false, true, false, false]), [1, 1])).toEqual(["the weight w0 grows"]);
    expect(found(votes([true, true, false, false]), [1, 1])).toEqual([]);
    expect(found(votes([true, true, true, true, true, true], 3), [-1, 1, 1])).toEqual(["the weights w0, w1, w2 grow"]);
    expect(found(votes(Array(10).fill(true), 5), [-1, 1, 1, 1, 1])).toEqual(["the weights w0, w1, w2 and 2 more grow"]);
  });

  it("is found for all weights together if they separate it jointly but not alone", () => {
    // a − b is true if the first feature is larger.
    const graph = factorGraph();
    for (const name of ["a", "b"]) graph.weight(name);
    for (const [i, [a, b]] of [
      [2, 1],
      [1, 2],
      [-1, -2],
      [-2, -1],
    ].entries()) {
      graph.variable();
      graph.isTrue(i, { weight: "a", feature: a });
      graph.isTrue(i, { weight: "b", feature: b });
      graph.observe(i, a > b);
    }
    expect(found(graph, [1, -1])).toEqual(["all weights grow"]);
    // These weights do not separate, which does not prove that others fail.
    expect(found(graph, [1, 0])).toEqual([]);
    expect(found(graph, [0, 0])).toEqual([]);
    // A tie is compatible with separation, but one contradicting variable is not.
    graph.variable();
    graph.isTrue(4, { weight: "a", feature: 1 });
    graph.isTrue(4, { weight: "b", feature: 1 });
    graph.observe(4, true);
    expect(found(graph, [1, -1])).toEqual(["all weights grow"]);
    graph.variable();
    graph.isTrue(5, { weight: "a", feature: 1 });
    graph.observe(5, false);
    expect(found(graph, [1, -1])).toEqual([]);
  });

  it("is not claimed for hidden, uncertain or fixed values, for weights without effect, or with zeros", () => {
    // Unobserved variables do not count, and the states of their neighbours are unknown.
    expect(found(votes([true, undefined, true, undefined]), [1, 1])).toEqual(["the weight w0 grows"]);
    const joined = votes([true, undefined]);
    joined.equal([0, 1], { weight: joined.weight("pair") });
    expect(found(joined, [1, 1, 1])).toEqual(["the weight w0 grows"]);
    const label = factorGraph();
    label.variable(undefined, undefined, { truthiness: [0.2, 0.8] });
    label.isTrue(0, { weight: label.weight("w") });
    expect(found(label, [1])).toEqual([]);
    const certain = factorGraph();
    certain.variable(undefined, undefined, { truthiness: [0, 1] });
    certain.isTrue(0, { weight: certain.weight("w") });
    expect(found(certain, [1])).toEqual(["the weight w0 grows"]);
    const fixed = factorGraph();
    fixed.variable();
    fixed.isTrue(0, { weight: fixed.weight("w", 2, { fixed: true }) });
    fixed.observe(0, true);
    expect(found(fixed, [2])).toEqual([]);
    // A weight without factors is not reported.
    expect(found(votes([true]), [1, 1])).toEqual(["the weight w0 grows"]);
    const zeros = votes([true, true]);
    zeros.variable();
    zeros.table([0, 2], [1, 1, 1, 0]);
    expect(found(zeros, [1, 1])).toEqual([]);
  });

  it("is found if the states of unobserved variables make no difference, and only then", () => {
    // The head holds, so the rule holds whatever its body is. The body's own weight is not known to be at its maximum.
    const rule = (head: boolean, kind: "imply" | "implyNatural" = "imply", feature = 1): FactorGraph => {
      const graph = factorGraph();
      for (let i = 0; i < 3; i++) graph.variable();
      graph[kind]([0, 1], 2, { weight: graph.weight("rule"), feature });
      graph.isTrue(0, { weight: graph.weight("body") });
      graph.observe(2, head);
      return graph;
    };
    expect(found(rule(true), [1, 1])).toEqual(["the weight w0 grows"]);
    expect(found(rule(true, "imply", -2), [1, 1])).toEqual(["the weight w0 grows"]);
    expect(found(rule(false), [1, 1])).toEqual([]);
    expect(found(rule(true, "implyNatural"), [1, 1])).toEqual([]);
    // One literal of the body does not hold, so the rule holds whatever the other literal and the head are.
    expect(found(rule(false).withEvidence({ x1: false }), [1, 1])).toEqual(["the weight w0 grows"]);
    // States with an uncertain label count as unknown.
    const label = factorGraph();
    label.variable("body", undefined, { truthiness: [0.5, 0.5] });
    label.variable("head");
    label.imply(["body"], "head", { weight: label.weight("w") });
    expect(found(label.withEvidence({ head: true }), [1])).toEqual(["the weight w0 grows"]);
    expect(found(label.withEvidence({ head: false }), [1])).toEqual([]);
    // Three states: the table of a function of literals that are not Boolean.
    const states = factorGraph();
    states.variable("a", ["x", "y", "z"]);
    states.variable("b", ["x", "y", "z"]);
    states.all([is("a", "x"), is("b", "z")], { weight: states.weight("w") });
    expect(found(states.withEvidence({ a: "y" }), [1])).toEqual(["the weight w0 grows"]);
    expect(found(states.withEvidence({ a: "x" }), [1])).toEqual([]);
  });

  it("is not claimed if too many joint states would have to be enumerated", () => {
    const or = (count: number): string[] => {
      const graph = factorGraph();
      const names = Array.from({ length: count + 1 }, (_, i) => `x${i}`);
      for (const name of names) graph.variable(name);
      graph.or(names, { weight: graph.weight("w") });
      return found(graph.withEvidence({ x0: true }), [1]);
    };
    expect(or(6)).toEqual(["the weight w0 grows"]);
    expect(or(7)).toEqual([]);
  });

  it("is not claimed if unobserved variables that are connected with the evidence can contradict it", () => {
    // One observed variable holds, but twenty unobserved ones probably do not.
    const graph = votes([true], 1);
    for (let i = 1; i <= 20; i++) {
      graph.variable(`hidden ${i}`);
      graph.isTrue(`hidden ${i}`, { weight: "w0" });
    }
    expect(found(graph, [1])).toEqual(["the weight w0 grows"]);
    for (let i = 1; i <= 20; i++) {
      graph.variable(`seen ${i}`);
      graph.equal([`hidden ${i}`, `seen ${i}`], { weight: 2 });
      graph.observe(`seen ${i}`, false);
    }
    expect(found(graph, [1])).toEqual([]);
  });

  it("requires the evidence to be the best state jointly, not only against single changes", () => {
    // A straight wall through a grid: each change of one variable breaks more pairs than it repairs.
    const graph = factorGraph();
    const weight = graph.weight("alike");
    for (let i = 0; i < 16; i++) graph.variable();
    for (let i = 0; i < 16; i++) {
      if (i % 4 > 0) graph.equal([i, i - 1], { weight });
      if (i >= 4) graph.equal([i, i - 4], { weight });
      graph.observe(i, i >= 8);
    }
    expect(found(graph, [1])).toEqual([]);
    const even = graph.withEvidence(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`x${i}`, true])));
    expect(found(even, [1])).toEqual(["the weight w0 grows"]);
    // Counted literals: a body in which all literals hold, and a head.
    const rule = factorGraph();
    for (let i = 0; i < 4; i++) rule.variable();
    rule.imply([0, 1, 2], 3, { weight: rule.weight("rule") });
    const at = (head: boolean, body = true): string[] =>
      found(rule.withEvidence({ x0: true, x1: body, x2: true, x3: head }), [1]);
    expect([at(true), at(false), at(false, false)]).toEqual([
      ["the weight w0 grows"],
      ["the weight w0 grows"],
      ["the weight w0 grows"],
    ]);
    rule.imply([0, 1], 3, { weight: rule.weight("rule 2") });
    rule.imply([0, 2], 3, { weight: "rule 2" });
    expect(found(rule.withEvidence({ x0: true, x1: true, x2: false, x3: false }), [1, 1])).toEqual(["the weight w0 grows"]);
  });
});

describe("fits to separable evidence", () => {
  const graph = votes(Array.from({ length: 40 }, (_, i) => i % 2 === 0));

  it.each([
    ["contrastiveDivergence", { algorithm: contrastiveDivergence(), epochs: 30 }],
    ["pseudoLikelihood", { algorithm: pseudoLikelihood(), rule: lbfgs() }],
    ["exactLikelihood", { algorithm: exactLikelihood(), epochs: 10 }],
  ])("%s reports that no best weights exist, unless there is a penalty", async (_, options) => {
    const { findings, run } = await fit(graph, options);
    expect(findings).toMatchObject([{ code: "separable", serious: true, advice: expect.stringContaining("l2") }]);
    expect(run.findings).toEqual(findings);
    expect((await fit(graph, { ...options, l2: 0.01 })).findings).toEqual([]);
  });
});

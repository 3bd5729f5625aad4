/** The columns for samplers. Every kind of factor has its defined value at every joint state. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { factorGraph } from "../../../src/entries/everything.ts";
import { logValueAt } from "../../reference/conditionals.ts";
import { factorValue } from "../../reference/factor-value.ts";
import { graphFrom, graphPlans } from "../../reference/random-factor-graph.ts";

const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** ln of the product of the factors' definitions, and of soft evidence. */
function defined(graph: ReturnType<typeof graphFrom>) {
  const counts = indices(graph.variableCount).map((variable) => graph.stateCount(variable));
  const weights = indices(graph.weightCount).map((id) => graph.weightState(id).value);
  const factors = indices(graph.factorCount).map((i) => graph.factorAt(i));
  const soft = counts.map((_, variable) => graph.softEvidence(variable));
  const at = (states: ArrayLike<number>): number => {
    let sum = 0;
    for (const factor of factors) sum += Math.log(factorValue(factor, states, counts, weights));
    soft.forEach((likelihood, variable) => {
      if (likelihood) sum += Math.log(likelihood[states[variable]]);
    });
    return sum;
  };
  return { counts, at };
}

function* jointStates(counts: readonly number[]): Generator<Int32Array> {
  const states = new Int32Array(counts.length);
  for (;;) {
    yield states;
    let variable = counts.length - 1;
    for (; variable >= 0 && ++states[variable] === counts[variable]; variable--) states[variable] = 0;
    if (variable < 0) return;
  }
}

function agree(found: number, wanted: number): void {
  if (wanted === -Infinity || found === -Infinity) expect(found).toBe(wanted);
  else expect(Math.abs(found - wanted)).toBeLessThan(1e-11 * Math.max(1, Math.abs(wanted)));
}

describe("conditionals", () => {
  it("equal the definitions on 300 random graphs of all kinds of factors", () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(graphPlans({ most: 5, widest: 4 }), (plan) => {
        const graph = graphFrom(plan);
        for (let i = 0; i < graph.factorCount; i++) kinds.add(graph.factorAt(i).kind);
        const columns = graph.conditionals();
        expect(columns.cardinalities).toHaveLength(graph.variableCount);
        const { counts, at } = defined(graph);
        expect([...columns.cardinalities]).toEqual(counts);
        expect([...columns.observed]).toEqual(counts.map((_, variable) => graph.observedState(variable)));
        // An observed value can already be part of a factor.
        for (const states of jointStates(counts))
          if (columns.observed.every((state, variable) => state < 0 || state === states[variable]))
            agree(logValueAt(columns, states), at(states));
      }),
      { numRuns: 300, seed: 15 },
    );
    expect(kinds.size).toBe(14);
  });

  it("count literals in wide functions with the same values", () => {
    const graph = factorGraph();
    const names = indices(12).map((i) => `b${i}`);
    for (const name of names) graph.variable(name);
    for (const name of ["or", "and", "equal", "all"] as const) graph[name](names, { weight: 0.3 });
    for (const name of ["imply", "implyNatural", "linear", "ratio", "logical"] as const)
      graph[name](names.slice(0, 11), names[11], { weight: -0.7, feature: 1.5 });
    graph.atMost(4, names);
    const columns = graph.conditionals();
    expect(Array.from(columns.counting)).toEqual(Array(10).fill(1));
    const { counts, at } = defined(graph);
    for (const states of jointStates(counts)) agree(logValueAt(columns, states), at(states));
  });

  it("keep features of factors before those of auxiliary chain variables", () => {
    const graph = factorGraph();
    const [child, first, ...others] = indices(11).map(() => graph.variable());
    graph.isTrue(first, { weight: 0.3, feature: 2.5 });
    graph.noisyOr(
      child,
      [first, ...others].map((parent) => [parent, 0.4]),
    );
    graph.isTrue(child, { weight: 0.3, feature: 0.5 });
    const { features, ends, cardinalities } = graph.conditionals();
    expect(cardinalities.length).toBeGreaterThan(11);
    expect(ends.length).toBeGreaterThan(10);
    expect(Array.from(features!)).toEqual([2.5, 0.5, ...Array(ends.length - 2).fill(1)]);
  });

  it("share shapes between equal factors, even with different weights", () => {
    const graph = factorGraph();
    for (let i = 0; i < 100; i++) graph.variable();
    const weights = [graph.weight("a", 1), graph.weight("b", 2)];
    for (let i = 0; i < 99; i++) {
      graph.equal([i, i + 1], { weight: weights[i % 2] });
      graph.isTrue(i, { weight: weights[(i >> 1) % 2] });
      if (i < 90) graph.ratio([i, i + 1, i + 2, i + 3], i + 4, { weight: weights[0] });
    }
    const { counting, shapeValues, weights: used } = graph.conditionals();
    expect(counting).toHaveLength(3);
    expect(shapeValues.length).toBe(4 + 2 + 10);
    expect(new Set(used)).toEqual(new Set([0, 1]));
  });

  it("use the weights of their own graph, even if another graph shares its factors", () => {
    const graph = factorGraph();
    const x = graph.variable();
    graph.isTrue(x, { weight: graph.weight("w", 1) });
    const other = graph.withWeights([2]);
    expect([...graph.conditionals().weightValues, ...other.conditionals().weightValues]).toEqual([1, 2]);
    graph.setWeights([3]);
    expect([...graph.conditionals().weightValues, ...other.conditionals().weightValues]).toEqual([3, 2]);
  });

  it("have a value for each count of a thousand literals", () => {
    const graph = factorGraph();
    for (let i = 0; i <= 1000; i++) graph.variable();
    graph.ratio(indices(1000), 1000, { weight: 1 });
    const { shapeValues } = graph.conditionals();
    expect(shapeValues).toHaveLength(2 * 1001);
    // Body literals that fail vote for the implication, and with the head all of them do.
    expect(shapeValues[0]).toBeCloseTo(Math.log2(1001), 12);
    expect(shapeValues[999]).toBeCloseTo(1, 12);
    expect(shapeValues[1000]).toBe(0);
    expect(shapeValues[1001]).toBeCloseTo(Math.log2(1001), 12);
  });
});

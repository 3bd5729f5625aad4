/** Grounding by hash joins equals nested loops over all rows, whether the rows are given together or in pieces. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { power } from "../../power.ts";
import { built, type Exponent, expected, exponentOf, type Program, programs } from "../../reference/random-knowledge-base.ts";

const sorted = (exponent: Exponent) =>
  [...exponent].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, feature]): [string, number] => [key, Number(feature.toFixed(9))]);

function groundsTo(program: Program, whole: boolean): "equal" | "refused" {
  const wanted = expected(program);
  const { kb, later } = built(program, whole);
  const run = () => {
    if (whole) return kb.ground();
    const graph = kb.ground();
    const before = {
      variables: graph.variableCount,
      factors: Array.from({ length: graph.factorCount }, (_, i) => graph.factorAt(i)),
    };
    later();
    expect(kb.ground()).toBe(graph);
    // Earlier variables and factors keep their numbers.
    before.factors.forEach((factor, i) => {
      expect(graph.factorAt(i)).toEqual(factor);
    });
    expect(graph.variableCount).toBeGreaterThanOrEqual(before.variables);
    return graph;
  };
  if (wanted === undefined) {
    expect(run).toThrow(/are the same unknown, but a factor can contain it only once/);
    return "refused";
  }
  const planned = whole ? kb.explain() : undefined;
  const graph = run();
  expect(sorted(exponentOf(graph))).toEqual(sorted(wanted));
  if (planned) {
    expect(planned.factors).toBe(graph.factorCount);
    expect(planned.variables).toBe(graph.variableCount);
    expect(planned.rules.reduce((sum, { edges }) => sum + edges, 0)).toBe(graph.edgeCount);
  }
  return "equal";
}

describe("grounding", () => {
  it.each([
    ["at once", true],
    ["piece by piece", false],
  ])("%s: equals nested loops on random programs", (_, whole) => {
    const seen = { equal: 0, refused: 0, factors: 0 };
    fc.assert(
      fc.property(programs, (program) => {
        seen[groundsTo(program, whole)]++;
        seen.factors += expected(program)?.size ?? 0;
      }),
      { numRuns: power(300, 1500), seed: 15 },
    );
    // Ensures that most programs are neither refused nor empty.
    expect(seen.equal).toBeGreaterThan(power(200, 1000));
    expect(seen.refused).toBeGreaterThan(power(2, 10));
    expect(seen.factors).toBeGreaterThan(power(1000, 5000));
  });
});

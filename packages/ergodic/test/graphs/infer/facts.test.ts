/** The hash by which a checkpoint recognises its graph. Graphs that differ in any respect have different hashes. */
import { describe, expect, it } from "vitest";
import { type FactorGraph, factorGraph, is } from "../../../src/entries/everything.ts";
import { factsOf } from "../../../src/graphs/infer/facts.ts";

interface Choices {
  readonly states?: number;
  readonly observed?: number;
  readonly other?: 0 | 1;
  readonly tabled?: 0 | 1;
  readonly state?: number;
  readonly feature?: number;
  readonly weight?: "a" | "b";
  readonly value?: number;
  readonly fixed?: boolean;
  readonly entry?: number;
  readonly label?: readonly number[];
  readonly of?: "x" | "y";
  readonly last?: "equal";
}

function graphOf(choices: Choices): FactorGraph {
  const { states = 3, observed, state = 1, feature = 2, weight = "a", value = 1, fixed = false, entry = 2 } = choices;
  const graph = factorGraph();
  const labelled = (name: string) => (choices.label && name === choices.of ? { truthiness: choices.label } : {});
  const [x, y] = ["x", "y"].map((name) => graph.variable(name, 2, labelled(name)));
  const [u, v] = [graph.variable("u"), graph.variable("v")];
  graph.variable("in no factor", states);
  graph.weight("a", 1, { fixed });
  graph.weight("b", value);
  graph.isTrue(x, { weight, feature });
  // Both functions have a shape, whichever is the last one. The last factor counts one of three literals.
  for (const name of ["imply", "equal", choices.last ?? "imply"] as const) graph.logicalFactor(name, [x, y], { weight: "b" });
  graph.imply([is(x, state), [u, v][choices.other ?? 0]], y, { weight: "b" });
  graph.table([[u, v][choices.tabled ?? 0]], [1, entry]);
  if (observed !== undefined) graph.observe(y, observed);
  return graph;
}

const variants: readonly (readonly [string, Choices])[] = [
  ["a state more", { states: 4 }],
  ["an observation", { observed: 0 }],
  ["another observation", { observed: 1 }],
  ["another variable of a function", { other: 1 }],
  ["another variable of a table", { tabled: 1 }],
  ["another state of a literal", { state: 0 }],
  ["another feature", { feature: 3 }],
  ["no feature", { feature: 1 }],
  ["another weight of a factor", { weight: "b" }],
  ["another value of a weight", { value: 2 }],
  ["a fixed weight", { fixed: true }],
  ["another entry of a table", { entry: 3 }],
  ["a label", { of: "x", label: [0.25, 0.75] }],
  ["another label", { of: "x", label: [0.5, 0.5] }],
  ["the label of another variable", { of: "y", label: [0.5, 0.5] }],
  ["another function", { last: "equal" }],
];

describe("facts of a graph", () => {
  const plain = graphOf({});

  it.each(variants)("gives %s another hash, in columns", (_, choices) => {
    expect(factsOf(graphOf(choices).conditionals()).hash).not.toBe(factsOf(plain.conditionals()).hash);
  });

  it("gives equal graphs the same hash", () => {
    expect(factsOf(graphOf({}).conditionals())).toEqual(factsOf(plain.conditionals()));
    expect(factsOf(graphOf({}).factorTables("marginals"))).toEqual(factsOf(plain.factorTables("marginals")));
  });

  it("gives different graphs different hashes, in columns and tables", () => {
    const all = [{}, ...variants.map(([, choices]) => choices)].map(graphOf);
    const hashes = all.map((graph) => factsOf(graph.conditionals()).hash);
    expect(new Set(hashes).size).toBe(all.length);
    // Tables contain neither labels nor fixed flags, nor which of two equal weights a factor has.
    const tables = variants.flatMap(([name, choices]) => (/label|fixed|another weight/.test(name) ? [] : [graphOf(choices)]));
    const ofTables = [plain, ...tables].map((graph) => factsOf(graph.factorTables("marginals")).hash);
    expect(new Set(ofTables).size).toBe(tables.length + 1);
  });
});

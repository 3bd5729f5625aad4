/** Votes that change with new rows: some are rebuilt, and the others stay unchanged. */
import { describe, expect, it } from "vitest";
import {
  type FactorGraph,
  knowledgeBase,
  query,
  relation,
  type Semantics,
  weightedRule,
} from "../../../src/entries/everything.ts";

const names = ["anna", "ben", "carl"];

/** Rows of who follows whom. The followed people vote for the follower. */
function world(semantics: Semantics) {
  const follows = relation("follows", [{ who: "anna", whom: "ben", where: "here" }]);
  const likes = query("likes", { who: names }, { key: ["who"] });
  const body = [likes({ who: "b" }), follows({ who: "a", whom: "b" })] as const;
  const kb = knowledgeBase([weightedRule({ name: "votes", head: likes({ who: "a" }), body, semantics, weight: 0.5 })]);
  return { follows, kb, graph: kb.ground() };
}

const factors = (graph: FactorGraph) =>
  Array.from({ length: graph.factorCount }, (_, i) => {
    const { kind, variables, feature } = graph.factorAt(i);
    return [kind, variables.map((v) => names[v]).join(" "), feature];
  });

describe.each(["linear", "ratio", "logical"] as const)("votes of unknowns: %s", (semantics) => {
  it("rebuilds the votes for a new voter, and keeps them if a voter votes again", () => {
    const { follows, kb, graph } = world(semantics);
    const first = [semantics, "ben anna", 1];
    expect(factors(graph)).toEqual([first]);
    follows.add([{ who: "anna", whom: "ben", where: "there" }]);
    expect(kb.explain().rules).toMatchObject([{ groundings: 1, factors: 0, edges: 0 }]);
    kb.ground();
    expect(factors(graph)).toEqual([first]);
    follows.add([
      { who: "anna", whom: "carl", where: "here" },
      { who: "anna", whom: "ben", where: "elsewhere" },
      { who: "ben", whom: "carl", where: "here" },
    ]);
    expect(kb.explain().rules).toMatchObject([{ groundings: 3, factors: 3, edges: 7 }]);
    kb.ground();
    expect(factors(graph)).toEqual([
      first,
      [semantics, "ben anna", -1],
      [semantics, "ben carl anna", 1],
      [semantics, "carl ben", 1],
    ]);
  });
});

describe("votes of known rows", () => {
  it.each<[Semantics, number, number | undefined]>([
    ["linear", 1, 1],
    ["ratio", 1, Math.log2(3) - 1],
    ["logical", 1, undefined],
  ])("%s: the first vote counts %d, the second adds %d", (semantics, one, more) => {
    const said = relation("said", [{ who: "anna", word: "yes" }]);
    const likes = query("likes", { who: names }, { key: ["who"] });
    const kb = knowledgeBase([
      weightedRule({ name: "votes", head: likes({ who: "a" }), body: [said({ who: "a" })], semantics, weight: 0.5 }),
    ]);
    const graph = kb.ground();
    expect(factors(graph)).toEqual([[semantics, "anna", one]]);
    said.add([{ who: "anna", word: "again" }]);
    kb.ground();
    expect(factors(graph).slice(1)).toEqual(more === undefined ? [] : [[semantics, "anna", expect.closeTo(more, 12)]]);
  });
});

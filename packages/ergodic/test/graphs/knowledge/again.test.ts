/** Explanations, groundings and reasons after later rows and rules, and after refused input. */
import { describe, expect, it } from "vitest";
import { graphGibbs, infer, knowledgeBase, query, relation, weightedRule } from "../../../src/entries/everything.ts";

const people = ["anna", "ben", "carl"].map((who) => ({ who }));
const even = { marginal: () => ({ p: [0.4, 0.6], certificate: { exact: true } as const }) };

describe("reasons for votes", () => {
  const says = relation("says", [
    { who: "anna", of: "ben", word: "yes" },
    { who: "carl", of: "ben", word: "yes" },
    { who: "carl", of: "ben", word: "yes" },
    { who: "carl", of: "ben", word: "maybe" },
  ]);
  const open = () => {
    const likes = query("likes", people, { key: ["who"] });
    const kb = knowledgeBase([
      weightedRule({
        name: "votes",
        head: likes({ who: "b" }),
        body: [likes({ who: "a" }), says({ who: "a", of: "b", word: "w" })],
        semantics: "ratio",
        weight: ({ w }) => w,
        initial: 0.5,
      }),
    ]);
    kb.ground();
    return { kb, likes };
  };

  it("list each election once, with the votes of each weight, however many ballots there are", () => {
    const { kb, likes } = open();
    const reasons = kb.why(likes, { who: "ben" }, even).map(({ weightName, votes, pull }) => [weightName, votes, pull]);
    // All are most probably true: two voters of one weight, then one of the other.
    expect(reasons).toEqual([
      ["votes: yes", 3, expect.closeTo(0.5 * Math.log2(3), 12)],
      ["votes: maybe", 1, expect.closeTo(0.5, 12)],
    ]);
    const voter = kb.why(likes, { who: "carl" }, even).map(({ weightName, votes, pull }) => [weightName, votes, pull]);
    expect(voter).toEqual([
      ["votes: yes", 3, expect.closeTo(0, 12)],
      ["votes: maybe", 1, expect.closeTo(0, 12)],
    ]);
  });
});

describe("weights in reasons", () => {
  const likes = query("likes", people, { key: ["who"] });
  const rule = (name: string, initial: number) => weightedRule({ name, head: likes({ who: "a" }), weight: name, initial });
  const pulls = (kb: ReturnType<typeof knowledgeBase>, answer: Parameters<typeof kb.why>[2]) =>
    kb.why(likes, { who: "ben" }, answer).map(({ rule: name, weight, pull }) => [name, weight, pull]);

  it("come from graph.withWeights(), from setWeights() at that time, or from the graph if the answer has none", async () => {
    const kb = knowledgeBase([rule("first", 1)]);
    const graph = kb.ground();
    const other = await infer(graph.withWeights([0.25]));
    const own = await infer(graph);
    graph.setWeights([3]);
    expect(pulls(kb, other)).toEqual([["first", 0.25, 0.25]]);
    expect(pulls(kb, own)).toEqual([["first", 1, 1]]);
    expect(pulls(kb, even)).toEqual([["first", 3, 3]]);
    // Graphs that samplers and evidence derive from the graph have its weights, too.
    const sampled = await infer(graph.withWeights([-0.5]), { algorithm: graphGibbs({ sweeps: 100 }), evidence: { x2: true } });
    expect(pulls(kb, sampled)).toEqual([["first", -0.5, -0.5]]);
  });

  it("come from the graph if a weight is newer than the answer", async () => {
    const kb = knowledgeBase([rule("first", 1)]);
    const answer = await infer(kb.ground().withWeights([0.25]));
    kb.add(rule("second", 2));
    kb.ground();
    expect(pulls(kb, answer)).toEqual([
      ["second", 2, 2],
      ["first", 0.25, 0.25],
    ]);
  });
});

describe("later additions", () => {
  it("do not list a rule that is not grounded yet", () => {
    const likes = query("likes", people, { key: ["who"] });
    const head = likes({ who: "a" });
    const kb = knowledgeBase([weightedRule({ name: "first", head, weight: 1 })]);
    kb.ground();
    kb.add(weightedRule({ name: "later", head, weight: "later", initial: 2 }));
    const rules = () => kb.why(likes, { who: "ben" }, even).map(({ rule, pull }) => [rule, pull]);
    expect(rules()).toEqual([["first", 1]]);
    kb.ground();
    expect(rules()).toEqual([
      ["later", 2],
      ["first", 1],
    ]);
  });

  it("counts new unknowns and groundings in explain, even after missing values", () => {
    const r = relation("r", [{ a: "anna" }, { a: null as string | null }]);
    const likes = query("likes", people, { key: ["who"] });
    const body = [r({ a: "x" })] as const;
    const kb = knowledgeBase([
      weightedRule({ name: "n", head: likes({ who: "y" }), body: [...body, likes.exists({ who: "y" })], weight: 1 }),
    ]);
    // Each value of r is combined with each unknown.
    expect(kb.explain()).toMatchObject({ variables: 3, rules: [{ factors: 3 }] });
    kb.ground();
    r.add([{ a: "ben" }]);
    likes.add([{ who: "dora" }]);
    // The new value brings all four, and the old value brings the new unknown.
    expect(kb.explain()).toMatchObject({ variables: 1, rules: [{ factors: 5 }] });
    expect(kb.ground().factorCount).toBe(8);
    likes.add([{ who: "emil" }, { who: "fred" }]);
    expect(kb.explain()).toMatchObject({ variables: 2, rules: [{ factors: 4 }] });
    expect(kb.ground()).toMatchObject({ factorCount: 12, variableCount: 6 });
  });
});

describe("after an error", () => {
  it("rebuilds fixed and named weights", () => {
    let failing = true;
    const likes = query("likes", people, { key: ["who"] });
    const head = likes({ who: "a" });
    const kb = knowledgeBase([
      weightedRule({ name: "fixed", head, weight: 1.5 }),
      weightedRule({ name: "named", head, weight: "named", initial: 0.5 }),
      weightedRule({
        name: "last",
        head,
        weight: () => {
          if (failing) throw new Error("not today");
          return "last";
        },
      }),
    ]);
    expect(() => kb.ground()).toThrow(/not today/);
    failing = false;
    const graph = kb.ground();
    const made = Array.from({ length: graph.factorCount }, (_, i) => graph.weightState(graph.factorAt(i).weight!).value);
    expect(made).toEqual([1.5, 1.5, 1.5, 0.5, 0.5, 0.5, 0, 0, 0]);
    expect(graph.weightCount).toBe(3);
  });

  it("counts the grounding memory that earlier rules used", () => {
    const count = 2000;
    const names = Array.from({ length: count }, (_, i) => ({ who: i }));
    const likes = query("likes", names, { key: ["who"] });
    const rule = (name: string) => weightedRule({ name, head: likes({ who: "a" }), weight: 1 });
    // 14 bytes per factor: there is room for two of these rules, but not for three.
    const memory = (2.5 * 14 * count) / 2 ** 30;
    expect(knowledgeBase([rule("a"), rule("b")], { memory }).explain().factors).toBe(2 * count);
    const kb = knowledgeBase([rule("a"), rule("b"), rule("c")], { memory });
    expect(() => kb.ground()).toThrow(/^rule "c": its factors would take more than the [\d.]+ KiB that are left/);
    expect(String(kb)).toContain("0 variables, 0 factors");
  });
});

/**
 * Limits that rows in a test cannot reach: the number of different values, and the number of rows that a join visits.
 */
import { expect, it } from "vitest";
import { knowledgeBase, query, relation, weightedRule } from "../../../src/entries/everything.ts";
import { FactColumn, Facts } from "../../../src/graphs/knowledge/facts.ts";
import { joinLimits } from "../../../src/graphs/knowledge/join.ts";
import { Dictionary } from "../../../src/graphs/knowledge/views.ts";

const MOST = 2 ** 24 - 1;

it("accepts 2^24 − 1 different values per column and in total, and refuses one more with the remedy", () => {
  const column = new FactColumn("word");
  const facts = new Facts("relation", "says", [column]);
  // Simulates a full column: a list of this length without entries.
  column.levels.length = MOST - 1;
  const more = (words: string[]) => ({
    ...{ count: words.length, names: ["word"] },
    column: () => undefined,
    cell: (_: string, row: number) => words[row],
  });
  facts.append(facts.encode(more(["last", "last"])));
  expect(column.levels.length).toBe(MOST);
  expect(() => facts.encode(more(["last", "one more"]))).toThrow(
    'knowledgeBase: column "word" would hold more than 16,777,215 different values, the most that can be told apart; split the tables [MEMORY_LIMIT]',
  );
  expect(facts.rowCount).toBe(2);
  const dictionary = new Dictionary();
  dictionary.values.length = MOST - 1;
  expect(dictionary.code("last")).toBe(MOST - 1);
  expect(dictionary.code("last")).toBe(MOST - 1);
  expect(() => dictionary.code("one more")).toThrow("all tables together would hold more than 16,777,215 different values");
});

it("refuses a join that would visit 2^33 rows, with rule, atom and remedy, and leaves nothing behind", () => {
  expect(joinLimits.visited).toBe(2 ** 33);
  const rows = Array.from({ length: 100 }, (_, i) => ({ a: i, b: -i }));
  const r = relation("r", rows);
  const likes = query("likes", rows, { key: ["a"] });
  const open = (count: number) =>
    knowledgeBase([
      weightedRule({
        name: "far",
        head: likes({ a: "a" }),
        body: [r({ a: "a", b: "b" }), r({ a: "c", b: "d" })],
        where: ({ c }) => c === count,
        weight: 1,
      }),
    ]);
  try {
    joinLimits.visited = 10_000;
    const kb = open(3);
    // 100 rows for each of 100 rows: exactly the limit.
    expect(kb.ground().factorCount).toBe(100);
    joinLimits.visited = 9_999;
    const refused = open(3);
    for (const run of [() => refused.ground(), () => refused.explain()])
      expect(run).toThrow(
        /^rule "far": more than 9,999 rows would be visited for r\(a: c, b: d\), because few variables join it to the other atoms; share more variables between atoms, or make a relation of the pairs that matter \[MEMORY_LIMIT\]$/,
      );
    expect(String(refused)).toContain("0 of them grounded; factor graph: 0 variables, 0 factors");
  } finally {
    joinLimits.visited = 2 ** 33;
  }
});

/**
 * Refused input of tables and rules. Each error names the rule or the table, the row and the remedy, and leaves nothing
 * behind.
 */
import { describe, expect, it } from "vitest";
import { knowledgeBase, query, relation, type Table, weightedRule } from "../../../src/entries/everything.ts";

const people = ["anna", "ben", "carl"].map((who) => ({ who }));
const smokes = () => query("smokes", people, { key: ["who"] });
const pairs = (count: number) => Array.from({ length: count }, (_, i) => ({ a: "anna", b: "ben", n: i }));

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String(error);
  }
  throw new Error("nothing was thrown");
}

describe("tables", () => {
  it.each<[string, () => unknown, string]>([
    [
      "no rows",
      () => relation("r", []),
      'DataError: relation "r": there are no rows; give some, or the types of its columns: { city: "text" } [DATA_EMPTY]',
    ],
    [
      "two types in a column",
      () => relation("r", [{ a: 1 }, { a: null }, { a: "2" }]),
      'DataError: relation "r": row 3: column "a" is "2", but must be a number, as others are; convert it, or leave it out as null [DATA_TYPE]',
    ],
    [
      "lists of two lengths",
      () => relation("r", { a: [1, 2], b: [1] }),
      'DataError: relation "r": column "b" has 1 values, but "a" has 2; give each row a value, null for a missing one [DATA_SHAPE]',
    ],
    ["no table at all", () => relation("r", 5 as never), 'DataError: relation "r": 5 was given, but must be a list of rows'],
    ["a row that is no object", () => relation("r", [{ a: 1 }, 7 as never]), 'relation "r": row 2 is 7, but must be an object'],
    [
      "a key twice",
      () => query("q", [...people, { who: "ben" }], { key: ["who"] }),
      'DataError: query "q": row 4 has the key { who: "ben" } of row 2: drop one, or set distinct: true, which merges them [DATA_DUPLICATE]',
    ],
    [
      "a key twice with two labels",
      () =>
        query(
          "q",
          [
            { a: 1, is: true },
            { a: 1, is: false },
          ],
          { key: ["a"], label: "is", distinct: true },
        ),
      "row 2 has the key { a: 1 } of row 1: but another label; correct one of the two",
    ],
    [
      "a missing key",
      () => query("q", [{ a: 1 }, { a: null }], { key: ["a"] }),
      'query "q": row 2: the key column "a" is missing',
    ],
    [
      "a label that is no state",
      () => query("q", [{ a: 1, is: "maybe" }], { key: ["a"], label: "is" }),
      'query "q": row 1: column "is": it has no state "maybe"',
    ],
    [
      "a label that rules see",
      () => query("q", people, { key: ["who"], label: "who" }),
      "is also a key column, which rules can see",
    ],
  ])("refuses %s", (_, run, wanted) => {
    expect(message(run)).toContain(wanted);
  });

  it("accept all new rows or none", () => {
    const r = relation("r", [{ a: 1, b: "x" }]);
    expect(() =>
      r.add([
        { a: 2, b: "y" },
        { a: "3" as never, b: "z" },
      ]),
    ).toThrow(/row 2: column "a" is "3"/);
    expect(r.rowCount).toBe(1);
    const q = smokes();
    expect(() => q.add([{ who: "dora" }, { who: "anna" }])).toThrow(
      /row 2 has the key { who: "anna" } of the existing unknown 1/,
    );
    expect(q.rowCount).toBe(3);
    q.add([{ who: "dora" }]);
    const labelled = query("l", [{ a: 1, is: 1 }], {
      key: ["a"],
      label: "is",
      holdOut: ({ a }) => (a === 2 ? (5 as never) : false),
    });
    expect(() =>
      labelled.add([
        { a: 3, is: 0 },
        { a: 2, is: 1 },
      ]),
    ).toThrow(/holdOut returned 5 for 2, but must return true or false/);
    expect(() => labelled.add([{ a: 3, is: 7 }])).toThrow(/row 1: column "is": it has no state 7/);
    expect(labelled.rowCount).toBe(1);
    labelled.add([{ a: 3, is: 0 }]);
    expect(labelled.rowCount).toBe(2);
    expect(q.rowCount).toBe(4);
  });

  it("read true and false from files as Booleans if they are declared as such", () => {
    const table: Table = {
      rowCount: 3,
      source: "t.csv",
      columns: [
        { name: "who", kind: "category", codes: Int32Array.from([0, 1, -1]), levels: ["anna", "ben"] },
        { name: "old", kind: "category", codes: Int32Array.from([1, 0, 1]), levels: ["false", "true"] },
        { name: "rich", kind: "number", values: Float64Array.from([1, 0, NaN]) },
      ],
    };
    const r = relation("r", table, { who: "text", old: "boolean", rich: "boolean" });
    const q = smokes();
    const kb = knowledgeBase([
      weightedRule({ head: q({ who: "w" }), body: [r({ who: "w", old: { equals: true } })], weight: ({ w }) => w }),
      weightedRule({ name: "rich", head: q({ who: "w" }), body: [r({ who: "w", rich: "x" })], weight: 1, where: ({ x }) => x }),
    ]);
    expect(kb.explain().rules.map(({ factors }) => factors)).toEqual([1, 1]);
    expect(message(() => relation("r", table, { who: "number" }))).toContain(
      'row 1: column "who" is "anna", but must be a number',
    );
  });
});

describe("errors of rules", () => {
  it("refuses two rules of one name, and two tables of one name", () => {
    const q = smokes();
    const rule = weightedRule({ head: q({ who: "w" }), weight: 1 });
    expect(message(() => knowledgeBase([rule, rule]))).toBe(
      'OptionError: rule "smokes(who: w) if nothing else": there is a rule of this name already; give this rule another name [NAME_TAKEN]',
    );
    const other = weightedRule({ name: "other", head: smokes()({ who: "w" }), weight: 1 });
    expect(message(() => knowledgeBase([rule, other]))).toContain('rule "other": it uses query "smokes", but there is another');
  });

  it("refuses tables without rows", () => {
    const none = relation("none", [], { who: "text" });
    const kb = knowledgeBase([weightedRule({ name: "n", head: smokes()({ who: "w" }), body: [none({ who: "w" })], weight: 1 })]);
    for (const run of [() => kb.explain(), () => kb.ground()])
      expect(message(run)).toBe(
        'OptionError: rule "n": relation "none" has no rows, so the rule has no effect; add rows, or leave the rule out [DATA_EMPTY]',
      );
    none.add([{ who: "anna" }]);
    expect(kb.ground().factorCount).toBe(1);
  });

  it("refuses functions that return invalid values or read unbound variables", () => {
    const q = smokes();
    const ground = (options: object): string =>
      message(() => {
        const kb = knowledgeBase([
          weightedRule({ name: "first", head: q({ who: "w" }), weight: "first" }),
          weightedRule({ name: "n", head: q({ who: "w" }), weight: 1, ...(options as object) }),
        ]);
        try {
          kb.ground();
        } catch (error) {
          // Neither rule leaves anything behind.
          expect(String(kb)).toContain("0 of them grounded; factor graph: 0 variables, 0 factors, 0 edges");
          throw error;
        }
      });
    const row = '(of the row { w: "anna" }) [OPTION_MEANING]';
    expect(ground({ where: () => 1 })).toBe(`OptionError: rule "n": where returned 1, but must return true or false ${row}`);
    expect(ground({ weight: () => undefined })).toBe(
      `OptionError: rule "n": weight returned undefined, but must return a name or a number ${row}`,
    );
    expect(ground({ feature: () => NaN })).toContain('rule "n": feature returned NaN, but must return a number');
    expect(ground({ weight: (given: Record<string, string>) => given.who })).toBe(
      'OptionError: rule "n": a function reads the variable "who", which no atom binds; did you mean "w"? (bound: w) [OPTION_UNKNOWN]',
    );
    const fails = () => {
      throw new Error("no such word");
    };
    expect(ground({ weight: fails })).toContain('rule "n": a function failed: no such word; it was given the row { w: "anna" }');
  });

  it("refuses two occurrences of one unknown", () => {
    const q = smokes();
    const r = relation("knows", [
      { a: "anna", b: "ben" },
      { a: "carl", b: "carl" },
    ]);
    const rule = (where?: (row: { a: string; b: string }) => boolean) =>
      weightedRule({
        name: "n",
        head: q({ who: "a" }),
        body: [q({ who: "b" }), r({ a: "a", b: "b" })],
        weight: 1,
        ...(where ? { where } : {}),
      });
    expect(message(() => knowledgeBase([rule()]).ground())).toContain(
      'rule "n": smokes(who: b) and smokes(who: a) are the same unknown, but a factor can contain it only once; exclude these rows, where: (row) => row.a !== row.b (of the row { b: "carl", a: "carl" })',
    );
    expect(knowledgeBase([rule(({ a, b }) => a !== b)]).ground().factorCount).toBe(1);
  });

  it("refuses a fan-out beyond memory, computed from counts before anything is built", () => {
    const r = relation("r", pairs(100_000));
    const q = smokes();
    const body = [r({ a: "w", n: "n" }), r({ a: "w", n: "m" }), r({ a: "w", n: "k" })] as const;
    const kb = knowledgeBase([weightedRule({ name: "wide", head: q({ who: "w" }), body, weight: 1 })], { memory: 0.01 });
    const plan = kb.explain();
    expect(plan.rules[0].groundings).toBe(Infinity);
    expect(String(plan)).toContain("wide: too many factors of too many groundings");
    expect(message(() => kb.ground())).toMatch(
      /MemoryLimitError: rule "wide": its factors would take more than the 10\.2 MiB that are left: each row before it has [\d.]+ rows of r\(a: w, n: .\); share more variables/,
    );
    expect(String(kb)).toContain("0 variables, 0 factors");
  });

  it("refuses two initial values for one weight", () => {
    const head = smokes()({ who: "w" });
    const rule = (name: string, initial?: number) =>
      weightedRule({ name, head, weight: "shared", ...(initial === undefined ? {} : { initial }) });
    expect(message(() => knowledgeBase([rule("a", 1), rule("b", 2)]).ground())).toContain(
      'rule "b": initial is 2, but another rule has the weight "shared" start with 1; give it once',
    );
    const graph = knowledgeBase([rule("a", 1), rule("b")]).ground();
    expect(graph.weightState("shared")).toEqual({ name: "shared", value: 1, fixed: false });
  });

  it("refuses votes over several unknowns, and votes with features", () => {
    const q = smokes();
    const head = q({ who: "a" });
    const body = [q({ who: "b" }), q({ who: "a" })] as const;
    expect(message(() => weightedRule({ head, body, weight: 1, semantics: "ratio" }))).toContain(
      'semantics "ratio" counts votes of one unknown each, but the body has 2',
    );
    expect(message(() => weightedRule({ head, weight: 1, feature: 2, semantics: "ratio" }))).toContain(
      "feature has no meaning with votes",
    );
    expect(message(() => weightedRule({ head, weight: 1, semantics: "equal" }))).toContain(
      "compares the head with unknowns of the body",
    );
  });

  it("refuses questions about unknown names and keys", () => {
    const q = smokes();
    const kb = knowledgeBase([weightedRule({ head: q({ who: "w" }), weight: 1 })]);
    expect(message(() => kb.variable(q, { who: "anna" }))).toContain(
      'query "smokes": this unknown is not in the graph yet; call ground() first',
    );
    kb.ground();
    expect(kb.variable(q, { who: "ben" })).toBe(1);
    expect(message(() => kb.variable(q, { who: "zoe" }))).toContain('there is no unknown { who: "zoe" }');
    expect(message(() => kb.variable(smokes(), { who: "ben" }))).toContain("must be a query that the rules mention: smokes");
    expect(message(() => kb.calibration(q, { marginal: () => ({ p: [1, 0], certificate: { exact: true } }) }))).toContain(
      "holds no labels out",
    );
  });
});

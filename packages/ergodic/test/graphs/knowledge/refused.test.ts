/**
 * All other input that tables, atoms and rules refuse immediately, with an error that names the input and the remedy.
 */
import { describe, expect, it } from "vitest";
import { knowledgeBase, query, relation, weightedRule } from "../../../src/entries/everything.ts";

// Errors at run time name all input that TypeScript would refuse.
// biome-ignore lint/suspicious/noExplicitAny: wrong arguments on purpose
type Any = any;

const people = [{ who: "anna", age: 1 }, { who: "ben" }];
const r = relation("r", [{ a: "x", n: 1, is: true }]);
const q = query("q", [{ who: "anna" }], { key: ["who"] });
const level = query("level", [{ who: "anna" }], { key: ["who"], states: ["low", "mid", "high"] });
const two = query("two", [{ a: "x", b: "y" }], { key: ["a", "b"] });
const head = q({ who: "w" });
const rule = (given: object): unknown => weightedRule({ name: "n", weight: 1, ...given } as Any);
const table = (given: unknown, types?: Any): unknown => relation("t", given as Any, types);
const asked = (options: object, rows: Any = [{ a: 1, b: 1 }]): unknown => query("t", rows, { key: ["a"], ...options } as Any);

describe("refused input", () => {
  it.each<[string, () => unknown, RegExp]>([
    ["a table's name", () => relation("", [{ a: 1 }]), /^OptionError: relation: the name is "".*a text that is not empty/],
    ["no lists", () => table({}), /relation "t": .*lists by column: write \[\{ city: "Rome" \}\]/],
    ["a column that is no list", () => table({ a: 5 }), /relation "t": column "a" is 5, but must be a list of values/],
    ["no types", () => table([], {}), /relation "t": there are no types; write \{ city: "text" \}/],
    [
      "a type that is none",
      () => table([], { a: "txt" }),
      /relation "t": the type of "a" is "txt", but must be one of text, number, boolean/,
    ],
    [
      "a column that rows lack",
      () => table([{ a: 1 }], { b: "number" }),
      /relation "t": the rows have no column "b" \(they have a\); add it/,
    ],
    [
      "a value of no type",
      () => table([{ a: 1n }]),
      /relation "t": row 1: column "a" is 1n?, but must be a text, a number or a Boolean/,
    ],
    ["a key that is no list", () => asked({ key: "a" }), /query "t": key .*a list of columns.*key: \["city"\]/],
    ["a key with a column twice", () => asked({ key: ["a", "a"] }), /query "t": key has a column twice; name each once/],
    ["a key that is misspelt", () => asked({ key: ["aa"] }), /query "t": .*no column "aa"; did you mean "a"\?/],
    ["a label that is misspelt", () => asked({ label: "bb" }), /query "t": .*no column "bb"; did you mean "b"\?/],
    ["distinct", () => asked({ distinct: 1 }), /query "t": distinct/],
    ["a share above 1", () => asked({ holdOut: 1.5 }), /query "t": holdOut .*a share between 0 and 1, or a function of the key/],
    ["states that are no list", () => asked({ states: 3 }), /query "t": states .*a list of names.*\["low", "high"\]/],
    ["a misspelt option", () => asked({ lable: "b" }), /query "t": unknown option "lable" \(known: key, label,/],
    [
      "a label for what had none",
      () => query("t", [{ a: 1 }], { key: ["a"], label: "is", distinct: true, types: { a: "number", is: "boolean" } } as Any),
      /query "t": the rows have no column "is"/,
    ],
    [
      "a label that comes later",
      () =>
        query("t", [{ a: 1, is: null as boolean | null }], { key: ["a"], label: "is", distinct: true }).add([{ a: 1, is: true }]),
      /query "t": row 1 has the key \{ a: 1 \} of the existing unknown 1: that unknown has no label; tell the graph: graph\.observe/,
    ],
    [
      "a state of a Boolean",
      () => (q as Any)({ who: "w" }, "low"),
      /q: the state "low" was given, but this unknown is true or false: leave the state out/,
    ],
    ["no state", () => (level as Any)({ who: "w" }), /level: no state was given; say which one is meant/],
    ["a state that there is not", () => (level as Any)({ who: "w" }, "lo"), /level: .*no state "lo"/],
    [
      "not one of three",
      () => level.not({ who: "w" }, "low"),
      /level: it has 3 states, of which not\(\) names none; say which one/,
    ],
    ["nothing that is bound", () => (r as Any)(5), /r: .*what is bound/],
    [
      "a number that is bound",
      () => (r as Any)({ a: 5 }),
      /r: column "a" is bound to 5, but must be to the name of a variable, "x"/,
    ],
    ["a column that there is not", () => (r as Any)({ b: "x" }), /r: .*has no column "b"/],
    [
      "a value of another type",
      () => (r as Any)({ n: { equals: "1" } }),
      /r: column "n" is compared with "1", but holds a number/,
    ],
    ["no head", () => rule({}), /rule "n": head .*an unknown of a query with all its key columns/],
    ["a head that is a relation", () => rule({ head: r({ a: "w" }) }), /rule "n": head .*an unknown of a query/],
    ["a head without all of its key", () => rule({ head: two({ a: "w" }) }), /rule "n": head .*all its key columns/],
    ["a body that is no list", () => rule({ head, body: r({ a: "w" }) }), /rule "n": body .*a list of atoms/],
    [
      "a head that the body does not bind",
      () => rule({ head: q({ who: "ww" }), body: [r({ a: "w" })] }),
      /rule "n": the head has the variable "ww", which the body does not bind; did you mean "w"\? \(it binds w\) \[OPTION_MEANING\]/,
    ],
    [
      "a variable of two types",
      () => rule({ head: q({ who: "w" }), body: [r({ n: "w" })] }),
      /rule "n": the variable "w" is a number in r\.n, but a text in q\.who; convert one of the columns, or use two variables/,
    ],
    [
      "a weight that is none",
      () => rule({ head, weight: NaN }),
      /rule "n": weight .*a number, a name, or a function that gives one/,
    ],
    ["a weight without a name", () => rule({ head, weight: "" }), /rule "n": weight/],
    ["an initial value", () => rule({ head, initial: "0" }), /rule "n": initial/],
    ["a feature", () => rule({ head, feature: Infinity }), /rule "n": feature/],
    ["where", () => rule({ head, where: true }), /rule "n": where/],
    ["semantics", () => rule({ head, semantics: "implies" }), /rule "n": semantics is "implies", but must be one of "imply", /],
    ["a misspelt option of a rule", () => rule({ head, wieght: 1 }), /rule "n": unknown option "wieght" \(known: name, head,/],
    ["a name of a rule", () => weightedRule({ head, weight: 1, name: "" }), /name .*a text/],
    [
      "what is no rule",
      () => knowledgeBase([{ head } as Any]),
      /knowledgeBase\.add: .*must be a rule: write weightedRule\(\{ … \}\)/,
    ],
    ["memory of a knowledge base", () => knowledgeBase([], { memory: -1 }), /memory/],
    ["names", () => knowledgeBase([], { names: 1 } as Any), /knowledgeBase: names/],
  ])("refuses %s", (_, run, wanted) => {
    let said = "";
    try {
      run();
    } catch (error) {
      said = String(error);
    }
    expect(said).toMatch(wanted);
    expect(said).toMatch(/\[[A-Z_]+\]$/);
  });

  it("skips missing values in rules", () => {
    const ages = relation("ages", people);
    const young = query("young", people, { key: ["who"] });
    const kb = knowledgeBase([
      weightedRule({ name: "age", head: young({ who: "w" }), body: [ages({ who: "w", age: "y" })], weight: 1 }),
    ]);
    expect(kb.explain().factors).toBe(1);
  });

  it("keeps the knowledge base unchanged after wrong calibration bins and duplicate rules", () => {
    const known = query("known", [{ id: 1, is: true }], { key: ["id"], label: "is", holdOut: 1 });
    const one = weightedRule({ name: "one", head: known({ id: "i" }), weight: 1 });
    const kb = knowledgeBase([one]);
    kb.ground();
    const answer = { marginal: () => ({ p: [0, 1], certificate: { exact: true } as const }) };
    expect(() => kb.calibration(known, answer, { bins: 0 })).toThrow(/calibration: bins/);
    const fresh = weightedRule({ name: "fresh", head: known({ id: "i" }), weight: 1 });
    expect(() => kb.add(fresh, one)).toThrow(/rule "one": there is a rule of this name already/);
    expect(String(kb)).toContain("1 rules, 1 of them grounded");
    kb.add(fresh);
    expect(kb.explain().factors).toBe(1);
  });
});

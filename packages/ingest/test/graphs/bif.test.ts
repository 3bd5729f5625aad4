/**
 * BIF files: the networks of the bnlearn repository compared with a plain twin and published numbers, grammar and
 * faults.
 */
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { factorGraph, infer } from "ergodic";
import { describe, expect, it } from "vitest";
import { readBif, writeBif } from "../../src/graphs/index.ts";
import { folder, skipped, there } from "./shared.ts";

const bif = `${folder}bif/`;
const networks = there ? readdirSync(bif) : [];

/**
 * Rows of probabilities in a file in bnlearn's style, read by regular expressions: child, parents, their states,
 * numbers.
 */
function rowsOf(text: string): { child: string; parents: string[]; states: string[]; p: number[] }[] {
  const list = (of: string): string[] =>
    of
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean);
  return [...text.matchAll(/probability \( (\S+)(?: \| (.*?))? \) \{(.*?)\n\}/gs)].flatMap(([, child, parents = "", body]) =>
    [...body.matchAll(/(?:table|\((.*?)\)) (.*?);/g)].map(([, states = "", p]) => ({
      child,
      parents: list(parents),
      states: list(states),
      p: list(p).map(Number),
    })),
  );
}

describe.skipIf(!there)(`networks of the bnlearn repository${skipped}`, () => {
  it("there are eight files", () => {
    expect(networks).toHaveLength(8);
  });

  it.each(networks)("%s: puts every row in its place, and all probabilities sum to 1", async (name) => {
    const graph = await readBif(bif + name);
    const rows = rowsOf(gunzipSync(readFileSync(bif + name)).toString());
    expect(rows.length).toBeGreaterThan(4);
    const factorOf = new Map(
      Array.from({ length: graph.factorCount }, (_, f) => [graph.factorAt(f).variables.at(-1)!, graph.factorAt(f)]),
    );
    for (const { child, parents, states, p } of rows) {
      const { variables, values } = factorOf.get(graph.variableNumber(child))!;
      expect(variables.map((variable) => graph.variableName(variable))).toEqual([...parents, child]);
      const row = parents.reduce(
        (at, parent, k) => at * graph.stateCount(parent) + graph.stateNames(parent).indexOf(states[k]),
        0,
      );
      expect([...values!.subarray(row * p.length, (row + 1) * p.length)]).toEqual(p);
    }
    const { logZ } = await infer(graph, { task: "partition" });
    expect(Math.abs(logZ)).toBeLessThan(1e-6);
    const again = await readBif({ content: writeBif(graph), name });
    expect(JSON.stringify(again)).toBe(JSON.stringify(graph));
  });

  it("asia has the marginals of Lauritzen and Spiegelhalter (1988)", async () => {
    const answer = await infer(await readBif(`${bif}asia.bif.gz`));
    const published = { tub: 0.0104, lung: 0.055, bronc: 0.45, either: 0.064828, xray: 0.11029, dysp: 0.435971 };
    for (const [name, yes] of Object.entries(published)) expect(answer.marginal(name).p[0]).toBeCloseTo(yes, 6);
  });

  it("cancer has the posterior computed by hand", async () => {
    const graph = await readBif(`${bif}cancer.bif.gz`);
    const smoker = 0.3 * (0.9 * 0.03 + 0.1 * 0.05);
    const other = 0.7 * (0.9 * 0.001 + 0.1 * 0.02);
    const cancer = (smoker + other) * 0.9;
    const answer = await infer(graph, { evidence: { Xray: "positive" } });
    expect(answer.marginal("Cancer").p[0]).toBeCloseTo(cancer / (cancer + (1 - smoker - other) * 0.2), 12);
  });

  it("alarm has the marginal of a variable with two parents computed by hand", async () => {
    const answer = await infer(await readBif(`${bif}alarm.bif.gz`), { evidence: { HYPOVOLEMIA: "FALSE", LVFAILURE: "TRUE" } });
    const rows = rowsOf(gunzipSync(readFileSync(`${bif}alarm.bif.gz`)).toString());
    const { parents, p } = rows.find(({ child, states }) => child === "LVEDVOLUME" && states.join() === "FALSE,TRUE")!;
    expect(parents).toEqual(["HYPOVOLEMIA", "LVFAILURE"]);
    answer.marginal("LVEDVOLUME").p.forEach((found, state) => {
      expect(found).toBeCloseTo(p[state], 12);
    });
  });
});

const plain = `// a comment
network "of mine" { property "author = me; you"; }
variable a { type discrete [2] { yes, no }; property position = (1, 2); }
variable "b c" { /* three
  states */ type discrete [ 3 ] { "x y", z, 3.5 }; }
variable d { type discrete { on off }; }
probability ( a ) { table 0.2 0.8; }
probability ( "b c" | a ) { (yes) 0.1, 0.2, 0.7; default 0.3, 0.3, 0.4; }
probability ( d | a, "b c" ) {
  table 0.1, 0.2, 0.3, 0.4, 0.5, 0.6,
        0.9, 0.8, 0.7, 0.6, 0.5, 0.4;
}
`;
const named = (content: string) => ({ content, name: "a.bif" });

describe("BIF", () => {
  it("reads comments, properties, quotes, defaults and tables in which the child varies slowest", async () => {
    const graph = await readBif(named(plain));
    expect(graph.stateNames("b c")).toEqual(["x y", "z", "3.5"]);
    expect(graph.factorAt(1).values).toEqual(Float64Array.of(0.1, 0.2, 0.7, 0.3, 0.3, 0.4));
    expect(graph.factorAt(2)).toMatchObject({
      variables: [0, 1, 2],
      values: Float64Array.of(0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6, 0.5, 0.5, 0.6, 0.4),
    });
    expect(JSON.stringify(await readBif(named(writeBif(graph))))).toBe(JSON.stringify(graph));
  });

  it("accepts any quoted name, even an empty one", async () => {
    for (const name of ['""', '"a // b"', '"{ }"', "x"]) {
      const graph = await readBif(named(plain.replace(/network [^{]*/, `network ${name} `)));
      expect([graph.variableCount, graph.stateNames("b c")]).toEqual([3, ["x y", "z", "3.5"]]);
    }
  });

  const faults: [string, string, string][] = [
    ["an empty file", "", "a.bif:1:1: the file is empty"],
    ["what is no block", "net {}", 'a.bif:1:1: found "net", but expected network, variable or probability'],
    ["a cut file", plain.slice(0, plain.indexOf("0.9")), 'where a probability, or ";" was expected'],
    ["an open quote", 'network "x {\n}', "a.bif:1:9: the quote that opens here is never closed"],
    ["an open comment", "network x {\n} /* and", "a.bif:2:3: the comment that opens here is never closed"],
    ["a variable twice", plain.replace("variable d", "variable a"), 'a.bif:6:10: the variable "a" is declared twice'],
    ["states twice", plain.replace("{ yes, no }", "{ yes, yes }"), 'two of its states are called "yes"'],
    ["another number of states", plain.replace("[2]", "[3]"), 'a.bif:3:29: 2 states are listed, but the declared number is "3"'],
    ["a number of states of 10^9", plain.replace("[2]", "[1000000000]"), "2 states are listed"],
    ["another type", plain.replace("discrete [2]", "continuous"), 'the type is "continuous", but must be discrete'],
    ["no type", plain.replace("type discrete { on off };", ""), 'the variable "d" has no type'],
    ["an unknown parent", plain.replace("( d | a,", "( d | e,"), 'a.bif:9:19: there is no variable "e" above'],
    ["a parent twice", plain.replace('( d | a, "b c" )', "( d | a, a )"), 'a.bif:9:22: "a" occurs twice'],
    ["two blocks", `${plain}probability ( a ) { table 0.5, 0.5; }`, 'the variable "a" has two probability blocks'],
    [
      "no block",
      plain.replace("probability ( a ) { table 0.2 0.8; }", ""),
      'a.bif:3:10: the variable "a" has no probability block',
    ],
    ["an unknown state", plain.replace("(yes) 0.1", "(maybe) 0.1"), '"a" has no state "maybe"; its states are "yes", "no"'],
    ["states given twice", plain.replace("default", "(yes)"), "these states of the parents were given before"],
    [
      "states that are missing",
      plain.replace("default 0.3, 0.3, 0.4;", ""),
      '"b c" given (no) has no probabilities; add them, or a default',
    ],
    ["too few numbers", plain.replace("0.2 0.8", "0.2"), "1 probabilities were given, but there must be 2"],
    ["too many numbers", plain.replace("0.2 0.8", "0.2 0.4 0.4"), "more than 2 probabilities were given"],
    [
      "a negative number",
      plain.replace("0.2 0.8", "-0.2 0.8"),
      'a.bif:7:27: the probability is "-0.2", but must be a number from 0 to 1',
    ],
    ["a hexadecimal number", plain.replace("0.2 0.8", "0x1 0"), 'the probability is "0x1", but must be a number from 0 to 1'],
    ["a blank in quotes", plain.replace("0.2 0.8", '" " 1'), 'the probability is " ", but must be a number from 0 to 1'],
    ["NaN", plain.replace("0.2 0.8", "NaN 0.8"), 'the probability is "NaN"'],
    ["rows that do not sum to 1", plain.replace("(yes) 0.1", "(yes) 0.4"), 'the probabilities of "b c" given (yes) sum to 1.3'],
    ["a row that sums to 1.1", plain.replace("(yes) 0.1", "(yes) 0.2"), 'the probabilities of "b c" given (yes) sum to 1.1'],
    [
      "a circle",
      "variable a { type discrete [1] { x }; } variable b { type discrete [1] { x }; } probability ( a | b ) { table 1; } probability ( b | a ) { table 1; }",
      "is on a cycle of parents",
    ],
    ["a default for more rows than memory has", bomb(), "more than this file can list"],
  ];
  it.each(faults)("refuses %s", async (_, text, message) => {
    await expect(readBif(named(text))).rejects.toThrow(message);
  });

  it("writes only Bayesian networks", async () => {
    const graph = factorGraph();
    graph.variable("a");
    expect(() => writeBif(graph)).toThrow(/not a Bayesian network: variable a has no factor/);
    graph.table(["a"], [1, 2]);
    expect(() => writeBif(graph)).toThrow(/factor 0 does not hold probabilities of its last variable/);
    const soft = factorGraph();
    soft.variable("a");
    soft.table(["a"], [0.5, 0.5]);
    soft.soft("a", [1, 2]);
    expect(() => writeBif(soft)).toThrow(/variable a has soft evidence/);
    const quote = factorGraph();
    quote.variable('a"b');
    quote.table([0], [0.5, 0.5]);
    expect(() => writeBif(quote)).toThrow(/has a quote or a line end/);
    const noisy = factorGraph();
    for (const name of ["p", "q"]) {
      noisy.variable(name);
      noisy.table([name], [0.75, 0.25]);
    }
    noisy.variable("c");
    noisy.noisyOr(
      "c",
      [
        ["p", 0.5],
        ["q", 0.5],
      ],
      { leak: 0.5 },
    );
    const again = await readBif(named(writeBif(noisy)));
    expect(again.factorAt(2).values).toEqual(Float64Array.of(0.5, 0.5, 0.25, 0.75, 0.25, 0.75, 0.125, 0.875));
  });
});

/** A variable with 40 parents of two states, and a default. */
function bomb(): string {
  const names = Array.from({ length: 40 }, (_, i) => `p${i}`);
  const variables = [...names, "c"].map((name) => `variable ${name} { type discrete [2] { x, y }; }`).join("\n");
  return `${variables}\nprobability ( c | ${names.join(", ")} ) { default 0.5, 0.5; }`;
}

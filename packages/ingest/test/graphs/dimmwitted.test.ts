/**
 * DimmWitted's files: its own test graphs, its text2bin byte for byte, both forms of the same graph, and damaged files.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FactorGraph, factorGraph, infer, is, not } from "ergodic";
import { factorGraphFromJson, logicalFunctionNames } from "ergodic/graphs";
import { afterAll, describe, expect, it } from "vitest";
import { readDimmWitted, writeDimmWitted } from "../../src/graphs/index.ts";
import { folder, skipped, there } from "./shared.ts";

const dimmwitted = `${folder}dimmwitted/`;
const scratch = mkdtempSync(join(tmpdir(), "ergodic-dimmwitted-"));
afterAll(() => rmSync(scratch, { recursive: true }));

let made = 0;
function written(files: Record<string, Uint8Array>): string {
  const path = mkdtempSync(join(scratch, `${made++}-`));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes);
  return path;
}

/** Everything that the files preserve, with factors in any order. */
function contentOf(graph: FactorGraph): unknown {
  const { variables, weights, factors, evidence } = graph.toJSON() as Record<string, unknown[]>;
  return { variables, weights, evidence, factors: factors.map((factor) => JSON.stringify(factor)).sort() };
}

/** Bytes printed by `xxd`. */
const dumped = (path: string): Uint8Array =>
  Uint8Array.from(
    readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line) => line.replace(/^\w+:/, "").split("  ")[0].replaceAll(" ", "").match(/../g) ?? []),
    (hex) => Number.parseInt(hex, 16),
  );

describe.skipIf(!there)(`DimmWitted's own graphs${skipped}`, () => {
  const graphs = ["biased_coin", "biased_coin_with_multinomial", "partial_observation", "sparse_domains"];

  it.each(graphs)("%s: reads the same graph from both forms", async (name) => {
    const graph = await readDimmWitted(dimmwitted + name);
    const [weights, variables, factors, edges] = readFileSync(`${dimmwitted}${name}/graph.meta`, "utf8").split(",").map(Number);
    expect([graph.weightCount, graph.variableCount, graph.factorCount, graph.edgeCount]).toEqual([
      weights,
      variables,
      factors,
      edges,
    ]);
    const binary = await readDimmWitted(written(writeDimmWitted(graph)));
    expect(JSON.stringify(binary)).toBe(JSON.stringify(graph));
    const text = await readDimmWitted(written(writeDimmWitted(graph, { form: "text" })));
    expect(contentOf(text)).toEqual(contentOf(graph));
  });

  it("reads sparse domains as values, and evidence by value", async () => {
    const graph = await readDimmWitted(`${dimmwitted}sparse_domains`);
    expect(graph.stateNames(14)).toEqual(["0", "1", "3"]);
    expect(graph.stateNames(16)).toEqual(["1", "3"]);
    expect(graph.observedState(6)).toBe(3);
    const factor = graph.factorAt(graph.factorCount - 1);
    expect(factor.kind).toBe("all");
  });

  it("gives P(1) = 8/9 for the biased coin at its intended weight", async () => {
    const graph = await readDimmWitted(`${dimmwitted}biased_coin`);
    graph.setWeights([0.5 * Math.log(8)]);
    const free = Array.from({ length: graph.variableCount }, (_, v) => v).filter((v) => graph.observedState(v) < 0);
    const answer = await infer(graph);
    expect(free.length).toBeGreaterThan(0);
    for (const variable of free) expect(answer.marginal(variable).p[1]).toBeCloseTo(8 / 9, 12);
  });

  it("writes the bytes of text2bin", () => {
    const graph = factorGraph();
    for (let v = 0; v < 10; v++) graph.variable();
    graph.weight(undefined, 3, { fixed: true });
    // Its rows contain {0}, {1,2} … in place of the weight, from which text2bin reads the weight 0.
    for (let feature = 0; feature < 4; feature++) graph.addFactor("and", [0], [1], 0, feature);
    const files = writeDimmWitted(graph);
    expect(files["graph.weights"]).toEqual(dumped(`${dimmwitted}text2bin/dd_weights.bin.txt`));
    expect(files["graph.variables"]).toEqual(dumped(`${dimmwitted}text2bin/dd_variables.bin.txt`));
    expect(files["graph.factors"]).toEqual(dumped(`${dimmwitted}text2bin/dd_factors.bin.txt`));
    const text = writeDimmWitted(graph, { form: "text" });
    const { "weights.tsv": weights, "variables.tsv": variables } = text;
    expect(new TextDecoder().decode(weights)).toBe(readFileSync(`${dimmwitted}text2bin/dd_weights.txt`, "utf8"));
    expect(new TextDecoder().decode(variables)).toBe(readFileSync(`${dimmwitted}text2bin/dd_variables.txt`, "utf8"));
  });

  it("reads the bytes of text2bin as the graph that writes these bytes", async () => {
    const bytesOf = (name: string): Uint8Array => dumped(`${dimmwitted}text2bin/dd_${name}.bin.txt`);
    const vectors = { weights: bytesOf("weights"), variables: bytesOf("variables"), factors: bytesOf("factors") };
    const graph = await readDimmWitted(vectors);
    expect([graph.variableCount, graph.weightCount, graph.factorCount]).toEqual([10, 1, 4]);
    expect(graph.weightState(0)).toMatchObject({ value: 3, fixed: true });
    expect(graph.factorAt(3)).toMatchObject({ kind: "and", variables: [0], states: [1], weight: 0, feature: 3 });
    const files = writeDimmWitted(graph);
    for (const [name, bytes] of Object.entries(vectors)) expect(files[`graph.${name}`]).toEqual(bytes);
    const text = writeDimmWitted(graph, { form: "text" });
    expect(new TextDecoder().decode(text["weights.tsv"])).toBe(readFileSync(`${dimmwitted}text2bin/dd_weights.txt`, "utf8"));
    expect(new TextDecoder().decode(text["variables.tsv"])).toBe(readFileSync(`${dimmwitted}text2bin/dd_variables.txt`, "utf8"));
  });

  it("refuses a list in place of a weight", async () => {
    const dd = `${dimmwitted}text2bin/dd_`;
    const files = {
      weights: `${dd}weights.txt`,
      variables: `${dd}variables.txt`,
      factors: [{ rows: `${dd}factors.txt`, args: { content: "2 1 1" } }],
    };
    await expect(readDimmWitted(files)).rejects.toThrow('dd_factors.txt:1:2: "{0}" is not a number');
  });

  it("covers every file of the folder", () => {
    expect(readdirSync(dimmwitted).sort()).toEqual([...graphs, "text2bin"].sort());
  });
});

/** A graph with every function, every kind of variable, and evidence. */
function everything(): FactorGraph {
  const graph = factorGraph();
  for (let v = 0; v < 4; v++) graph.variable();
  graph.variable(undefined, 4);
  graph.variable(undefined, [2, 5, 9], { truthiness: [0, 0.25, 0.75] });
  graph.variable(undefined, 2, { truthiness: [0.5, 1] });
  const weight = graph.weight(undefined, 0.1, { fixed: true });
  const other = graph.weight(undefined, -1e-300);
  for (const name of logicalFunctionNames) {
    graph.logicalFactor(name, [0, not(1), is(4, 3)], { weight, feature: 0.3 });
    graph.logicalFactor(name, [is(5, 9)], { weight: other, feature: -2 });
  }
  graph.observe(0, true).observe(5, 5).observe(4, 0);
  return graph;
}

describe("DimmWitted", () => {
  it("binary: reads back what it wrote, with factors in order", async () => {
    const graph = everything();
    const again = await readDimmWitted(written(writeDimmWitted(graph)));
    expect(contentOf(again)).toEqual(contentOf(withoutNames(graph)));
    expect(again.factorAt(7)).toEqual(graph.factorAt(7));
    const files = writeDimmWitted(again);
    expect(files).toEqual(writeDimmWitted(graph));
    const { "graph.factors": factors, "graph.weights": weights, "graph.variables": variables, "graph.domains": domains } = files;
    const middle = 100;
    const pieces = [factors.subarray(0, middle), factors.subarray(middle)];
    const streamed = (async function* () {
      yield* pieces;
    })();
    const pieced = await readDimmWitted({ weights, variables, domains, factors: streamed });
    expect(writeDimmWitted(pieced)).toEqual(files);
  });

  it("binary: grows its memory correctly at every field", async () => {
    for (let count = 30; count < 100; count++) {
      const graph = factorGraph();
      for (let i = 0; i < count; i++) {
        graph.variable();
        graph.weight(undefined, i);
        graph.addFactor("isTrue", [i], [1], i, 0.5);
      }
      const again = await readDimmWitted(written(writeDimmWitted(graph)));
      expect(again.variableCount).toBe(count);
      for (let i = 0; i < count; i++) {
        expect(again.weightState(i).value).toBe(i);
        expect(again.factorAt(i)).toMatchObject({ kind: "isTrue", variables: [i], states: [1], weight: i, feature: 0.5 });
      }
    }
  });

  it("text: reads back what it wrote", async () => {
    const graph = everything();
    const again = await readDimmWitted(written(writeDimmWitted(graph, { form: "text" })));
    expect(contentOf(again)).toEqual(contentOf(withoutNames(graph)));
  });

  /** States of two numeric values are written as a domain if they have truthiness. */
  function withoutNames(graph: FactorGraph): FactorGraph {
    const copy = factorGraph();
    const json = graph.toJSON() as { variables: { states?: number | number[]; truthiness?: number[] }[] };
    for (const { states, truthiness } of json.variables) {
      const list = typeof states === "number" && truthiness ? truthiness.map((_, i) => i) : states;
      copy.variable(undefined, list, truthiness ? { truthiness } : {});
    }
    for (let id = 0; id < graph.weightCount; id++) {
      const { value, fixed } = graph.weightState(id);
      copy.weight(undefined, value, { fixed });
    }
    for (let f = 0; f < graph.factorCount; f++) {
      const { kind, variables, states, weight, feature } = graph.factorAt(f);
      copy.addFactor(kind as "or", variables, states, weight!, feature);
    }
    return copy.observe(0, true).observe(5, 5).observe(4, 0);
  }

  it("refuses to write graphs that these files cannot hold", () => {
    const graph = factorGraph();
    graph.variable();
    graph.table([0], [1, 2]);
    expect(() => writeDimmWitted(graph)).toThrow(/factor 0 is of the kind "table".* \[GRAPH_FORM\]/);
    const soft = factorGraph();
    soft.variable();
    soft.soft(0, [1, 2]);
    expect(() => writeDimmWitted(soft)).toThrow(/variable 0 has soft evidence/);
  });

  const good = () => writeDimmWitted(everything());
  type Files = ReturnType<typeof good>;
  const at = (bytes: Uint8Array, offset: number, ...values: number[]): void => bytes.set(values, offset);
  const faults: [string, (files: Files) => void, string][] = [
    [
      "a cut weight",
      (f) => void (f["graph.weights"] = f["graph.weights"].slice(0, 20)),
      "graph.weights: byte 17: the last weight has 3 of its 17 bytes",
    ],
    [
      "a weight of one byte",
      (f) => void (f["graph.weights"] = f["graph.weights"].slice(0, 18)),
      "graph.weights: byte 17: the last weight has 1 of its 17 bytes",
    ],
    [
      "a domain of no variable",
      (f) => at(f["graph.domains"], 7, 99),
      "graph.domains: byte 0: this is the domain of variable 99, which does not exist",
    ],
    [
      "a domain of another count",
      (f) => at(f["graph.variables"], 5 * 27 + 26, 5),
      "graph.domains: byte 8: the domain of variable 5 declares 3 values and lists 3, but the variable has 5 states",
    ],
    [
      "a cut variable",
      (f) => void (f["graph.variables"] = f["graph.variables"].slice(0, -1)),
      "graph.variables: byte 162: the last variable has 26 of its 27 bytes",
    ],
    [
      "a cut factor",
      (f) => void (f["graph.factors"] = f["graph.factors"].slice(0, -1)),
      "the factor that begins here, of 1 variables, needs 42 bytes, but 41 are left",
    ],
    [
      "an arity of 10^9",
      (f) => at(f["graph.factors"], 6, 0x3b, 0x9a, 0xca, 0),
      "graph.factors: byte 2: the factor has 1000000000 variables",
    ],
    [
      "an arity beyond the file",
      (f) => at(f["graph.factors"], 8, 255),
      "graph.factors: byte 0: the factor that begins here, of 65283 variables, needs",
    ],
    [
      "an unknown function",
      (f) => at(f["graph.factors"], 1, 5),
      "graph.factors: byte 0: in the factor that begins here, there is no function 5",
    ],
    ["a variable out of range", (f) => at(f["graph.factors"], 17, 7), "there is no variable 7; they are numbered from 0 to 6"],
    ["a variable twice", (f) => at(f["graph.factors"], 33, 0), 'the variable "x0" occurs twice'],
    ["a state that is not there", (f) => at(f["graph.factors"], 25, 2), "variable 0 has no state 2"],
    ["a weight that is not there", (f) => at(f["graph.factors"], 65, 2), "weight is 2, but must be"],
    ["a feature that is NaN", (f) => at(f["graph.factors"], 66, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0), "feature is NaN"],
    [
      "a weight that is NaN",
      (f) => at(f["graph.weights"], 9, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0),
      "graph.weights: byte 9: the weight is NaN",
    ],
    ["neither fixed nor free", (f) => at(f["graph.weights"], 8, 2), "graph.weights: byte 8: fixed is 2, but must be 0 or 1"],
    ["an id twice", (f) => at(f["graph.weights"], 24, 0), "graph.weights: byte 17: there are two weights with the id 0"],
    [
      "an id beyond",
      (f) => at(f["graph.variables"], 0, 1),
      "graph.variables: byte 0: the id of the variable is 72057594037927940, but ids of 7 variables",
    ],
    ["no states", (f) => at(f["graph.variables"], 4 * 27 + 26, 0), "graph.variables: byte 127: the number of states is 0"],
    [
      "a Boolean of three states",
      (f) => at(f["graph.variables"], 26, 3),
      "graph.variables: byte 19: a Boolean has 2 states, but 3 are given",
    ],
    ["an unknown type", (f) => at(f["graph.variables"], 18, 2), "graph.variables: byte 17: the type is 2"],
    [
      "evidence that is no state",
      (f) => at(f["graph.variables"], 5 * 27 + 16, 6),
      "graph.variables: byte 144: the evidence is 6, which is not a state of variable 5",
    ],
    ["a domain beyond the file", (f) => at(f["graph.domains"], 8, 1), "graph.domains: byte 0: the domain that begins here needs"],
    [
      "a value twice",
      (f) => at(f["graph.domains"], 16 + 16 + 7, 2),
      "graph.domains: byte 16: two states of variable 5 have the same value",
    ],
    ["truthiness above 1", (f) => at(f["graph.domains"], 24, 0x40), "graph.domains: byte 24: truthiness must be from 0 to 1"],
    [
      "other counts than were said",
      (f) => void (f["graph.meta"] = new TextEncoder().encode("2,7,19,40")),
      "graph.meta: it declares 19 factors, but 20 were read",
    ],
    [
      "other edges than were said",
      (f) => void (f["graph.meta"] = new TextEncoder().encode("2,7,20,41")),
      "graph.meta: it declares 41 edges, but 40 were read",
    ],
    ["no weights", (f) => void delete f["graph.weights"], "has no graph.weights"],
  ];
  it.each(faults)("refuses %s", async (_, damage, message) => {
    const files = good();
    damage(files);
    await expect(readDimmWitted(written(files))).rejects.toThrow(message);
  });

  const rows = (text: string) => ({ content: text, name: "t.tsv" });
  const text = (changes: { weights?: string; variables?: string; domains?: string; factors?: string; args?: string }) => ({
    weights: rows(changes.weights ?? "0\t0\t1.5\n"),
    variables: rows(changes.variables ?? "0\t0\t0\t0\t2\n1\t1\t1\t0\t2\n"),
    ...(changes.domains === undefined ? {} : { domains: rows(changes.domains) }),
    factors: [{ rows: rows(changes.factors ?? "0\t1\t0\t1\n"), args: rows(changes.args ?? "3 2 1 1\n") }],
  });
  it("text: counts lines across chunks of a file", async () => {
    const pieces = ["0\t0\t1\n", "1\t0\t1\n2\t0\t", "x\n"].map((piece) => new TextEncoder().encode(piece));
    const weights = (async function* () {
      yield* pieces;
    })();
    await expect(readDimmWitted({ ...text({}), weights })).rejects.toThrow(/:3:3: "x" is not a number/);
  });

  it.each([
    ["a domain twice", { domains: "0\t2\t{0,1}\t{0,0}\n0\t2\t{0,1}\t{0,0}\n" }, "t.tsv:2:1: variable 0 has two domains"],
    [
      "a domain of another count",
      { domains: "0\t3\t{0,1}\t{0,0}\n" },
      "t.tsv:1:2: the domain of variable 0 declares 3 values and lists 2",
    ],
    [
      "a domain of no variable",
      { domains: "2\t2\t{0,1}\t{0,0}\n" },
      "t.tsv:1:1: this is the domain of variable 2, which does not exist",
    ],
    ...["2", "-1", "0.5"].map((place): [string, { factors: string }, string] => [
      `a factor of variable ${place}`,
      { factors: `${place}\t1\t0\t1\n` },
      `there is no variable ${place}; they are numbered from 0 to 1`,
    ]),
    ["a field too many", { weights: "0\t0\t1\t1\n" }, "t.tsv:1:1: the row has 4 fields, but must have 3: id, fixed, value"],
    ["a text for a number", { weights: "0\t0\tx\n" }, 't.tsv:1:3: "x" is not a number'],
    ["a hexadecimal number", { weights: "0\t0\t0x10\n" }, 't.tsv:1:3: "0x10" is not a number'],
    ["a hexadecimal value of a state", { domains: "0\t2\t{0,0x1}\t{0,0}\n" }, 't.tsv:1:3: "0x1" is not a number'],
    [
      "a domain of a variable below 0",
      { domains: "-1\t2\t{0,1}\t{0,0}\n" },
      "t.tsv:1:1: this is the domain of variable -1, which does not exist",
    ],
    [
      "a domain of half a variable",
      { domains: "0.5\t2\t{0,1}\t{0,0}\n" },
      "t.tsv:1:1: this is the domain of variable 0.5, which does not exist",
    ],
    ["an id beyond", { variables: "0\t0\t0\t0\t2\n\n9\t1\t1\t0\t2\n" }, "t.tsv:3:1: the id of the variable is 9"],
    ["a row too short", { factors: "0\t1\t0\n" }, "t.tsv:1:1: the row has 3 fields, but 2 variables, weight and feature make 4"],
    ["arguments that do not fit", { args: "3 2 1\n" }, 't.tsv: the arguments are "3 2 1", but must be a function'],
    ["an unknown weight", { factors: "0\t1\t0\t1\n0\t1\t4\t1\n" }, "t.tsv:2:1: weight is 4"],
    ["a domain without its list", { domains: "0\t2\t0,1\t{0,0}\n" }, 't.tsv:1:3: "0,1" is not a list; write {0,1,3}'],
    ["a domain of a Boolean the other way round", { domains: "0\t2\t{1,0}\t{0,0}\n" }, "t.tsv:1:3: variable 0 is a Boolean"],
  ])("text: refuses %s", async (_, changes, message) => {
    await expect(readDimmWitted(text(changes))).rejects.toThrow(message);
    expect((await readDimmWitted(text({}))).factorCount).toBe(1);
  });
});

it.each(["binary", "text"] as const)("reads back initial values for samplers, %s", async (form) => {
  const graph = factorGraph();
  graph.variable("a", undefined, { initial: true });
  graph.variable("b", 4, { initial: 3 });
  graph.variable("c", [7, 9, 12], { initial: 9 });
  graph.variable("d", 3);
  graph.variable("e", 3, { initial: 2 });
  graph.observe("e", 1);
  const again = await readDimmWitted(written(writeDimmWitted(graph, { form })));
  expect([0, 1, 2, 3, 4].map((variable) => again.variableAt(variable).initial)).toEqual([1, 3, 1, undefined, undefined]);
  expect([0, 1, 2, 3, 4].map((variable) => again.observedState(variable))).toEqual([-1, -1, -1, -1, 1]);
  expect(writeDimmWitted(again, { form })).toEqual(writeDimmWitted(graph, { form }));
  expect(factorGraphFromJson(graph.toJSON()).toJSON()).toEqual(graph.toJSON());
  expect(factorGraphFromJson(graph.toJSON()).variableAt(2).initial).toBe(1);
  expect(() => graph.variable("f", 2, { initial: 2 })).toThrow(/it has no state 2 .*\[OPTION_RANGE\]/);
});

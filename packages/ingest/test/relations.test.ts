/** Readers' tables as relations of a knowledge base: every format gives the same factors. */
import { knowledgeBase, query, relation, weightedRule } from "ergodic";
import type { Relation } from "ergodic/graphs";
import { expect, it } from "vitest";
import { readTable } from "../src/index.ts";
import { parquetFile } from "./parquet-file.ts";

const rows = [
  { word: "owl", times: 2 },
  { word: "fox", times: null },
  { word: "owl", times: 3 },
  { word: null, times: 1 },
];

const csv = ["word,times", ...rows.map(({ word, times }) => `${word ?? ""},${times ?? ""}`)].join("\n");
const files = {
  "a.csv": csv,
  "a.tsv": csv.replaceAll(",", "\t"),
  "a.jsonl": rows.map((row) => JSON.stringify(row)).join("\n"),
};

/** Factors that the rule "known" makes from a relation. */
function factorsOf(said: Relation<{ readonly word: string; readonly times: number }>): unknown[] {
  const animal = query("animal", [{ word: "fox" }, { word: "owl" }], { key: ["word"] });
  const body = [said({ word: "w", times: "n" })] as const;
  const kb = knowledgeBase([
    weightedRule({ name: "known", head: animal({ word: "w" }), body, weight: "known", feature: ({ n }) => n }),
  ]);
  const graph = kb.ground();
  return Array.from({ length: graph.factorCount }, (_, i) => {
    const { variables, feature } = graph.factorAt(i);
    return [variables, feature];
  });
}

const types = { word: "text", times: "number" } as const;

it.each(Object.entries(files))("%s grounds like the rows themselves", async (name, content) => {
  const wanted = factorsOf(relation("said", rows, types));
  expect(wanted).toEqual([
    [[1], 2],
    [[1], 3],
  ]);
  expect(factorsOf(relation("said", await readTable({ name, content }), types))).toEqual(wanted);
});

it("converts Parquet's numbers, texts and Booleans to a relation", async () => {
  const page = (data: (string | number)[], values = 3) => [{ values, encoding: 0, data }];
  const read = async (type: string, converted: number | undefined, data: (string | number)[]) => {
    const content = parquetFile({ type, rows: 3, ...(converted === undefined ? {} : { converted }), pages: page(data) });
    return await readTable({ name: "a.parquet", content }, { format: "parquet" });
  };
  const kb = (
    table: Awaited<ReturnType<typeof read>>,
    type: "text" | "number" | "boolean",
    values: readonly (string | number | boolean)[],
  ) => {
    const r = relation("r", table, { x: type });
    const q = query("q", { x: values }, { key: ["x"], types: { x: type }, distinct: true });
    const graph = knowledgeBase([weightedRule({ name: "r", head: q({ x: "v" }), body: [r({ x: "v" })], weight: 1 })]).ground();
    return Array.from({ length: graph.factorCount }, (_, i) => graph.factorAt(i).variables[0]).sort();
  };
  expect(kb(await read("INT32", undefined, ["i4 1 -2 1"]), "number", [1, -2])).toEqual([0, 0, 1]);
  expect(kb(await read("BYTE_ARRAY", 0, ["t a größe a"]), "text", ["größe", "a"])).toEqual([0, 1, 1]);
  expect(kb(await read("BOOLEAN", undefined, [5]), "boolean", [false, true])).toEqual([0, 1, 1]);
});

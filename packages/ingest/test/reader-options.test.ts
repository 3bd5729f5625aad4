/**
 * Every option of every reader is tried with meaningless values. Each is refused with an error that names the option,
 * or declared here as valid.
 */
import { describe, expect, it } from "vitest";
import {
  either,
  failureOf,
  flag,
  group,
  junk,
  knownOptions,
  list,
  none,
  one,
  type Takes,
  text,
  whole,
  withOption,
  wrongAnswer,
} from "../../ergodic/test/conformance/options/values.ts";
import * as ingest from "../src/index.ts";
import { npyBytes } from "./writers.ts";

interface Reader {
  call(options: never): unknown;
  options: Readonly<Record<string, Takes>>;
  base?: Readonly<Record<string, object>>;
}
const drained = async (rows: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of rows);
};

const csv = { name: "t.csv", content: "a,b,c,y\n1,2,2024-03-05,0\n2,3,2024-03-06,1\n3,1,2024-03-07,1\n" };
const lines = { name: "t.jsonl", content: '{"a":1,"b":2,"y":0}\n{"a":2,"b":1,"y":1}\n' };
const svm = { name: "t.svm", content: "1 1:1 2:3\n0 2:1\n" };
const vw = { name: "t.vw", content: "1 |a x:1\n0 |a y:2\n" };
const npy = {
  name: "t.npy",
  content: npyBytes(
    [
      [1, 2, 3, 0],
      [4, 5, 6, 1],
      [7, 8, 9, 1],
    ],
    false,
  ),
};
/** Index of one of four columns, from the start or from the end. */
const place: Takes = whole(-4, 3);
const name = one("a");
const column = either(place, name);
const columns = list(column, { empty: true });
const table = {
  drop: columns,
  types: either(
    group,
    (value) =>
      typeof value === "object" && value !== null && !("kind" in value) && Object.keys(value).length === 0 && isPlain(value),
  ),
  categories: columns,
  missing: list(text, { empty: true }),
};
const isPlain = (value: unknown): boolean =>
  Object.prototype.toString.call(value) === "[object Object]" && !(value instanceof AbortController);
const ofCsv = {
  ...table,
  header: either(flag, list(text, { empty: true })),
  delimiter: one("1"),
  quote: one("", "1"),
  decimal: none,
  comment: (value: unknown) => typeof value === "string",
  ragged: none,
  engine: none,
};
const dataset = {
  target: column,
  weights: column,
  offset: column,
  impute: none,
  indicator: one(false),
  encode: none,
  dates: list(none, { empty: true }),
  unknown: none,
  classes: flag,
  hash: whole(1, 30),
  layout: none,
  rowShape: none,
  type: none,
  signal: none,
};
/** One of three keys, or its index among them. */
const key = either(whole(-3, 2), name);
const keys = list(name, { empty: true });
const roles = { target: key, weights: key, offset: key };
const ofLines = { ...table, comment: text, ...dataset, ...roles, drop: keys, categories: list(key, { empty: true }) };
const ofNpy = { drop: list(place, { empty: true }), labels: text, ...dataset, target: place, weights: place, offset: place };
const sparse = { layout: none, classes: flag, hash: whole(1, 30), type: none, signal: none };
const ofSvm = { columnCount: whole(2, 2 ** 31 - 2), firstIndex: one(0, 1), qid: none, comment: text };
const ofVw = { bits: whole(1, 30), comment: text };
const target = { target: "y" };
const based = (keys: object, base: object = target): Record<string, object> =>
  Object.fromEntries(Object.keys(keys).map((key) => [key, key === "target" ? {} : base]));

const readers: Readonly<Record<string, Reader>> = {
  readCsv: {
    call: (o) => ingest.readCsv(csv, o),
    options: { ...ofCsv, ...dataset },
    base: { ...based({ ...ofCsv, ...dataset }), dates: { target: "y" } },
  },
  readTsv: {
    call: (o) => ingest.readTsv({ name: "t.tsv", content: csv.content.replaceAll(",", "\t") }, o),
    options: { ...ofCsv, ...dataset },
    base: based({ ...ofCsv, ...dataset }),
  },
  readJsonLines: { call: (o) => ingest.readJsonLines(lines, o), options: ofLines, base: based(ofLines) },
  readNpy: {
    call: (o) => ingest.readNpy(npy as never, o),
    options: ofNpy,
    base: based(ofNpy, { target: 3 }),
  },
  readLibsvm: { call: (o) => ingest.readLibsvm(svm, o), options: { ...ofSvm, ...sparse } },
  readVw: { call: (o) => ingest.readVw(vw, o), options: { ...ofVw, ...sparse } },
  readTable: { call: (o) => ingest.readTable(csv, o), options: { format: none, ...ofCsv, signal: none } },
  readRows: { call: (o) => ingest.readRows(csv, o), options: { format: none, target: one(false), ...ofCsv, signal: none } },
  readSparseTable: {
    call: (o) => ingest.readSparseTable(svm, o),
    options: { format: none, target: one(false), ...ofSvm, signal: none },
  },
  blocks: { call: (o) => drained(ingest.blocks(csv, o)), options: { format: none, rows: whole(1), ...ofCsv, signal: none } },
  sparseBlocks: {
    call: (o) => drained(ingest.sparseBlocks(svm, o)),
    options: { format: none, rows: whole(1), target: one(false), ...ofSvm, signal: none },
  },
};

describe.each(Object.entries(readers))("options of %s", (_, { call, options, base = {} }) => {
  it("are accepted or refused by name", async () => {
    const wrong: string[] = [];
    for (const [option, takes] of Object.entries(options))
      for (const [what, value] of junk) {
        const failure = await failureOf(() => call(withOption(base[option] ?? {}, option, value) as never));
        const answer = wrongAnswer(option, takes(value), value, failure);
        if (answer) wrong.push(`${option}, ${what}: ${answer}`);
      }
    expect(wrong).toEqual([]);
  });

  it("are all declared", async () => {
    const known = await knownOptions((given) => call({ ...(base.drop ?? {}), ...(given as object) } as never));
    expect(
      Object.keys(options)
        .filter((key) => key !== "signal")
        .sort(),
    ).toEqual([...known].sort());
  });
});

/** Every reader closes a source that can be closed, whether its contents are valid or not. */
import { factorGraph } from "ergodic";
import { expect, test } from "vitest";
import {
  readBif,
  readDimmWitted,
  readGraphJson,
  readUai,
  writeBif,
  writeDimmWitted,
  writeGraphJson,
  writeUai,
} from "../src/graphs/index.ts";
import { type ByteSource, blocks, readCsv, readIdx, readLibsvm, readTable, sparseBlocks } from "../src/index.ts";
import { parquetBytes } from "./parquet-bytes.ts";
import { npyBytes } from "./writers.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const graph = factorGraph();
graph.variable("a", 2);
graph.table(["a"], [0.5, 0.5]);
const logical = factorGraph();
logical.variable("b");
logical.isTrue("b", { weight: 2 });
const [binary, text] = (["binary", "text"] as const).map((form) => writeDimmWitted(logical, { form }));
const drained = async (all: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of all);
};

let closed = 0;
/** A source of two chunks. */
function closing(bytes: Uint8Array, access = false): ByteSource {
  return {
    name: "source",
    rereadable: access,
    byteLength: bytes.length,
    async *chunks() {
      yield bytes.subarray(0, 1);
      yield bytes.subarray(1);
    },
    ...(access
      ? {
          access: async () => ({
            byteLength: bytes.length,
            slice: async (start: number, end: number) => bytes.subarray(start, end),
            close: async () => void closed++,
          }),
        }
      : {}),
    close: async () => void closed++,
  };
}

type Read = (source: ByteSource) => Promise<unknown>;
const part = (name: string): Uint8Array => binary[`graph.${name}`];
const tsv = (name: string): Uint8Array => text[name];
const textFile = Object.keys(text).find((name) => name.startsWith("factors"))!;
const cases: [string, Uint8Array, Read][] = [
  ["CSV", encode("a,b\n1,2\n3,4\n"), (source) => readCsv(source, { target: "b" })],
  ["CSV in blocks", encode("a,b\n1,2\n3,4\n"), (source) => drained(blocks(source, { format: "csv", rows: 1 }))],
  ["JSON lines", encode('{"a": 1}\n'), (source) => readTable(source, { format: "jsonl" })],
  ["npy", npyBytes([[1, 2]], false), (source) => readTable(source, { format: "npy" })],
  ["IDX", Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 8), (source) => readIdx(source)],
  ["LIBSVM", encode("1 1:2\n0 2:1\n"), (source) => readLibsvm(source)],
  ["LIBSVM in blocks", encode("1 1:2\n0 1:1\n"), (source) => drained(sparseBlocks(source, { format: "libsvm", rows: 1 }))],
  ["BIF", encode(writeBif(graph)), (source) => readBif(source)],
  ["UAI", encode(writeUai(graph)), (source) => readUai(source)],
  ["a graph's JSON", encode(writeGraphJson(graph)), (source) => readGraphJson(source)],
  ...["weights", "variables", "factors"].map((name): [string, Uint8Array, Read] => [
    `DimmWitted's ${name}`,
    part(name),
    (source) =>
      readDimmWitted({
        ...{ weights: { content: part("weights") }, variables: { content: part("variables") } },
        ...{ factors: { content: part("factors") }, [name]: source },
      }),
  ]),
  ...["weights", "variables"].map((name): [string, Uint8Array, Read] => [
    `DimmWitted's ${name} as text`,
    tsv(`${name}.tsv`),
    (source) =>
      readDimmWitted({
        ...{ weights: { content: tsv("weights.tsv") }, variables: { content: tsv("variables.tsv") } },
        ...{ factors: [{ rows: { content: tsv(textFile) }, args: { content: "3 1 1\n" } }], [name]: source },
      }),
  ]),
];

test.each(cases)("closes the source of %s", async (_, bytes, read) => {
  closed = 0;
  await read(closing(bytes));
  expect(closed, "read to its end").toBe(1);
  await expect(read(closing(Uint8Array.from([...bytes.subarray(0, -3), 0xff, 0xfe])))).rejects.toThrow(/\[DATA_\w+\]$/);
  expect(closed, "not read to its end").toBe(2);
});

test("closes all sources of DimmWitted if one factor is refused", async () => {
  closed = 0;
  const bytes = part("factors").slice();
  bytes[1] = 99;
  const files = { weights: { content: part("weights") }, variables: { content: part("variables") }, factors: closing(bytes) };
  await expect(readDimmWitted(files)).rejects.toThrow(/there is no function 99/);
  expect(closed).toBe(1);
});

test("closes the source of Parquet after random access", async () => {
  closed = 0;
  const bytes = parquetBytes([{ name: "x", type: "DOUBLE", values: [1] }]);
  await readTable(closing(bytes, true), { format: "parquet" });
  expect(closed).toBe(2);
  await expect(readTable(closing(bytes.subarray(0, -9), true), { format: "parquet" })).rejects.toThrow();
  expect(closed).toBe(4);
});

/**
 * Parquet through hyparquet: types, nulls, row groups, compression and refusals. ../parquet-bytes.ts makes the files.
 */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { blocks, readParquet, readTable, type Source } from "../../src/index.ts";
import { type Codec, type ParquetColumn, parquetBytes } from "../parquet-bytes.ts";
import { cells, cutAt } from "../writers.ts";

const columns: ParquetColumn[] = [
  { name: "double", type: "DOUBLE", values: [0.5, null, -1e300, 2] },
  { name: "float", type: "FLOAT", values: [0.25, 1, 2, 3] },
  { name: "int", type: "INT32", values: [1, -2, 3, null] },
  { name: "long", type: "INT64", values: [1n, -(2n ** 53n) + 1n, 3n, 4n] },
  { name: "cents", type: "INT32", converted: 5, scale: 2, values: [150, 250, 1, 0] },
  { name: "flag", type: "BOOLEAN", values: [true, false, null, true] },
  { name: "text", type: "BYTE_ARRAY", converted: 0, values: ["b", "größe", "12", null] },
];
const wanted = [
  [0.5, null, -1e300, 2],
  [0.25, 1, 2, 3],
  [1, -2, 3, null],
  [1, -(2 ** 53) + 1, 3, 4],
  [1.5, 2.5, 0.01, 0],
  ["true", "false", null, "true"],
  ["b", "größe", "12", null],
];

test.each([
  ["bytes", (packed: Uint8Array<ArrayBuffer>) => packed],
  ["a File whose name does not tell", (packed) => new File([packed], "t.parquet")],
  ["a File", (packed) => new File([packed], "t.parquet.gz")],
  ["a stream", (packed) => cutAt(packed, [1, 100])],
] as [string, (packed: Uint8Array<ArrayBuffer>) => Source][])("reads a file compressed as a whole: %s", async (_, source) => {
  const packed = new Uint8Array(gzipSync(parquetBytes(columns)));
  expect(cells(await readTable(source(packed)))).toEqual(wanted);
});

test.each<Codec>(["none", "snappy", "gzip"])("reads all types, codec %s, in groups of 1 to 4 rows", async (codec) => {
  for (const groupRows of [1, 3, 4]) {
    const table = await readTable(parquetBytes(columns, { codec, groupRows }));
    expect(table.columns.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "double number",
      "float number",
      "int number",
      "long number",
      "cents number",
      "flag category",
      "text category",
    ]);
    expect(cells(table)).toEqual(wanted);
  }
});

test("makes blocks across row groups, from a stream as from a file", async () => {
  const bytes = parquetBytes(columns, { groupRows: 2 });
  const parts: unknown[][] = wanted.map(() => []);
  const sizes = [];
  for await (const block of blocks(cutAt(bytes, [7, 100]), { format: "parquet", rows: 3 })) {
    sizes.push(block.rowCount);
    for (const [j, column] of cells(block).entries()) parts[j].push(...column);
  }
  expect(sizes).toEqual([3, 1]);
  expect(parts).toEqual(wanted);
});

test("turns numbers into a category on request and makes a dataset", async () => {
  const file: ParquetColumn[] = [
    { name: "x", type: "DOUBLE", values: [1, 2, 3] },
    { name: "y", type: "INT32", values: [10, 9, 10] },
  ];
  using data = await readParquet(parquetBytes(file), { target: "y", types: { y: "category" } });
  expect(data.target.levels).toEqual(["9", "10"]);
  expect(Array.from(data.target.values)).toEqual([1, 0, 1]);
  expect(data.names).toEqual(["x"]);
});

const fault = (column: ParquetColumn, options = {}) =>
  readTable({ content: parquetBytes([column], options), name: "t.parquet" }).then(
    () => undefined,
    (error) => error.message,
  );

test("refuses unsupported columns by name, or drops them", async () => {
  const days: ParquetColumn = { name: "day", type: "INT64", converted: 6, values: [1, 2] };
  const rest = "but a column must hold numbers, texts, booleans, dates or times; drop it: drop";
  expect(await fault(days)).toBe(
    `t.parquet:1:1: column "day" is DATE of INT64, ${rest}: ["day"], or write it as numbers or text [DATA_UNSUPPORTED]`,
  );
  const json: ParquetColumn = { name: "doc", type: "BYTE_ARRAY", converted: 19, values: ["{}"] };
  expect(await fault(json)).toBe(
    `t.parquet:1:1: column "doc" is JSON, ${rest}: ["doc"], or write it as numbers or text [DATA_UNSUPPORTED]`,
  );
  expect(await fault({ ...days, converted: undefined }, { nest: true })).toBe(
    `t.parquet:1:1: column "outer" is nested (a group), ${rest}: ["outer"], or write it as numbers or text [DATA_UNSUPPORTED]`,
  );
  const second = parquetBytes([{ name: "x", type: "DOUBLE", values: [1, 2] }, days]);
  await expect(readTable({ content: second, name: "t.parquet" })).rejects.toThrow('t.parquet:1:2: column "day" is DATE');
  const table = await readTable(parquetBytes([days, { name: "x", type: "DOUBLE", values: [1, 2] }]), { drop: ["day"] });
  expect(cells(table)).toEqual([[1, 2]]);
});

test("reports integers beyond 2^53, infinities and damaged pages by row and column", async () => {
  expect(await fault({ name: "id", type: "INT64", values: [1n, 2n ** 60n] })).toBe(
    't.parquet:2:1: the integer 1152921504606846976 of column "id" is beyond 2^53, which a number column cannot hold exactly; save it as a double or a text [DATA_TYPE]',
  );
  expect(await fault({ name: "x", type: "DOUBLE", values: [1, -Infinity] })).toBe(
    't.parquet:2:1: "-Infinity" is not a finite number in column "x"; correct it, or list it in the option missing [DATA_TYPE]',
  );
  const bytes = parquetBytes([{ name: "x", type: "DOUBLE", values: [1, 2, 3] }]);
  bytes.fill(0xff, 4, 20);
  await expect(readTable({ content: bytes, name: "t.parquet" })).rejects.toMatchObject({
    code: "DATA_PARSE",
    where: "t.parquet",
  });
});

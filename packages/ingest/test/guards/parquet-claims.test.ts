/**
 * Parquet files that claim more than they contain: counts of pages, runs within them, rows, and lists of the footer.
 * Some of these files once crashed V8.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkDeltas, checkDeltaTexts, checkRuns } from "../../src/guards/parquet-runs.ts";
import { readThrift } from "../../src/guards/parquet-thrift.ts";
import { readTable } from "../../src/index.ts";
import { type ParquetColumn, parquetBytes, type Tampered } from "../parquet-bytes.ts";
import { parquetFile } from "../parquet-file.ts";
import { cells } from "../writers.ts";

const optional: ParquetColumn = { name: "x", type: "DOUBLE", values: [1, null, 3] };
const required: ParquetColumn = { name: "x", type: "INT32", values: [1, 2, 3] };
const text: ParquetColumn = { name: "x", type: "BYTE_ARRAY", converted: 0, values: ["a", "b", "a"] };

const read = (column: ParquetColumn, tampered: Tampered, codec: "none" | "gzip" = "none") =>
  readTable({ content: parquetBytes([column], { tampered, codec }), name: "t.parquet" });
const failure = (work: Promise<unknown>) =>
  work.then(
    () => "nothing was thrown",
    (error: Error) => error.message,
  );

/** Levels in a run: the run's length as a varint of five bytes, doubled, and the level. */
const run = (count: number, level: number) => {
  const head = [0, 7, 14, 21, 28].map((shift, k) => (Math.floor((2 * count) / 2 ** shift) % 128) + (k < 4 ? 128 : 0));
  return [...head, level];
};
const levels = (...runs: number[][]) => [...new Uint8Array(Uint32Array.of(runs.flat().length).buffer), ...runs.flat()];

test.each<[string, ParquetColumn, Tampered, RegExp]>([
  [
    "a run of levels far beyond the page",
    optional,
    { page: levels(run(2 ** 28, 0)) },
    /a run of 268435456 values where 3 are left/,
  ],
  ["a run of one too many", optional, { page: levels(run(2, 0), run(2, 0)) }, /a run of 2 values where 1 are left/],
  ["runs that stop short", optional, { page: levels(run(2, 0)) }, /a number goes beyond the end/],
  ["levels beyond their page", optional, { page: [9, 0, 0, 0, 6, 0] }, /levels go beyond their page/],
  ["more values than rows", required, { values: 4 }, /a page counts 4 values where 3 are left/],
  ["197,860,345 values", required, { values: 197_860_345 }, /a page counts 197860345 values where 3 are left/],
  ["fewer values than rows", required, { values: 2 }, /a column holds 2 values, but its row group has 3 rows/],
  ["a page that claims another size", required, { size: 11 }, /a page of 12 bytes declares 11/],
  ["places in no dictionary", text, { encoding: 8, page: [1, ...run(3, 0)] }, /there is no dictionary/],
  ["places of 200 bits", text, { encoding: 8, page: [200, 0], dictionary: { values: 0, page: [] } }, /200 bits wide/],
  [
    "a run of places far beyond the page",
    required,
    { encoding: 8, page: [1, ...run(2 ** 29, 0)], dictionary: { values: 1, page: [7, 0, 0, 0] } },
    /a run of 536870912 values where 3 are left/,
  ],
  [
    "a place beyond its dictionary, which would have been a 0",
    required,
    { encoding: 8, page: [1, ...run(3, 1)], dictionary: { values: 1, page: [7, 0, 0, 0] } },
    /a value has index 1 in a dictionary of 1 values/,
  ],
  [
    "the same in a run of bits",
    required,
    { encoding: 8, page: [2, 3, 0b110100, 0], dictionary: { values: 3, page: Array.from({ length: 12 }, () => 0) } },
    /a value has index 3 in a dictionary of 3 values/,
  ],
  [
    "a dictionary longer than its page",
    required,
    { dictionary: { values: 2, page: [7, 0, 0, 0] } },
    /a dictionary of 2 values has 4 bytes/,
  ],
])("refuses %s", async (_, column, tampered, wanted) => {
  const message = await failure(read(column, tampered));
  expect(message).toMatch(/^t\.parquet: the Parquet data is damaged.*\[DATA_PARSE\]$/);
  expect(message).toMatch(wanted);
});

test("refuses a packed page that claims more bytes than its values need", async () => {
  expect(await failure(read(required, { size: 2 ** 30 }, "gzip"))).toMatch(/3 values in \d+ packed bytes claim 1073741824 bytes/);
  expect(await failure(read(text, { size: 2 ** 30 }, "gzip"))).toMatch(/3 values in \d+ packed bytes claim 1073741824 bytes/);
});

test("reads a page with the best possible compression", async () => {
  const zeros: ParquetColumn = { name: "x", type: "INT32", values: new Array<number>(1 << 19).fill(0) };
  const content = parquetBytes([zeros], { codec: "gzip" });
  expect(content.length).toBeLessThan((2 << 20) / 500);
  const { rowCount, columns } = await readTable({ content, name: "t.parquet" });
  expect(rowCount).toBe(1 << 19);
  expect(columns[0].kind === "number" && columns[0].values.every((value) => value === 0)).toBe(true);
});

test("refuses a footer that would begin before the data", async () => {
  const bytes = parquetBytes([required]);
  const most = bytes.length - 8 - 4;
  for (const size of [most + 1, most + 4, most + 5, 2 ** 32 - 1]) {
    const content = bytes.slice();
    new DataView(content.buffer).setUint32(bytes.length - 8, size, true);
    expect(await failure(readTable({ content, name: "t.parquet" }))).toContain(
      `its footer of ${size} bytes goes beyond the file`,
    );
  }
});

test("reads dictionaries, packed or not, and indices of three bits", async () => {
  const dictionary = { values: 3, page: [7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0] };
  const table = await read(required, { encoding: 8, page: [2, 3, 0b100100, 0], dictionary });
  expect(cells(table)).toEqual([[7, 8, 9]]);
});

test("refuses more rows than the bytes can encode", async () => {
  const vast = (rows: number) =>
    failure(read(optional, { rows, values: Math.min(rows, 2 ** 30), page: levels(run(Math.min(rows, 2 ** 29), 0)) }));
  const held = (rows: number) =>
    new RegExp(`the file declares ${rows} rows in 1 row groups, but has \\d+ bytes.*DATA_UNSUPPORTED`);
  for (const rows of [1e9, 2 ** 40, 2 ** 20 + 1]) expect(await vast(rows)).toMatch(held(rows));
  // A larger file can have more rows, but a group cannot have more than V8 can hold.
  const long = parquetFile({
    ...{ type: "INT32", rows: 1_100_000, nulls: true, file: { 6: "x".repeat(1100) } },
    pages: [{ values: 1_100_000, data: ["i4 5", "v 2200000", 0] }],
  });
  expect((await readTable({ content: long, name: "t.parquet" })).rowCount).toBe(1_100_000);
  const group = { 3: `${2 ** 26 + 1}n` };
  const page = { values: 1, data: ["i4 0"] };
  const longer = parquetFile({ type: "INT32", rows: 1, pages: [page], group, file: { 6: "x".repeat(66_000) } });
  expect(await failure(readTable({ content: longer, name: "t.parquet" }))).toMatch(held(2 ** 26 + 1));
  // A million nulls in one run are valid and take a few bytes.
  const table = await read(optional, { rows: 2 ** 20, values: 2 ** 20, page: levels(run(2 ** 20, 0)) });
  expect([table.rowCount, table.columns[0].kind]).toEqual([2 ** 20, "number"]);
});

test("refuses unnamed and duplicate columns", async () => {
  const content = parquetBytes([required, { ...required }]);
  expect(await failure(readTable({ content, name: "t.parquet" }))).toMatch(/columns lack a name, or share one.*DATA_PARSE/);
});

/** A file that contains a footer. */
const withFooter = (footer: number[]) => ({
  content: Uint8Array.from([
    ...Buffer.from("PAR1"),
    ...footer,
    ...new Uint8Array(Uint32Array.of(footer.length).buffer),
    ...Buffer.from("PAR1"),
  ]),
  name: "t.parquet",
});

test("refuses footer lists longer than the bytes, and endless nesting", async () => {
  const vast = [0x19, 0xf9, 0xff, 0xff, 0xff, 0x7f];
  expect(await failure(readTable(withFooter(vast)))).toMatch(/a list of 268435455 values goes beyond the end/);
  const nested = Array.from({ length: 5000 }, () => [0x1c]).flat();
  expect(await failure(readTable(withFooter(nested)))).toMatch(/structures are nested deeper than 32/);
  const lists = [0x19, ...Array.from({ length: 5000 }, () => 0x19)];
  expect(await failure(readTable(withFooter(lists)))).toMatch(/lists are nested deeper than 32/);
  expect(await failure(readTable(withFooter([])))).toMatch(/DATA_PARSE/);
});

test("reads Thrift's numbers, texts and lists, and refuses values wider than their type", () => {
  const bytes = Uint8Array.of(
    0x15,
    0x05,
    0x18,
    2,
    104,
    105,
    0x19,
    0x25,
    2,
    4,
    0x1c,
    0x11,
    0,
    0x16,
    0xff,
    0xff,
    0xff,
    0xff,
    0x1f,
    0,
  );
  const { fields, end } = readThrift(bytes, 0);
  expect(end).toBe(bytes.length);
  expect([...fields]).toEqual([
    [1, -3],
    [2, Uint8Array.of(104, 105)],
    [3, [1, 2]],
    [4, new Map([[1, true]])],
    [5, -(2 ** 32)],
  ]);
  expect(() => readThrift(Uint8Array.of(0x15, 0xff, 0xff, 0xff, 0xff, 0x1f, 0), 0)).toThrow("wider than 32 bits");
  expect(() => readThrift(Uint8Array.of(0x15, 0x80), 0)).toThrow("a number goes beyond the end");
  expect(() => readThrift(Uint8Array.of(0x18, 5, 1), 0)).toThrow("5 bytes go beyond the end");
});

test("decodes the delta example of the format's specification", () => {
  // 7, 5, 3, 1, 2, 3, 4, 5: one block of eight with the least difference −2 and the others in two bits each.
  const bytes = Uint8Array.of(8, 1, 8, 14, 3, 2, 0b11000000, 0b00111111);
  expect(checkDeltas(bytes, 0, 8)).toEqual({ numbers: Int32Array.of(7, 5, 3, 1, 2, 3, 4, 5), end: bytes.length });
  expect(() => checkDeltas(bytes.subarray(0, 7), 0, 8)).toThrow("differences go beyond their page");
  expect(() => checkDeltas(bytes, 0, 9)).toThrow("differences of 8 values in blocks of 8 by 1, where 9 are left");
  expect(() => checkDeltas(Uint8Array.of(8, 0, 8, 14), 0, 8)).toThrow("in blocks of 8 by 0");
  // The decoder's time for a number of a thousand bytes grows with the square of its length.
  expect(() => checkDeltas(Uint8Array.from([8, 1, 8, ...Array.from({ length: 1000 }, () => 255)]), 0, 8)).toThrow(
    "wider than 64 bits",
  );
});

/**
 * Blocks of 128 in `parts`, each as wide as its own differences require. The last block ends with the values, padded to
 * a whole part.
 */
function deltaBytes(values: Int32Array, parts: number): Uint8Array {
  const bytes: number[] = [];
  const varint = (value: number): void => {
    for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
    bytes.push(value);
  };
  const zigzag = (value: number): void => varint(value < 0 ? -2 * value - 1 : 2 * value);
  for (const number of [128, parts, values.length]) varint(number);
  zigzag(values[0] ?? 0);
  const each = 128 / parts;
  for (let from = 1; from < values.length; from += 128) {
    const block = Array.from({ length: Math.min(128, values.length - from) }, (_, i) => values[from + i] - values[from + i - 1]);
    const least = Math.min(...block);
    zigzag(least);
    const rest = Array.from({ length: parts }, (_, p) => block.slice(p * each, (p + 1) * each).map((one) => one - least));
    const widths = rest.map((part) => Math.max(0, ...part.map((one) => (one === 0 ? 0 : Math.floor(Math.log2(one)) + 1))));
    bytes.push(...widths);
    for (const [p, part] of rest.entries()) {
      if (part.length === 0) continue;
      const bits = Array.from({ length: each * widths[p] }, (_, k) => {
        const one = part[Math.floor(k / widths[p])] ?? 0;
        return Math.floor(one / 2 ** (k % widths[p])) % 2;
      });
      for (let k = 0; k < bits.length; k += 8) bytes.push(bits.slice(k, k + 8).reduce((sum, bit, b) => sum + (bit << b), 0));
    }
  }
  return Uint8Array.from(bytes);
}

test("decodes deltas in any number of blocks and miniblocks, each of its own width", () => {
  const step = fc.oneof(fc.constant(0), fc.integer({ min: -3, max: 3 }), fc.integer({ min: -(2 ** 30), max: 2 ** 30 }));
  const lists = fc.oneof(
    fc.array(step, { minLength: 1, maxLength: 300 }),
    fc.constantFrom(1, 2, 32, 33, 34, 64, 65, 128, 129, 130, 257).map((count) => Array.from({ length: count }, (_, i) => i % 5)),
  );
  fc.assert(
    fc.property(lists, fc.constantFrom(1, 2, 4), fc.nat(3), (list, parts, before) => {
      const values = Int32Array.from(list);
      const own = deltaBytes(values, parts);
      const bytes = Uint8Array.of(...new Uint8Array(before).fill(0x55), ...own);
      const found = checkDeltas(bytes, before, values.length);
      expect(found.numbers).toEqual(values);
      // The last part is complete, with padding.
      expect(found.end).toBe(bytes.length);
    }),
    { seed: 4, numRuns: 150 },
  );
});

test("refuses texts that share a prefix longer than the previous text", () => {
  const deltas = (values: number[]) => {
    const bits = values.slice(1).map((value, i) => value - values[i]);
    const least = Math.min(0, ...bits);
    const zigzag = (value: number) => (value < 0 ? -2 * value - 1 : 2 * value);
    const rest = Array.from({ length: 8 }, (_, i) => (bits[i] ?? least) - least);
    return [8, 1, values.length, zigzag(values[0]), zigzag(least), 8, ...rest];
  };
  const page = (shared: number[], own: number[]) =>
    Uint8Array.from([...deltas(shared), ...deltas(own), ...Buffer.from("x".repeat(20))]);
  expect(() => checkDeltaTexts(page([0, 2, 3], [2, 1, 1]), 0, 3)).not.toThrow();
  expect(() => checkDeltaTexts(page([0, 3, 0], [2, 1, 1]), 0, 3)).toThrow(
    "a text shares a longer prefix than the one before has",
  );
  expect(() => checkDeltaTexts(page([1, 0, 0], [2, 1, 1]), 0, 3)).toThrow(
    "a text shares a longer prefix than the one before has",
  );
});

test("counts the ones in bit-packed and repeated runs", () => {
  const bytes = Uint8Array.of(3, 0b10110101, 10, 1, 4, 0);
  expect(checkRuns(bytes, 0, bytes.length, 1, 15)).toEqual({ ones: 10 });
  expect(checkRuns(bytes, 0, 2, 1, 6)).toEqual({ ones: 4 }); // padded to eight
  expect(() => checkRuns(bytes, 0, bytes.length, 1, 14)).toThrow("a run of 2 values where 1 are left");
  expect(() => checkRuns(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07), 0, 5, 0, 8)).toThrow(
    "a run of 8589934584 values goes beyond its page",
  );
});

/** Compressed pages state their own unpacked length, and no page of a valid file is refused because of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, expect, it } from "vitest";
import { unpackedLength } from "../../src/guards/parquet-lengths.ts";
import { readTable } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "parquet-lengths-"));
afterAll(() => rmSync(folder, { recursive: true }));

it.each(["snappy", "gzip", "zstd", "brotli", "lz4", "lz4_raw"])("reads files compressed by another writer: %s", async (codec) => {
  const path = join(folder, `${codec}.parquet`);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  // Repeating and distinct texts, nearly equal numbers and unrelated numbers.
  const rows = "i AS i, i % 3 AS few, hash(i) / 7e5 AS many, repeat('ab', 40) || (i % 5) AS same, md5(i::VARCHAR) AS other";
  await connection.run(
    `COPY (SELECT ${rows} FROM range(6000) t(i)) TO '${path}' (FORMAT parquet, CODEC '${codec}', ROW_GROUP_SIZE 2048)`,
  );
  const wanted = await connection.runAndReadAll(
    `SELECT sum(i), sum(few), sum(many), count(DISTINCT same), count(DISTINCT other) FROM '${path}'`,
  );
  connection.closeSync();
  instance.closeSync();
  const { rowCount, columns } = await readTable(path);
  expect(rowCount).toBe(6000);
  const found = columns.map((column) =>
    column.kind === "number" ? column.values.reduce((a, b) => a + b, 0) : column.levels.length,
  );
  for (const [k, value] of wanted.getRows()[0].entries()) expect(found[k] / Number(value)).toBeCloseTo(1, 9);
});

const gzip = (length: number): number[] => [...gzipSync(Uint8Array.from({ length }, (_, i) => i))];
const long = 15 + 255 + 7;
it.each<[string, string, number[], number | undefined]>([
  ["Snappy: one byte", "SNAPPY", [5], 5],
  ["Snappy: two bytes", "SNAPPY", [0x80 | 44, 2, 1, 1], 300],
  ["Snappy: the largest", "SNAPPY", [255, 255, 255, 255, 15], 2 ** 32 - 1],
  ["gzip", "GZIP", gzip(12), 12],
  ["gzip of nothing", "GZIP", gzip(0), 0],
  ["gzip of 300", "GZIP", gzip(300), 300],
  ["gzip of two members", "GZIP", [...gzip(12), ...gzip(3)], undefined],
  ["gzip that was cut", "GZIP", [31, 139, 8], undefined],
  ["LZ4: literals", "LZ4_RAW", [0x30, 1, 2, 3], 3],
  ["LZ4: literals and a match", "LZ4_RAW", [0x32, 1, 2, 3, 1, 0, 0x20, 7, 8], 3 + 6 + 2],
  ["LZ4: many literals", "LZ4_RAW", [0xf0, 255, 7, ...new Array(long).fill(1)], long],
  ["LZ4: a long match", "LZ4_RAW", [0x1f, 9, 1, 0, 255, 7, 0x10, 4], 1 + (long + 4) + 1],
  ["LZ4: a match of 19", "LZ4_RAW", [0x1f, 9, 1, 0, 0, 0x10, 4], 1 + 19 + 1],
  ["LZ4 without frames", "LZ4", [0x30, 1, 2, 3], 3],
  ["LZ4: one frame of Hadoop's", "LZ4", [0, 0, 0, 3, 0, 0, 0, 4, 0x30, 1, 2, 3], 3],
  ["LZ4: two frames", "LZ4", [0, 0, 0, 3, 0, 0, 0, 4, 0x30, 1, 2, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0x10, 5], 4],
  ["Brotli", "BROTLI", [1, 2, 3], undefined],
  ["Zstandard", "ZSTD", [1, 2, 3], undefined],
])("computes the unpacked length of %s", (_, codec, bytes, length) => {
  expect(unpackedLength(codec, Uint8Array.from(bytes))).toBe(length);
});

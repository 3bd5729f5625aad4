/**
 * Parquet through DuckDB: the tables of our own decoder on files from our writer and from the database, and refusals.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { power } from "../../../ergodic/test/power.ts";
import { readParquet, readTable } from "../../src/index.ts";
import { type ParquetColumn, parquetBytes } from "../parquet-bytes.ts";
import { copied } from "./copied.ts";
import { both, bothBlocks, folder, type plain, refusal, written } from "./made.ts";

const columns: fc.Arbitrary<ParquetColumn[]> = fc.integer({ min: 1, max: 20 }).chain((rows) => {
  const of = (value: fc.Arbitrary<number | bigint | string | boolean>, nulls: boolean) =>
    fc.array(nulls ? fc.option(value, { freq: 4 }) : value, { minLength: rows, maxLength: rows });
  const kinds: [ParquetColumn["type"], number | undefined, fc.Arbitrary<number | bigint | string | boolean>][] = [
    ["BOOLEAN", undefined, fc.boolean()],
    ["INT32", undefined, fc.integer()],
    ["INT64", undefined, fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n })],
    ["INT64", undefined, fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n })],
    ["FLOAT", undefined, fc.float()],
    ["DOUBLE", undefined, fc.double({ noNaN: true, noDefaultInfinity: true })],
    ["DOUBLE", undefined, fc.double()],
    ["BYTE_ARRAY", 0, fc.constantFrom("a", "", "NA", "1", "2", "yes", "a level longer than twelve bytes", "é😀")],
    ["BYTE_ARRAY", undefined, fc.constantFrom("a", "b")],
    ["INT32", 6, fc.integer()],
  ];
  const column = fc
    .tuple(fc.constantFrom(...kinds), fc.boolean())
    .chain(([[type, converted, value], nulls]) =>
      of(value, nulls).map((values) => ({ type, values, ...(converted === undefined ? {} : { converted }) })),
    );
  return fc
    .array(column, { minLength: 1, maxLength: 4 })
    .map((all) => all.map((one, i) => ({ name: i === 1 ? "A0" : `a${i}`, ...one })));
});

describe("readTable by DuckDB", () => {
  it("returns the same table as our own decoder, or the same error code", async () => {
    const runs = power(18, 250);
    const seen = { tables: 0, refused: 0 };
    const options = fc.record(
      {
        missing: fc.constantFrom([], ["a"], ["NA", ""], ["-1", "NaN"]),
        categories: fc.constantFrom([0], [-1]),
        types: fc.constantFrom({ a0: "category" as const }, { a0: "number" as const }, { a0: ["a", "NA", "true", "false"] }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        columns,
        options,
        fc.constantFrom("none" as const, "snappy" as const, "gzip" as const),
        async (made, given, codec) => {
          const path = written(parquetBytes(made, { codec }), "case.parquet");
          const [found, wanted] = await both(path, given);
          expect(found).toEqual(wanted);
          seen[typeof wanted === "string" ? "refused" : "tables"]++;
          const [blocks, ownBlocks] = await bothBlocks(path, { ...given, rows: 3 });
          expect(blocks).toEqual(ownBlocks);
        },
      ),
      { numRuns: runs, seed: 5 },
    );
    expect(seen.tables).toBeGreaterThan(runs / 5);
    expect(seen.refused).toBeGreaterThan(runs / 5);
  });

  it("reads every database type that our own decoder reads, over several row groups", async () => {
    const query = `SELECT (i % 100 - 50)::TINYINT AS i8, i::SMALLINT AS i16, (i * 1000 - 7)::INTEGER AS i32, (i * 1000003 - 9)::BIGINT AS i64,
      (i % 200)::UTINYINT AS u8, i::USMALLINT AS u16, (4294967295 - i)::UINTEGER AS u32, (i * 900719925)::UBIGINT AS u64,
      (i / 7)::FLOAT AS f32, i / 7 AS f64, (i / 7)::DECIMAL(4, 0) AS d4, (i / 8)::DECIMAL(9, 3) AS d9, (i / 8)::DECIMAL(18, 6) AS d18,
      i % 3 = 0 AS flag, 'a level of the text ' || (i % 5) AS t, 'id ' || i AS id, CASE WHEN i % 11 > 0 THEN i END AS gaps,
      CASE WHEN i % 11 > 0 THEN 'x' || (i % 2) END AS text_gaps, ('b' || (i % 3))::BLOB AS raw,
      CASE WHEN i % 2 = 0 THEN 'p' ELSE 'q' END::ENUM ('q', 'p') AS e
      FROM range(4500) t(i)`;
    // Decoders of types do not depend on the compression.
    const few = "SELECT (i * 1000 - 7)::INTEGER AS i32, i / 7 AS f64, 'a level ' || (i % 5) AS t FROM range(4500) t(i)";
    for (const codec of ["snappy", "zstd", "uncompressed", "brotli"]) {
      const path = await copied(codec === "snappy" ? query : few, `parquet, CODEC '${codec}', ROW_GROUP_SIZE 2048`);
      const [found, wanted] = await both(path);
      expect(found).toEqual(wanted);
      expect(wanted).toMatchObject({ rowCount: 4500 });
    }
  });

  it("preserves columns with any names, and ignores Hive partitions in the path", async () => {
    const path = await copied(`SELECT 1 AS a, 2 AS b, 3 AS "a b", 4 AS "it's", 5 AS "c0", 'x' AS "c9""" FROM range(3)`);
    const [found, wanted] = await both(path, { drop: [2] });
    expect(found).toEqual(wanted);
    expect((wanted as ReturnType<typeof plain>).columns.map(({ name }) => name)).toEqual(["a", "b", "it's", "c0", 'c9"']);
    mkdirSync(join(folder, "a=7"));
    const hive = written(readFileSync(path), join("a=7", "year=2024.parquet"));
    expect((await both(hive))[0]).toEqual((await both(path))[1]);
  });

  it("makes the dataset of readParquet", async () => {
    const path = await copied(
      "SELECT i % 7 AS a, 'l' || (i % 3) AS b, CASE WHEN i % 2 = 0 THEN 'yes' ELSE 'no' END AS y FROM range(40) t(i)",
    );
    const [own, duck] = [await readParquet(path, { target: "y" }), await readParquet(path, { target: "y", engine: "duckdb" })];
    expect(JSON.stringify(duck.pipeline)).toBe(JSON.stringify(own.pipeline));
  });

  it("reports numbers that collapse in 32-bit floats, as our own decoder does", async () => {
    const path = await copied("SELECT 1700000000 + (i * 137) % 600 AS t, i % 2 AS y FROM range(40) t(i)");
    const [own, duck] = await Promise.all([
      readParquet(path, { target: "y" }),
      readParquet(path, { target: "y", engine: "duckdb" }),
    ]);
    expect(own.remarks).toMatchObject([{ kind: "precision", column: "t" }]);
    expect(duck.remarks).toEqual(own.remarks);
  });

  it("refuses intervals, lists and large integers with our own errors and exact digits", async () => {
    for (const value of ["INTERVAL '1 day'", "[1, 2]", "{'a': 1}", "9007199254740993", "'inf'::DOUBLE"]) {
      const path = await copied(`SELECT ${value} AS x, 1 AS y`);
      const [duck, own] = await Promise.all([refusal(readTable(path, { engine: "duckdb" })), refusal(readTable(path))]);
      expect(duck.message).toBe(own.message);
    }
  });

  it("refuses damaged files by name, and gzip files", async () => {
    const whole = readFileSync(await copied("SELECT i, 't' || i AS t FROM range(3000) t(i)", "parquet, CODEC 'snappy'"));
    const [found, wanted] = await both(written(whole.subarray(0, whole.length - 9), "cut.parquet"));
    expect([found, wanted]).toEqual(["DATA_TRUNCATED", "DATA_TRUNCATED"]);
    const changed = Uint8Array.from(whole);
    changed.fill(255, 30, 400);
    const damaged = written(changed, "damaged.parquet");
    expect(await refusal(readTable(damaged, { engine: "duckdb" }))).toMatchObject({
      code: "DATA_PARSE",
      message: expect.stringMatching(/^damaged\.parquet: DuckDB refuses the file \(.+\); .*engine: "own"/),
    });
    const long = Uint8Array.from(
      readFileSync(await copied("SELECT i, 't' || (i % 9) AS t FROM range(400000) t(i)", "parquet, CODEC 'snappy'")),
    );
    long.fill(255, long.length - 40_000, long.length - 39_000);
    expect(await refusal(readTable(written(long, "late.parquet"), { engine: "duckdb" }))).toMatchObject({ code: "DATA_PARSE" });
    const packed = written(gzipSync(whole), "packed.parquet.gz");
    expect(await refusal(readTable(packed, { engine: "duckdb" }))).toMatchObject({ code: "OPTION_CONFLICT" });
  });
});

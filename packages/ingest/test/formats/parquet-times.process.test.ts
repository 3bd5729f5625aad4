/**
 * Dates, timestamps and times of Parquet become the texts of a CSV file in both engines. Values beyond the calendar and
 * damaged files are refused.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { power } from "../../../ergodic/test/power.ts";
import { blocks, readCsv, readParquet, readTable } from "../../src/index.ts";
import { copied } from "../engine/copied.ts";
import { both, bothBlocks, refusal, written } from "../engine/made.ts";
import { parquetBytes } from "../parquet-bytes.ts";
import { type ParquetFile, parquetFile } from "../parquet-file.ts";
import { cells } from "../writers.ts";

let files = 0;
const fresh = () => `times${files++}.parquet`;

const unit = { millis: { 1: {} }, micros: { 2: {} }, nanos: { 3: {} } };
type Unit = keyof typeof unit;
/** LogicalType 7 is TIME, 8 TIMESTAMP. */
const logical = (kind: 7 | 8, isAdjusted: boolean, of: Unit): Partial<ParquetFile> => ({
  type: kind === 7 && of === "millis" ? "INT32" : "INT64",
  element: { 10: { [kind]: { 1: isAdjusted, 2: unit[of] } } },
});
const kinds: Record<string, Partial<ParquetFile>> = {
  date: { type: "INT32", converted: 6 },
  "date by its logical type": { type: "INT32", element: { 10: { 6: {} } } },
  TIMESTAMP_MILLIS: { type: "INT64", converted: 9 },
  TIMESTAMP_MICROS: { type: "INT64", converted: 10 },
  TIME_MILLIS: { type: "INT32", converted: 7 },
  TIME_MICROS: { type: "INT64", converted: 8 },
  INT96: { type: "INT96" },
};
for (const of of ["millis", "micros", "nanos"] as const)
  for (const isAdjusted of [false, true]) {
    kinds[`timestamp ${of} ${isAdjusted}`] = logical(8, isAdjusted, of);
    kinds[`time ${of} ${isAdjusted}`] = logical(7, isAdjusted, of);
  }

/** A file of one column. INT96 consists of the nanoseconds of a day and the Julian day. */
function file(kind: string, values: (number | bigint | readonly [bigint, number])[]): Uint8Array {
  const about = kinds[kind];
  const data = values.map((value) =>
    typeof value === "object"
      ? `h ${hex(value[0], 8)}${hex(BigInt(value[1]), 4)}`
      : `${about.type === "INT32" ? "i4" : "i8"} ${value}`,
  );
  return parquetFile({ type: "INT64", rows: values.length, pages: [{ values: values.length, data }], ...about });
}
const hex = (value: bigint, bytes: number): string =>
  Array.from({ length: bytes }, (_, i) => Number((BigInt.asUintN(8 * bytes, value) >> BigInt(8 * i)) & 255n))
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");

/** Cells of the single column, which are equal in both engines. */
async function textsOf(kind: string, values: Parameters<typeof file>[1]): Promise<unknown[]> {
  const path = written(file(kind, values), fresh());
  const [duck, own] = await both(path);
  expect(duck).toEqual(own);
  return cells(await readTable(path))[0];
}

const second = { millis: 1000n, micros: 1_000_000n, nanos: 1_000_000_000n };
const at = 1_709_649_001n; // 2024-03-05T14:30:01Z
const none = ["1970-01-01T00:00:00", "1969-12-31T23:59:59"];

describe("dates and times, which read as in a CSV file", () => {
  it.each(["date", "date by its logical type"])("%s", async (kind) => {
    expect(await textsOf(kind, [0, -1, 19_787, 19_782, -719_162, 2_932_896])).toEqual([
      ...["1970-01-01", "1969-12-31", "2024-03-05", "2024-02-29", "0001-01-01", "9999-12-31"],
    ]);
  });

  it.each([
    ["TIMESTAMP_MILLIS", "millis"],
    ["TIMESTAMP_MICROS", "micros"],
    ...(["millis", "micros", "nanos"] as const).flatMap((of) =>
      [false, true].map((is) => [`timestamp ${of} ${is}`, of] as const),
    ),
  ] as [string, Unit][])("%s, with no more digits than needed", async (kind, of) => {
    const one = second[of];
    expect(await textsOf(kind, [0n, -one, at * one, at * one + one / 2n, at * one + (41n * one) / 1000n])).toEqual([
      ...[...none, "2024-03-05T14:30:01", "2024-03-05T14:30:01.5", "2024-03-05T14:30:01.041"],
    ]);
    if (of !== "millis")
      expect(await textsOf(kind, [(at * one * 1000n + one / 1000n) / 1000n])).toEqual(["2024-03-05T14:30:01.000001"]);
    if (of === "nanos") return;
    const year = 86400n * one;
    expect(await textsOf(kind, [-719_162n * year, 2_932_897n * year - 1n])).toEqual([
      "0001-01-01T00:00:00",
      `9999-12-31T23:59:59.${of === "millis" ? "999" : "999999"}`,
    ]);
  });

  it("nanoseconds and INT96, rounded down to microseconds", async () => {
    for (const is of [false, true])
      expect(await textsOf(`timestamp nanos ${is}`, [at * second.nanos + 123_456_789n, -1n, -1_000n])).toEqual([
        ...["2024-03-05T14:30:01.123456", "1970-01-01T00:00:00", "1969-12-31T23:59:59.999999"],
      ]);
    const of = (nanos: bigint, day: number) => [nanos, 2_440_588 + day] as const;
    const day = 86_400n * second.nanos;
    expect(
      await textsOf("INT96", [
        of(0n, 0),
        of(day - 1n, -1),
        of(52_201_123_456_789n, 19_787),
        of(1n, -719_162),
        of(day - 1n, 2_932_896),
      ]),
    ).toEqual([
      ...["1970-01-01T00:00:00", "1969-12-31T23:59:59.999999", "2024-03-05T14:30:01.123456"],
      ...["0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"],
    ]);
  });

  it.each([
    ["TIME_MILLIS", "millis"],
    ["TIME_MICROS", "micros"],
    ...(["millis", "micros", "nanos"] as const).flatMap((of) => [false, true].map((is) => [`time ${of} ${is}`, of] as const)),
  ] as [string, Unit][])("%s as a time of day", async (kind, of) => {
    const one = second[of];
    expect(await textsOf(kind, [0n, 52_201n * one, 86_399n * one + one / 4n])).toEqual(["00:00:00", "14:30:01", "23:59:59.25"]);
  });
});

describe("columns of both engines", () => {
  it.each(Object.keys(kinds))("are equal for random values of %s, as text or error code", async (kind) => {
    const of: Unit | undefined = (["millis", "micros", "nanos"] as const).find((one) => new RegExp(one, "i").test(kind));
    const [days, one] = [86_400n, of ? second[of] : 1n];
    const value: fc.Arbitrary<number | bigint | readonly [bigint, number]> = /date/.test(kind)
      ? fc.oneof(fc.integer({ min: -719_162, max: 2_932_896 }), { weight: 1, arbitrary: fc.integer() })
      : kind === "INT96"
        ? fc.tuple(fc.bigInt({ min: 0n, max: days * second.nanos - 1n }), fc.integer({ min: 1_721_000, max: 5_374_000 }))
        : /^time[ _]/i.test(kind)
          ? fc.bigInt({ min: 0n, max: days * one - 1n })
          : of === "nanos"
            ? fc.bigInt({ min: -(2n ** 63n) + 2n, max: 2n ** 63n - 2n })
            : fc.bigInt({ min: -800_000n * days * one, max: 3_000_000n * days * one });
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 8 }), async (values) => {
        const path = written(file(kind, values), fresh());
        const [duck, own] = await both(path);
        expect(duck).toEqual(own);
      }),
      { numRuns: power(5, 15), seed: 3 },
    );
  });

  it("are equal with nulls, many rows and several types, whole and in blocks", async () => {
    const path = await copied(
      `SELECT CASE WHEN i % 7 > 0 THEN DATE '1960-02-27' + (i % 9000)::INTEGER END AS d, TIMESTAMP '1899-12-31 23:00:00.25' + to_seconds(i * 77777) AS t,
       TIMESTAMP_NS '2024-03-05 14:30:00.123456789' AS n, ('2024-03-05 14:30:00+02')::TIMESTAMPTZ + to_hours(i % 5) AS z,
       CASE WHEN i % 3 > 0 THEN TIME '10:00:00' + to_seconds(i % 60) END AS c, i % 2 AS y FROM range(5000) s(i)`,
    );
    const [duck, own] = await both(path);
    expect(duck).toEqual(own);
    const [duckBlocks, ownBlocks] = await bothBlocks(path, { rows: 700 });
    expect(duckBlocks).toEqual(ownBlocks);
    const table = cells(await readTable(path));
    expect(table.map((column) => column[1])).toEqual([
      ...["1960-02-28", "1900-01-01T20:36:17.25", "2024-03-05T14:30:00.123456", "2024-03-05T13:30:00", "10:00:01", 1],
    ]);
    expect([table[0][7], table[4][3]]).toEqual([null, null]);
  });
});

describe("a column of dates", () => {
  const query = `SELECT DATE '2023-11-05' + (i * 11)::INTEGER AS day, TIMESTAMP '2023-11-05 22:15:00' + to_minutes(i * 1000) AS "when", i % 3 AS x, i % 2 AS y
    FROM range(40) t(i)`;

  it("is split into date parts as in a CSV file, with the same remark", async () => {
    const path = await copied(query);
    const csv = await copied(query, "csv");
    for (const engine of ["own", "duckdb"] as const) {
      const options = { target: "y", dates: ["day", "when"] };
      const [found, wanted] = [await readParquet(path, { ...options, engine }), await readCsv(csv, options)];
      expect(found.names).toEqual(wanted.names);
      expect(found.names).toContain("when.hour");
      for (let i = 0; i < 40; i++) expect(found.row(i)).toEqual(wanted.row(i));
      expect((await readParquet(path, { target: "y", engine, drop: ["when"] })).remarks).toMatchObject([
        { kind: "date", column: "day", message: expect.stringMatching(/split them into parts with dates: \["day"\]$/) },
      ]);
    }
  });

  it("can have gaps, missing-value markers and declared levels", async () => {
    const days = { name: "day", type: "INT32", converted: 6, values: [0, null, 1, 0] } as const;
    const bytes = parquetBytes([{ ...days, values: [...days.values] }]);
    expect(cells(await readTable(bytes))).toEqual([["1970-01-01", null, "1970-01-02", "1970-01-01"]]);
    expect(cells(await readTable(bytes, { missing: ["1970-01-02"] }))).toEqual([["1970-01-01", null, null, "1970-01-01"]]);
    const levels = ["1970-01-02", "1970-01-01"];
    expect((await readTable(bytes, { types: { day: levels } })).columns).toMatchObject([{ levels }]);
    await expect(readTable(bytes, { types: { day: "number" } })).rejects.toThrow('"1970-01-01" is not a number in column "day"');
  });
});

describe("values that both engines refuse with the same place and words", () => {
  const told = async (path: string): Promise<string> => {
    const [duck, own] = [await refusal(readTable(path, { engine: "duckdb" })), await refusal(readTable(path))];
    expect(duck.message).toBe(own.message);
    return own.message.replace(/^\S*\.parquet/, "t");
  };

  it("refuses a date beyond years of four digits", async () => {
    const advice = 'but must be in the years 1 to 9999; correct it, or drop the column: drop: ["x"] [DATA_TYPE]';
    expect(await told(written(file("date", [0, 2_932_897]), fresh()))).toBe(
      `t:2:1: the date in column "x" is 2932897 days after 1970-01-01, ${advice}`,
    );
    expect(await told(written(file("date", [-719_163]), fresh()))).toBe(
      `t:1:1: the date in column "x" is 719163 days before 1970-01-01, ${advice}`,
    );
    for (const [kind, one] of [
      ["timestamp micros true", second.micros],
      ["TIMESTAMP_MILLIS", second.millis],
    ] as const) {
      const day = 86_400n * one;
      expect(await told(written(file(kind, [2_932_897n * day]), fresh()))).toContain("2932897 days after");
      expect(await told(written(file(kind, [-719_162n * day - 1n]), fresh()))).toContain("719163 days before");
    }
    expect(await told(written(file("INT96", [[0n, 5_440_588]]), fresh()))).toContain("3000000 days after");
  });

  it("refuses infinity", async () => {
    expect(await told(await copied("SELECT 'infinity'::DATE AS x"))).toContain("2147483647 days after 1970-01-01");
    expect(await told(await copied("SELECT '-infinity'::TIMESTAMP AS x"))).toContain("106751992 days before 1970-01-01");
    expect(await told(written(file("timestamp nanos false", [2n ** 63n - 1n]), fresh()))).toContain(
      'the timestamp in column "x" is infinite',
    );
    for (const value of [2n ** 63n - 1n, -(2n ** 63n) + 1n]) {
      const path = written(file("timestamp nanos true", [value]), fresh());
      await expect(readTable(path)).rejects.toThrow('the timestamp in column "x" is infinite');
    }
  });

  it("refuses a time beyond a day", async () => {
    for (const value of [-1n, 86_400_000_000n])
      expect(await told(written(file("TIME_MICROS", [0n, value]), fresh()))).toBe(
        't:2:1: the time in column "x" is not within a day; correct it, or drop the column: drop: ["x"] [DATA_TYPE]',
      );
    expect(await told(written(file("time nanos false", [-1n]), fresh()))).toMatch(
      /^t:1:1: the time in column "x" is not within a day/,
    );
  });

  it("refuses a column with contradictory types or a wrong physical type", async () => {
    const bytes = (about: Partial<ParquetFile>) =>
      readTable(parquetFile({ type: "INT64", rows: 1, pages: [{ values: 1, data: ["i8 7"] }], ...about }));
    const timestamp = logical(8, true, "micros");
    for (const about of [
      { converted: 6 },
      { ...timestamp, converted: 8 },
      { ...timestamp, converted: 5, scale: 2 },
      { ...timestamp, type: "DOUBLE" },
      { converted: 7 },
      { type: "DOUBLE", converted: 10 },
      { element: { 10: { 6: {} } } },
      { converted: 6, element: { 10: { 10: { 1: 64, 2: true } } } },
    ])
      await expect(bytes(about), JSON.stringify(about)).rejects.toMatchObject({ code: "DATA_UNSUPPORTED" });
    await expect(bytes({ ...timestamp, converted: 8 })).rejects.toThrow(
      'column "x" is TIMESTAMP and TIME_MICROS of INT64, but a column must hold numbers, texts, booleans, dates or times; drop it',
    );
    expect(cells(await bytes({ ...timestamp, converted: 10 }))).toEqual([["1970-01-01T00:00:00.000007"]]);
  });
});

it("reads or refuses damaged files with a typed error", async () => {
  const whole = Uint8Array.from(
    readFileSync(
      await copied("SELECT DATE '2024-01-01' + i::INTEGER AS d, now()::TIMESTAMP AS t, TIME '10:00:00' AS c FROM range(30) t(i)"),
    ),
  );
  const seen = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (place, bits, cuts) => {
      const damaged = cuts ? whole.slice(0, place) : whole.map((byte, i) => (i === place ? byte ^ bits : byte));
      try {
        for await (const _ of blocks({ content: damaged, name: "d.parquet" }, { rows: 7 }));
        seen.read++;
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^DATA_/);
        seen.refused++;
      }
    }),
    { numRuns: 300, seed: 11 },
  );
  expect(seen.read).toBeGreaterThan(20);
  expect(seen.refused).toBeGreaterThan(20);
});

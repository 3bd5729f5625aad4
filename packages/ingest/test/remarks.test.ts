/**
 * Remarks report columns that look like identifiers, dates or text, or whose values collapse in 32-bit floats. Whole
 * numbers that would be rounded are refused, and gaps are filled by column.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocks, read, readCsv, readJsonLines, readParquet, readTable } from "../src/index.ts";
import { parquetBytes } from "./parquet-bytes.ts";

const csv = (header: string, line: (i: number) => string, rows = 40) => ({
  name: "a.csv",
  content: `${header}\n${Array.from({ length: rows }, (_, i) => line(i)).join("\n")}\n`,
});
const remarks = async (line: (i: number) => string, rows = 40, options: object = {}) =>
  (
    await readCsv(
      csv("a,b,y", (i) => `${line(i)},${i % 3},${i % 2}`, rows),
      { target: "y", ...options },
    )
  ).remarks;
const day = (i: number): string => new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);
const failing = async (of: Promise<unknown>): Promise<string> => {
  try {
    await of;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
};

describe("remarks about suspicious columns", () => {
  it("reports texts that are all different", async () => {
    expect(await remarks((i) => `id${i}`)).toEqual([
      {
        kind: "identifier",
        column: "a",
        rows: 40,
        of: 40,
        message:
          '40 of 40 rows hold 40 different texts in "a", which looks like an identifier: levels that rarely repeat teach nothing; drop it: drop: ["a"]',
      },
    ]);
  });

  it("reports texts that are mostly different, ignoring gaps", async () => {
    expect(await remarks((i) => (i < 10 ? "" : `id${i % 35}`), 40, { impute: "level" })).toMatchObject([
      { kind: "identifier", rows: 30, of: 40 },
    ]);
    expect(await remarks((i) => `id${i % 20}`)).toEqual([]);
    expect(await remarks((i) => `id${i % 21}`)).toMatchObject([{ kind: "identifier" }]);
    expect(await remarks((i) => `id${i}`, 19)).toEqual([]);
    expect(await remarks((i) => `id${i}`, 20)).toHaveLength(1);
  });

  it("reports whole numbers that are codes by the column's name if there are more than two", async () => {
    const of = async (name: string, cell: (i: number) => string | number, rows = 40) =>
      (
        await readCsv(
          csv(`${name},b,y`, (i) => `${cell(i)},${i % 3},${i % 2}`, rows),
          { target: "y" },
        )
      ).remarks;
    const zip = (i: number): number => 10_115 + 97 * (i % 7);
    expect(await of("zip", zip)).toEqual([
      {
        kind: "identifier",
        column: "zip",
        rows: 40,
        of: 40,
        message:
          '40 of 40 rows hold whole numbers in "zip", taken as amounts, but the name suggests codes; make each a level, types: { "zip": "category" }, or drop it: drop: ["zip"]',
      },
    ]);
    for (const name of ["Zip Code", "post_code", "postalCode", "user_id", "ID", "userId", "shop.id", "customer-ID", "work phone"])
      expect(await of(name, zip), name).toMatchObject([{ kind: "identifier", column: name }]);
    for (const name of ["paid", "grid", "humid", "zipped", "amount", "idle", "id_count", "unzip", "covid", "phones"])
      expect(await of(name, zip), name).toEqual([]);
    expect(await of("zip", (i) => zip(i) + 0.5)).toEqual([]);
    expect(await of("user_id", (i) => i % 2)).toEqual([]);
    expect(await of("user_id", (i) => i % 3)).toHaveLength(1);
    expect(await of("zip", zip, 19)).toEqual([]);
    // A column that counts the rows is reported as such.
    expect((await of("id", (i) => i + 5))[0].message).toMatch(/^40 of 40 rows are numbered from 5 to 44/);
  });

  it("reports texts of several words", async () => {
    expect(await remarks((i) => `the ${i}th comment of all`)).toMatchObject([{ kind: "text", column: "a" }]);
    expect(await remarks((i) => `Smith ${i}`)).toMatchObject([{ kind: "identifier" }]);
  });

  it("reports dates of any frequency, with a remedy", async () => {
    const [iso] = await remarks((i) => day(i % 5));
    expect(iso).toMatchObject({ kind: "date", column: "a", rows: 40, of: 40 });
    expect(iso.message).toBe('40 of 40 rows hold dates in "a", taken as 5 levels; split them into parts with dates: ["a"]');
    expect((await remarks((i) => `${day(i)} 12:30`))[0].message).toContain('split them into parts with dates: ["a"]');
    for (const line of [
      (i: number) => `${1 + (i % 28)}.3.2024`,
      (i: number) => `3/${1 + (i % 28)}/24`,
      (i: number) => `2024/3/${1 + (i % 28)}`,
    ])
      expect((await remarks(line))[0]).toMatchObject({
        kind: "date",
        message: expect.stringContaining('write them as 2024-03-05, which dates: ["a"] splits'),
      });
  });

  it("reports numbers with a currency or percent sign, or with thousands separators", async () => {
    for (const line of [
      (i: number) => `"$${i},234.56"`,
      (i: number) => `${i}.3%`,
      (i: number) => `${i} €`,
      (i: number) => `-£${i}`,
    ])
      expect((await remarks(line))[0]).toMatchObject({
        kind: "text",
        message: expect.stringMatching(
          /^40 of 40 rows hold numbers with a sign or commas in "a", like .*; write plain numbers, like 1234\.56/,
        ),
      });
    expect((await remarks((i) => `${i}x`))[0].kind).toBe("identifier");
    expect((await remarks((i) => `$${i}a`))[0].kind).toBe("identifier");
  });

  it("reports numbers that count the rows, in any order", async () => {
    const [counted] = await remarks((i) => String(((i * 7) % 40) + 100));
    expect(counted).toMatchObject({ kind: "identifier", column: "a", rows: 40, of: 40 });
    expect(counted.message).toMatch(/^40 of 40 rows are numbered from 100 to 139 in "a"/);
    expect(await remarks((i) => String(i * 2))).toEqual([]);
    expect(await remarks((i) => String(i === 5 ? 6 : i))).toEqual([]);
    expect(await remarks((i) => String(i + 0.5))).toEqual([]);
    expect(await remarks((i) => String(i === 0 ? 1 : i === 39 ? 39 : i))).toEqual([]);
  });

  it("ignores target, weights, offset, split dates, hashed columns and datasets read like another", async () => {
    const line = (i: number) => `${i},id${i % 40},${day(i)}`;
    const file = csv("n,t,d", line);
    const kinds = async (options: object) =>
      (await read(file, options as never)).remarks.map(({ kind, column }) => `${kind} ${column}`);
    expect(await kinds({ target: "n" })).toEqual(["identifier t", "date d"]);
    expect(await kinds({ target: "t" })).toEqual(["identifier n", "date d"]);
    expect(await kinds({ target: "n", dates: ["d"] })).toEqual(["identifier t"]);
    expect(await kinds({ target: "n", hash: 4 })).toEqual([]);
    expect(await kinds({ target: "t", offset: "n" })).toEqual(["date d"]);
    expect(await kinds({ target: "d", weights: "n" })).toEqual(["identifier t"]);
    const like = await read(file, { target: "n" });
    expect((await read(file, { like })).remarks).toEqual([]);
  });
});

it("includes new levels in the remarks of a dataset read like another", async () => {
  const like = await readCsv(
    csv("city,y", (i) => `${["Oslo", "Rome"][i % 2]},${i}`),
    { target: "y" },
  );
  const made = await readCsv(
    csv("city,y", (i) => `${["Oslo", "Bonn"][i % 2]},${i}`),
    { like },
  );
  expect(made.remarks).toEqual([
    {
      kind: "new level",
      column: "city",
      rows: 20,
      of: 40,
      message: '20 of 40 rows had a new level in "city", which the model does not know ("Bonn")',
    },
  ]);
});

it("fills gaps in the given columns and refuses them in others", async () => {
  const file = csv("a,b,y", (i) => `${i === 3 ? "" : (i * 7) % 5},${i === 5 ? "?" : ["x", "z"][i % 2]},${i}`);
  const data = await readCsv(file, { target: "y", impute: { a: "median", b: "level" }, indicator: true });
  expect(data.names).toEqual(["a", "b=x", "b=z", "b=(missing)", "a=(missing)"]);
  expect([...data.row(5)]).toEqual([0, 0, 0, 1, 0]);
  expect([...data.row(3)]).toEqual([2, 0, 1, 0, 1]);
  expect(await failing(readCsv(file, { target: "y", impute: { a: "median" } }))).toMatch(
    /^a\.csv:7:2: 1 value is missing in column "b" \(first "\?"\); fill them with impute: .*or "level"/,
  );
  expect((await readCsv(file, { target: "y", impute: { a: "mean", "*": "mode" } })).names).toEqual(["a", "b=x", "b=z"]);
  const like = await readCsv(
    csv("a,b,y", (i) => `${i === 0 ? "" : 1},${i === 0 ? "" : "x"},${i}`),
    { like: data },
  );
  expect([...like.row(0)]).toEqual([2, 0, 0, 1, 1]);
});

describe("whole numbers beyond 2^53", () => {
  const file = (value: string) => csv("a,y", (i) => `${i === 2 ? value : i},${i}`, 4);

  it("are refused if they would be rounded, with a remedy", async () => {
    expect(await failing(readCsv(file("9007199254740993"), { target: "y" }))).toBe(
      'a.csv:4:1: the integer "9007199254740993" in column "a" is beyond 2^53, where numbers are rounded; keep it as text, types: { "a": "category" }, drop it, or let it be rounded, types: { "a": "number" } [DATA_TYPE]',
    );
    for (const value of ["-9007199254740993", "+12345678901234567891", "12345678901234567891"])
      expect(await failing(readTable(file(value))), value).toMatch(/beyond 2\^53/);
    const all = async () => {
      for await (const _ of blocks(file("9007199254740993"), { rows: 2 }));
    };
    expect(await failing(all())).toMatch(/beyond 2\^53/);
  });

  it("are kept as text, dropped, rounded or treated as missing on request", async () => {
    const kept = await readTable(file("9007199254740993"), { types: { a: "category" } });
    expect(kept.columns[0]).toMatchObject({ kind: "category", levels: ["0", "1", "3", "9007199254740993"] });
    expect((await readTable(file("9007199254740993"), { drop: ["a"] })).columns).toHaveLength(1);
    const rounded = await readTable(file("9007199254740993"), { types: { a: "number" } });
    expect(rounded.columns[0]).toMatchObject({ values: Float64Array.of(0, 1, 9007199254740992, 3) });
    const gone = await readTable(file("9007199254740993"), { missing: ["9007199254740993"] });
    expect(gone.columns[0]).toMatchObject({ values: Float64Array.of(0, 1, NaN, 3) });
  });

  it.each([
    "9007199254740991",
    "9007199254740992",
    "100000000000000000000",
    "-9007199254740994",
    "1e300",
    "12345678901234567.5",
    "12345678901234567e1",
  ])("%s is preserved or is not a whole number", async (value) => {
    const [column] = (await readTable(file(value))).columns;
    expect(column.kind === "number" && column.values[2]).toBe(Number(value));
  });

  it("in another column of the same line are not blamed on this column", async () => {
    const content = '{"a": 9007199254740992, "b": 9007199254740995}\n{"a": 1, "b": 2}';
    const { columns } = await readTable({ name: "a.jsonl", content }, { types: { b: "number" } });
    expect(columns.map((column) => column.kind === "number" && column.values[0])).toEqual([9007199254740992, 9007199254740996]);
  });

  it.each<[string, (value: string) => string, string]>([
    ["LIBSVM", (value) => `1 1:1\n0 1:2 2:${value}\n`, "big:2:9: the value"],
    ["LIBSVM, as a label", (value) => `1 1:1\n${value} 1:2\n`, "big:2:1: the label"],
    ["VW", (value) => `1 | a:1\n-1 | a:2 b:${value}\n`, "big:2:12: the value"],
    ["VW, as a label", (value) => `1 | a:1\n${value} | a:2\n`, "big:2:1: the label"],
  ])("are refused in %s, which has no types", async (format, content, where) => {
    const options = { format: format.startsWith("VW") ? "vw" : "libsvm", type: "f64" } as const;
    const reading = (value: string) => read({ name: "big", content: content(value) }, options);
    for (const value of ["9007199254740993", "-9007199254740993", "+12345678901234567891"]) {
      const said = await failing(reading(value));
      expect(said).toContain(`${where} "${value}"`);
      expect(said).toMatch(/is beyond 2\^53.*append \.0 to accept the rounding \[DATA_TYPE\]$/);
    }
    for (const value of ["9007199254740991", "-9007199254740992", "9007199254740993.0", "1e300"])
      expect((await reading(value)).rowCount).toBe(2);
  });

  it("are refused in JSON lines, except in texts and fractions", async () => {
    const lines = (value: string) => ({
      name: "a.jsonl",
      content: `{"a": 1, "t": "x 9007199254740993", "y": 1}\n{"a": ${value}, "t": "\\"9007199254740993", "y": 2}\n`,
    });
    const options = { target: "y", drop: ["t"], type: "f64" } as const;
    expect(await failing(readJsonLines(lines("9007199254740993"), options))).toMatch(
      /^a\.jsonl:2:1: the integer "9007199254740993" in column "a"/,
    );
    for (const value of ["9007199254740992", "1e300", "9007199254740993.5", "9007199254740993e2", "1"])
      expect((await readJsonLines(lines(value), options)).rowCount).toBe(2);
  });
});

describe("columns whose values collapse in 32-bit floats", () => {
  const at = (i: number): number => 1_700_000_000 + ((i * 137) % 600);
  const precision = async (value: (i: number) => number | string, rows = 40, options: object = {}) =>
    (await remarks(value as (i: number) => string, rows, options)).filter(({ kind }) => kind === "precision");

  it("are reported with a remedy", async () => {
    expect(await precision(at)).toEqual([
      {
        kind: "precision",
        column: "a",
        rows: 39,
        of: 40,
        message: expect.stringMatching(
          /^39 of 40 rows of "a" are rounded to 32-bit floats, by 3\d on average, which is \d\d % of the column's standard deviation; pass type: "f64", or subtract a constant from the column, such as its mean$/,
        ),
      },
    ]);
    expect(await precision((i) => (i % 4 === 0 ? "" : at(i)), 40, { impute: "mean" })).toMatchObject([{ rows: 30, of: 40 }]);
    expect((await precision((i) => 1e9 + i / 1000))[0].message).toContain("which is 100 % of");
    expect(await precision((i) => (i % 5) * 1e-50)).toHaveLength(1);
    expect(await precision(at, 3)).toHaveLength(1);
    expect(await precision(at, 40, { hash: 6 })).toHaveLength(1);
  });

  it("are reported for other formats", async () => {
    const lines = Array.from({ length: 40 }, (_, i) => JSON.stringify({ t: at(i), y: i % 2 })).join("\n");
    expect((await readJsonLines({ name: "a.jsonl", content: lines }, { target: "y" })).remarks).toMatchObject([
      { kind: "precision" },
    ]);
    const numbers = Array.from({ length: 40 }, (_, i) => i);
    const content = parquetBytes([
      { name: "t", type: "DOUBLE", values: numbers.map(at) },
      { name: "y", type: "INT32", values: numbers.map((i) => i % 2) },
    ]);
    expect((await readParquet({ name: "a.parquet", content }, { target: "y" })).remarks).toMatchObject([
      { kind: "precision", column: "t" },
    ]);
  });

  it("preserve their values with the recommended option", async () => {
    const kept = async (value: (i: number) => number, options: object = {}) => {
      const file = csv("a,y", (i) => `${value(i)},${i % 2}`);
      const data = await readCsv(file, { target: "y", ...options });
      expect(data.remarks.filter(({ kind }) => kind === "precision")).toHaveLength(
        Object.keys(options).length === 0 && value === at ? 1 : 0,
      );
      return new Set(Array.from({ length: 40 }, (_, i) => data.row(i)[0])).size;
    };
    const all = new Set(Array.from({ length: 40 }, (_, i) => at(i))).size;
    expect(await kept(at)).toBeLessThan(8);
    expect(await kept(at, { type: "f64" })).toBe(all);
    expect(await kept((i) => at(i) - 1_700_000_300)).toBe(all);
  });

  it.each<[string, (i: number) => number]>([
    ["decimals", (i) => i / 10],
    ["prices", (i) => 19.99 + (i % 7)],
    ["one value", () => 0.1],
    ["one value but for one", (i) => (i === 7 ? 0.100001 : 0.1)],
    ["years", (i) => 1990 + i],
    ["seconds since 1970 of a year", (i) => 1_700_000_000 + 800_003 * i],
    ["what floats hold exactly, far from 0", (i) => 1_700_000_000 - (1_700_000_000 % 128) + 128 * (i % 3)],
    ["large numbers of all sizes", (i) => 1.1 ** (9 * i)],
    ["values near 1000, a hundredth apart", (i) => 1000 + (i % 5) / 100],
  ])("do not include %s", async (_, value) => expect(await precision(value)).toEqual([]));

  it("do not include values within ten thousand deviations of 0", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 }),
        fc.double({ min: -1e4, max: 1e4, noNaN: true }),
        fc.integer({ min: -20, max: 10 }),
        async (noise, mean, power) => {
          // Half of the rows are 2 away from the others, whatever the noise.
          const value = (i: number): number => (mean + (i % 2 === 0 ? 3 : -3) + noise[i]) * 10 ** power;
          expect(await precision(value)).toEqual([]);
        },
      ),
      { numRuns: 60, seed: 9 },
    );
  });

  it("are reported only for features, and once if numbers are stored as 32-bit floats", async () => {
    const file = csv("t,w,o,x,y", (i) => `${at(i)},${1e9 + i},${1e8 + i / 10},${i % 7},${i % 2}`);
    const told = async (options: object) =>
      (await readCsv(file, { target: "y", ...options })).remarks.filter(({ kind }) => kind === "precision");
    expect(await told({ target: "t", weights: "w", offset: "o" })).toEqual([]);
    expect((await told({})).map(({ column }) => column)).toEqual(["t", "w", "o"]);
    expect(await told({ type: "f64" })).toEqual([]);
    expect((await told({ type: "f32" })).map(({ column }) => column)).toEqual(["t", "w", "o"]);
  });
});

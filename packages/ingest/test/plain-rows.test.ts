/**
 * Records read from their bytes, compared with the full grammar. The twin is the same file with CR line ends, which has
 * no plain records, so Papa Parse reads all of it.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { power } from "../../ergodic/test/power.ts";
import { blocks, type CsvOptions, readCsv, readTable } from "../src/index.ts";
import { PlainRows } from "../src/plain-rows.ts";
import { cells } from "./writers.ts";

/**
 * Typical fields: plain, blank, quoted, missing and out of range, and some that only the grammar accepts or refuses.
 */
const field = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("1", "-2.5", "0", "+3e2", "1.", ".5", "0.1234567890123456", "9007199254740993.5") },
  { weight: 6, arbitrary: fc.constantFrom("x", "yes", "größe", "日本", "a b", "", "NA", "?", "inf", "1e999", "e5", "-", "1,5") },
  { weight: 2, arbitrary: fc.constantFrom('"q"', '"a,b"', '""', '"2"', '" c "', " 4 ", "\t5", "z\t", " ", "''") },
  { weight: 1, arbitrary: fc.constantFrom('"say ""hi"""', ' "late"', '"w" ', "#", "9007199254740993") },
);
const broken = fc.constantFrom('st"ray', '"text"behind', '"open', "one,more");
const record = fc.array(field, { minLength: 3, maxLength: 3 }).map((fields) => fields.join(","));
const line = fc.oneof(
  { weight: 20, arbitrary: record },
  { weight: 1, arbitrary: fc.constantFrom("", "  ", "# a comment, with a mark", '""') },
  {
    weight: 1,
    arbitrary: fc.tuple(record, broken).map(([fields, wrong]) => `${fields.split(",").slice(0, 2).join(",")},${wrong}`),
  },
);

type Outcome = { kinds: string[]; cells: unknown[][]; remarks: unknown } | string;

async function outcome(content: string, options: CsvOptions): Promise<Outcome> {
  try {
    const table = await readTable({ content, name: "a.csv" }, { format: "csv", ...options });
    return { kinds: table.columns.map(({ kind }) => kind), cells: cells(table), remarks: table.remarks };
  } catch (error) {
    return (error as Error).message;
  }
}

test.each<[string, CsvOptions]>([
  ["as by default", {}],
  ["numbers are texts", { categories: [0, 1, 2] }],
  ["ragged rows are skipped", { ragged: "skip" }],
  ["comments", { comment: "#" }],
  ["no quotes", { quote: "" }],
  ["another quote", { quote: "'" }],
  ["missing numbers", { missing: ["", "1", "-2.5", "yes"] }],
  ["declared types", { types: { a: "number", b: "category" } }],
  ["a column dropped", { drop: ["b"] }],
])("%s: gives the same table, or the same error in the same place", async (_, options) => {
  const seen = { tables: 0, errors: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), fc.boolean(), async (lines, crlf) => {
      const text = ["a,b,c", ...lines, ""];
      const [plain, byGrammar] = [text.join(crlf ? "\r\n" : "\n"), text.join("\r")];
      const found = await outcome(plain, options);
      expect(found).toEqual(await outcome(byGrammar, options));
      seen[typeof found === "string" ? "errors" : "tables"]++;
    }),
    { numRuns: power(150, 400), seed: 1 },
  );
  expect(Math.min(seen.tables, seen.errors)).toBeGreaterThan(5);
});

test("reads decimal commas", async () => {
  const text = ["a;b", "1,5;x", "-0,25;y", ",5;x", "12345678901234,567;x", ""];
  const options = { delimiter: ";", decimal: "," } as const;
  const found = await outcome(text.join("\n"), options);
  expect(found).toMatchObject({ kinds: ["number", "category"] });
  expect(found).toEqual(await outcome(text.join("\r"), options));
});

test("finds the ends of plain records, and recognises other records", () => {
  const rows = new PlainRows(",", '"', "#");
  const fields = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    const next = rows.next(bytes, 0);
    const found = Array.from({ length: rows.count }, (_, k) =>
      new TextDecoder().decode(bytes.subarray(rows.starts[k], rows.ends[k])),
    );
    return next < 0 ? "not plain" : [next, ...found];
  };
  expect(fields("1,b\n2,c\n")).toEqual([4, "1", "b"]);
  expect(fields("1,b\r\n2,c\n")).toEqual([5, "1", "b"]);
  expect(fields(' 1 ,"b,c",\t\n')).toEqual([12, "1", "b,c", ""]);
  expect(fields('""\n')).toEqual([3, ""]);
  expect(fields(" \r\nx\n")).toEqual([3]);
  const wide = Array.from({ length: 1000 }, (_, k) => String(k));
  expect(fields(`${wide.join(",")}\n`)).toEqual([3890, ...wide]);
  for (const text of [
    'a"b\n',
    ' "a"\n',
    '"a" \n',
    '"a""b"\n',
    '"a\nb"\n',
    '"a\r\nb"\n',
    '"a\rb"\n',
    "a\rb\n",
    '"a"\rb\n',
    "#a\n",
  ])
    expect(fields(text), text).toBe("not plain");
});

/**
 * Every 700th record needs the grammar, and one in the middle spans lines. Reading from bytes must resume after each.
 */
test("reads plain records between others in long files", async () => {
  const rowCount = 40_000;
  const texts = Array.from({ length: rowCount }, (_, i) =>
    i % 700 === 3 ? `l${i % 5} "quoted"` : i === 20_000 ? "two\nlines" : `l${i % 11}`,
  );
  const quoted = texts.map((text) => (/["\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text));
  const lines = quoted.map((text, i) => `${i / 8},${text},${i % 3 === 0 ? "" : i}`);
  const table = await readTable({ content: `a,b,c\n${lines.join("\n")}\n` }, { format: "csv" });
  const [a, b, c] = cells(table);
  expect(a).toEqual(texts.map((_, i) => i / 8));
  expect(b).toEqual(texts);
  expect(c).toEqual(texts.map((_, i) => (i % 3 === 0 ? null : i)));
  const wrong = `a,b,c\n${lines.join("\n")}\n1,x\n`;
  // One record spans two lines.
  await expect(readTable({ content: wrong, name: "a.csv" }, { format: "csv" })).rejects.toThrow(
    `a.csv:${rowCount + 3}:3: the row has 2 fields, but the header names 3`,
  );
});

test("handles files whose rows become longer or shorter than the first ones", async () => {
  for (const width of [(i: number) => (i < 75_000 ? 0 : 60), (i: number) => (i < 20_000 ? 60 : 0)]) {
    const rowCount = 100_000;
    const lines = Array.from({ length: rowCount }, (_, i) => `${i},${i % 7 === 0 ? "x" : "y"},${" ".repeat(width(i))}`);
    const content = `a,b,c\n${lines.join("\n")}\n`;
    const table = await readTable({ content }, { format: "csv", drop: ["c"] });
    const [a, b] = table.columns;
    expect([a.kind, b.kind, table.rowCount]).toEqual(["number", "category", rowCount]);
    if (a.kind !== "number" || b.kind !== "category") return;
    expect(a.values.every((value, i) => value === i)).toBe(true);
    expect(b.codes.every((code, i) => b.levels[code] === (i % 7 === 0 ? "x" : "y"))).toBe(true);
    // The surplus memory was released.
    expect(a.values.buffer.byteLength).toBeLessThanOrEqual(2 * a.values.byteLength);
    let count = 0;
    for await (const block of blocks({ content }, { format: "csv", drop: ["c"], rows: 30_000 })) {
      const [values] = block.columns;
      if (values.kind === "number") for (const value of values.values) if (value === count) count++;
    }
    expect(count).toBe(rowCount);
  }
});

test("reads more levels than the byte index stores, including long and missing ones", async () => {
  const rowCount = 60_000;
  const text = (i: number) =>
    i % 10 === 0 ? "NA" : i % 10 === 1 ? `${"ü".repeat(40)}${i % 50}` : `level ${(i * 7919) % 25_000}`;
  const content = `a\n${Array.from({ length: rowCount }, (_, i) => text(i)).join("\n")}\n`;
  const table = await readTable({ content }, { format: "csv" });
  const expected = Array.from({ length: rowCount }, (_, i) => (text(i) === "NA" ? null : text(i)));
  expect(cells(table)).toEqual([expected]);
});

test("counts missing values, and numbers in a text column, in columns that were read before", async () => {
  const gaps = `a,b\n${"x,1\nNA,2\ny,3\n".repeat(20)}`;
  await expect(readCsv({ content: gaps, name: "a.csv" }, { target: "b" })).rejects.toThrow(
    'a.csv:3:1: 20 values are missing in column "a" (first "NA")',
  );
  const mistaken = `a,b\nx,1\n${"1,1\n2,2\n".repeat(10)}`;
  await expect(readCsv({ content: mistaken, name: "a.csv" }, { target: "b" })).rejects.toThrow(
    'a.csv:2:1: "x" is not a number in column "a", whose other values are numbers (20)',
  );
});

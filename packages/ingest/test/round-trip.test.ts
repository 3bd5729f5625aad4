/** A random table, written as CSV, LIBSVM or npy and cut into chunks anywhere, reads back as the same table. */
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { power } from "../../ergodic/test/power.ts";
import { blocks, readSparseTable, readTable, sparseBlocks } from "../src/index.ts";
import { cells, csvText, cutAt, libsvmText, npyBytes, sparseRows } from "./writers.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const missing = ["", "NA", "NaN", "nan", "null", "?"];
// A zero byte would mark a binary file, which is refused.
const text = fc.string({ unit: "binary", maxLength: 12 }).filter((t) => !missing.includes(t) && !t.includes("\0"));
const places = fc.array(fc.nat(), { maxLength: 12 });
const style = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  lineEnd: fc.constantFrom("\n", "\r\n"),
  finalLineEnd: fc.boolean(),
  quoteAll: fc.boolean(),
  mark: fc.boolean(),
});

const columns = fc.integer({ min: 1, max: 20 }).chain((rowCount) => {
  const cellsOf = (cell: fc.Arbitrary<number> | fc.Arbitrary<string>) =>
    fc.array(fc.option<number | string>(cell, { freq: 5 }), { minLength: rowCount, maxLength: rowCount });
  const numbers = cellsOf(finite).map((values) => ({ kind: "number" as const, values }));
  const categories = cellsOf(text).map((values) => ({ kind: "category" as const, values }));
  return fc.array(fc.oneof(numbers, categories), { minLength: 1, maxLength: 5 });
});

test("CSV with given types reads back the same", async () => {
  await fc.assert(
    fc.asyncProperty(columns, style, places, fc.integer({ min: 1, max: 7 }), async (table, how, cuts, rows) => {
      const names = table.map((_, j) => `c ${j}`);
      const values = table.map((column) => column.values);
      const bytes = new TextEncoder().encode(csvText(names, values, how));
      const types = Object.fromEntries(table.map((column, j) => [names[j], column.kind]));
      const options = { format: "csv", delimiter: how.delimiter, types } as const;
      const read = await readTable(cutAt(bytes, cuts), options);
      expect(read.columns.map((column) => column.name)).toEqual(names);
      expect(cells(read)).toEqual(values);
      const parts: (number | string | null)[][] = values.map(() => []);
      for await (const block of blocks(bytes, { ...options, rows }))
        for (const [j, column] of cells(block).entries()) parts[j].push(...column);
      expect(parts).toEqual(values);
    }),
    { numRuns: 150 },
  );
});

test("CSV with inferred types reads a column with a word in every second row as a category of the same texts", async () => {
  const word = fc.constantFrom("a", "b", "word", "1.50", "007", "-3", "12");
  const column = fc.array(word, { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(column, places, async (drawn, cuts) => {
      const values = drawn.flatMap((value) => [value, "w"]);
      const bytes = new TextEncoder().encode(`c\n${values.join("\n")}`);
      const [read] = cells(await readTable(cutAt(bytes, cuts), { format: "csv" }));
      expect(read).toEqual(values);
    }),
    { numRuns: 100 },
  );
});

test("CSV fields agree with csv-parse on texts of the grammar's special characters", async () => {
  const piece = fc.constantFrom("a", "1", " ", ",", '""', "\n", "\r\n", '"', "é");
  const file = fc.array(piece, { minLength: 1, maxLength: 25 }).map((pieces) => `h,i\n${pieces.join("")}`);
  let agreed = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(file, places, async (source, cuts) => {
      let theirs: string[][] | undefined;
      try {
        theirs = parse(source, { skip_empty_lines: true, trim: true, record_delimiter: ["\r\n", "\n"] });
      } catch {
        theirs = undefined;
      }
      const options = { format: "csv", missing: [], types: { h: "category", i: "category" } } as const;
      const ours = await readTable(cutAt(new TextEncoder().encode(source), cuts), options).then(
        cells,
        (error) => error.code as string,
      );
      if (theirs === undefined) {
        refused++;
        expect(ours).toMatch(/^DATA_(PARSE|RAGGED)$/);
      } else if (theirs.length === 1) expect(ours).toBe("DATA_EMPTY");
      else {
        agreed++;
        expect(ours).toEqual([0, 1].map((j) => theirs.slice(1).map((row) => row[j])));
      }
    }),
    { numRuns: power(500, 1500), seed: 1 },
  );
  expect(agreed).toBeGreaterThan(power(6, 20));
  expect(refused).toBeGreaterThan(power(60, 200));
});

/** Sparse files contain no whole numbers that would be rounded. */
const exact = finite.filter((value) => Number.isSafeInteger(value) || !Number.isInteger(value) || /[e.]/.test(String(value)));
const sparseTables = fc.array(
  fc.record({
    target: exact,
    entries: fc
      .uniqueArray(fc.tuple(fc.nat(50), exact), { selector: ([index]) => index, maxLength: 8 })
      .map((entries) => entries.sort((a, b) => a[0] - b[0])),
  }),
  { minLength: 1, maxLength: 20 },
);

test("LIBSVM reads back the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      sparseTables,
      fc.constantFrom("\n", "\r\n"),
      fc.constantFrom(" ", "\t", "  "),
      places,
      fc.integer({ min: 1, max: 7 }),
      async (rows, lineEnd, blank, cuts, size) => {
        const bytes = new TextEncoder().encode(libsvmText(rows, lineEnd, blank));
        const table = await readSparseTable(cutAt(bytes, cuts), { format: "libsvm" });
        expect(sparseRows(table)).toEqual(rows);
        expect(table.columnCount).toBe(Math.max(0, ...rows.flatMap((row) => row.entries.map(([index]) => index + 1))));
        const parts: typeof rows = [];
        for await (const block of sparseBlocks(bytes, { format: "libsvm", rows: size })) {
          expect(block.columnCount).toBe(table.columnCount);
          parts.push(...sparseRows(block));
        }
        expect(parts).toEqual(rows);
      },
    ),
    { numRuns: 150 },
  );
});

test("npy reads back the same", async () => {
  const matrix = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }))
    .chain(([n, m]) => fc.array(fc.array(finite, { minLength: m, maxLength: m }), { minLength: n, maxLength: n }));
  await fc.assert(
    fc.asyncProperty(matrix, fc.boolean(), places, fc.integer({ min: 1, max: 7 }), async (rows, fortran, cuts, size) => {
      const bytes = npyBytes(rows, fortran);
      const wanted = rows[0].map((_, j) => rows.map((row) => row[j]));
      expect(cells(await readTable(cutAt(bytes, cuts), { format: "npy" }))).toEqual(wanted);
      const parts: (number | string | null)[][] = wanted.map(() => []);
      for await (const block of blocks(cutAt(bytes, cuts), { format: "npy", rows: size }))
        for (const [j, column] of cells(block).entries()) parts[j].push(...column);
      expect(parts).toEqual(wanted);
    }),
    { numRuns: 100 },
  );
});

/**
 * Cells of raw rows as numbers and strings, from tables and objects alike. Errors name the row and column of any other
 * value.
 */
import { describe, expect, it } from "vitest";
import {
  columnFinder,
  findColumn,
  namedCells,
  numberCell,
  tableNumbers,
  tableTexts,
  textCell,
} from "../../../src/engine/data/raw.ts";
import type { Column, Table } from "../../../src/engine/data/table.ts";

const category = (levels: string[], codes: number[]): Column => ({
  name: "c",
  kind: "category",
  levels,
  codes: Int32Array.from(codes),
});
const numbers: Column = { name: "n", kind: "number", values: Float64Array.of(1.5, Number.NaN, -0) };
const table = (...columns: Column[]): Table => ({ rowCount: 3, columns, source: "t.csv" });
const wrong = (row: number, found: string): string =>
  `w: row ${row}: ${found} is not a number, but column "c" holds numbers [DATA_KIND]`;

describe("values of a table", () => {
  it("reads numbers from a column or its levels, with NaN for missing values", () => {
    expect([0, 1, 2].map(tableNumbers(numbers, "w"))).toEqual([1.5, Number.NaN, -0]);
    expect([0, 1, 2].map(tableNumbers(category(["10", "-2e1"], [1, -1, 0]), "w"))).toEqual([-20, Number.NaN, 10]);
  });

  it.each(["x", " ", "", "1,5", "#VALUE!", "Infinity", "-Infinity", "1e999"])(
    "refuses the level %j as a number in rows that use it",
    (level) => {
      const read = tableNumbers(category(["3", level], [0, 1, -1]), "w");
      expect([read(0), read(2)]).toEqual([3, Number.NaN]);
      expect(() => read(1)).toThrow(wrong(2, `"${level}"`));
    },
  );

  it.each([
    "NA",
    "NaN",
    "nan",
    "null",
    "?",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "N/A",
    "n/a",
    "<NA>",
    "NULL",
    "None",
    "none",
    "-",
    ".",
    " N/A ",
  ])("reads the level %j as a missing number, also in an object", (level) => {
    expect(tableNumbers(category(["3", level], [0, 1, -1]), "w")(1)).toBeNaN();
    expect(numberCell({ c: level }, "c", "w", 0)).toBeNaN();
    expect(textCell({ c: level }, "c", "w", 0)).toBe(level);
  });

  it("quotes only part of a long level", () => {
    expect(() => tableNumbers(category(["x".repeat(1000)], [0]), "w")(0)).toThrow(wrong(1, `"${"x".repeat(37)}…"`));
    expect(() => numberCell({ c: "x".repeat(1000) }, "c", "w", 0)).toThrow(wrong(1, `"${"x".repeat(37)}…"`));
  });

  it("reads strings from levels or formatted numbers, with null for missing values", () => {
    expect([0, 1, 2].map(tableTexts(category(["b", ""], [1, -1, 0])))).toEqual(["", null, "b"]);
    expect([0, 1, 2].map(tableTexts(numbers))).toEqual(["1.5", null, "0"]);
  });

  it("finds columns by name and refuses unknown names", () => {
    const all = table(numbers, category([], []));
    const find = columnFinder(all, "target");
    for (const name of ["n", "c"]) {
      expect(find(name).name).toBe(name);
      expect(findColumn(all, name)).toBe(find(name));
    }
    expect(findColumn(all, "N")).toBeUndefined();
    expect(() => find("N")).toThrow('t.csv: has no target "N"; its columns are "n", "c" [DATA_COLUMN]');
  });
});

describe("values of an object", () => {
  it.each<[unknown, number]>([
    [2.5, 2.5],
    ["-3", -3],
    [" 7 ", 7],
    [true, 1],
    [false, 0],
    [12n, 12],
    [null, Number.NaN],
    [undefined, Number.NaN],
    ["", Number.NaN],
    [" ", Number.NaN],
  ])("reads %s as the number %d", (cell, wanted) => {
    expect(numberCell({ c: cell as never }, "c", "w", 4)).toBe(wanted);
  });

  it.each<[unknown, string]>([
    ["x", '"x"'],
    ["Infinity", '"Infinity"'],
    [[1], "a list"],
    [{}, "an object"],
    [new Date(0), "a Date"],
  ])("refuses %s as a number", (cell, found) => {
    expect(() => numberCell({ c: cell as never }, "c", "w", 4)).toThrow(wrong(5, found));
  });

  it.each<[unknown, string | null]>([
    ["x", "x"],
    [" ", " "],
    [2.5, "2.5"],
    [true, "true"],
    [12n, "12"],
    [null, null],
    [undefined, null],
    ["", null],
    [Number.NaN, null],
  ])("reads %s as the string %s", (cell, wanted) => {
    expect(textCell({ c: cell as never }, "c", "w", 0)).toBe(wanted);
  });

  it("refuses invalid values, invalid rows and missing columns", () => {
    expect(() => textCell({ c: [1] as never }, "c", "w", 0)).toThrow(
      'w: row 1: a list is not a string, but column "c" holds text',
    );
    for (const row of [null, 3, "x"])
      expect(() => numberCell(row as never, "c", "w", 1)).toThrow(
        /^w: row 2 is .*, but must be an object with a value for each column/,
      );
    expect(() => numberCell({ a: 1, b: 2 }, "toString", "w", 0)).toThrow('w: row 1 has no column "toString" (it has "a", "b")');
  });
});

it("reads the same named cells from objects and tables", () => {
  const rows = [
    { n: 1.5, c: "b" },
    { n: null, c: null },
  ];
  const both = [namedCells(rows, "w"), namedCells(table(numbers, category(["b"], [0, -1])), "w")];
  for (const cells of both) {
    expect([0, 1].map(cells.numbers("n"))).toEqual([1.5, Number.NaN]);
    expect([0, 1].map(cells.texts("c"))).toEqual(["b", null]);
  }
});

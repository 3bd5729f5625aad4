/** Delimiters and decimal commas that the options leave out. Only this file covers what is detected, and its remark. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dialectOf } from "../../src/formats/csv-dialect.ts";
import { blocks, read, readCsv, readTable } from "../../src/index.ts";

describe("dialectOf", () => {
  it.each([
    ["a;b\n1;2\n", {}, { delimiter: ";" }],
    ["a\tb\n1\t2\n", {}, { delimiter: "\t" }],
    ["a|b\n1|2\n", {}, { delimiter: "|" }],
    ["a;b\r\n1,5;2\r\n", {}, { delimiter: ";", decimal: "," }],
    ["a;b\r1,5;2\r", {}, { delimiter: ";", decimal: "," }],
    ["a;b\n-1,5e3;+,5\n", {}, { delimiter: ";", decimal: "," }],
    ['"a,b";c\n"x;y";1,25\n', {}, { delimiter: ";", decimal: "," }],
    ['"a ""b"" c";d\n1;"2,5"\n', {}, { delimiter: ";", decimal: "," }],
    ["'a,b';c\n'1,5';2\n", { quote: "'" }, { delimiter: ";", decimal: "," }],
    ["# by; hand, twice; so\na;b\n1;2\n", { comment: "#" }, { delimiter: ";" }],
    ["1;2\n3;4\n", { header: false }, { delimiter: ";" }],
    ["1,5;2\n3;4\n", { header: ["a", "b"], delimiter: ";" }, { decimal: "," }],
    // The last line can be incomplete.
    ["a;b;c\n1;2;3\n4;5", {}, { delimiter: ";" }],
    ["a;b;c", {}, { delimiter: ";" }],
    // No thousands comma follows a leading zero.
    ["a;b\n4,488;2\n-0,512;3\n", {}, { delimiter: ";", decimal: "," }],
    ["a\tb\n1,5\t2\n", { delimiter: "\t" }, { decimal: "," }],
  ])("%j with %j: %j", (text, options, wanted) => expect(dialectOf(text, options)).toEqual(wanted));

  it.each([
    ["a comma in the first line", "a,b;c\n1,2;3\n", {}],
    ["a comma in the first line of data", "1,5;2\n2,5;3\n", { header: false }],
    ["lines with different numbers", "a;b\n1;2;3\n", {}],
    ["one column", "a\n1\n", {}],
    ["a line of one column with a semicolon", "a\nx; y\nz\n", {}],
    ["an empty file", "", {}],
    ["all that is given", "a;b\n1,5;2\n", { delimiter: ";", decimal: "." }],
    ["the quote", "a|b\n1|2\n", { quote: "|" }],
    ["thousands", "a;b\n1,234;2\n12,345,678;3\n", { delimiter: ";" }],
    ["decimal points", "a;b\n1,5;2.5\n", { delimiter: ";" }],
    ["decimals in the header", "1,5;b\n1;2\n", { delimiter: ";", header: true }],
    ["texts with commas", "a;b\nx,y;1, 5\n", { delimiter: ";" }],
    ["a given comma", "a;b\n1,5;2\n", { delimiter: "," }],
    ["options that the reader refuses", "a;b\n1;2\n", { quote: 5 }],
    ["options that the reader refuses", "a;b\n1;2\n", { comment: /#/ }],
    ["options that the reader refuses", "a;b\n1,5;2\n", { delimiter: Object.create(null) }],
  ])("detects nothing: %s", (_, text, options) => expect(dialectOf(text, options as object)).toEqual({}));
});

const numbers = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => Number(x.toFixed(3)));

it("reads any table of numbers as with commas and points", async () => {
  const rows = fc.array(fc.array(numbers, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(rows, fc.constantFrom(";", "\t", "|"), fc.boolean(), async (table, mark, isComma) => {
      // Numbers with three decimals alone could have thousands commas.
      const all = [[0.5, 1.25, 2], ...table];
      const told = (x: number): string => (isComma ? String(x).replace(".", ",") : String(x));
      const text = (delimiter: string, cell: (x: number) => string) =>
        ["a", "b", "c"].join(delimiter) + all.map((row) => `\n${row.map(cell).join(delimiter)}`).join("");
      const wanted = await readTable({ content: text(",", String), name: "a.csv" });
      const found = await readTable({ content: text(mark, told), name: "a.csv" });
      expect(found.columns).toEqual(wanted.columns);
      const decimal = isComma ? ' and decimal: ","' : "";
      expect(found.remarks).toEqual([
        {
          kind: "dialect",
          rows: all.length,
          of: all.length,
          message: `the file was read with delimiter: ${JSON.stringify(mark)}${decimal}, because of its first lines; pass other marks if this is wrong`,
        },
      ]);
    }),
    { numRuns: 60 },
  );
});

it("has the remark in datasets and in every block, from files that can be read only once", async () => {
  const content = `a;y\n${"1,5;0\n2,5;1\n".repeat(40)}`;
  const chunks = async function* (size: number) {
    const bytes = new TextEncoder().encode(content);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  for (const size of [1, 7, 1000]) {
    const { remarks, rowCount } = await readCsv(chunks(size), { target: "y" });
    expect(rowCount).toBe(80);
    expect(remarks.map(({ kind }) => kind)).toEqual(["dialect"]);
    let rows = 0;
    for await (const block of blocks(chunks(size), { format: "csv", rows: 32 })) {
      expect(block.remarks?.map(({ kind }) => kind)).toEqual(["dialect"]);
      rows += block.rowCount;
    }
    expect(rows).toBe(80);
  }
});

it("does not wait for more than two lines of a slow source", async () => {
  let asked = 0;
  const lines = ["a;b\n", "1;2\n", "3;4\n", "5;6\n"];
  const slow = {
    name: "a.csv",
    rereadable: false,
    async *chunks() {
      for (const line of lines) {
        asked++;
        yield new TextEncoder().encode(line);
      }
    },
  };
  const found: number[] = [];
  for await (const block of blocks(slow, { format: "csv", rows: 1, types: { a: "number", b: "number" } }))
    found.push(asked, block.rowCount);
  expect(found[0]).toBeLessThanOrEqual(3);
});

it("reads TSV with decimal commas", async () => {
  const { columns } = await readTable({ content: "a\tb\n1,5\t2\n", name: "a.tsv" });
  expect(Array.from(columns[0].kind === "number" ? columns[0].values : [])).toEqual([1.5]);
});

it("ends like other reads if the file is missing", () =>
  expect(read("absent.csv", { target: "y" })).rejects.toThrow(/DATA_FILE_MISSING/));

/** CSV and TSV: headers, quotes, line ends, decimal marks, missing values, inferred types. */
import Papa from "papaparse";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { power } from "../../../ergodic/test/power.ts";
import { CsvRecords } from "../../src/csv-records.ts";
import { blocks, readCsv, readTable, readTsv } from "../../src/index.ts";
import { cells, cutAt } from "../writers.ts";

const stream = (text: string) => cutAt(new TextEncoder().encode(text), [4, 9, 10, 31]);
const read = (text: string, options = {}) => readTable(stream(text), { format: "csv", ...options });
const names = async (text: string, options = {}) => (await read(text, options)).columns.map((column) => column.name);
const kinds = async (text: string, options = {}) => (await read(text, options)).columns.map((column) => column.kind);

test("reads the header from the file, none or a given one, and names unnamed columns", async () => {
  expect(await names("a,b\n1,2\n")).toEqual(["a", "b"]);
  expect(await names("1,2\n3,4\n", { header: false })).toEqual(["x0", "x1"]);
  expect(await names("2001,2002\n3,4\n", { header: true })).toEqual(["2001", "2002"]);
  expect(await names(",b\n1,2\n")).toEqual(["x0", "b"]);
  const given = await read("1,2\n3,4\n", { header: ["u", "v"] });
  expect(given.columns.map((column) => column.name)).toEqual(["u", "v"]);
  expect(cells(given)).toEqual([
    [1, 3],
    [2, 4],
  ]);
});

test.each([
  ["LF", "a,b\n1,x\n2,y\n"],
  ["CRLF", "a,b\r\n1,x\r\n2,y\r\n"],
  ["CR", "a,b\r1,x\r2,y\r"],
  ["no final line end", "a,b\n1,x\n2,y"],
  ["byte order mark", "\ufeffa,b\n1,x\n2,y\n"],
  ["blank lines", "\n\na,b\n\n1,x\r\n\n2,y\n\n"],
  ["blanks around fields", ' a ,"b"\n 1\t, x \n2 , "y" \n'],
])("%s", async (_, text) => {
  const table = await read(text);
  expect(table.columns.map((column) => column.name)).toEqual(["a", "b"]);
  expect(cells(table)).toEqual([
    [1, 2],
    ["x", "y"],
  ]);
});

test("reads delimiters, line ends, doubled quotes and blanks in quotes, and an empty quoted line as a row", async () => {
  const table = await read('a,b\n" x, y ","say ""hi"""\n"two\r\nlines",""\n');
  expect(cells(table)).toEqual([
    [" x, y ", "two\r\nlines"],
    ['say "hi"', null],
  ]);
  expect(cells(await read('a\n""\nx\n'))).toEqual([[null, "x"]]);
  expect(cells(await read("a|b\n5' pipe|'it''s'\n", { delimiter: "|", quote: "" }))).toEqual([["5' pipe"], ["'it''s'"]]);
  expect(cells(await read("a,b\n'x,y',1\n", { quote: "'" }))).toEqual([["x,y"], [1]]);
});

test("counts lines through quoted line ends", async () => {
  await expect(read('a,b\n"1\n2\n3",x\ny\n')).rejects.toThrow("stream:5:2: the row has 1 field, but the header names 2");
});

test("counts lines through a record split over several chunks", async () => {
  const bytes = new TextEncoder().encode('a,b\n"1\n2","x\ny\nz"\n"3\n4",w\n5\n');
  for (let at = 0; at < bytes.length; at++)
    await expect(readTable(cutAt(bytes, [at, at + 3]), { format: "csv" }), `cut at ${at}`).rejects.toThrow(
      "stream:8:2: the row has 1 field, but the header names 2",
    );
});

test("refuses mixed line ends, and white space other than blanks after a closing quote", async () => {
  await expect(read("a,b\n1,2\r3,4\n")).rejects.toThrow(
    'stream:2:2: CR occurs in "2\\r3", but the first line ends with LF; end all lines alike, or quote the field [DATA_PARSE]',
  );
  await expect(read("a\r1\n2\r")).rejects.toThrow('stream:2:1: LF occurs in "1\\n2", but the first line ends with CR');
  await expect(read('a\n"x"\u00a0\n')).rejects.toThrow("stream:2:1: text follows a closing quote in '\"x\"\u00a0'");
});

test("reads TSV and decimal commas", async () => {
  expect(cells(await readTable(stream("a\tb\n1,5\tx y\n\t-2\n"), { format: "tsv", decimal: "," }))).toEqual([
    [1.5, null],
    ["x y", "-2"],
  ]);
  using data = await readTsv("a\tb\n1\t2\n3\t4\n", { target: "b" });
  expect(Array.from(data.target.values)).toEqual([2, 4]);
});

test("recognises the usual missing values or the given ones, including numbers", async () => {
  expect(cells(await read("a,b\nNA,x\n?,\n1,null\nNaN,nan\n"))).toEqual([
    [null, null, 1, null],
    ["x", null, null, null],
  ]);
  expect(cells(await read("a,b\n-999,x\n1,none\n", { missing: ["-999", "none"] }))).toEqual([
    [null, 1],
    ["x", null],
  ]);
  expect(await kinds("a,b\nNA,x\n,y\n")).toEqual(["number", "category"]);
});

test("infers types over the whole file, also from a stream", async () => {
  const rows = Array.from({ length: 1000 }, (_, i) => `${i % 7}.50,${i}`);
  const text = `a,b\n${rows.join("\n")}\n${Array.from({ length: 200 }, () => "x,1").join("\n")}`;
  const table = await read(text);
  const [a] = table.columns;
  expect(a.kind === "category" && a.levels).toEqual(["0.50", "1.50", "2.50", "3.50", "4.50", "5.50", "6.50", "x"]);
  expect(cells(table)[0].slice(0, 3)).toEqual(["0.50", "1.50", "2.50"]);
  expect(cells(table)[1].slice(0, 3)).toEqual([0, 1, 2]);
});

test("sorts levels by value or code unit, and preserves the order of declared levels", async () => {
  const levels = async (text: string, type: "category" | string[]) => {
    const [column] = (await read(text, { types: { a: type } })).columns;
    return column.kind === "category" ? [column.levels, Array.from(column.codes)] : column.kind;
  };
  expect(await levels("a\n10\n9\n10\n", "category")).toEqual([
    ["9", "10"],
    [1, 0, 1],
  ]);
  expect(await levels("a\nb\nB\na\n", "category")).toEqual([
    ["B", "a", "b"],
    [2, 0, 1],
  ]);
  expect(await levels("a\nlow\nhigh\n", ["low", "middle", "high"])).toEqual([
    ["low", "middle", "high"],
    [0, 2],
  ]);
});

test("drops columns by name and by number, whatever they contain", async () => {
  const text = "a,b,c\n1,1.5,x\n2,oops,y\n3,2,z\n";
  expect(cells(await read(text, { drop: ["b", -1] }))).toEqual([[1, 2, 3]]);
});

test("does not retain the file for a long category text", async () => {
  const long = "a text of more than thirteen characters";
  expect(cells(await read(`a,b\n${long},1\n\ufeff${long},2\n`))).toEqual([
    [long, `\ufeff${long}`],
    [1, 2],
  ]);
});

test("knows all levels in the first block of a file, and reads a stream only as far as needed", async () => {
  const text = "a,b\n1,x\n2,y\n3,w\n4,v\n";
  const parts = [];
  for await (const block of blocks(text, { format: "csv", rows: 3 })) parts.push(block.columns[1]);
  expect(parts).toEqual([
    { name: "b", kind: "category", codes: Int32Array.of(2, 3, 1), levels: ["v", "w", "x", "y"] },
    { name: "b", kind: "category", codes: Int32Array.of(0), levels: ["v", "w", "x", "y"] },
  ]);

  let given = 0;
  async function* endless() {
    yield new TextEncoder().encode("a,b\n");
    for (;;) {
      given++;
      yield new TextEncoder().encode("1,2\n".repeat(1000));
    }
  }
  let taken = 0;
  for await (const block of blocks(endless(), { format: "csv", rows: 2500 })) {
    expect(block.rowCount).toBe(2500);
    if (++taken === 40) break;
  }
  expect(given).toBe(100);
});

test("gives a category without any text no levels, in blocks too", async () => {
  const source = { content: "a,b\n1,NA\n2,NA\n", name: "a.csv" };
  const types = { b: "category" } as const;
  const found: unknown[] = [];
  for await (const { columns } of blocks(source, { rows: 1, types })) found.push(columns[1]);
  const column = { name: "b", kind: "category", codes: Int32Array.of(-1), levels: [] };
  expect(found).toEqual([column, column]);
  expect((await readTable(source, { types })).columns[1]).toEqual({ ...column, codes: Int32Array.of(-1, -1) });
});

test("preserves the text of categories selected by name or position, in blocks and JSON lines too", async () => {
  const text = "id,n,code\n007,1,1e2\n08,2,5\n";
  for (const categories of [
    ["id", "code"],
    [0, -1],
    [0, "code"],
  ]) {
    expect(cells(await read(text, { categories }))).toEqual([
      ["007", "08"],
      [1, 2],
      ["1e2", "5"],
    ]);
    const found: unknown[] = [];
    for await (const block of blocks({ content: text, name: "a.csv" }, { rows: 1, categories })) found.push(cells(block));
    expect(found).toEqual([
      [["007"], [1], ["1e2"]],
      [["08"], [2], ["5"]],
    ]);
  }
  const lines = '{"id": 7, "n": 1}\n{"id": 8, "n": 2}\n';
  for (const key of ["id", 0]) {
    const table = await readTable({ content: lines, name: "a.jsonl" }, { categories: [key] });
    expect(cells(table)).toEqual([
      ["7", "8"],
      [1, 2],
    ]);
  }
  // Types given by the option types take precedence.
  expect(await kinds(text, { categories: ["n"], types: { n: "number", id: "number" } })).toEqual(["number", "number", "number"]);
  await expect(read(text, { categories: [3] })).rejects.toThrow("categories asks for column 3, but columns are numbered 0 to 2");
  await expect(readTable({ content: lines, name: "a.jsonl" }, { categories: ["no"] })).rejects.toThrow(
    'categories asks for a column "no" that is not there',
  );
  await expect(read(text, { categories: "id" })).rejects.toThrow(
    /categories must be a list of column names or numbers.*OPTION_TYPE/,
  );
});

describe("numbers with leading zeros", () => {
  const of = (cells: readonly string[]) => ({ content: `c,d\n${cells.map((cell) => `${cell},1\n`).join("")}`, name: "a.csv" });
  const kinds = async (cells: readonly string[], options = {}) => (await readTable(of(cells), options)).columns[0].kind;

  test("make a column of whole numbers a category, wherever they are, with a remark", async () => {
    const rows = Array.from({ length: 50 }, (_, i) => String(10_000 + 7 * i));
    for (const at of [0, 25, 50]) {
      const found = rows.toSpliced(at, 0, "01234");
      const { remarks, ...table } = await readTable(of(found));
      expect(cells(table)[0]).toEqual(found);
      expect(remarks?.map(({ message }) => message)).toEqual([
        '1 of 51 rows hold numbers with leading zeros in "c", like "01234": taken as codes, each of which is a level; if they are amounts, pass types: { "c": "number" }',
      ]);
      const parts: unknown[] = [];
      for await (const block of blocks(of(found), { rows: 20 })) parts.push(...cells(block)[0]);
      expect(parts).toEqual(found);
    }
    expect(cells(await readTable(of(["007", "", "7", '"07"', "N/A"])))[0]).toEqual(["007", null, "7", "07", "N/A"]);
  });

  test.each([
    [["0", "10", "20"], "number"],
    [["00", "1"], "category"],
    [["00", "1.5"], "number"],
    [["-1", "01"], "number"],
    [["0.5", "01.5"], "number"],
    [["01e2", "1"], "number"],
    [["01", "NA"], "category"],
  ])("%j is a %s", async (found, kind) => {
    expect(await kinds(found)).toBe(kind);
    expect(await kinds([...found].reverse())).toBe(kind);
    expect(await kinds(found.map((cell) => `"${cell}"`))).toBe(kind);
    expect(await kinds(found, { types: { c: "number" } })).toBe("number");
  });

  test("stay numbers in rows like those of a model that has learnt them as numbers", async () => {
    const target = { target: "d" };
    const content = (cells: readonly string[]) => `c,d\n${cells.map((cell, i) => `${cell},${i}\n`).join("")}`;
    using train = await readCsv({ content: content(["10", "20", "31"]), name: "a.csv" }, target);
    using test = await readCsv({ content: content(["05", "7"]), name: "b.csv" }, { like: train });
    expect([...test.row(0), ...test.row(1), test.remarks]).toEqual([5, 7, []]);
  });
});

test("reads blocks in one pass if all types are given", async () => {
  let opened = 0;
  const text = new TextEncoder().encode(`a,b\n${"1,x\n".repeat(10)}`);
  const source = {
    name: "t.csv",
    rereadable: true,
    async *chunks() {
      for (let start = 0; start < text.length; start += 8) {
        opened++;
        yield text.subarray(start, start + 8);
      }
    },
  };
  let rows = 0;
  for await (const block of blocks(source, { rows: 4, types: { a: "number", b: ["x"] } })) rows += block.rowCount;
  expect(rows).toBe(10);
  // One chunk for the dialect, one for the names and types, and all six for the rows.
  expect(opened).toBe(1 + 1 + 6);
});

test("refuses options out of range", async () => {
  await expect(read("a\n1\n", { delimiter: ";;" })).rejects.toThrow(
    'readCsv: delimiter is ";;", but must be one ASCII character [OPTION_RANGE]',
  );
  await expect(read("a\n1\n", { delimiter: '"', quote: "'" })).rejects.toMatchObject({ code: "OPTION_RANGE" });
  await expect(read("a\n1\n", { delimiter: "|", quote: "|" })).rejects.toMatchObject({ code: "OPTION_RANGE" });
  await expect(read("a\n1\n", { decimal: ";" })).rejects.toMatchObject({ code: "OPTION_RANGE" });
  await expect(read("a\n1\n", { decimal: "," })).rejects.toMatchObject({ code: "OPTION_RANGE" });
  await expect(read("a\n1\n", { types: { a: "numeric" } })).rejects.toThrow(
    'read: the type of "a" is "numeric", but must be "number", "category", or a list of different levels [OPTION_TYPE]',
  );
  await expect(read("a\n1\n", { drop: "a" })).rejects.toMatchObject({ code: "OPTION_TYPE" });
  await expect(read("a\n1\n", { missing: "NA" })).rejects.toMatchObject({ code: "OPTION_TYPE" });
  await expect(read("a\n1\n", { headers: true })).rejects.toThrow('unknown option "headers"; did you mean "header"?');
});

test("removes one byte order mark and treats a second as part of the first name", async () => {
  const names = async (text: string) => (await readTable({ content: text, name: "a.csv" })).columns.map(({ name }) => name);
  expect(await names("\ufeffa,b\n1,2\n")).toEqual(["a", "b"]);
  expect(await names("\ufeff\ufeffa,b\n1,2\n")).toEqual(["\ufeffa", "b"]);
  expect(await names("\ufeff\ufeff\ufeffa,b\n1,2\n")).toEqual(["\ufeff\ufeffa", "b"]);
});

// If the time grew with the square of the number of columns, 200,000 columns would take minutes.
test("reads many columns, some dropped or typed, as one table, as a dataset and in blocks", async () => {
  const count = power(4000, 200_000);
  const names = Array.from({ length: count }, (_, j) => `g${j}`);
  const row = (first: number) => names.map((_, j) => (j % 100 === 7 ? "ab"[first] : String(first + j))).join(",");
  const content = `${names.join(",")}\n${row(0)}\n${row(1)}\n`;
  const drop = names.filter((_, j) => j % 4 === 0);
  const types = Object.fromEntries(names.filter((_, j) => j % 100 === 1).map((name) => [name, "number" as const]));
  using data = await readCsv({ content, name: "a.csv" }, { target: "g1", drop, types });
  expect([data.rowCount, data.columnCount]).toEqual([2, 0.75 * count - 1 + count / 100]);
  expect([...data.row(1).subarray(0, 4)]).toEqual([3, 4, 6, 7]);
  let rows = 0;
  for await (const block of blocks({ content, name: "a.csv" }, { format: "csv", rows: 1, types })) {
    rows += block.rowCount;
    expect(block.columns).toHaveLength(count);
  }
  expect(rows).toBe(2);
  using again = data.pipeline.apply(await readTable({ content, name: "a.csv" }));
  expect(again.columnCount).toBe(data.columnCount);
});

test("parses a quoted record that spans blocks again only when its text has doubled", () => {
  const parse = vi.spyOn(Papa, "parse");
  onTestFinished(() => parse.mockRestore());
  const records = new CsvRecords("notes.csv", ",", '"');
  const encoder = new TextEncoder();
  const found: string[][] = [...records.read(encoder.encode('a,"begun\n'))];
  const line = `${"x".repeat(1023)}\n`;
  for (let block = 0; block < 256; block++) found.push(...records.read(encoder.encode(line)));
  expect(found).toEqual([]);
  found.push(...records.read(encoder.encode('done",b\n')), ...records.read());
  expect(found).toEqual([["a", `begun\n${line.repeat(256)}done`, "b"]]);
  // Parsed at 1 kB, 2, 4 … 256, and at the end.
  expect(parse.mock.calls.length).toBeLessThan(20);
});

/**
 * Texts that mean "no value" in numeric columns, from the file to the prediction: in every reader, whole and in blocks,
 * and in rows from a program.
 */
import { type Dataset, fit, linear, type Table } from "ergodic";
import { describe, expect, it, test } from "vitest";
import {
  blocks,
  type ReadTableOptions,
  readCsv,
  readJsonLines,
  readLibsvm,
  readParquet,
  readTable,
  readVw,
} from "../src/index.ts";
import { bothBlocks, plain, written } from "./engine/made.ts";
import { parquetBytes } from "./parquet-bytes.ts";

const texts = ["#N/A", "#N/A N/A", "#NA", "N/A", "n/a", "<NA>", "NULL", "None", "none", "-", "."];
const cells = ({ columns }: Table) =>
  columns.map((column) =>
    column.kind === "number"
      ? Array.from(column.values, (value) => (Number.isNaN(value) ? null : value))
      : Array.from(column.codes, (code) => column.levels[code] ?? null),
  );
const table = (content: string, options: ReadTableOptions = {}) => readTable({ name: "a.csv", content }, options);
const refused = async (of: Promise<unknown>): Promise<string> =>
  of.then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );

describe("a numeric column with gaps", () => {
  test.each(texts)("has a missing value for %s", async (text) => {
    const content = `a,b\n${text},x\n1,y\n"${text}",x\n`;
    const found = await table(content);
    expect(cells(found)).toEqual([
      [null, 1, null],
      ["x", "y", "x"],
    ]);
    const message = `2 of 3 rows hold "${text}" in "a", a column of numbers: taken as missing`;
    expect(found.remarks).toEqual([{ kind: "missing", column: "a", rows: 2, of: 3, message }]);
    expect(cells(await table(content.replaceAll(",", "\t"), { format: "tsv" }))).toEqual(cells(found));
    expect(await refused(table(content, { missing: ["", "NA"], types: { a: "number" } }))).toMatch(/is not a number/);
    expect(await refused(readCsv({ name: "a.csv", content }, { target: "b" }))).toMatch(
      /^a\.csv:2:1: 2 values are missing in column "a" \(first ".*"\); fill them with impute/,
    );
  });

  it("from a spreadsheet keeps all rows, and its error values are mistakes", async () => {
    const rows = Array.from({ length: 100 }, (_, i) => `${i % 10 === 9 ? "#N/A" : i},${i % 2}`).join("\n");
    const data = await readCsv({ name: "a.csv", content: `a,y\n${rows}\n` }, { target: "y", impute: "median" });
    expect(data.rowCount).toBe(100);
    expect(data.remarks).toMatchObject([{ kind: "missing", column: "a", rows: 10, of: 100 }]);
    const mistaken = refused(table(`a,y\n${rows.replaceAll("#N/A", "#DIV/0!")}\n`));
    expect(await mistaken).toBe(
      'a.csv:11:1: "#DIV/0!" is not a number in column "a", whose other values are numbers (90); correct it, list it in the option missing, or declare types: { "a": "category" } [DATA_TYPE]',
    );
  });

  it("can become a text column after 100,000 rows, with its markers as levels", async () => {
    const head = Array.from({ length: 100_000 }, (_, i) => (i % 4 === 0 ? "N/A" : "7")).join("\n");
    const tail = Array.from({ length: 20_000 }, () => "x").join("\n");
    const content = new TextEncoder().encode(`a\n${head}\n${tail}\n`);
    const stream = () =>
      new ReadableStream<Uint8Array>({
        start(to) {
          for (let at = 0; at < content.length; at += 65_536) to.enqueue(content.subarray(at, at + 65_536));
          to.close();
        },
      });
    const { columns, remarks } = await readTable(stream(), { format: "csv" });
    const [column] = columns;
    if (column.kind !== "category") throw new Error("it is one of numbers");
    const counts = column.levels.map((_, code) => column.codes.reduce((sum, one) => sum + Number(one === code), 0));
    expect([column.levels, counts]).toEqual([
      ["7", "N/A", "x"],
      [75_000, 25_000, 20_000],
    ]);
    expect(remarks).toMatchObject([{ kind: "missing", rows: 25_000, of: 120_000 }]);
  });

  it("is counted per block, and a stream's first block determines the kind", async () => {
    const content = `a,b\n${Array.from({ length: 30 }, (_, i) => `${i % 3 === 2 && i > 9 ? "-" : i},${i < 20 ? "u" : "N/A"}`).join("\n")}\n`;
    const found = [];
    for await (const block of blocks({ name: "a.csv", content }, { rows: 10 }))
      found.push([block.rowCount, ...(block.remarks ?? []).map(({ column, rows }) => `${column} ${rows}`)]);
    expect(found).toEqual([[10], [10, "a 3"], [10, "a 4"]]);
  });
});

it("stays numeric without other text, and otherwise keeps the markers as levels", async () => {
  expect(cells(await table("a,b,c,d\nN/A,-,None,\n,+,1,x\nN/A,-,None,-\n"))).toEqual([
    [null, null, null],
    ["-", "+", "-"],
    [null, 1, null],
    [null, "x", "-"],
  ]);
  const { remarks } = await table("b\n-\n+\n-\n");
  expect(remarks?.map(({ message }) => message)).toEqual([
    '2 of 3 rows hold "-" in "b", a column of texts: it is kept as a level; list it in the option missing if it means no value',
  ]);
  expect(cells(await table("b\n-\n+\n-\n", { missing: ["-"] }))).toEqual([[null, "+", null]]);
  expect((await table("b\n-\n+\n-\n", { types: { b: "category" } })).remarks).toBeUndefined();
});

describe("DuckDB", () => {
  test.each([
    ["numbers with gaps from the first row on", (i: number) => (i % 3 === 0 ? "#N/A" : String(i))],
    ["numbers whose gaps come late", (i: number) => (i === 2900 ? "N/A" : String(i))],
    ["texts with gaps first", (i: number) => (i < 1500 ? "None" : i % 2 ? "x" : "-")],
    ["gaps alone", (i: number) => (i % 2 ? "-" : "")],
    ["numbers, gaps, and texts last", (i: number) => (i < 2000 ? (i % 7 ? String(i) : ".") : "t")],
  ])("reads %s as our own reader does", async (_, cell) => {
    const path = written(`a,b\n${Array.from({ length: 3000 }, (_, i) => `${cell(i)},${i}`).join("\n")}\n`);
    const [duckdb, own] = [await readTable(path, { engine: "duckdb" }), await readTable(path)];
    expect(plain(duckdb)).toEqual(plain(own));
    expect(duckdb.remarks).toEqual(own.remarks);
    const [theirs, ours] = await bothBlocks(path, { rows: 700 });
    expect(theirs).toEqual(ours);
  });
});

it("JSON lines and Parquet distinguish texts from numbers", async () => {
  const json = {
    name: "a.jsonl",
    content: '{"a":"N/A","b":"None","c":"None"}\n{"a":3,"b":"None","c":"x"}\n{"a":"-","b":null,"c":"5"}\n',
  };
  const found = await readTable(json);
  expect(cells(found)).toEqual([
    [null, 3, null],
    ["None", "None", null],
    ["None", "x", "5"],
  ]);
  expect(found.remarks?.map(({ column, rows }) => `${column} ${rows}`)).toEqual(["a 2", "b 2", "c 1"]);
  const data = await readJsonLines(
    { name: "y.jsonl", content: '{"a":"N/A","y":1}\n{"a":3,"y":2}\n{"a":5,"y":2}\n' },
    { target: "y", impute: "mean" },
  );
  expect(data.rowCount).toBe(3);
  const content = parquetBytes([
    { name: "s", type: "BYTE_ARRAY", converted: 0, values: ["N/A", "5", "N/A"] },
    { name: "t", type: "BYTE_ARRAY", converted: 0, values: ["-", "-", "-"] },
    { name: "y", type: "DOUBLE", values: [1, 2, 3] },
  ]);
  expect(cells(await readTable({ name: "a.parquet", content: content as Uint8Array<ArrayBuffer> }))).toEqual([
    ["N/A", "5", "N/A"],
    ["-", "-", "-"],
    [1, 2, 3],
  ]);
  expect((await readParquet({ name: "a.parquet", content: content as Uint8Array<ArrayBuffer> }, { target: "y" })).rowCount).toBe(
    3,
  );
});

describe("gaps filled by a model", () => {
  const line = (i: number) => `${i % 5 === 4 ? "#N/A" : i},${i % 2 ? "u" : "None"},${3 * i + 1}`;
  const train = (impute: "median" | undefined = "median"): Promise<Dataset> =>
    readCsv(
      { name: "a.csv", content: `a,b,y\n${Array.from({ length: 50 }, (_, i) => line(i)).join("\n")}\n` },
      { target: "y", ...(impute ? { impute } : { drop: ["a"] }) },
    );

  it("fills gaps in new rows of files and programs, and does not treat levels as gaps", async () => {
    using data = await train();
    const model = await fit(linear(), data, { seed: 1, deterministic: true, epochs: 50 });
    const filled = model.predict({ a: null, b: "u" });
    expect(model.pipeline.inputs).toMatchObject([{ kind: "number" }, { kind: "category", levels: ["None", "u"] }]);
    for (const text of ["#N/A", "NA", "N/A", "-", "NULL", "?"]) {
      expect(model.predict({ a: text, b: "u" })).toEqual(filled);
      const content = `a,b,y\n${text},u,4\n7,None,5\n`;
      using like = await readCsv({ name: "new.csv", content }, { like: data });
      using wanted = await readCsv({ name: "new.csv", content: content.replace(text, "") }, { like: data });
      expect(model.evaluate(like)).toEqual(model.evaluate(wanted));
      // The single row of a file is a column of missing numbers.
      expect(model.predict(await table(`a,b\n${text},u\n`, { types: { b: "category" } }))).toEqual([filled]);
    }
    const lines = await readTable({ name: "a.jsonl", content: '{"a":"N/A","b":"u"}\n' });
    expect(model.predict(lines)).toEqual([filled]);
    expect(() => model.predict({ a: "#VALUE!", b: "u" })).toThrow(/"#VALUE!" is not a number/);
  });

  it("refuses gaps by row and column in other models", async () => {
    const content = `a,y\n${Array.from({ length: 20 }, (_, i) => `${i},${i}`).join("\n")}\n`;
    using data = await readCsv({ name: "a.csv", content }, { target: "y" });
    const model = await fit(linear(), data, { seed: 1, epochs: 5 });
    expect(() => model.predict({ a: "#N/A" })).toThrow(/row 1.*DATA_MISSING/);
  });
});

describe("comment lines", () => {
  const comment = "#";
  const of = async (made: Promise<Pick<Table, "remarks">>) => (await made).remarks;

  it("are counted, because rows could be among them", async () => {
    const message = '3 of 5 lines begin with the comment mark "#" and were not read';
    const wanted = [{ kind: "comment", rows: 3, of: 5, message }];
    expect(await of(table('# x\na,b\n1,"x\n# not one\n"\n#N/A,2\n2,y\n#', { comment }))).toEqual(wanted);
    expect(await of(table("a\tb\n#\n1\t2\n#\n#\n3\t4\n", { comment, format: "tsv" }))).toEqual(wanted);
    const one = [{ kind: "comment", rows: 1, of: 2, message: '1 of 2 lines begins with the comment mark "//" and was not read' }];
    expect(await of(readTable({ name: "a.jsonl", content: '// x\n{"a":1}\n' }, { comment: "//" }))).toEqual(one);
    expect(await of(table("a\n1\n", { comment }))).toBeUndefined();
    const json = readJsonLines({ name: "a.jsonl", content: '// x\n{"a":1,"y":2}\n' }, { comment: "//", target: "y" });
    expect(await of(json)).toEqual(one);
  });

  it("are counted in sparse files if the mark is given", async () => {
    const wanted = [{ kind: "comment", rows: 2, of: 4 }];
    expect(await of(readLibsvm({ name: "a.libsvm", content: "% x\n1 1:2\n%\n# y\n0 2:1\n" }, { comment: "%" }))).toMatchObject(
      wanted,
    );
    expect(await of(readVw({ name: "a.vw", content: "# x\n1 | a\n#\n-1 | b\n" }, { comment, bits: 4 }))).toMatchObject(wanted);
    expect(await of(readLibsvm({ name: "a.libsvm", content: "1 1:2\n# y\n0 2:1\n" }))).toEqual([]);
  });

  it("are counted once in blocks and in streams of small chunks", async () => {
    const text = `#\na,b\n${Array.from({ length: 50 }, (_, i) => `${i},"q\n# ${i}"\n# c"${i}\n`).join("")}`;
    const bytes = new TextEncoder().encode(text);
    const stream = new ReadableStream<Uint8Array>({
      start(to) {
        for (let i = 0; i < bytes.length; i += 7) to.enqueue(bytes.subarray(i, i + 7));
        to.close();
      },
    });
    expect(await of(readTable(stream, { comment, format: "csv" }))).toMatchObject([{ rows: 51, of: 101 }]);
    let rows = 0;
    for await (const block of blocks({ name: "a.csv", content: text }, { comment, rows: 20 }))
      for (const remark of block.remarks ?? []) rows += remark.rows;
    expect(rows).toBe(51);
  });
});

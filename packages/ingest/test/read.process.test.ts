/** Choice of the format, and handling of options. */
import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { formats } from "../src/formats.ts";
import {
  blocks,
  type FormatName,
  formatNames,
  formatOf,
  read,
  readCsv,
  readIdxDataset,
  readImages,
  readJsonLines,
  readLibsvm,
  readNpy,
  readParquet,
  readRows,
  readSparseTable,
  readTable,
  readTsv,
  readVw,
  rowBlocks,
  sparseBlocks,
} from "../src/index.ts";
import { parquetBytes } from "./parquet-bytes.ts";
import { cells, npyBytes } from "./writers.ts";

const encode = (text: string) => new TextEncoder().encode(text);

test.each<[FormatName | undefined, Uint8Array]>([
  ["csv", encode("a,b\n1,2\n")],
  ["csv", encode("\ufeff\n\n1,2\n")],
  ["tsv", encode("a\tb,c\n")],
  ["jsonl", encode('{"a": 1}')],
  ["libsvm", encode("+1 1:0.5 2:1 # x, y\n")],
  ["libsvm", encode("3 qid:2 1:0.5\n")],
  ["vw", encode("1 2 'tag|f a b:1\n")],
  ["vw", encode("|f a b\n")],
  ["npy", npyBytes([[1]], false)],
  ["idx", Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7)],
  ["parquet", parquetBytes([{ name: "x", type: "DOUBLE", values: [1] }])],
  ["csv", encode("a,{b}\n")],
  ["jsonl", encode('  {"a": 1}')],
  [undefined, encode("1 2 3\n")],
  [undefined, encode("a|b|c\n")],
  [undefined, encode("")],
])("recognises %s by its content", (format, head) => {
  expect(formatOf(head)).toBe(format);
});

test.each([
  ["Parquet", "PAR1"],
  ["NumPy .npy", "\x93NUMPY"],
  ["ZIP (.xlsx, .npz)", "PK\x03\x04"],
  ["PNG", "\x89PNG"],
  ["HDF5", "\x89HDF"],
  ["Arrow", "ARROW1"],
  ["SQLite", "SQLite"],
])("recognises text that is really %s, and no other text", async (format, begin) => {
  const told = (text: string): Promise<string> =>
    readTable({ content: Uint8Array.from(`${text}\0\n`, (character) => character.charCodeAt(0)), name: "a.csv" }).then(
      () => "read",
      ({ message }: Error) => message,
    );
  expect(await told(begin)).toContain(`it looks like ${format}; pass its actual format`);
  for (let k = 0; k < begin.length; k++) {
    const other = begin.slice(0, k) + String.fromCharCode(begin.charCodeAt(k) ^ 1) + begin.slice(k + 1);
    expect(await told(other)).not.toContain("it looks like");
  }
});

test("read accepts the option format, and readers of one format refuse it", async () => {
  const content = { content: "a\tb\n1\t2\n3\t4\n", name: "t.csv" };
  const data = await read(content, { format: "tsv", target: "b" });
  expect([data.pipeline.names, data.rowCount]).toEqual([["a"], 2]);
  const given = { format: "tsv", target: "b" } as unknown as { target: string };
  await expect(readTsv(content, given)).rejects.toMatchObject({ code: "OPTION_UNKNOWN" });
});

test("reports that standard input does not exist", async () => {
  vi.stubGlobal("process", { ...process, stdin: undefined });
  try {
    await expect(readTable("-")).rejects.toThrow("stdin: there is no standard input here; pass a File or bytes [DATA_FILE]");
  } finally {
    vi.unstubAllGlobals();
  }
});

test("prefers the extension to the content, and the option to both", async () => {
  const content = "+1 1:0.5\n-1 2:1\n";
  expect("rowStart" in (await readRows({ content, name: "a.SVM.GZ" }))).toBe(true);
  expect("rowStart" in (await readRows({ content, name: "a.dat" }))).toBe(true);
  expect(cells(await readTable({ content, name: "a.tsv" }, { header: false }))).toEqual([["+1 1:0.5", "-1 2:1"]]);
  expect(cells(await readTable({ content, name: "a.svm" }, { format: "csv", header: false }))).toEqual([["+1 1:0.5", "-1 2:1"]]);
  expect(formatNames).toEqual(["csv", "tsv", "jsonl", "parquet", "npy", "idx", "libsvm", "vw"]);
  await expect(readTable("a\n1\n", { format: "xlsx" as never })).rejects.toMatchObject({ code: "OPTION_RANGE" });
});

test("the page on reading files and the command's help list every format", () => {
  const text = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
  const page = text("../../../docs/reading-files.md");
  for (const { extensions } of Object.values(formats)) for (const one of extensions) expect(page).toContain(`\`.${one}\``);
  const [, listed] = /"file format: ([^;]*);/.exec(text("../../cli/src/options/reading.ts"))!;
  expect(listed.split(/, | or /).sort()).toEqual([...formatNames].sort());
});

test.each(["a", "a.", ".gz", "https://example.org/a?b=c.csv"])("the name %s does not determine a format", async (name) => {
  await expect(readTable({ content: "1 2 3\n", name })).rejects.toThrow(
    `${name}: the first line does not show the format; pass format: one of "csv", "tsv", "jsonl", "parquet", "npy", "idx", "libsvm", "vw" [DATA_FORMAT]`,
  );
});

test("every reader names itself when it refuses an option", async () => {
  const odd = { nonsense: 1 } as never;
  const all = async (made: AsyncGenerator<unknown>): Promise<void> => {
    for await (const _ of made);
  };
  const idx = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7);
  const calls: Record<string, () => Promise<unknown>> = {
    read: () => read("x,y\n1,2\n", odd),
    readCsv: () => readCsv("x,y\n1,2\n", odd),
    readTsv: () => readTsv("x\ty\n1\t2\n", odd),
    readJsonLines: () => readJsonLines('{"x": 1}\n', odd),
    readParquet: () => readParquet(parquetBytes([{ name: "x", type: "DOUBLE", values: [1] }]), odd),
    readNpy: () => readNpy(npyBytes([[1]], false), odd),
    readLibsvm: () => readLibsvm("1 1:1\n", odd),
    readVw: () => readVw("1 | a\n", odd),
    readIdxDataset: () => readIdxDataset(idx, undefined, odd),
    readImages: () => readImages([], odd),
    readTable: () => readTable("x,y\n1,2\n", odd),
    readRows: () => readRows("x,y\n1,2\n", odd),
    readSparseTable: () => readSparseTable("1 1:1\n", odd),
    blocks: () => all(blocks("x,y\n1,2\n", odd)),
    sparseBlocks: () => all(sparseBlocks("1 1:1\n", odd)),
    rowBlocks: () => all(rowBlocks("x,y\n1,2\n", odd)),
  };
  for (const [name, call] of Object.entries(calls))
    await expect(call(), name).rejects.toThrow(new RegExp(`^${name}: unknown option "nonsense"`));
});

test("recommends the reader for the other kind of rows", async () => {
  const all = async (made: AsyncGenerator<unknown>): Promise<void> => {
    for await (const _ of made);
  };
  const dense = { content: "a,b\n1,2\n", name: "a.csv" };
  const lines = { content: "1 1:2\n", name: "a.svm" };
  const refused = (made: Promise<unknown>, message: string) => expect(made).rejects.toThrow(`${message} [OPTION_CONFLICT]`);
  await refused(readTable(lines), "readTable: a.svm holds sparse rows; call readSparseTable");
  await refused(readSparseTable(dense), "readSparseTable: a.csv holds a dense table; call readTable");
  await refused(all(blocks(lines)), "blocks: a.svm holds sparse rows; call sparseBlocks");
  await refused(all(sparseBlocks(dense)), "sparseBlocks: a.csv holds a dense table; call blocks");
});

test.each([5, 6, 7])("names five of %d other columns with missing values", async (others) => {
  const names = Array.from({ length: others + 1 }, (_, k) => `c${k}`);
  const content = `${names},y\n${names.map(() => 1)},1\n${names.map(() => "")},2\n`;
  const more = others > 5 ? ` and ${others - 5} more` : "";
  await expect(read({ content, name: "a.csv" }, { target: "y" })).rejects.toThrow(
    `a.csv:3:1: 1 value is missing in column "c0" (first "") and in "c1" (1), "c2" (1), "c3" (1), "c4" (1), "c5" (1)${more}; fill them`,
  );
});

test("refuses rows of one class, including a single row", async () => {
  const idx = (...values: number[]) => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, values.length, ...values);
  for (const labels of [[7], [7, 7]])
    await expect(readIdxDataset(idx(...labels), idx(...labels))).rejects.toThrow(
      `all ${labels.length} rows belong to one class, "7": there is nothing to learn`,
    );
});

test("readers of one format ignore the name and the first line", async () => {
  const named = (content: string | Uint8Array) => ({ content, name: "a.parquet" });
  const target = "y";
  const rows = [
    await readCsv(named("x,y\n1,2\n4,5\n"), { target }),
    await readTsv(named("x\ty\n1\t2\n4\t5\n"), { target }),
    await readJsonLines(named('{"x": 1, "y": 2}\n{"x": 4, "y": 5}\n'), { target }),
    await readNpy(
      named(
        npyBytes(
          [
            [1, 2],
            [4, 5],
          ],
          false,
        ),
      ),
      { target: -1 },
    ),
    await readLibsvm(named("2 1:1\n5 1:4\n")),
    await readParquet(
      {
        content: parquetBytes([
          { name: "x", type: "DOUBLE", values: [1, 4] },
          { name: "y", type: "DOUBLE", values: [2, 5] },
        ]),
        name: "a.csv",
      },
      { target },
    ),
  ];
  for (const data of rows)
    expect([[...data.row(0), ...data.row(1)], [...data.target.values]]).toEqual([
      [1, 4],
      [2, 5],
    ]);
  expect((await readVw(named("2 | a\n5 | b\n"))).rowCount).toBe(2);
});

const content = "id,size,color,pay,w\na,1,red,10,1\nb,2,,20,2\nc,NA,blue,30,0.5\nd,4,red,40,1\n";

test("makes a dataset with target, weights, dropped columns, imputed values and one-hot levels", async () => {
  using data = await read({ content, name: "t.csv" }, { target: 3, weights: "w", drop: [0], impute: "mean", layout: "dense" });
  expect([data.rowCount, data.target.name]).toEqual([4, "pay"]);
  expect(Array.from(data.target.values)).toEqual([10, 20, 30, 40]);
  const size = data.names.indexOf("size");
  expect(data.row(2)[size]).toBeCloseTo(7 / 3, 6);
  expect(data.row(1)[size]).toBe(2);
  expect(data.names.some((name) => name.includes("id"))).toBe(false);
});

test("treats an offset as a separate column that must be complete", async () => {
  const options = { target: "pay", offset: "w", drop: ["id", "color"] } as const;
  using data = await read({ content, name: "t.csv" }, { ...options, impute: "mean" });
  expect(data.names).toEqual(["size"]);
  expect([...data.offset!]).toEqual([1, 2, 0.5, 1]);
  const gap = content.replace("blue,30,0.5", "blue,30,");
  await expect(read({ content: gap, name: "t.csv" }, { ...options, impute: "mean" })).rejects.toThrow(
    /^t\.csv:4:.*missing in the offset "w"/,
  );
  await expect(read({ content, name: "t.csv" }, { ...options, drop: ["w"] })).rejects.toThrow(/both offset and dropped/);
});

test("refuses unknown options and reports required ones", async () => {
  await expect(readCsv(content, { target: "pay", Impute: "mean" } as never)).rejects.toThrow(
    'readCsv: unknown option "Impute"; did you mean "impute"?',
  );
  await expect(readCsv(content, {} as never)).rejects.toThrow(
    'readCsv: no target was given; name the column to predict, target: one of "id", "size", "color", "pay", "w" [OPTION_MISSING]',
  );
  await expect(readTable(content, { format: "csv", qid: "ignore" })).rejects.toMatchObject({ code: "OPTION_UNKNOWN" });
});

/** Comment lines, skipped rows, and sparse files stored with their zeros. */
import { adam, Dataset, dense, fit, linear, network, relu } from "ergodic";
import { describe, expect, it } from "vitest";
import {
  blocks,
  formatOf,
  read,
  readCsv,
  readJsonLines,
  readLibsvm,
  readRows,
  readSparseTable,
  readTable,
  readVw,
  rowBlocks,
} from "../src/index.ts";

const csv = (content: string, name = "a.csv") => ({ name, content });
const cells = async (content: string, options: object = {}) => {
  const { columns } = await readTable(csv(content), options);
  return columns.map((column) =>
    column.kind === "number" ? [...column.values] : [...column.codes].map((code) => column.levels[code] ?? null),
  );
};
const all = async <T>(of: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of of) found.push(one);
  return found;
};
const failing = async (of: Promise<unknown>): Promise<string> => {
  try {
    await of;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
};

describe("the option comment", () => {
  const comment = "#";

  it("skips lines that begin with the mark, including the first and the last line", async () => {
    const wanted = await cells("a,b\n1,x\n2,y\n");
    for (const text of [
      "# made today\na,b\n1,x\n2,y\n",
      "a,b\n#1,x\n1,x\n##\n2,y\n#",
      "a,b\r\n1,x\r\n# a,b,c\r\n2,y\r\n# end",
      "#\n#\n\na,b\n1,x\n\n#\n2,y",
      "#\ra,b\r1,x\r#2,z\r2,y\r",
      "\ufeff#\na,b\n1,x\n2,y\n",
    ])
      expect(await cells(text, { comment }), JSON.stringify(text)).toEqual(wanted);
  });

  it("ignores the mark within a line, in a quoted field of many lines, and without the option", async () => {
    expect(await cells("a,b\n1,x#y\n2, #z\n", { comment })).toEqual([
      [1, 2],
      ["x#y", "#z"],
    ]);
    expect(await cells('a,b\n1,"x\n# no comment\n"\n2,"# ""y"\n#"\n3,z\n', { comment })).toEqual([
      [1, 2, 3],
      ["x\n# no comment\n", '# "y', "z"],
    ]);
    expect(await cells("a\n#1\n#2\n")).toEqual([["#1", "#2"]]);
  });

  it("allows quotes, and blanks before quotes, in comments without changing what follows", async () => {
    const wanted = [
      [1, 2],
      ["x, y", "z"],
    ];
    expect(await cells('a,b\n# it\'s "one\n1,  "x, y"\n# "two" "\n2,"z"\n', { comment })).toEqual(wanted);
  });

  it("accepts any text of one line as the mark, including special characters of patterns", async () => {
    for (const mark of ["//", "%", "--", ".", "$", "[a]", "é", "rem "])
      expect(await cells(`${mark} x\na,b\n1,x\n${mark}2,3\n`, { comment: mark }), mark).toEqual([[1], ["x"]]);
  });

  it("leaves line numbers in messages unchanged", async () => {
    const message = await failing(readTable(csv('a,b\n# one\n# two "\n1,x\n2\n'), { comment }));
    expect(message).toMatch(/^a\.csv:5:2: the row has 1 field/);
    expect(await failing(readTable(csv('a,b\n#\n1,"x\ny"\n#\n2,"z" z\n'), { comment }))).toMatch(/^a\.csv:6:2: text follows/);
  });

  it("skips comments in streams of small chunks and in blocks of rows", async () => {
    const text = `# head\na,b\n${Array.from({ length: 50 }, (_, i) => `${i},"q\n# ${i}"\n# c"${i}\n`).join("")}`;
    const bytes = new TextEncoder().encode(text);
    const stream = () =>
      new ReadableStream<Uint8Array>({
        start(to) {
          for (let i = 0; i < bytes.length; i += 7) to.enqueue(bytes.subarray(i, i + 7));
          to.close();
        },
      });
    const [a, b] = (await readTable(stream(), { comment, format: "csv" })).columns;
    expect(a.kind === "number" && [...a.values]).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(b.kind === "category" && b.levels).toContain("q\n# 49");
    const tables = await all(blocks(csv(text), { comment, rows: 20 }));
    expect(tables.map(({ rowCount }) => rowCount)).toEqual([20, 20, 10]);
  });

  it("works for every format of lines", async () => {
    expect(await cells("a\tb\n//\n1\t2\n", { comment: "//", format: "tsv" })).toEqual([[1], [2]]);
    const rows = await readJsonLines(
      { name: "a.jsonl", content: '// x\n{"a":1,"y":2}\n//{"a":9}\n{"a":3,"y":4}' },
      {
        comment: "//",
        target: "y",
      },
    );
    expect([...rows.target.values]).toEqual([2, 4]);
    const libsvm = await readLibsvm(csv("% x\n1 1:2\n%\n# y\n0 2:1\n%"), { comment: "%" });
    expect([...libsvm.target.values]).toEqual([1, 0]);
    const vw = await readVw(csv("# x | y\n1 | a\n#\n-1 | b\n"), { comment: "#", bits: 4 });
    expect([...vw.target.values]).toEqual([1, -1]);
    expect(await failing(readTable({ name: "a.parquet", content: "" }, { comment: "#" }))).toMatch(/comment/);
  });

  it("hides comments from format detection", async () => {
    const head = new TextEncoder().encode("# one, two\n1 1:2\n");
    expect(formatOf(head)).toBe("csv");
    expect(formatOf(head, "#")).toBe("libsvm");
    expect((await readSparseTable({ name: "data", content: "% x\n1 1:2\n" }, { comment: "%" })).rowCount).toBe(1);
  });

  it.each([
    ["begins a quoted field", '"x'],
    ["begins with a blank", " #"],
    ["has two lines", "#\n"],
    ["is no text", 1],
  ])("is refused if it %s", async (_, wrong) =>
    expect(await failing(readTable(csv("a\n1\n"), { comment: wrong as string }))).toMatch(
      /^read: comment is .*, but must be the text that comment lines begin with, like "#".* \[OPTION_RANGE\]$/,
    ),
  );

  it.each<[string, () => Promise<unknown>, string]>([
    ["a line of CSV with too few fields", () => readTable(csv("a,b\n# one\n")), 'pass comment: "#"'],
    ["a first line that names one column", () => readTable(csv("# one\na,b\n")), 'pass comment: "#"'],
    ["a text among numbers", () => readTable(csv(`a,b\n${"1,2\n".repeat(20)}# x,3\n`)), 'pass comment: "#"'],
    ["a line of LIBSVM", () => readLibsvm(csv("// x\n1 1:2\n")), 'pass comment: "//"'],
    ["a line of VW", () => readVw(csv("# x\n1 | a\n")), 'pass comment: "#"'],
    ["a line of JSON", () => readTable({ name: "a.jsonl", content: '// x\n{"a":1}' }), 'pass comment: "//"'],
  ])("is recommended by the error of %s", async (_, reading, advice) => {
    expect(await failing(reading())).toContain(`${advice} if lines that begin with it are comments`);
  });

  it("is not recommended if the mark is part of the data", async () => {
    expect(await failing(readTable(csv("a,b\n-1\n")))).not.toContain("comment");
    expect(await failing(readTable(csv("a,b\n--1\n")))).not.toContain("comment");
    expect(await failing(readTable(csv(`a,b\n${"1,2\n".repeat(20)}3,# x\n`)))).not.toContain("comment");
    expect(await failing(readVw(csv("1 a\n")))).not.toContain("comment");
  });
});

describe("ragged rows", () => {
  const text = "a,y\n1,2\n3\n4,5,6\n7,8\n";

  it("are refused with a remedy", async () => {
    expect(await failing(readCsv(csv(text), { target: "y" }))).toMatch(
      /^a\.csv:3:2: .*or pass ragged: "skip" to skip rows like this/,
    );
    expect(await failing(readCsv(csv(text), { target: "y", ragged: "refuse" }))).toMatch(/DATA_RAGGED/);
  });

  it("are skipped, counted and reported on request", async () => {
    const table = await readTable(csv(text), { ragged: "skip" });
    expect(table.columns.map((column) => column.kind === "number" && [...column.values])).toEqual([
      [1, 7],
      [2, 8],
    ]);
    const remark = {
      kind: "skipped",
      rows: 2,
      of: 4,
      message: "2 of 4 rows do not have 2 fields and were skipped (first: line 3, with 1)",
    };
    expect(table.remarks).toEqual([remark]);
    const data = await readCsv(csv(text), { target: "y", ragged: "skip" });
    expect(data.remarks).toEqual([remark]);
    expect(data.asClasses().remarks).toEqual([remark]);
    expect((await readCsv(csv(text), { like: data, ragged: "skip" })).remarks).toEqual([remark]);
    expect((await readCsv(csv("a,y\n1,2\n2,3\n"), { target: "y", ragged: "skip" })).remarks).toEqual([]);
  });

  it("are counted once even if a column is read twice", async () => {
    const mixed = `a,y\n${"1,2\n".repeat(5)}x,1\ny,2\n3\n`;
    expect((await readTable(csv(mixed), { ragged: "skip" })).remarks).toMatchObject([{ rows: 1, of: 8 }]);
  });

  it("are reported for their block", async () => {
    const tables = await all(blocks(csv(`a,y\n1\n${"1,2\n".repeat(3)}3,4,5\n6,7\n`), { ragged: "skip", rows: 3 }));
    expect(tables.map(({ rowCount, remarks }) => [rowCount, remarks?.map(({ rows, of }) => [rows, of])])).toEqual([
      [3, [[1, 4]]],
      [1, [[1, 2]]],
    ]);
  });

  it("are an error if every row is ragged", async () => {
    expect(await failing(readTable(csv("a,y\n1\n2\n"), { ragged: "skip" }))).toMatch(
      /all 2 rows were skipped, as none has 2 fields/,
    );
    expect(await failing(readTable(csv("a,y\n1,2\n"), { ragged: "drop" as "skip" }))).toMatch(/ragged is "drop", but must be/);
  });
});

describe('layout: "dense" of sparse files', () => {
  const lines = {
    name: "a.libsvm",
    content: Array.from({ length: 40 }, (_, i) => `${i % 2} ${(i % 2) + 1}:1 3:${i / 40}`).join("\n"),
  };

  it("stores the zeros, with the same numbers as sparse rows", async () => {
    const [sparse, dense] = [await readLibsvm(lines), await readLibsvm(lines, { layout: "dense" })];
    expect([sparse.format, dense.format]).toEqual(["sparse", "dense"]);
    for (const i of [0, 1, 39]) expect(dense.row(i)).toEqual(sparse.row(i));
    expect((await readVw({ name: "a.vw", content: "1 | a\n-1 | b" }, { layout: "dense", bits: 3 })).format).toBe("dense");
    expect((await read(lines, { layout: "dense" })).format).toBe("dense");
    expect(() => Dataset.fromSparse({} as never, { format: "wide" as "dense" })).toThrow();
  });

  it("makes data for networks, which predict files and tables of sparse rows", async () => {
    const net = network([dense(4), relu(), dense(1)], { loss: "logistic" });
    const message = await failing((async () => fit(net, await readLibsvm(lines, { classes: true })))());
    expect(message).toContain('read it with layout: "dense"');
    const train = await readLibsvm(lines, { classes: true, layout: "dense" });
    const fitted = await fit(net, train, { rule: adam({ rate: 0.01 }), epochs: 20, seed: 1 });
    const test = await readLibsvm(lines, { like: fitted });
    expect(test.format).toBe("dense");
    expect(fitted.evaluate(test)).toEqual(fitted.evaluate(train));
    const rows = await readRows({ name: "b.libsvm", content: "3:1 7:2\n1:1" }, { target: false });
    expect(fitted.predict(rows)).toHaveLength(2);
    const [some] = await all(rowBlocks(lines, { target: false, rows: 25 }));
    expect(fitted.predict(some)).toEqual(fitted.predict(train).slice(0, 25));
  });

  it("gives the same linear models", async () => {
    const options = { algorithm: "auto", precision: "f64" } as const;
    const [sparse, dense] = await Promise.all(
      (["sparse", "dense"] as const).map(async (layout) =>
        fit(linear({ loss: "squared", l2: 0.1, standardise: false }), await readLibsvm(lines, { layout, type: "f64" }), options),
      ),
    );
    sparse.weights.forEach((w, j) => void expect(dense.weights[j]).toBeCloseTo(w, 6));
  });
});

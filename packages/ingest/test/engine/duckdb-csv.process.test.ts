/**
 * CSV through DuckDB: the tables of our own decoder on random files and options, differences between the two, and
 * refusals.
 */
import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { power } from "../../../ergodic/test/power.ts";
import { blocks, type ReadTableOptions, readCsv, readTable, readTsv } from "../../src/index.ts";
import { both, bothBlocks, plain, refusal, written } from "./made.ts";

/** Cells: numbers in all notations, texts and gaps. None begins or ends with a blank or has a digit next to "_". */
const numbers = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => x.toFixed(6)),
  fc.constantFrom("-0", "+5", ".5", "5.", "007", "1e5", "1E-3", "9007199254740991"),
);
const oddNumbers = fc.constantFrom(
  "9007199254740993",
  "12345678901234567890",
  "1e400",
  "inf",
  "-Infinity",
  "nan",
  "-999",
  "1e16",
);
const texts = fc.oneof(
  fc.constantFrom("a", "b", "yes", "no", "a long level of a category", "another long level of a category"),
  fc
    .string({ unit: fc.constantFrom("x", "é", "😀", ",", ";", '"', "\n", "\r\n", "'", "\\", "#", " y"), maxLength: 8 })
    .map((s) => s.trim()),
);
const gaps = fc.constantFrom("", "NA", "?", "null", "N/A", "#N/A", "-", "None");

const cellsOf = (kind: string) => {
  const of = {
    number: [
      { weight: 30, arbitrary: numbers },
      { weight: 2, arbitrary: gaps },
    ],
    odd: [
      { weight: 30, arbitrary: numbers },
      { weight: 1, arbitrary: oddNumbers },
    ],
    text: [
      { weight: 10, arbitrary: texts },
      { weight: 1, arbitrary: gaps },
    ],
    mixed: [
      { weight: 3, arbitrary: numbers },
      { weight: 3, arbitrary: texts },
      { weight: 1, arbitrary: gaps },
    ],
    gaps: [{ weight: 1, arbitrary: gaps }],
  }[kind]!;
  return fc.oneof(...(of as [(typeof of)[0]]));
};

interface Case {
  options: ReadTableOptions;
  content: string;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    kinds: fc.array(fc.constantFrom("number", "text", "number", "text", "odd", "mixed", "gaps"), { minLength: 2, maxLength: 5 }),
    rowCount: fc.integer({ min: 1, max: 30 }),
    newline: fc.constantFrom("\n", "\r\n"),
    blank: fc.boolean(),
    quoteAll: fc.boolean(),
    last: fc.boolean(),
    late: fc.boolean(),
    header: fc.constantFrom("names", "none", "list"),
    delimiter: fc.constantFrom(undefined, ";", "\t", "|"),
    quote: fc.constantFrom(undefined, "'"),
    decimal: fc.boolean(),
    missing: fc.constantFrom(undefined, ["NA"], ["", "?", "-999"], [], ["a", ""], ["NA", "x;y", "a,b"]),
    types: fc.constantFrom(undefined, "category", "number", ["a", "b", "yes", "NA"]),
    drop: fc.boolean(),
    categories: fc.boolean(),
  })
  .chain((shape) =>
    fc.array(fc.tuple(...shape.kinds.map(cellsOf)), { minLength: shape.rowCount, maxLength: shape.rowCount }).map((some) => {
      // After the rows that determine the types, and after a chunk of the database.
      const first = shape.kinds.map((kind) => (kind === "text" ? "a" : "1"));
      const rows = [...Array.from({ length: shape.late ? 2500 : 0 }, () => first), ...some];
      const { delimiter = ",", quote = '"', newline, header } = shape;
      const comma = shape.decimal && delimiter !== ",";
      const field = (text: string): string => {
        const cell = comma && /^[-+.\de]+$/i.test(text) ? text.replace(".", ",") : text;
        const needs = shape.quoteAll || [delimiter, quote, "\n", "\r"].some((mark) => cell.includes(mark));
        return needs ? quote + cell.replaceAll(quote, quote + quote) + quote : cell;
      };
      const names = shape.kinds.map((_, i) => `a${i}`);
      const lines = [...(header === "names" ? [names] : []), ...rows].map((row) => row.map(field).join(delimiter));
      const content =
        (shape.blank ? newline : "") + lines.join(shape.blank ? newline + newline : newline) + (shape.last ? newline : "");
      const { missing, types, drop, categories } = shape;
      const typed = header === "none" ? "x0" : names[0];
      const options = {
        ...(header === "none" ? { header: false } : header === "list" ? { header: names } : {}),
        ...(shape.delimiter ? { delimiter } : {}),
        ...(shape.quote ? { quote } : {}),
        ...(comma ? { decimal: "," as const } : {}),
        ...(missing ? { missing } : {}),
        ...(types ? { types: { [typed]: types as "number" } } : {}),
        ...(drop ? { drop: [1] } : {}),
        ...(categories ? { categories: [-1] } : {}),
      };
      return { options, content };
    }),
  );

describe("readTable by DuckDB", () => {
  it("returns the same table as our own decoder, or the same error code", async () => {
    const seen = { tables: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(cases, async ({ content, options }) => {
        const [found, wanted] = await both(written(content, "case.csv"), options);
        expect(found).toEqual(wanted);
        seen[typeof wanted === "string" ? "refused" : "tables"]++;
      }),
      { numRuns: power(30, 300), seed: 11 },
    );
    // About 30 % of the cases are tables, so that 30 cases have at most three in 1 % of all seeds.
    expect(seen.tables).toBeGreaterThan(power(3, 100));
    expect(seen.refused).toBeGreaterThan(power(3, 30));
  });

  it("returns the same blocks", async () => {
    let rows = 0;
    await fc.assert(
      fc.asyncProperty(cases, fc.constantFrom(1, 3, 7, 2048, 2049, 100_000), async ({ content, options }, count) => {
        if (count < 8 && content.length > 10_000) return;
        const [found, wanted] = await bothBlocks(written(content, "case.csv"), { ...options, rows: count });
        expect(found).toEqual(wanted);
        if (typeof wanted !== "string") rows += wanted.length;
      }),
      { numRuns: power(24, 80), seed: 12 },
    );
    expect(rows).toBeGreaterThan(power(2, 50));
  });

  it("handles levels, gaps and numbers that first occur late", async () => {
    const line = (i: number) => [
      i,
      i % 7 === 0 ? "NA" : i / 7,
      i === 11_000 ? "a level behind the first rows" : i === 11_500 ? "" : `level ${i % 3}`,
      `text ${i % 5000}, one of many`,
      i < 10_500 ? i % 4 : `m${i % 4}`,
      i === 11_999 ? "9007199254740992" : i,
    ];
    const names = "id,part,few,many,mixed,large\n";
    const path = written(
      names +
        Array.from(
          { length: 12_000 },
          (_, i) =>
            `${line(i)
              .map((c) => (/,/.test(String(c)) ? `"${c}"` : c))
              .join()}\n`,
        ).join(""),
    );
    const [found, wanted] = await both(path, { drop: ["mixed"] });
    expect(found).toEqual(wanted);
    expect((wanted as ReturnType<typeof plain>).columns[2].levels).toHaveLength(4);
    const [asTexts, ownTexts] = await both(path, { types: { mixed: "category", id: "category" } });
    expect(asTexts).toEqual(ownTexts);
  });

  it("refuses a late number with a different decimal mark", async () => {
    const rows = Array.from({ length: 1500 }, (_, i) => `${i},5;x`);
    const [found, wanted] = await both(written(`a;b\n${rows.join("\n")}\n1.5;x\n`), { delimiter: ";", decimal: "," });
    expect([found, wanted]).toEqual(["DATA_TYPE", "DATA_TYPE"]);
  });

  it("reads a column again if its first text comes after many chunks of the database", async () => {
    const lines = Array.from({ length: 150_000 }, (_, i) => (i === 149_000 ? "t,x" : `${i % 5},x`));
    const [found, wanted] = await both(written(`a,b\n${lines.join("\n")}\n`), { types: { b: ["x"] } });
    expect(found).toEqual(wanted);
    const texts = lines.map((line, i) => (i > 40_000 && i % 2 ? "t,x" : line));
    const [mixed, ownMixed] = await both(written(`a,b\n${texts.join("\n")}\n`));
    expect(mixed).toEqual(ownMixed);
    expect(mixed).toMatchObject({ rowCount: 150_000 });
  });

  it("reads many columns that turn out to be text", async () => {
    const rows = Array.from({ length: 1500 }, (_, i) =>
      Array.from({ length: 8 }, (_, j) => (i % 2 && i > 1000 + j ? `t${j}` : i)).join(),
    );
    const [found, wanted] = await both(written(`a,b,c,d,e,f,g,h\n${rows.join("\n")}\n`));
    expect(found).toEqual(wanted);
    expect((wanted as ReturnType<typeof plain>).columns.every((column) => "levels" in column)).toBe(true);
  });

  it("refuses gzip files under any name, because the database would read wrong numbers from damaged ones", async () => {
    for (const name of ["packed.csv", "packed.csv.gz", "packed.tsv"])
      await expect(readTable(written(gzipSync("a,b\n1,x\n2,y\n"), name), { engine: "duckdb" }), name).rejects.toThrow(
        /does not notice if a gzip file is cut short; unpack it, or use engine: "own" \[OPTION_CONFLICT\]/,
      );
  });

  it("resolves paths as the system does, including symbolic links", async () => {
    // After the link, ".." is the parent of the link's target.
    const base = join(dirname(written("a,b\n7,8\n", "x.csv")), "links");
    mkdirSync(join(base, "real", "deep"), { recursive: true });
    symlinkSync(join(base, "real", "deep"), join(base, "link"));
    writeFileSync(join(base, "x.csv"), "a,b\n7,8\n9,10\n");
    writeFileSync(join(base, "real", "x.csv"), "a,b\n1,2\n3,4\n");
    const path = `${base}/link/../x.csv`;
    const [own, duck] = [await readTable(path), await readTable(path, { engine: "duckdb" })].map(plain);
    expect(duck).toEqual(own);
    expect(JSON.stringify(own.columns[0])).toContain('["1","3"]');
  });

  it("refuses more than a thousand columns", async () => {
    const of = (count: number) =>
      written(
        `${Array.from({ length: count }, (_, j) => `c${j}`)}\n${Array.from({ length: count }, (_, j) => j)}\n`,
        `${count}.csv`,
      );
    expect((await readTable(of(1000), { engine: "duckdb" })).columns.length).toBe(1000);
    await expect(readTable(of(1001), { engine: "duckdb" })).rejects.toThrow(
      /reads files of up to 1000 columns, but this one has 1001; use engine: "own" \[OPTION_CONFLICT\]/,
    );
  });

  it("refuses a file that is replaced or changed during reading", async () => {
    const lines = (first: string) => `${first}\n${Array.from({ length: 30_000 }, (_, i) => `${i},${2 * i}`).join("\n")}\n`;
    for (const how of ["replaced", "longer"] as const) {
      const path = written(lines("a,b"), `${how}.csv`);
      let count = 0;
      const reading = async () => {
        for await (const _ of blocks(path, { engine: "duckdb", rows: 2000 }))
          if (++count === 2) {
            if (how === "longer") appendFileSync(path, "1,2\n");
            else renameSync(written(lines("b,a"), "other.csv"), path);
          }
      };
      await expect(reading(), how).rejects.toThrow(/was changed or replaced while it was read; read it again \[DATA_FILE\]/);
      expect(count).toBeGreaterThan(2);
    }
  });

  it("reads tab-separated files and files with CR line ends", async () => {
    const wanted = plain(await readTable({ content: "a,b\n1,x\n2,y\n" }, { format: "csv" }));
    const duck = async (path: string) => plain(await readTable(path, { engine: "duckdb" }));
    expect(await duck(written("a,b\n1,x\n2,y\n", "not-packed.csv.gz"))).toEqual(wanted);
    expect(await duck(written("a\tb\n1\tx\n2\ty\n", "t.tsv"))).toEqual(wanted);
    expect(await duck(written("a,b\r1,x\r2,y\r", "cr.csv"))).toEqual(wanted);
    expect(await duck(written("\ufeffa,b\n1,x\n2,y", "mark.csv"))).toEqual(wanted);
  });

  it("makes the datasets of readCsv and readTsv with all their options, and datasets read like others", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => [
      i % 9,
      "abc"[i % 3],
      i % 5 === 0 ? "" : i / 2,
      (i % 4) + 1,
      `2024-0${(i % 9) + 1}-05`,
      i % 2 ? "yes" : "no",
    ]);
    const text = (mark: string) => ["a,b,c,w,d,y".replaceAll(",", mark), ...rows.map((row) => row.join(mark))].join("\n");
    const options = { target: "y", weights: "w", impute: "median", dates: ["d"], indicator: true } as const;
    for (const [read, path] of [
      [readCsv, written(text(","))],
      [readTsv, written(text("\t"), "d.tsv")],
    ] as const) {
      const [own, duck] = [await read(path, options), await read(path, { ...options, engine: "duckdb" })];
      expect(duck.names).toEqual(own.names);
      expect(JSON.stringify(duck.pipeline)).toBe(JSON.stringify(own.pipeline));
      const like = await read(path, { like: own, engine: "duckdb" });
      expect(like.names).toEqual(own.names);
      expect(like.rowCount).toBe(40);
    }
  });

  it("reports the row of a fault as its line, and the first missing row", async () => {
    const path = written(`a,b\n${"1,x\n".repeat(1500)}\nabc,z\n`);
    expect((await refusal(readTable(path, { engine: "duckdb", types: { a: "number" } }))).message).toMatch(
      /^t\d+\.csv:1502:1: "abc" is not a number in column "a"/,
    );
    const gaps = written("a,b,y\n1,x,1\n,y,2\n3,,1\n");
    expect((await refusal(readCsv(gaps, { target: "y", engine: "duckdb" }))).message).toMatch(
      /^t\d+\.csv:3:1: 1 value is missing in column "a" \(first "null"\)/,
    );
  });
});

describe("differences from our own decoder", () => {
  const tables = async (content: string, options: ReadTableOptions = {}) => both(written(content), options);

  it("drops blanks at the ends of quoted fields", async () => {
    const [found, wanted] = await tables('a,b\n1," x "\n2, x \n" 3",x\n');
    expect(found).toMatchObject({ columns: [{ values: ["1", "2", "3"] }, { levels: ["x"] }] });
    expect(wanted).toMatchObject({ columns: [{ levels: [" 3", "1", "2"] }, { levels: [" x ", "x"] }] });
  });

  it("ignores _ between digits after the first rows", async () => {
    const lines = `a,b\n${"1,x\n".repeat(1500)}`;
    const [found, wanted] = await tables(`${lines}1_000,x\n`);
    expect((found as ReturnType<typeof plain>).columns[0].values?.at(-1)).toBe("1000");
    expect(wanted).toBe("DATA_TYPE");
  });

  it("accepts a surplus delimiter, a quote within an unquoted field and a zero byte after the first rows", async () => {
    const lines = `a,b\n${"1,x\n".repeat(300_000)}`;
    for (const [row, code] of [
      ["1,x,", "DATA_RAGGED"],
      ['1,x"y', "DATA_PARSE"],
      ["1,x\0y", "DATA_FORMAT"],
    ]) {
      const [found, wanted] = await tables(`${lines}${row}\n`);
      expect(found).toMatchObject({ rowCount: 300_001 });
      expect(wanted).toBe(code);
    }
  });

  it("refuses lines of blanks only and very long lines", async () => {
    const lines = `a,b\n${"1,x\n".repeat(1500)}`;
    for (const more of ["  \n1,x\n", `1,${"x".repeat(5_000_000)}\n`]) {
      const [found, wanted] = await tables(lines + more);
      expect(["DATA_PARSE", "DATA_RAGGED"]).toContain(found);
      expect(wanted).toMatchObject({ rowCount: 1501 });
    }
  });

  it("refuses lines whose line end differs from the first", async () => {
    for (const [one, other] of [
      ["\n", "\r\n"],
      ["\r\n", "\n"],
    ]) {
      const [found, wanted] = await tables(`a,b${one}${`1,x${one}`.repeat(1500)}1,x${other}1,x${one}`);
      expect(found).toBe("DATA_PARSE");
      expect(wanted).toMatchObject({ rowCount: 1502 });
    }
  });
});

/** Columns as they grow, compared with a plain list of cells, and the limits of type inference. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ColumnBuilder, type ColumnContext, type ColumnType } from "../src/column.ts";
import { columnIndex, TableBuilder } from "../src/table-builder.ts";

const encoder = new TextEncoder();
const context = (given: Partial<ColumnContext> = {}): ColumnContext => ({
  file: "a.csv",
  missing: new Set(["", "NA", "-9"]),
  missingNumbers: new Set([-9]),
  gaps: true,
  decimal: ".",
  typed: false,
  store: true,
  expectedRows: 0,
  releasable: false,
  ...given,
});
const column = (type?: ColumnType, given: Partial<ColumnContext> = {}): ColumnBuilder =>
  new ColumnBuilder("c", 2, type, context(given));
/** A cell between neighbouring bytes that do not belong to it. */
const put = (to: ColumnBuilder, text: string, line: number): void => {
  const bytes = encoder.encode(`1${text}1`);
  to.putBytes(bytes, 1, bytes.length - 1, line);
};
const isMissing = (cell: string): boolean => ["", "NA", "-9"].includes(cell);

/** Column that these cells form according to the documented rules. */
function plain(
  cells: readonly string[],
  type?: ColumnType,
): { kind: string; cells: (number | string | null)[]; levels: string[] } {
  const present = cells.filter((cell) => !isMissing(cell));
  const isCategory = type === undefined ? present.some((cell) => Number.isNaN(Number(cell))) : type !== "number";
  if (!isCategory) return { kind: "number", cells: cells.map((cell) => (isMissing(cell) ? null : Number(cell))), levels: [] };
  const met = [...new Set(present)];
  const numeric = met.every((level) => !Number.isNaN(Number(level)));
  const sorted = met.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : 1));
  const levels = typeof type === "object" ? [...type] : sorted;
  return { kind: "category", cells: cells.map((cell) => (isMissing(cell) ? null : cell)), levels };
}

function taken(builder: ColumnBuilder): ReturnType<typeof plain> {
  const made = builder.take();
  if (made.kind === "number")
    return { kind: "number", cells: [...made.values].map((value) => (Number.isNaN(value) ? null : value)), levels: [] };
  const cells = [...made.codes].map((code) => (code === -1 ? null : made.levels[code]));
  return { kind: "category", cells, levels: [...made.levels] };
}

const number = fc.constantFrom("0", "1", "2.5", "-3", "10", "1e3");
const text = fc.constantFrom("b", "B", "ä", "a longer text, which is kept as one of its own", "zz");
const gap = fc.constantFrom("", "NA", "-9");

describe("a column, compared with the list of its cells", () => {
  const lists: [string, fc.Arbitrary<string[]>, ColumnType | undefined][] = [
    ["numbers", fc.array(fc.oneof(number, gap)), undefined],
    ["texts", fc.array(fc.oneof(text, gap)), undefined],
    ["declared as texts", fc.array(fc.oneof(number, text, gap)), "category"],
    ["declared as numbers", fc.array(fc.oneof(number, gap)), "number"],
    ["of levels in their order", fc.array(fc.oneof(fc.constantFrom("zz", "b", "10"), gap)), ["zz", "10", "b", "not met"]],
  ];
  test.each(lists)("%s", (_, cells, type) => {
    fc.assert(
      fc.property(
        fc.array(cells, { minLength: 1, maxLength: 3 }),
        fc.nat(40),
        fc.boolean(),
        (blocks, expectedRows, releasable) => {
          const builder = column(type, { expectedRows, releasable });
          let [line, missing] = [0, 0];
          let first: { line: number; text: string } | undefined;
          const met: string[] = [];
          for (const block of blocks) {
            for (const cell of block) {
              put(builder, cell, ++line);
              met.push(cell);
              if (!isMissing(cell)) continue;
              missing++;
              first ??= { line, text: cell };
            }
            expect(builder.length).toBe(block.length);
            // A later block knows the levels and the type of earlier blocks.
            const { kind, levels } = plain(met, type);
            const empty = kind === "category" && levels.length === 0 && type === undefined;
            expect(taken(builder)).toEqual({
              ...plain(block, kind === "number" ? "number" : empty ? undefined : "category"),
              levels,
            });
          }
          expect(builder.missing).toEqual(missing > 0 ? { count: missing, ...first } : undefined);
        },
      ),
      { seed: 1, numRuns: 150 },
    );
  });

  test("decides by the format whether a string is a number, and refuses rounded digits however they arrive", () => {
    const cells = ["12", "x", "7"];
    const [untyped, typed] = [column(), column(undefined, { typed: true })];
    for (const builder of [untyped, typed]) for (const [i, cell] of cells.entries()) builder.put(cell, i);
    expect([untyped.mixed, typed.mixed]).toEqual([true, false]);
    expect(taken(typed)).toEqual({ kind: "category", cells, levels: ["12", "7", "x"] });
    const declared = column("number", { typed: true });
    declared.put("12", 1);
    expect(() => declared.put("x", 2)).toThrow(/"x" is not a number in column "c"; correct it/);
    expect(taken(declared)).toEqual({ kind: "number", cells: [12], levels: [] });
    const long = "9007199254740993";
    const rounded = /the integer "9007199254740993" in column "c" is beyond 2\^53/;
    expect(() => column().put(long, 1)).toThrow(rounded);
    expect(() => put(column(), long, 1)).toThrow(rounded);
    expect(() => column(undefined, { typed: true }).putNumber(Number(long), 1, () => long)).toThrow(rounded);
    expect(() => column("number").put(long, 1)).not.toThrow();
  });

  test("gives the same column from bytes and from strings", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(number, text, gap)), fc.boolean(), (cells, declared) => {
        const [bytes, texts] = [0, 1].map(() => column(declared ? "category" : undefined));
        for (const [i, cell] of cells.entries()) {
          put(bytes, cell, i);
          texts.put(cell, i);
        }
        expect([bytes.kind, bytes.mixed, bytes.declared]).toEqual([texts.kind, texts.mixed, texts.declared]);
        if (!bytes.mixed) expect(taken(bytes)).toEqual(taken(texts));
      }),
      { seed: 2, numRuns: 150 },
    );
  });
});

test("is mixed if text follows numbers, and only if its type was not declared", () => {
  const of = (type: ColumnType | undefined, ...cells: string[]): ColumnBuilder => {
    const builder = column(type);
    for (const [i, cell] of cells.entries()) put(builder, cell, i);
    return builder;
  };
  expect(of(undefined, "1", "b").mixed).toBe(true);
  expect(of(undefined, "b", "c").mixed).toBe(false);
  expect(of(undefined, "NA", "b").mixed).toBe(false);
  expect(of(undefined, "1", "2").mixed).toBe(false);
  expect(of("category", "1", "b").mixed).toBe(false);
  expect([of(undefined).declared, of("number").declared, of("category").declared, of(["b"]).declared]).toEqual([
    false,
    true,
    false,
    true,
  ]);
});

describe("inference", () => {
  const settled = (numbers: number, texts: string[], given: Partial<ColumnContext> = {}): (() => void) => {
    const builder = column(undefined, given);
    for (let i = 0; i < numbers; i++) put(builder, String(i), i + 1);
    for (const [i, one] of texts.entries()) put(builder, one, numbers + i + 1);
    return () => builder.settle();
  };

  test("treats text as a mistake if there are nine numbers or more per text", () => {
    expect(settled(8, ["x"])).not.toThrow();
    expect(settled(9, ["x"])).toThrow(/^a\.csv:10:2: "x" is not a number in column "c", whose other values are numbers \(9\)/);
    expect(settled(17, ["x", "y"])).not.toThrow();
    expect(settled(18, ["x", "y"])).toThrow(/^a\.csv:19:2: "x" is not a number/);
    // Numbers after the first text also count.
    expect(settled(4, ["x", "5", "6", "7", "8", "9"])).toThrow(/numbers \(9\)/);
    expect(settled(4, ["x", "5", "6", "7", "8"])).not.toThrow();
    expect(settled(4, ["x", "5", "5", "5", "5", "5"])).toThrow(/numbers \(9\)/);
  });

  test("recommends decimal commas if all texts have them", () => {
    expect(settled(0, ["1,5", "2,5"])).toThrow(
      /^a\.csv:1:2: "1,5" looks like a number with a decimal comma in column "c"; pass decimal: ","/,
    );
    expect(settled(0, ["1,5", "x"])).not.toThrow();
    // Commas followed by three digits might separate thousands.
    const either = /^a\.csv:1:2: "1,500" in column "c" may have a thousands comma or a decimal comma; remove thousands commas /;
    expect(settled(0, ["1,500", "2,000"])).toThrow(either);
    expect(settled(0, ["1,500", "2,5"])).toThrow(/looks like a number with a decimal comma/);
    expect(() => put(column("number"), "1,500", 1)).toThrow(either);
    expect(() => put(column("number"), "1,234,500.5", 1)).toThrow(/may have a thousands comma/);
    expect(() => put(column("number"), "1234,500", 1)).toThrow(/pass decimal: ","/);
    expect(settled(0, ["1,5", "2,5"], { typed: true })).not.toThrow();
  });

  test("refuses infinite numbers in either notation, and declared numbers that are not numbers", () => {
    for (const cell of ["inf", "-Infinity", "1e999"])
      expect(() => put(column(), cell, 3)).toThrow(/^a\.csv:3:2: ".*" is not a finite number in column "c"/);
    expect(() => put(column(undefined, { decimal: "," }), "1,5e999", 3)).toThrow(/is not a finite number/);
    expect(() => put(column("number"), "b", 3)).toThrow(/^a\.csv:3:2: "b" is not a number in column "c"; correct it/);
    expect(() => put(column("number"), "1,5", 3)).toThrow(/pass decimal: ","/);
    expect(() => put(column(["a", "b"]), "d", 3)).toThrow(
      'a.csv:3:2: "d" is not a level of column "c" ("a", "b"); correct it, or declare all levels: types: { "c": ["a", "b", "d"] } [DATA_TYPE]',
    );
    put(column("category"), "inf", 1);
  });
});

describe("missing-value markers among numbers", () => {
  const odd = fc.constantFrom("N/A", "-", "#N/A", "None");
  const isOdd = (cell: string): boolean => ["N/A", "-", "#N/A", "None"].includes(cell);
  const settled = (cells: readonly string[], given: Partial<ColumnContext> = {}) => {
    const builder = column(undefined, given);
    for (const [i, cell] of cells.entries()) put(builder, cell, i + 1);
    builder.settle();
    return builder;
  };
  const firstOf = (cells: readonly string[], test: (cell: string) => boolean) => {
    const found = cells.flatMap((text, i) => (test(text) ? [{ line: i + 1, text }] : []));
    return found.length > 0 ? { count: found.length, ...found[0] } : undefined;
  };

  test("are missing in a column without text, and are counted", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(number, gap, odd)), fc.boolean(), (cells, releasable) => {
        const builder = settled(cells, { releasable });
        const rows = cells.filter(isOdd).length;
        expect(builder.missing).toEqual(firstOf(cells, (cell) => isOdd(cell) || isMissing(cell)));
        expect(builder.remark(cells.length)).toEqual(
          rows === 0 ? undefined : expect.objectContaining({ kind: "missing", column: "c", rows, of: cells.length }),
        );
        expect(builder.mixed).toBe(false);
        const numbers = cells.map((cell) => (isOdd(cell) || isMissing(cell) ? null : Number(cell)));
        expect(taken(builder)).toEqual({ kind: "number", cells: numbers, levels: [] });
        expect(builder.remark(0)).toBeUndefined();
      }),
      { seed: 2, numRuns: 150 },
    );
  });

  test("are levels in a text column, whatever came first, and are counted", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(text, gap, odd)), fc.boolean(), (cells, store) => {
        fc.pre(cells.some((cell) => !isOdd(cell) && !isMissing(cell)));
        const builder = settled(cells, { store });
        const rows = cells.filter(isOdd).length;
        expect([builder.mixed, builder.missing]).toEqual([false, firstOf(cells, isMissing)]);
        expect(builder.remark(cells.length)).toEqual(
          rows === 0 ? undefined : expect.objectContaining({ kind: "missing", column: "c", rows, of: cells.length }),
        );
        const wanted = plain(cells, "category");
        expect(builder.type()).toEqual(wanted.levels);
        if (store) expect(taken(builder)).toEqual(wanted);
      }),
      { seed: 3, numRuns: 150 },
    );
  });

  test("require a second reading if they follow numbers and precede text, and are not missing in it", () => {
    const builder = settled(["1", "N/A", "2", "", "x", "-"]);
    expect([builder.mixed, builder.missing]).toEqual([true, { count: 1, line: 4, text: "" }]);
    expect(builder.remark(6)?.message).toBe(
      '2 of 6 rows hold "N/A" or "-" in "c", a column of texts: each is kept as a level; list it in the option missing if it means no value',
    );
    expect(settled(["x", "-", "-"]).remark(3)?.message).toBe(
      '2 of 3 rows hold "-" in "c", a column of texts: it is kept as a level; list it in the option missing if it means no value',
    );
    expect(settled(["1", "-", "N/A", "-", "."]).remark(5)?.message).toBe(
      '4 of 5 rows hold "-", "N/A" or "." in "c", a column of numbers: taken as missing',
    );
  });

  test("count neither as numbers nor as text in the search for mistakes, in any order", () => {
    const cells = [...Array.from({ length: 8 }, (_, i) => String(i)), "N/A", "N/A", "abc"];
    for (const order of [cells, [...cells].reverse()]) {
      expect(() => settled(order)).not.toThrow();
      expect(() => settled([...order, "9"])).toThrow(/"abc" is not a number in column "c", whose other values are numbers \(9\)/);
    }
  });

  test("are levels if the format distinguishes text from numbers and there are no numbers", () => {
    const texts = settled(["N/A", "", "N/A"], { typed: true });
    expect(taken(texts)).toEqual({ kind: "category", cells: ["N/A", null, "N/A"], levels: ["N/A"] });
    const numbers = column(undefined, { typed: true });
    numbers.put("N/A", 1);
    numbers.putNumber(4, 2);
    numbers.settle();
    expect(taken(numbers)).toEqual({ kind: "number", cells: [null, 4], levels: [] });
  });

  test("follow the declared type, and have no special meaning if the option missing is given", () => {
    const category = column("category");
    for (const cell of ["N/A", "1"]) put(category, cell, 1);
    expect(category.remark(2)).toBeUndefined();
    expect(taken(category)).toEqual({ kind: "category", cells: ["N/A", "1"], levels: ["1", "N/A"] });
    const declared = column("number");
    for (const cell of ["-", "1"]) put(declared, cell, 1);
    expect(declared.remark(2)).toMatchObject({ rows: 1, of: 2 });
    expect(taken(declared)).toEqual({ kind: "number", cells: [null, 1], levels: [] });
    expect(() => put(column("number", { gaps: false }), "-", 1)).toThrow(/"-" is not a number/);
    const texts = settled(["N/A", "N/A"], { gaps: false });
    expect([texts.kind, texts.remark(2)]).toEqual(["category", undefined]);
  });

  test("do not hide the first missing value over several blocks", () => {
    const builder = column();
    for (const [i, cell] of ["1", "-", ""].entries()) put(builder, cell, i + 1);
    builder.take();
    for (const [i, cell] of ["", "N/A"].entries()) put(builder, cell, i + 4);
    expect(builder.missing).toEqual({ count: 4, line: 2, text: "-" });
    expect(builder.remark(2)).toMatchObject({ rows: 1, of: 2 });
  });

  test.each(["#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NUM!", "#NULL!"])("%s is a mistake and not a comment", (error) => {
    const message = `a.csv:2:1: "${error}" is not a number in column "c"; correct it, list it in the option missing, or declare types: { "c": "category" } [DATA_TYPE]`;
    const first = new ColumnBuilder("c", 1, "number", context());
    expect(() => put(first, error, 2)).toThrow(message);
  });
});

test("stores only type and levels if nothing else is wanted, and fills rows without the column with gaps", () => {
  const builder = column(undefined, { store: false });
  for (const [i, cell] of ["b", "a", "NA"].entries()) put(builder, cell, i + 1);
  builder.padTo(5, 7);
  expect([builder.length, builder.missing]).toEqual([5, { count: 3, line: 3, text: "NA" }]);
  expect(builder.type()).toEqual(["a", "b"]);
  const padded = column();
  padded.padTo(2, 4);
  put(padded, "1", 5);
  expect(padded.missing).toEqual({ count: 2, line: 4, text: "" });
  expect(taken(padded).cells).toEqual([null, null, 1]);
});

describe("tables", () => {
  test("find columns by name and by number from either end", () => {
    const names = ["a", "b ", "C"];
    for (const [key, index] of [
      ["a", 0],
      ["C", 2],
      [0, 0],
      [2, 2],
      [-1, 2],
      [-3, 0],
    ] as const)
      expect(columnIndex("t.csv", "drop", names, key)).toBe(index);
    for (const key of [3, -4, 0.5, Number.NaN])
      expect(() => columnIndex("t.csv", "drop", names, key)).toThrow(
        `t.csv: drop asks for column ${key}, but columns are numbered 0 to 2; give a number in that range, or a name [DATA_COLUMN]`,
      );
    expect(() => columnIndex("t.csv", "drop", names, "c")).toThrow('a column "c" that is not there; did you mean "C"?');
    expect(() => columnIndex("t.csv", "drop", names, " B")).toThrow('did you mean "b "?');
    expect(() => columnIndex("t.csv", "drop", names, "d")).toThrow('the columns are "a", "b ", "C" [');
  });

  test("an error names the column that another delimiter would split", () => {
    for (const [mark, shown] of [
      [";", ";"],
      ["\t", "\\t"],
      ["|", "|"],
    ])
      expect(() => columnIndex("t.csv", "target", [`age${mark}town`, `name${mark}y`], "y")).toThrow(
        `the columns are "age${shown}town", "name${shown}y"; pass delimiter: "${shown}" if that is what separates them [DATA_COLUMN]`,
      );
  });

  test("expect the number of rows estimated from the bytes so far plus 2 %, but at most a block", () => {
    for (const [blockRows, most] of [
      [Infinity, 10_200],
      [5000, 5000],
    ]) {
      const builder = new TableBuilder("t.csv", {}, { blockRows, releasable: true });
      builder.begin(["a"]);
      const [only] = builder.kept();
      for (let i = 0; i < 1000; i++) {
        only.putNumber(i, i);
        builder.endRow();
      }
      builder.expect(5000, 500);
      // The next growth allocates the expected size, at most sixteen times the current size. Columns that are no longer
      // short are not cut to their length.
      for (let i = 1000; i <= 1024; i++) only.putNumber(i, i);
      const { values } = only.take() as { values: Float64Array };
      expect(values.buffer.byteLength).toBe(8 * most);
    }
  });

  test("report the number of skipped rows in singular and plural", () => {
    const skipping = (names: string[], rows: number, skipped: number): string => {
      const builder = new TableBuilder("t.csv", {});
      builder.begin(names);
      for (let i = 0; i < rows; i++) builder.endRow();
      for (let i = 0; i < skipped; i++) builder.skip(10 + i, 5 + i);
      const [remark] = builder.take().remarks!;
      expect(remark).toMatchObject({ kind: "skipped", rows: skipped, of: rows + skipped });
      // The next table counts its skipped rows separately.
      expect([builder.skipped, builder.take().remarks]).toEqual([0, undefined]);
      return remark.message;
    };
    expect(skipping(["a"], 3, 1)).toBe("1 of 4 rows do not have 1 field and was skipped (first: line 10, with 5)");
    expect(skipping(["a", "b"], 3, 2)).toBe("2 of 5 rows do not have 2 fields and were skipped (first: line 10, with 5)");
  });
});

/**
 * Values that are not numbers are refused with their row and column, in every kind of input. None silently becomes 0.
 */
import { describe, expect, it, test } from "vitest";
import { Dataset } from "../../../src/engine/data/dataset.ts";
import { Ratings } from "../../../src/engine/data/ratings.ts";
import type { Row } from "../../../src/engine/data/table.ts";
import { DataError, OptionError } from "../../../src/engine/errors/errors.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import { people, sparseOf, tableOf } from "./rows-of.ts";

/** JavaScript converts each of these to 0, 1, a number of milliseconds, or NaN. */
const junk: [unknown, string][] = [
  [null, "null"],
  [undefined, "undefined"],
  ["", '""'],
  [" ", '" "'],
  ["7", '"7"'],
  [[], "a list"],
  [[5], "a list"],
  [true, "true"],
  [false, "false"],
  [new Date(0), "a Date"],
  [{}, "an object"],
  [7n, "7n"],
  [Symbol("x"), "a symbol"],
];

function refused(act: () => unknown): DataError {
  const before = engineMemory().usedBytes;
  try {
    act();
  } catch (error) {
    expect(engineMemory().usedBytes).toBeLessThanOrEqual(before);
    return error as DataError;
  }
  throw new Error("nothing was thrown");
}

describe.each(junk)("%s", (value, text) => {
  const advice = "but must be a number; fill the gap, or drop the row [DATA_MISSING]";
  const any = value as number;

  it("is refused as a cell of arrays in any row", () => {
    for (const type of ["f32", "f64"] as const) {
      const first = refused(() =>
        Dataset.fromArrays({
          x: [
            [1, any],
            [3, 4],
          ],
          y: [0, 1],
          type,
        }),
      );
      expect(first).toBeInstanceOf(DataError);
      expect(first.message).toBe(`arrays: row 1: column "x1" is ${text}, ${advice}`);
      const last = refused(() => Dataset.fromArrays({ x: [Float64Array.of(1, 2), [any, 4]], y: [0, 1], names: ["a", "b"] }));
      expect(last.message).toBe(`arrays: row 2: column "a" is ${text}, ${advice}`);
    }
  });

  it("is refused as a weight and as a rating", () => {
    const weights = refused(() => Dataset.fromArrays({ x: [[1], [2]], y: [0, 1], weights: [1, any] }));
    expect(weights.message).toBe(`arrays: row 2: the weight is ${text}, ${advice}`);
    const values = refused(() => Ratings.fromTriples({ users: ["a", "b"], items: [1, 2], values: [any, 2] }));
    expect(values.message).toBe(`ratings: row 1: the value is ${text}, ${advice}`);
  });

  it("is refused as a numeric target", () => {
    for (const y of [
      [1, any],
      [1.5, any],
    ])
      expect(refused(() => Dataset.fromArrays({ x: [[1], [2]], y })).message).toBe(`arrays: row 2: y is ${text}, ${advice}`);
  });

  it("is refused as a number of a table or of untyped sparse rows", () => {
    const table = tableOf([
      { a: 1, y: 2 },
      { a: 3, y: 4 },
    ]);
    const column = { name: "a", kind: "number", values: [1, any] } as never;
    expect(
      refused(() => Dataset.fromTable({ ...table, columns: [column, table.columns[1]] }, { target: "y" })).message,
    ).toContain(`row 2: column "a" is ${text}, ${advice}`);
    const sparse = sparseOf([[1, 2]]);
    expect(refused(() => Dataset.fromSparse({ ...sparse, target: [any] as never })).message).toContain(
      `row 1: the target is ${text}, ${advice}`,
    );
  });
});

describe("labels", () => {
  const rows = [[1], [2], [3]];

  it.each([null, undefined, "", NaN, [], {}, new Date(0)])("treats %s as missing, not as a class", (label) => {
    for (const [y, row] of [
      [["a", label, "b"], 2],
      [[label, "a", "b"], 1],
    ] as const) {
      const error = refused(() => Dataset.fromArrays({ x: rows, y: y as unknown as string[] }));
      expect(error.code).toBe("DATA_MISSING");
      expect(error.message).toMatch(new RegExp(`^arrays: row ${row}: y is .*, but must name a class; fill the gap`));
    }
    expect(refused(() => Dataset.fromArrays({ x: rows, y: [1, label as number, 2], classes: true })).code).toBe("DATA_MISSING");
  });

  it("numbers, booleans and strings name classes, even in mixed labels", () => {
    const levels = (y: unknown[]) => {
      using data = Dataset.fromArrays({ x: rows, y: y as string[], classes: true });
      return [data.target.levels, ...data.target.values];
    };
    expect(levels([3, 10, 3])).toEqual([["3", "10"], 0, 1, 0]);
    expect(levels([true, false, true])).toEqual([["false", "true"], 1, 0, 1]);
    using mixed = Dataset.fromArrays({ x: rows, y: ["a", 1, "a"] as string[] });
    expect(mixed.target.levels).toEqual(["1", "a"]);
  });
});

describe("rows to predict", () => {
  const gapless = Dataset.fromTable(
    tableOf([
      { a: 1, b: 2, y: 0 },
      { a: 2, b: 1, y: 1 },
    ]),
    { target: "y" },
  ).pipeline;
  const filled = Dataset.fromTable(
    tableOf([
      { a: 1, b: 2, y: 0 },
      { a: 3, b: 1, y: 1 },
    ]),
    { target: "y", impute: "mean" },
  ).pipeline;
  const plain = Dataset.fromArrays({ x: [[1, 2]], y: [0] }).pipeline;

  it("treats null as a gap by position and by name", () => {
    using rows = filled.apply([[null as unknown as number, 5]]);
    expect([...rows.row(0)]).toEqual([2, 5]);
    using named = filled.apply([{ a: null, b: 5 }]);
    expect([...named.row(0)]).toEqual([2, 5]);
    expect(refused(() => gapless.apply([[null as unknown as number, 5]])).message).toMatch(
      /row 1 has no value in column "a".*DATA_MISSING/,
    );
    expect(refused(() => plain.apply([[1, null as unknown as number]])).message).toMatch(
      /rows: row 1: column "x1" is null, but must be a number.*DATA_MISSING/,
    );
  });

  it.each([[[]], [new Date(0)], [{}], [Symbol("x")], [() => 1]])("refuses %s as a named number or string", (value) => {
    expect(refused(() => plain.apply([{ x0: 1, x1: value } as unknown as Row])).code).toBe("DATA_KIND");
    const { pipeline } = Dataset.fromTable(tableOf(people), { target: "income" });
    const odd = { ...people[0], education: value } as unknown as Row;
    expect(refused(() => pipeline.apply([odd])).message).toMatch(/is not a string, but column "education" holds text/);
  });

  it("treats blank text as missing, not as 0", () => {
    using rows = filled.apply([{ a: "  ", b: "\t5" }]);
    expect([...rows.row(0)]).toEqual([2, 5]);
  });

  it("reports the number of an invalid row", () => {
    for (const row of [null, 5, "text"]) {
      expect(refused(() => plain.apply([[1, 2], row as never])).message).toMatch(
        /rows: row 2 is .*, but must be a list of 2 numbers/,
      );
      expect(refused(() => plain.apply([{ x0: 1, x1: 2 }, row as never])).message).toMatch(
        /rows: row 2 is .*, but must be an object/,
      );
    }
  });
});

test.each<[string, unknown, string]>([
  ["options that are null", null, "fromArrays: the options are null, but must be an object like { x, y }"],
  ["options that are a number", 5, "fromArrays: the options are 5, but must be"],
  [
    "no x",
    { y: [1] },
    "fromArrays: x is undefined, but must be a list of rows, each a list of numbers, or { values, columnCount }",
  ],
  ["x null", { x: null, y: [1] }, "fromArrays: x is null, but must be a list of rows"],
  ["x a number", { x: 5, y: [1] }, "fromArrays: x is 5, but must be a list of rows"],
  ["x an object", { x: {}, y: [1] }, "fromArrays: x is an object, but must be a list of rows"],
  ["x a text", { x: "abc", y: [1, 2, 3] }, 'fromArrays: x is "abc", but must be a list of rows'],
  ["x one typed array", { x: new Float64Array(3), y: [1, 2, 3] }, "fromArrays: x is a list, but must be a list of rows"],
  ["x of numbers", { x: [1, 2], y: [1, 2] }, "fromArrays: row 1 of x is 1, but must be a list of numbers"],
  ["x of null", { x: [null], y: [1] }, "fromArrays: row 1 of x is null, but must be a list of numbers"],
  [
    "a later row null",
    { x: [[1], null], y: [1, 2] },
    "arrays: row 2 is null, but must be a list of 1 numbers, one for each column",
  ],
  [
    "values of no type",
    { x: { values: [1, 2], columnCount: 1 }, y: [1, 2] },
    "fromArrays: the values of x are a list, but must be a Float32Array",
  ],
  [
    "columnCount a text",
    { x: { values: new Float32Array(2), columnCount: "1" }, y: [1, 2] },
    "arrays: 2 values do not make rows of 1 columns",
  ],
  ["y null", { x: [[1]], y: null }, "fromArrays: y is null, but must be a list, with a target for each row"],
  ["y a text", { x: [[1]], y: "a" }, 'fromArrays: y is "a", but must be a list'],
  [
    "names a number",
    { x: [[1]], y: [1], names: 5 },
    "fromArrays: names is 5, but must be a list of strings, one for each column",
  ],
  ["names of numbers", { x: [[1]], y: [1], names: [5] }, "fromArrays: names is a list, but must be a list of strings"],
  [
    "weights a number",
    { x: [[1]], y: [1], weights: 5 },
    "fromArrays: weights is 5, but must be a list of numbers, one for each row",
  ],
  ["source a number", { x: [[1]], y: [1], source: 5 }, "fromArrays: source is 5, but must be a string"],
  ["target null", { x: [[1]], y: [1], target: null }, "fromArrays: target is null, but must be a string"],
])("fromArrays refuses invalid data: %s", (_, options, message) => {
  const error = refused(() => Dataset.fromArrays(options as never));
  expect(error.message.startsWith(message), error.message).toBe(true);
  expect(error instanceof OptionError || error instanceof DataError).toBe(true);
});

test("accepts null weights, which mean that all rows weigh 1", () => {
  using data = Dataset.fromArrays({ x: [[1]], y: [1], weights: null });
  using again = Dataset.fromArrays({ x: [[1]], y: [1], weights: data.weights });
  expect([data.weights, again.weights]).toEqual([null, null]);
});

test.each<[unknown, RegExp]>([
  [null, /^fromTriples: the options are null, but must be an object \[OPTION_TYPE\]$/],
  [{ users: null, items: [1] }, /^fromTriples: users is null, but must be a list \[OPTION_TYPE\]$/],
  [{ users: ["a"], items: "a" }, /^fromTriples: items is "a", but must be a list/],
  [{ users: ["a"], items: [1], values: null }, /^fromTriples: values is null, but must be a list/],
  [{ users: [1n], items: [1] }, /^ratings: row 1: the user is 1n, but must be a string or a number/],
])("fromTriples refuses invalid data: %s", (options, message) => {
  expect(refused(() => Ratings.fromTriples(options as never)).message).toMatch(message);
});

/** Every option of a dataset takes effect, and columns named by options must exist. */
import { expect, test } from "vitest";
import { readCsv, readLibsvm, readNpy } from "../src/index.ts";
import { npyBytes } from "./writers.ts";

const text = "x,g,d,w,o,y\n1,a,2024-03-05,2,0.5,no\n3,b,2024-03-06,1,0.25,yes\n,c,2024-04-01,4,1,no\n";
const read = (options: object) => readCsv({ content: text, name: "a.csv" }, { target: "y", impute: "mean", ...options } as never);
const count = async (options: object): Promise<number> => {
  using data = await read(options);
  return data.columnCount;
};

test("moves weights and offset from the columns to the dataset", async () => {
  using data = await read({ weights: "w", offset: "o" });
  expect([[...data.weights!], [...data.offset!]]).toEqual([
    [2, 1, 4],
    [0.5, 0.25, 1],
  ]);
  using plain = await read({});
  expect([plain.weights, plain.offset]).toEqual([null, null]);
  expect(plain.columnCount - data.columnCount).toBe(2);
});

test("applies impute, indicator, dates, hash, layout and type", async () => {
  const whole = await count({});
  expect(await count({ indicator: true })).toBe(whole + 1);
  // Each date column becomes year, month, day and weekday.
  expect(await count({ dates: ["d"] })).not.toBe(whole);
  expect(await count({ hash: 5 })).toBe(32);
  using filled = await read({ impute: { x: "median" } });
  expect(filled.pipeline.imputed.map(({ name, method, missing, value }) => [name, method, missing, value])).toEqual([
    ["x", "median", 1, 2],
  ]);
  for (const format of ["dense", "sparse"] as const) {
    using data = await read({ layout: format });
    expect(data.format).toBe(format);
  }
  for (const type of ["f32", "f64"] as const) {
    using data = await read({ type });
    expect(data.type).toBe(type);
  }
});

test("turns numbers into classes with the option classes, in every reader", async () => {
  for (const [classes, levels] of [
    [true, ["1", "2", "4"]],
    [false, undefined],
  ] as const) {
    using data = await read({ target: "w", classes });
    expect(data.target.levels).toEqual(levels);
    using rows = await readLibsvm("1 1:2\n2 1:3\n4 1:1\n", { classes, layout: "dense", type: "f64" });
    expect([rows.target.levels, rows.format, rows.type]).toEqual([levels, "dense", "f64"]);
  }
});

test("refuses unknown levels or encodes them as zeros, on request", async () => {
  const other = {
    columns: [
      ["x", [1]],
      ["g", ["z"]],
      ["d", ["2024-03-05"]],
      ["w", [1]],
      ["o", [1]],
    ] as const,
  };
  const raw = {
    rowCount: 1,
    source: "b",
    columns: other.columns.map(([name, [value]]) =>
      typeof value === "number"
        ? { name, kind: "number" as const, values: Float64Array.of(value) }
        : { name, kind: "category" as const, codes: Int32Array.of(0), levels: [value] },
    ),
  };
  using refused = await read({ unknown: "refuse" });
  expect(() => refused.pipeline.apply(raw as never)).toThrow(/"z"/);
  using zero = await read({ unknown: "zero" });
  using applied = zero.pipeline.apply(raw as never);
  expect(applied.rowCount).toBe(1);
});

test("keeps the shape of rows while all columns are present, unless another shape is given", async () => {
  const images = { content: npyBytes([[1, 2, 3, 4, 9]].concat([[5, 6, 7, 8, 9]]), false), name: "a.npy" };
  using plain = await readNpy(images, { target: -1 });
  expect([plain.columnCount, plain.rowShape]).toEqual([4, undefined]);
  using shaped = await readNpy(images, { target: -1, rowShape: [2, 2] });
  expect(shaped.rowShape).toEqual([2, 2]);
});

test.each([
  [{ target: "z" }, 'a.csv: target asks for a column "z" that is not there'],
  [
    { target: undefined },
    'readCsv: no target was given; name the column to predict, target: one of "x", "g", "d", "w", "o", "y"',
  ],
  [{ weights: "z" }, 'a.csv: weights asks for a column "z" that is not there'],
  [{ offset: "z" }, 'a.csv: offset asks for a column "z" that is not there'],
  [{ impute: { z: "mean" } }, 'a.csv: impute asks for a column "z" that is not there'],
  [{ dates: ["z"] }, 'a.csv: dates asks for a column "z" that is not there'],
  [{ dates: "d" }, 'read: dates must be a list of column names, like ["signup"] [OPTION_TYPE]'],
  [{ dates: [1] }, 'read: dates must be a list of column names, like ["signup"] [OPTION_TYPE]'],
  [{ weights: "w", drop: ["w"] }, 'a.csv: column "w" is both weights and dropped; take it out of drop [OPTION_CONFLICT]'],
  [{ offset: "o", drop: ["o"] }, 'a.csv: column "o" is both offset and dropped; take it out of drop [OPTION_CONFLICT]'],
  [{ impute: undefined }, 'a.csv:4:1: 1 value is missing in column "x" (first ""); fill them with impute: '],
  [{ impute: { g: "mode" } }, 'a.csv:4:1: 1 value is missing in column "x" (first "")'],
  [{ weights: "x" }, 'a.csv:4:1: 1 value is missing in the weights "x" (first ""); remove these rows, or choose another column'],
  [{ offset: "x" }, 'a.csv:4:1: 1 value is missing in the offset "x" (first "")'],
])("refuses %j", async (options, message) => {
  const error = await read(options).then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  expect(error.message).toContain(message);
});

/** Products of columns: their choice, names and values, and their storage in a model. */
import { describe, expect, it } from "vitest";
import {
  Dataset,
  dateParts,
  fit,
  type LinearPredictor,
  linear,
  newtonCholesky,
  products,
  rff,
  type Table,
} from "../../../src/entries/everything.ts";
import { predictor } from "../../../src/entries/predict.ts";

const ages = [20, 30, 40, 50];
const works = ["own", "public", "own", "state"];
const levels = ["own", "public", "state"];
const bits = [0, 1, 1, 0];
const y = [1, 2, 3, 5];
const table: Table = {
  rowCount: 4,
  source: "people.csv",
  columns: [
    { name: "age", kind: "number", values: Float64Array.from(ages) },
    { name: "work", kind: "category", levels, codes: Int32Array.from(works, (w) => levels.indexOf(w)) },
    { name: "bit", kind: "number", values: Float64Array.from(bits) },
    { name: "y", kind: "number", values: Float64Array.from(y) },
  ],
};
const plain = (format: "dense" | "sparse" = "dense") => Dataset.fromTable(table, { target: "y", format, type: "f64" });
const base = ["age", "work=own", "work=public", "work=state", "bit"];

describe.each(["dense", "sparse"] as const)("products on %s rows", (format) => {
  it("multiplies columns by each level in the given order, without repeats", () => {
    const data = plain(format).map(
      products({
        interactions: [
          ["bit", "work"],
          // The levels of one column exclude each other.
          ["work", "work"],
          ["work", "age"],
          ["age", "work"],
        ],
      }),
    );
    const added = ["work=own:bit", "work=public:bit", "work=state:bit", "age:work=own", "age:work=public", "age:work=state"];
    expect(data.names).toEqual([...base, ...added]);
    expect(data.format).toBe(format);
    for (let i = 0; i < 4; i++) {
      const level = levels.map((l) => Number(l === works[i]));
      expect([...data.row(i)]).toEqual([
        ages[i],
        ...level,
        bits[i],
        ...level.map((l) => l * bits[i]),
        ...level.map((l) => l * ages[i]),
      ]);
    }
  });

  it("degree 2 adds squares of numbers and products of all column pairs, except level pairs and powers of bits", () => {
    const data = plain(format).map(products({ degree: 2 }));
    expect(data.names.slice(5)).toEqual([
      "age^2",
      ...["age:work=own", "age:work=public", "age:work=state", "age:bit"],
      ...["work=own:bit", "work=public:bit", "work=state:bit"],
    ]);
    expect([...data.row(1)].slice(5)).toEqual([900, 0, 30, 0, 30, 0, 1, 0]);
  });
});

it("accepts named powers, and degree 3 adds every monomial", () => {
  expect(
    plain()
      .map(products({ interactions: [["age", "age"]] }))
      .names.slice(5),
  ).toEqual(["age^2"]);
  const numbers = Dataset.fromArrays({ x: [[2, 3]], y: [1], names: ["a", "b"], type: "f64" });
  const cubic = numbers.map(products({ degree: 3 }));
  expect(cubic.names).toEqual(["a", "b", "a^2", "a:b", "b^2", "a^3", "a^2:b", "a:b^2", "b^3"]);
  expect([...cubic.row(0)]).toEqual([2, 3, 4, 6, 9, 8, 12, 18, 27]);
});

it("sets products of an unknown level to 0, and treats columns of other maps as plain columns", () => {
  const data = plain().map(products({ interactions: [["age", "work"]] }));
  const other = data.pipeline.apply(
    { ...table, columns: table.columns.map((c) => (c.kind === "category" ? { ...c, levels: ["new", "public", "state"] } : c)) },
    { target: true },
  );
  expect([...other.row(0)]).toEqual([20, 0, 0, 0, 0, 0, 0, 0]);
  const mapped = plain().map(rff({ count: 2 }));
  expect(mapped.map(products({ degree: 2 })).columnCount).toBe(2 + 3);
});

it("a model stores its products for raw rows, saved files and held-out rows", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ a: (i % 7) - 3, b: (i % 5) - 2 }));
  const target = rows.map(({ a, b }) => 1 + a - 2 * b + 3 * a * b);
  const made = Dataset.fromArrays({ x: rows.map(({ a, b }) => [a, b]), y: target, names: ["a", "b"], type: "f64" });
  const data = made.map(products({ interactions: [["a", "b"]] }));
  const model = await fit(linear({ loss: "squared", l2: 0 }), data, { algorithm: newtonCholesky() });
  expect(model.predict({ a: 10, b: -4 }).value).toBeCloseTo(1 + 10 + 8 - 120, 8);
  const loaded = await predictor<LinearPredictor>(model.toBytes());
  expect(loaded.predict({ a: 10, b: -4 }).value).toBe(model.predict({ a: 10, b: -4 }).value);
  expect(model.evaluate(made.follow(model.pipeline)).rmse).toBeLessThan(1e-9);
});

it("keeps the levels of a category together if gaps have indicators and dates have parts", () => {
  const gaps: Table = {
    ...table,
    columns: [
      { name: "on", kind: "category", levels: ["2024-01-01", "2024-02-03"], codes: Int32Array.of(0, 1, 0, 1) },
      { name: "age", kind: "number", values: Float64Array.of(20, NaN, 40, 50) },
      ...table.columns.slice(1),
    ],
  };
  const options = { target: "y", type: "f64", impute: "mean", indicator: true, dates: dateParts("on") } as const;
  const data = Dataset.fromTable(gaps, options);
  expect(data.names).toEqual(expect.arrayContaining(["age", "work=own", "age=(missing)"]));
  const crossed = data.map(products({ interactions: [["age", "work"]] }));
  expect(crossed.names.slice(data.names.length)).toEqual(levels.map((level) => `age:work=${level}`));
  const squares = data.map(products({ degree: 2 })).names.slice(data.names.length);
  expect(squares).toContain("work=own:age=(missing)");
  expect(squares.filter((name) => /^work=.*:work=/.test(name))).toEqual([]);
});

it("refuses unknown names, too many products, and steps that do not fit", () => {
  expect(() => plain().map(products({ interactions: [["age", "wrk"]] }))).toThrow(
    'products: interactions name a column "wrk" that does not exist; the columns are "age", "work", "bit" [DATA_COLUMN]',
  );
  const wide = Dataset.fromArrays({ x: [Array.from({ length: 500 }, (_, j) => j + 2)], y: [1] });
  expect(() => wide.map(products({ degree: 2 }))).toThrow(/more than 100,000 products of 500 columns/);
  expect(() => products({})).toThrow(/neither interactions nor a degree above 1/);
  expect(() => products({ interactions: [["a"]] })).toThrow(/a list of lists of two names or more/);
  const { pipeline } = plain();
  for (const [terms, inputs] of [
    [[[0, 5]], 5],
    [[[1, 0]], 5],
    [[[0]], 5],
    [[[0, 1]], 4],
  ] as const)
    expect(() => pipeline.with({ kind: "products", inputs, terms } as never)).toThrow(/PIPELINE_STEP/);
});

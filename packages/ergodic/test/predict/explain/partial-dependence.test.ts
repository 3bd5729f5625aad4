/**
 * Partial dependence: equal to predicting raw rows with a changed column, for every coding of columns, and the default
 * grids. Only this file checks values of grids.
 */
import { describe, expect, it } from "vitest";
import { Dataset, fit, linear, OptionError, type Table, trees } from "../../../src/entries/index.ts";
import { hingeLoss } from "../../../src/entries/losses.ts";
import type { RowPredictor } from "../../../src/predict/calibration/description.ts";
import { partialDependence } from "../../../src/predict/explain/partial-dependence.ts";
import { homes, readers } from "./tables.ts";

type Changed = Readonly<Record<string, number | string>>;

/** The table with the same value in every row of some columns. */
function withValues(table: Table, changed: Changed): Table {
  const columns = table.columns.map((column) => {
    const value = changed[column.name];
    if (value === undefined) return column;
    if (column.kind === "number") return { ...column, values: new Float64Array(table.rowCount).fill(value as number) };
    return { ...column, codes: new Int32Array(table.rowCount).fill(column.levels.indexOf(value as string)) };
  });
  return { ...table, columns };
}

/** Predicted numbers of all rows. */
const numbers = (model: RowPredictor, table: Table, changed: Changed): number[] =>
  model.predict(withValues(table, changed)).map(({ value }) => Number(value));

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("equal to predicting changed raw rows", () => {
  for (const [coding, read] of Object.entries(readers))
    it(`with the coding ${coding}`, async () => {
      const [table, fresh] = [homes(1, 150, { gaps: 0.1 }), homes(2, 40, { gaps: 0.1 })];
      const rows = read(table);
      const grown = coding === "cells" ? await fit(trees({ leaves: 5 }), rows, { epochs: 5 }) : undefined;
      const model = grown ?? (await fit(linear({ l2: 0.1 }), rows, { epochs: 5 }));
      const data = model.pipeline.apply(fresh, { target: true });
      for (const name of ["town", "size"]) {
        const { grid, values, curves, outputs, columns } = partialDependence(model, data, name, { grid: 7, curves: true });
        expect([outputs, columns, grid.length]).toEqual([["price"], [name], 1]);
        const points = grid[0];
        points.forEach((value, g) => {
          const wanted = numbers(model, fresh, { [name]: value });
          expect(values[g]).toBeCloseTo(mean(wanted), 5);
          wanted.forEach((one, i) => {
            expect(curves![i * points.length + g]).toBeCloseTo(one, 5);
          });
        });
        expect(curves).toHaveLength(40 * points.length);
        expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.1);
      }
      const both = partialDependence(model, data, ["size", "town"], {
        grid: [
          [-1, 0.5],
          ["Lima", "Oslo", "Bern"],
        ],
      });
      expect(both.grid).toEqual([
        [-1, 0.5],
        ["Lima", "Oslo", "Bern"],
      ]);
      expect(both.curves).toBeUndefined();
      [-1, 0.5].forEach((size, a) => {
        ["Lima", "Oslo", "Bern"].forEach((town, b) => {
          expect(both.values[3 * a + b]).toBeCloseTo(mean(numbers(model, fresh, { size, town })), 5);
        });
      });
    });

  it("for the probabilities of classes, with row weights", async () => {
    const table = homes(3, 120);
    const { values: price } = table.columns.find(({ name }) => name === "price") as { values: Float64Array };
    for (const cuts of [[0.5], [0, 1.5]]) {
      const codes = Int32Array.from(price, (y) => cuts.filter((cut) => y > cut).length);
      const levels = ["low", "mid", "top"].slice(0, cuts.length + 1);
      const weights = Float64Array.from(codes, (_, i) => 0.5 + (i % 3));
      const columns = [
        ...table.columns.filter(({ name }) => name !== "price"),
        { name: "kind", kind: "category" as const, levels, codes },
        { name: "weight", kind: "number" as const, values: weights },
      ];
      const full = { ...table, columns };
      const data = Dataset.fromTable(full, { target: "kind", weights: "weight", encode: "none" });
      const model = await fit(trees({ leaves: 4 }), data, { epochs: 4 });
      const { outputs, values } = partialDependence(model, data, "size", { grid: [-0.5, 1] });
      expect(outputs).toEqual(cuts.length === 1 ? ["mid"] : levels);
      [-0.5, 1].forEach((size, g) => {
        const answers = model.predict(withValues(full, { size }));
        for (const [k, output] of outputs.entries()) {
          const sum = answers.reduce((all, { probabilities }, i) => all + weights[i] * probabilities![output], 0);
          expect(values[2 * k + g]).toBeCloseTo(sum / weights.reduce((a, b) => a + b, 0), 9);
        }
      });
    }
  });

  it("in the units of the table, for standardised data", async () => {
    const fresh = homes(5, 100);
    const plain = readers.dense(fresh);
    const line = linear({ l2: 0.1, standardise: false });
    const model = await fit(line, plain.standardise(), { epochs: 5 });
    const found = partialDependence(model, plain.standardise(), "size", { grid: 5 });
    expect(found.grid[0]).toEqual(
      partialDependence(await fit(line, plain, { epochs: 1 }), plain, "size", { grid: 5 }).grid[0].map((value) =>
        expect.closeTo(value as number, 5),
      ),
    );
    found.grid[0].forEach((size, g) => {
      expect(found.values[g]).toBeCloseTo(mean(numbers(model, fresh, { size })), 5);
    });
    const levels = partialDependence(model, plain.standardise(), "town");
    expect(levels.values[1]).toBeCloseTo(mean(numbers(model, fresh, { town: "Lima" })), 5);
  });

  it("for the score of a model without probabilities", async () => {
    const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), i % 2]);
    const data = Dataset.fromArrays({ x, y: x.map(([, b]) => (b ? "odd" : "even")), names: ["a", "b"] });
    const model = await fit(linear({ loss: hingeLoss() }), data, { epochs: 20 });
    const { outputs, values } = partialDependence(model, data, "b", { grid: [0, 1] });
    expect(outputs).toEqual(["odd"]);
    expect(values[0]).toBeLessThan(0);
    expect(values[1]).toBeGreaterThan(0);
    const plain = Dataset.fromArrays({ x: x.map(([a]) => [a, 1]), y: x.map(() => "odd"), names: ["a", "b"] });
    expect(values[1]).toBeCloseTo(mean([...model.outputs(plain)]), 6);
  });
});

describe("default grids", () => {
  const rows = (first: readonly number[]) =>
    Dataset.fromArrays({ x: first.map((v, i) => [v, i % 2]), y: first.map((_, i) => i), names: ["a", "b"], type: "f64" });
  const gridOf = async (first: readonly number[], options = {}) => {
    const data = rows(first);
    const model = await fit(linear({ loss: "squared" }), data, { epochs: 1 });
    return partialDependence(model, data, "a", options).grid[0];
  };

  it("are the values themselves if there are few", async () => {
    expect(await gridOf([3, 1, 2, 1, 3, 5])).toEqual([1, 2, 3, 5]);
    expect(await gridOf([4, 4, 4])).toEqual([4]);
  });

  it("are otherwise equally spaced between two quantiles", async () => {
    const grid = await gridOf(
      Array.from({ length: 101 }, (_, i) => i / 10),
      { grid: 4 },
    );
    expect(grid).toEqual([0.5, 3.5, 6.5, 9.5].map((value) => expect.closeTo(value, 12)));
    expect(await gridOf(Array.from({ length: 101 }, (_, i) => i))).toHaveLength(30);
  });

  it("are the levels of a category", async () => {
    const data = readers.cells(homes(1, 60));
    const model = await fit(trees(), data, { epochs: 1 });
    expect(partialDependence(model, data, "town").grid).toEqual([["Bern", "Lima", "Oslo", "Rome"]]);
  });
});

it("refuses columns, grids and data that do not fit, by name", async () => {
  const data = readers.cells(homes(7, 60));
  const model = await fit(trees(), data, { epochs: 2 });
  const ask = (columns: unknown, options = {}) => partialDependence(model, data, columns as never, options);
  expect(() => ask("rooms")).toThrow(/no column "rooms"; there are town, size, age, sold/);
  expect(() => ask("sold")).toThrow(/column "sold" holds dates/);
  expect(() => ask(["size", "size"])).toThrow(/"size" twice/);
  expect(() => ask(["size", "town", "age"])).toThrow(OptionError);
  expect(() => ask(3)).toThrow(/write "size"/);
  expect(() => ask("town", { grid: ["Paris"] })).toThrow(/"Paris", which is not a level.*Bern, Lima/);
  expect(() => ask("size", { grid: ["Bern"] })).toThrow(/grid of column "size"/);
  expect(() => ask("size", { grid: [] })).toThrow(OptionError);
  expect(() => ask("size", { grid: 1 })).toThrow(OptionError);
  expect(() => ask(["size", "age"], { grid: [1, 2] })).toThrow(/a list of values for each column/);
  expect(() => ask(["size", "age"], { grid: [Array(101).fill(0), Array(100).fill(0)] })).toThrow(/10100 points/);
  expect(() => ask(["size", "age"], { curves: true })).toThrow(/curves is for one column/);
  expect(() => partialDependence(model, {} as never, "size")).toThrow(/data is .*must be a Dataset/);
});

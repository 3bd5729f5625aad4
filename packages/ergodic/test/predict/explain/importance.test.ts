/**
 * Importance: sums over splits, and permutation equal to shuffling the raw table for every coding of columns. Only this
 * file checks which columns belong together.
 */
import { describe, expect, it } from "vitest";
import { rff } from "../../../src/entries/data.ts";
import {
  CapabilityError,
  Dataset,
  dense,
  factorisation,
  fit,
  linear,
  network,
  OptionError,
  Ratings,
  stream,
  type Table,
  trees,
} from "../../../src/entries/index.ts";
import { hingeLoss, poissonLoss } from "../../../src/entries/losses.ts";
import type { RowPredictor } from "../../../src/predict/calibration/description.ts";
import { importance } from "../../../src/predict/explain/importance.ts";
import { homes, readers } from "./tables.ts";

/** The table with the column shuffled as the function documents: Fisher–Yates from the end. */
function shuffled(table: Table, name: string, seed: number, repeat: number): Table {
  const draws = stream(seed, "importance", name).at(repeat);
  const order = Array.from({ length: table.rowCount }, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = draws.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const columns = table.columns.map((column) => {
    if (column.name !== name) return column;
    if (column.kind === "number") return { ...column, values: Float64Array.from(order, (i) => column.values[i]) };
    return { ...column, codes: Int32Array.from(order, (i) => column.codes[i]) };
  });
  return { ...table, columns };
}

/** Permutation importance by its definition, on raw tables. */
function reference(model: RowPredictor, table: Table, loss: "rmse" | "logLoss" | "deviance", seed: number, repeats: number) {
  const lossOf = (given: Table): number => {
    using data = model.pipeline.apply(given, { target: true });
    return (model.evaluate(data) as Record<string, number>)[loss];
  };
  return table.columns
    .filter(({ name }) => name !== model.targetName)
    .map(({ name }) => {
      const rises = Array.from({ length: repeats }, (_, r) => lossOf(shuffled(table, name, seed, r)) - lossOf(table));
      const value = rises.reduce((a, b) => a + b, 0) / repeats;
      const variance = rises.reduce((a, b) => a + (b - value) ** 2, 0) / (repeats - 1);
      return { column: name, value, standardError: Math.sqrt(variance / repeats) };
    })
    .sort((a, b) => b.value - a.value);
}

function expectEqual(found: ReturnType<typeof importance>, wanted: ReturnType<typeof reference>): void {
  expect(found.map(({ column }) => column).sort()).toEqual(wanted.map(({ column }) => column).sort());
  for (const { column, value, standardError } of found) {
    const same = wanted.find((one) => one.column === column)!;
    expect(value, column).toBeCloseTo(same.value, 6);
    expect(standardError, column).toBeCloseTo(same.standardError, 6);
  }
  const values = found.map(({ value }) => value);
  expect(values).toEqual([...values].sort((a, b) => b - a));
}

describe("by permutation, equal to shuffling the raw table", () => {
  for (const [coding, read] of Object.entries(readers))
    it(`with the coding ${coding}`, async () => {
      const [table, fresh] = [homes(1, 150, { gaps: 0.1 }), homes(2, 90, { gaps: 0.1 })];
      const rows = read(table);
      const grown = coding === "cells" ? await fit(trees({ leaves: 5 }), rows, { epochs: 5 }) : undefined;
      const model = grown ?? (await fit(linear({ l2: 0.1 }), rows, { epochs: 5 }));
      const data = model.pipeline.apply(fresh, { target: true });
      const found = importance(model, { data, seed: 3, repeats: 4 });
      expectEqual(found, reference(model, fresh, "rmse", 3, 4));
      expect(new Set(found.slice(0, 2).map(({ column }) => column))).toEqual(new Set(["town", "size"]));
    });

  it("with row weights, classes and standardised columns", async () => {
    const table = homes(3, 120);
    const price = table.columns.find(({ name }) => name === "price")!;
    const codes = Int32Array.from((price as { values: Float64Array }).values, (y) => Number(y > 0.5));
    const weight = { name: "weight", kind: "number" as const, values: Float64Array.from(codes, (_, i) => 0.5 + (i % 3)) };
    const other = { name: "price", kind: "category" as const, levels: ["low", "top"], codes };
    const classes: Table = { ...table, columns: [...table.columns.filter((one) => one !== price), other, weight] };
    const data = Dataset.fromTable(classes, { target: "price", weights: "weight" }).standardise();
    const model = await fit(linear({ l2: 0.1 }), data, { epochs: 5 });
    const found = importance(model, { data, seed: 1, repeats: 2 });
    const wanted = reference(model, { ...classes }, "logLoss", 1, 2).filter(({ column }) => column !== "weight");
    expectEqual(found, wanted);
  });

  it("of a network, of counts, and of a model whose own features mix columns", async () => {
    const draws = stream(4, "rows").at(0);
    const x = Array.from({ length: 80 }, () => [draws.normal(), draws.normal()]);
    const y = x.map(([a]) => a);
    const data = Dataset.fromArrays({ x, y, names: ["a", "b"] });
    const models = [
      await fit(network([dense(1)]), data, { epochs: 20 }),
      await fit(linear({ features: rff({ count: 30 }), loss: "squared" }), data, { epochs: 20 }),
      await fit(
        trees({ loss: poissonLoss() }),
        Dataset.fromArrays({ x, y: y.map((v) => Math.round(Math.exp(v))), names: ["a", "b"] }),
      ),
    ];
    for (const model of models) {
      const own =
        model === models[2] ? Dataset.fromArrays({ x, y: y.map((v) => Math.round(Math.exp(v))), names: ["a", "b"] }) : data;
      const found = importance(model as RowPredictor, { data: own, repeats: 3 });
      expect(found.map(({ column }) => column)).toEqual(["a", "b"]);
      const loss = model === models[2] ? "deviance" : "rmse";
      const columns = ["a", "b"].map((name, j) => ({
        name,
        kind: "number" as const,
        values: Float64Array.from(x, (row) => row[j]),
      }));
      const target = { name: own.target.name, kind: "number" as const, values: own.target.values };
      expectEqual(
        found,
        reference(model as RowPredictor, { source: "t", rowCount: 80, columns: [...columns, target] }, loss, 0, 3),
      );
    }
  });

  it("counts mistakes if the model has no probabilities", async () => {
    const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), i % 2]);
    const data = Dataset.fromArrays({ x, y: x.map(([, b]) => (b ? "odd" : "even")), names: ["a", "b"] });
    const model = await fit(linear({ loss: hingeLoss() }), data, { epochs: 20 });
    expect(model.evaluate(data).accuracy).toBe(1);
    const [first, second] = importance(model, { data, repeats: 1 });
    expect(first).toMatchObject({ column: "b" });
    expect(first.value).toBeGreaterThan(0.2);
    expect(Math.round(first.value * 60)).toBeCloseTo(first.value * 60, 9);
    expect(second.value).toBeLessThan(0.2);
    expect(Object.keys(first)).toEqual(["column", "value"]);
  });

  it("depends on the seed alone", async () => {
    const data = readers.cells(homes(5, 80));
    const model = await fit(trees(), data, { epochs: 3 });
    const [a, b, c] = [1, 1, 2].map((seed) => importance(model, { data, seed }));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect(importance(model, { data })).toEqual(importance(model, { by: "permutation", data, seed: 0, repeats: 5 }));
  });
});

describe("by splits", () => {
  it("sums the splits of each column of the table", async () => {
    const table = homes(6, 200);
    for (const read of [readers.cells, readers.dense]) {
      const model = await fit(trees({ leaves: 6 }), read(table), { epochs: 8 });
      const { feature, gain, cover } = model.ensemble;
      const owner = model.columns.map((name) => (/^sold/.test(name) ? "sold" : name.split("=")[0]));
      const wanted = (amount: (n: number) => number) => {
        const sums = new Map(["town", "size", "age", "sold"].map((name) => [name, 0]));
        for (let n = 0; n < feature.length; n++)
          if (feature[n] >= 0) sums.set(owner[feature[n]], sums.get(owner[feature[n]])! + amount(n));
        return [...sums].map(([column, value]) => ({ column, value })).sort((a, b) => b.value - a.value);
      };
      const close = (list: { column: string; value: number }[]) =>
        list.map(({ column, value }) => ({ column, value: expect.closeTo(value, 6) }));
      expect(importance(model)).toEqual(close(wanted((n) => gain[n])));
      expect(importance(model, { by: "splits" })).toEqual(wanted(() => 1));
      expect(importance(model, { by: "cover" })).toEqual(close(wanted((n) => cover[n])));
      expect(wanted(() => 1)[0].value).toBeGreaterThan(3);
    }
  });

  it("lists columns that no split uses, last", async () => {
    const data = Dataset.fromArrays({ x: [1, 2, 3, 4].map((v) => [7, v]), y: [0, 0, 1, 1], names: ["same", "v"] });
    const model = await fit(trees({ minHessian: 0.5, minRows: 1 }), data, { epochs: 1 });
    const [first, last] = importance(model);
    expect(first.column).toBe("v");
    expect(last).toEqual({ column: "same", value: 0 });
  });
});

it("refuses models, measures and options that do not fit, by name", async () => {
  const data = readers.cells(homes(7, 60));
  const model = await fit(trees(), data, { epochs: 2 });
  const x = [[1], [2], [3]];
  const line = await fit(linear({ loss: "squared" }), Dataset.fromArrays({ x, y: [1, 2, 3] }), { epochs: 1 });
  const ratings = Ratings.fromTriples({ users: [0, 0, 1], items: [0, 1, 0], values: [1, 2, 3] });
  const recommender = await fit(factorisation({ rank: 1 }), ratings, { epochs: 1 });
  expect(() => importance(line)).toThrow(CapabilityError);
  expect(() => importance(line)).toThrow(/of kind linear.*by: "permutation"/);
  expect(() => importance(recommender as never, { data })).toThrow(/predicts ratings/);
  expect(() => importance({} as never, { data })).toThrow(OptionError);
  expect(() => importance(model, { by: "permutation" })).toThrow(/data is undefined, but must be a Dataset/);
  expect(() => importance(model, { by: "weight" as never })).toThrow(/"gain", "splits", "cover", "permutation"/);
  for (const given of [{ data }, { seed: 1 }, { repeats: 2 }])
    expect(() => importance(model, { by: "gain", ...given })).toThrow(/is for by: "permutation", but by is "gain"/);
  expect(() => importance(model, { data, repeats: 0 })).toThrow(OptionError);
  expect(() => importance(model, { data, seed: -1 })).toThrow(OptionError);
  const without = Object.assign(Object.create(model), { ensemble: { ...model.ensemble, gain: new Float64Array(0) } });
  expect(() => importance(without)).toThrow(/no gain.*use by: "splits"/);
  expect(importance(without, { by: "splits" })).toEqual(importance(model, { by: "splits" }));
});

/**
 * Models with very many columns, levels or names are saved compactly and loaded. Models that no reader would accept are
 * refused when they are saved.
 */
import { describe, expect, it } from "vitest";
import { Dataset, factorisation, fit, linear, Ratings } from "../../src/entries/everything.ts";
import { FactorPredictor } from "../../src/predict/factorisation.ts";
import type { LinearPredictor } from "../../src/predict/linear.ts";
import { predictor } from "../../src/predict/load.ts";
import { power } from "../power.ts";

/** More items than a call accepts as arguments. */
const MANY = power(140_000, 1_000_000);

/** A sparse table of few rows. */
function sparse(columnCount: number, names?: string[]): Dataset {
  return Dataset.fromSparse({
    source: "wide",
    rowCount: 3,
    columnCount,
    ...(names ? { names } : {}),
    rowStart: Uint32Array.of(0, 2, 4, 5),
    columnIndex: Uint32Array.of(0, columnCount - 1, 5, columnCount - 1, 7),
    values: Float64Array.of(1, 2, 3, -1, 0.5),
    target: Float64Array.of(0, 1, 2),
  });
}

const sameBytes = (a: Float64Array, b: Float64Array): boolean => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
/** Compares lists, because expect().toEqual takes seconds for this many items. */
const same = (a: readonly unknown[], b: readonly unknown[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

async function kept(model: LinearPredictor): Promise<{ found: LinearPredictor; bytes: number }> {
  const bytes = model.toBytes();
  const found = await predictor<LinearPredictor>(bytes);
  expect(sameBytes(found.weights, model.weights) && sameBytes(found.intercept, model.intercept)).toBe(true);
  expect(Buffer.from(found.toBytes()).equals(Buffer.from(bytes))).toBe(true);
  return { found, bytes: bytes.length };
}

describe("large saved models", () => {
  it("stores 2 ** 18 hashed columns in about the bytes of their weights", async () => {
    const table = {
      source: "t.csv",
      rowCount: 4,
      columns: [
        { name: "y", kind: "number" as const, values: Float64Array.of(1, 2, 3, 5) },
        { name: "word", kind: "category" as const, levels: ["a", "b", "c"], codes: Int32Array.of(0, 1, 2, 0) },
      ],
    };
    using data = Dataset.fromTable(table, { target: "y", hash: 18 });
    const model = await fit(linear(), data, { epochs: 1 });
    const { found, bytes } = await kept(model);
    expect(bytes).toBeLessThan(8 * 2 ** 18 + 4096);
    expect(found.columns.length).toBe(2 ** 18);
    expect(found.description.columns).toBe(found.pipeline.names);
    expect(found.predict({ word: "c" })).toEqual(model.predict({ word: "c" }));
  });

  it("stores hundreds of thousands of unnamed columns", async () => {
    using data = sparse(400_000);
    const { bytes } = await kept(await fit(linear(), data, { epochs: 1 }));
    expect(bytes).toBeLessThan(8 * 400_000 + 4096);
  });

  it("stores hundreds of thousands of named columns", async () => {
    const names = Array.from({ length: MANY }, (_, j) => `gène ${j}`);
    using data = sparse(MANY, names);
    const model = await fit(linear({ standardise: true }), data, { epochs: 1 });
    const { found } = await kept(model);
    expect(same(found.columns, names)).toBe(true);
    const last = `gène ${MANY - 1}`;
    expect(found.predict({ "gène 5": 3, [last]: -1 })).toEqual(model.predict({ "gène 5": 3, [last]: -1 }));
  });

  it("stores a category with hundreds of thousands of levels", async () => {
    const levels = Array.from({ length: MANY }, (_, j) => `level ${j}`);
    const codes = Int32Array.from(levels.keys());
    const y = Float64Array.from(codes, (code) => code % 7);
    const columns = [
      { name: "y", kind: "number" as const, values: y },
      { name: "id", kind: "category" as const, levels, codes },
    ];
    using data = Dataset.fromTable({ source: "ids.csv", rowCount: MANY, columns }, { target: "y" });
    const model = await fit(linear(), data, { epochs: 1 });
    const { found } = await kept(model);
    expect(found.predict({ id: "level 123456" })).toEqual(model.predict({ id: "level 123456" }));
  });

  it("stores two thousand table columns of both kinds", async () => {
    const count = 2000;
    const columns = Array.from({ length: count }, (_, j) =>
      j % 3 === 0
        ? { name: `k${j}`, kind: "category" as const, levels: ["no", `yes ${j}`], codes: Int32Array.of(0, 1) }
        : { name: `v${j}`, kind: "number" as const, values: Float64Array.of(j, 1) },
    );
    const y = { name: "y", kind: "number" as const, values: Float64Array.of(0, 1) };
    using data = Dataset.fromTable(
      { source: "wide.csv", rowCount: 2, columns: [...columns, y] },
      { target: "y", impute: "mean" },
    );
    const model = await fit(linear(), data, { epochs: 1 });
    const { found } = await kept(model);
    expect(found.pipeline.steps).toEqual(model.pipeline.steps);
    expect(JSON.stringify(found.pipeline)).toBe(JSON.stringify(model.pipeline));
  });

  it("stores hundreds of thousands of named users", async () => {
    const users = Array.from({ length: MANY }, (_, u) => `user ${u}`);
    const items = users.map((_, u) => u % 10);
    using ratings = Ratings.fromTriples({ users, items, values: items.map((i) => 1 + (i % 5)) });
    const model = await fit(factorisation({ rank: 2 }), ratings, { epochs: 1 });
    const bytes = model.toBytes();
    const found = await predictor<FactorPredictor>(bytes);
    expect(found).toBeInstanceOf(FactorPredictor);
    expect(same(found.users.names, model.users.names)).toBe(true);
    expect(found.items.names).toEqual(model.items.names);
    const pair = { user: "user 77", item: 3 };
    expect(found.predict(pair)).toEqual(model.predict(pair));
  });
});

/** Queries: rows drawn with replacement in the form of the input. Also tests named refusals. */
import { describe, expect, it } from "vitest";
import { Dataset, measure, type SparseTable, type Table } from "../../../src/entries/everything.ts";
import { queriesOf } from "../../../src/predict/measure/queries.ts";

const table: Table = {
  rowCount: 3,
  columns: [
    { name: "age", kind: "number", values: Float64Array.of(10, 20, 30) },
    { name: "work", kind: "category", codes: Int32Array.of(2, 0, 1), levels: ["a", "b", "c"] },
  ],
  source: "people",
};

describe("sampled queries", () => {
  it("are tables of whole rows for a table", () => {
    const queries = queriesOf(table, 40, 0);
    const { rowCount, columns, source } = queries.at(7) as Table;
    expect([rowCount, source]).toEqual([40, "people"]);
    const [age, work] = columns;
    if (age.kind !== "number" || work.kind !== "category") throw new Error("kinds");
    expect([age.values.length, work.codes.length]).toEqual([40, 40]);
    const pairs = Array.from(age.values, (value, i) => `${value}${work.levels[work.codes[i]]}`);
    expect([...new Set(pairs)].sort()).toEqual(["10c", "20a", "30b"]);
  });

  it("contain entries, targets, weights and offsets of a sparse table", () => {
    const sparse: SparseTable = {
      ...{ rowCount: 3, columnCount: 9, rowStart: Uint32Array.of(0, 2, 2, 3), columnIndex: Uint32Array.of(1, 4, 8) },
      ...{ values: Float32Array.of(0.5, 2, 3), target: Float64Array.of(7, 8, 9), weights: Float64Array.of(1, 2, 3), source: "s" },
      offset: Float64Array.of(4, 5, 6),
    };
    const { rowStart, columnIndex, values, target, weights, offset, rowCount } = queriesOf(sparse, 30, 1).at(0) as SparseTable;
    const shown = Array.from({ length: rowCount }, (_, i) => {
      const part = [rowStart[i], rowStart[i + 1]] as const;
      return `${[...columnIndex.slice(...part)]} ${[...values.slice(...part)]} ${target[i]} ${weights![i]} ${offset![i]}`;
    });
    expect([...new Set(shown)].sort()).toEqual(["  8 2 5", "1,4 0.5,2 7 1 4", "8 3 9 3 6"]);
  });

  it("are datasets for a dataset, and their memory is freed", () => {
    const data = Dataset.fromArrays({ x: [[1], [2], [3]], y: [1, 2, 3] });
    const queries = queriesOf(data, 5, 0);
    const query = queries.at(0) as Dataset;
    expect(query.rowCount).toBe(5);
    for (let i = 0; i < 5; i++) expect(query.row(i)[0]).toBe(query.target.values[i]);
    queries.dispose();
    expect([query.disposed, data.disposed]).toEqual([true, false]);
  });

  it("depend on the seed, differ from each other, and repeat in order", () => {
    const list = Array.from({ length: 1000 }, (_, i) => i);
    const of = (seed: number): unknown[] => Array.from({ length: 20 }, (_, i) => queriesOf(list, 1, seed).at(i));
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    const queries = queriesOf(list, 2, 1);
    expect(queries.at(0)).not.toEqual(queries.at(1));
    expect(queries.at(256)).toBe(queries.at(0));
  });
});

describe("refused measurements", () => {
  const predict = (): number => 1;

  it.each([
    [undefined, "inputs is undefined"],
    [5, "inputs is 5"],
    [[], "inputs is an array of 0"],
    [{ a: 1 }, "inputs is an object"],
  ])("refuses inputs %j", async (inputs, said) => {
    await expect(measure(predict, inputs as never)).rejects.toThrow(new RegExp(`^measure: ${said}.*OPTION_TYPE`));
  });

  it.each([[undefined], [{}], [{ predict: 1 }]])("refuses the predictor %j", async (predictor) => {
    await expect(measure(predictor as never, [[1]])).rejects.toThrow(
      /^measure: the predictor is .* but must be a predictor or a function of rows/,
    );
  });

  it.each([
    [{ scenario: "burst" }, /scenario is "burst", but must be one of "singleStream", "multiStream", "server", "offline"/],
    [
      { p99Ms: 5 },
      /p99Ms belongs to the scenario "server", but the scenario is "singleStream"; leave one out \[OPTION_CONFLICT\]/,
    ],
    [{ scenario: "offline", rate: 5 }, /rate belongs to the scenario "server"/],
    [{ scenario: "server", rows: 5 }, /rows belongs to the scenario "offline"/],
    [{ senario: "server" }, /unknown option "senario" \(known: scenario, batch, rows/],
    [{ clock: { now: 1 } }, /clock is .* but must be a clock/],
  ])("refuses options %j", async (options, said) => {
    await expect(measure(predict, [[1]], options as never)).rejects.toThrow(said);
  });

  it("refuses an aborted signal before any call", async () => {
    const failed = measure(
      () => {
        throw new Error("called");
      },
      [[1]],
      { signal: AbortSignal.abort(new Error("no")) },
    );
    await expect(failed).rejects.toThrow("no");
  });
});

it("calls the given function instead of predict", async () => {
  const seen = new Set<unknown>();
  const call = (row: unknown): void => void seen.add(row);
  const model = {
    predict: () => {
      throw new Error("not this");
    },
  };
  await measure(model, ["a", "b"], { call, seconds: 1e-9, queries: 44, warmup: 0 });
  expect([...seen].sort()).toEqual(["a", "b"]);
});

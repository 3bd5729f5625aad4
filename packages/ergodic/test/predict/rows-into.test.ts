/** Errors of predictions for lists of rows: those of a row name the row, and all others stay as they are. Lists of rows open no pipeline. */
import { describe, expect, it, vi } from "vitest";
import { Dataset, fit, linear } from "../../src/entries/everything.ts";

const data = Dataset.fromArrays({
  x: [
    [1, 2],
    [3, 4],
    [5, 7],
  ],
  y: ["a", "b", "c"],
});
const model = await fit(linear(), data, { epochs: 1, seed: 1 });

it.each([
  ["a matrix", Float64Array.of(1, 2, 3, 4)],
  ["rows", [Float64Array.of(1, 2), Float64Array.of(3, 4)]],
])("throws an error that no row of %s caused", (_, rows) => {
  const failing = vi.spyOn(model as unknown as { scoresInto(): void }, "scoresInto").mockImplementation(() => {
    throw new RangeError("the kernel failed");
  });
  expect(() => model.predictInto(rows as Float64Array, new Float64Array(6))).toThrow("the kernel failed");
  failing.mockRestore();
});

it("refuses an array with room for the rows, but not for all classes", () => {
  const rows = Float64Array.of(1, 2, 3, 4);
  expect(model.predictInto(rows, new Float64Array(6))).toBe(2);
  expect(() => model.predictInto(rows, new Float64Array(5))).toThrow(/room for 5 numbers, but 2 rows have 6/);
});

it("refuses a matrix that ends within a row", () => {
  expect(() => model.predictInto(Float64Array.of(1, 2, 3), new Float64Array(6))).toThrow(
    /3 numbers, which are not whole rows of 2/,
  );
});

it("frees the rows that it makes to evaluate a dataset, but not the dataset", async () => {
  for (const [standardise, made] of [
    [true, 1],
    [false, 0],
  ] as const) {
    const fitted = await fit(linear({ standardise }), data, { epochs: 1, seed: 1 });
    const freed = vi.spyOn(Dataset.prototype, "dispose");
    fitted.evaluate(data);
    expect(freed).toHaveBeenCalledTimes(made);
    expect(freed.mock.contexts).not.toContain(data);
    freed.mockRestore();
  }
});

describe("a list of rows", () => {
  const rows = [
    [1, 2],
    [9, 4],
    [-5, 7],
  ];
  const named = rows.map(([x0, x1]) => ({ x0, x1 }));

  it.each([
    ["arrays", rows],
    ["objects", named],
  ])("gives the predictions of its rows: %s", async (_, given) => {
    for (const standardise of [true, false]) {
      const fitted = await fit(linear({ standardise }), data, { epochs: 1, seed: 1 });
      const one = given.map((row) => fitted.predict(row as number[]));
      expect(fitted.predict(given as number[][])).toEqual(one);
      expect(fitted.predict([given[1]] as number[][])).toEqual([one[1]]);
      // The pipeline of an earlier call does not decide how the rows of this call are read.
      expect(fitted.predict(named)).toEqual(fitted.predict(rows));
    }
  });

  it("names the row that cannot be read, and reads the next list", () => {
    expect(() => model.predict([[1, 2], [3]])).toThrow(/row 2/);
    expect(() => model.predict([[1, 2], { x0: 1, x1: 2 } as never])).toThrow(/row 2/);
    expect(() => model.predict([{ x0: 1, x1: 2 }, { x0: 1 } as never])).toThrow(/row 2/);
    expect(() => model.predict([])).toThrow(/0 rows/);
    expect(model.predict([[1, 2]])).toEqual([model.predict([1, 2])]);
  });

  it("opens the pipeline once", () => {
    const fresh = vi.spyOn(model.pipeline, "rowsOf");
    for (let i = 0; i < 3; i++) model.predict([[1, 2]]);
    expect(fresh).not.toHaveBeenCalled();
    fresh.mockRestore();
  });
});

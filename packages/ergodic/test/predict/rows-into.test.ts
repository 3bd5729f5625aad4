/** Errors of predictions into the caller's array: those of a row name the row, and all others stay as they are. */
import { expect, it, vi } from "vitest";
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

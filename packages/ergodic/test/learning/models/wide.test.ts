/**
 * Linear models with very many columns: memory use, and models too large for memory, which are refused before
 * allocation.
 */
import { afterEach, expect, test, vi } from "vitest";
import { StepPipeline } from "../../../src/engine/data/pipeline.ts";
import { murmur3 } from "../../../src/engine/data/transformations/murmur.ts";
import { Dataset, fit, gradientDescent, linear, sgd } from "../../../src/entries/everything.ts";
import { LinearProblem } from "../../../src/learning/models/linear/problem.ts";

afterEach(() => vi.restoreAllMocks());

/** Two rows: 1 in the first column, and 1 in the last. */
function wide(columnCount: number): Dataset {
  return Dataset.fromSparse(
    {
      rowCount: 2,
      columnCount,
      rowStart: Uint32Array.of(0, 1, 2),
      columnIndex: Uint32Array.of(0, columnCount - 1),
      values: Float64Array.of(1, 1),
      target: Float64Array.of(1, 0),
      source: "wide.svm",
    },
    { classes: true },
  );
}

test("learns millions of columns without creating their names or penalty weights", async () => {
  const names = vi.spyOn(StepPipeline.prototype, "names", "get");
  const perParameter = vi.spyOn(LinearProblem.prototype as unknown as { perParameter(): Float64Array }, "perParameter");
  const model = await fit(linear(), wide(2e6), { epochs: 1, workers: 1, batch: 1 });
  const bytes = model.toBytes();
  expect(model.weights).toHaveLength(2e6);
  expect(model.weights[0]).toBeGreaterThan(0);
  expect(model.weights[2e6 - 1]).toBeLessThan(0);
  expect(bytes.length).toBeLessThan(16e6 + 5000);
  expect(names).not.toHaveBeenCalled();
  expect(perParameter).not.toHaveBeenCalled();
});

test("creates the weights of a penalty once", async () => {
  const perParameter = vi.spyOn(LinearProblem.prototype as unknown as { perParameter(): Float64Array }, "perParameter");
  await fit(linear({ l1: 0.01 }), wide(5), { epochs: 3, workers: 1, algorithm: gradientDescent({ rule: sgd({ rate: 0.1 }) }) });
  // The density of columns is also requested once.
  expect(perParameter.mock.calls.length).toBe(2);
});

test.each([
  [
    {},
    /^linear: a model of 2000000000 columns would take 74\.5 GiB, but at most .* is available; hash them to fewer: hash: 20 \[MEMORY_LIMIT\]$/,
  ],
  [
    { standardise: true },
    /^wide.svm: moments of 2000000000 columns would take 91\.3 GiB, .*; hash them to fewer: hash: 20 \[MEMORY_LIMIT\]$/,
  ],
  [
    { l2: "auto" },
    /^wide.svm: moments of 2000000000 columns would take 91\.3 GiB, .*; hash them to fewer: hash: 20 \[MEMORY_LIMIT\]$/,
  ],
] as const)("refuses two billion columns: %j", async (options, message) => {
  await expect(fit(linear(options), wide(2e9))).rejects.toThrow(message);
});

test("counts outputs in the size limit", async () => {
  const rows = { rowCount: 3, columnCount: 3e8, rowStart: Uint32Array.of(0, 1, 2, 3), columnIndex: Uint32Array.of(0, 1, 2) };
  const table = { ...rows, values: Float64Array.of(1, 1, 1), target: Float64Array.of(0, 1, 2), source: "t" };
  await expect(fit(linear(), Dataset.fromSparse(table, { classes: true }))).rejects.toThrow(
    "linear: a model of 300000000 columns of 3 outputs would take 33.5 GiB",
  );
});

test("hashes two billion columns without their names", async () => {
  const hashed = wide(2e9).hash(20);
  expect(hashed.columnCount).toBe(2 ** 20);
  for (const [i, name] of ["x0", "x1999999999"].entries()) {
    const hash = murmur3(name);
    const row = hashed.row(i);
    expect(row[hash & (2 ** 20 - 1)]).toBe(hash >>> 31 ? -1 : 1);
    expect(row.reduce((sum, x) => sum + Math.abs(x), 0)).toBe(1);
  }
  const model = await fit(linear(), hashed, { epochs: 1 });
  expect(model.predict(hashed)).toHaveLength(2);
});

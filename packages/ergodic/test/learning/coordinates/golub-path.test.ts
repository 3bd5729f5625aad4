/**
 * A lasso path on real data with 100 times more columns than rows. An independent checker confirms the gap at every λ.
 */
import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { Dataset, fit, linear } from "../../../src/entries/everything.ts";
import type { LinearPath } from "../../../src/learning/fit/linear-path.ts";
import { isSlow } from "../../power.ts";
import { largestLambda, lassoGap, type Rows } from "../../reference/lasso-gap.ts";

const file = new URL("../../../../../../shared/data/linear/golub.csv", import.meta.url);
const there = existsSync(file);
if (!there) console.warn("golub-path: skipped, ../shared/data/linear/golub.csv is absent");

/** Scales columns to mean 0 and variance 1 (÷ n). The label, first in each line, is 0 (ALL) or 1 (AML). */
function golub(): Rows & { x: Float64Array; y: Float64Array } {
  const cells = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  const rows = cells.map((row) => Float64Array.from(row.slice(1), Number));
  const [rowCount, columnCount] = [rows.length, rows[0].length];
  const x = new Float64Array(rowCount * columnCount);
  for (let j = 0; j < columnCount; j++) {
    const mean = rows.reduce((sum, row) => sum + row[j], 0) / rowCount;
    const deviation = Math.sqrt(rows.reduce((sum, row) => sum + (row[j] - mean) ** 2, 0) / rowCount) || 1;
    for (let i = 0; i < rowCount; i++) x[i * columnCount + j] = (rows[i][j] - mean) / deviation;
  }
  return { x, rowCount, columnCount, y: Float64Array.from(cells, ([label]) => (label === "AML" ? 1 : 0)) };
}

describe.skipIf(!there)(`the path on golub${there ? "" : " (skipped: no ../shared/data)"}`, () => {
  let rows: ReturnType<typeof golub>;
  let path: LinearPath<"number">;
  const nonZeros = (k: number): number => path.weights(k).filter((v) => v !== 0).length;

  beforeAll(async () => {
    rows = golub();
    using data = Dataset.fromArrays({ x: { values: rows.x, columnCount: rows.columnCount }, y: rows.y, type: "f64" });
    path = await fit.path(linear({ loss: "squared", standardise: false }), data, { lambdas: 100, ratio: 0.01 });
  });

  it("has the documented numbers of rows, columns and positive labels", () => {
    expect([rows.rowCount, rows.columnCount, rows.y.filter((y) => y === 1).length]).toEqual([72, 7129, 25]);
  });

  it("starts at the smallest λ with zero coefficients, and falls geometrically to a hundredth", () => {
    const largest = largestLambda(rows);
    // The path omits the last two λ, because more than 99.9 % is explained before them.
    expect(path.lambdas.length).toBe(98);
    expect([path.explained[96] <= 0.999, path.explained[97] > 0.999]).toEqual([true, true]);
    path.lambdas.forEach((lambda, k) => {
      expect(Math.abs(lambda / (largest * 0.01 ** (k / 99)) - 1)).toBeLessThan(1e-12);
    });
    expect(nonZeros(0)).toBe(0);
    expect(path.intercept(0)[0]).toBeCloseTo(25 / 72, 12);
    expect(nonZeros(1)).toBeGreaterThan(0);
  });

  it("reports a relative gap of at most 1e-6 at every λ, correctly", () => {
    expect(Math.max(...path.gaps)).toBeLessThanOrEqual(1e-6);
    path.lambdas.forEach((lambda, k) => {
      // The checker goes through all columns, so in npm test it checks every fifth λ.
      if (!isSlow && k % 5 !== 2) return;
      const { relative } = lassoGap(rows, path.weights(k), path.intercept(k)[0], lambda);
      expect(relative).toBeLessThanOrEqual(1e-6);
      expect(Math.abs(path.gaps[k] - relative)).toBeLessThan(1e-9);
    });
  });
});

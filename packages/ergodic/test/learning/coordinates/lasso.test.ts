/**
 * The lasso on small random problems compared with plain coordinate descent: constant and duplicate columns, ties, and
 * more columns than rows.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { coordinateDescent, Dataset, fit, linear } from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";
import { lassoDescent } from "../../reference/lasso-descent.ts";
import { largestLambda, lassoGap, outputs, type Rows } from "../../reference/lasso-gap.ts";

/** Multiples of 1/8, so that ties, zeros and equal columns do occur. */
const eighths = fc.integer({ min: -16, max: 16 }).map((v) => v / 8);

/** A column: free, constant, or a copy of an earlier one, possibly negated. */
const column = (rowCount: number): fc.Arbitrary<{ values: number[]; again?: number; sign: number }> =>
  fc.record({
    values: fc.oneof(
      { weight: 5, arbitrary: fc.array(eighths, { minLength: rowCount, maxLength: rowCount }) },
      { weight: 1, arbitrary: eighths.map((v) => new Array<number>(rowCount).fill(v)) },
    ),
    again: fc.option(fc.nat(100), { nil: undefined, freq: 4 }),
    sign: fc.constantFrom(1, -1),
  });

const problem: fc.Arbitrary<Rows & { share: number }> = fc
  .record({ rowCount: fc.integer({ min: 2, max: 12 }), columnCount: fc.integer({ min: 1, max: 40 }) })
  .chain(({ rowCount, columnCount }) =>
    fc.record({
      rowCount: fc.constant(rowCount),
      columnCount: fc.constant(columnCount),
      columns: fc.array(column(rowCount), { minLength: columnCount, maxLength: columnCount }),
      y: fc.array(eighths, { minLength: rowCount, maxLength: rowCount }),
      share: fc.double({ min: 0.03, max: 1.1, noNaN: true }),
    }),
  )
  .map(({ columns, ...rest }) => {
    const all: number[][] = [];
    for (const { values, again, sign } of columns) {
      const before = again === undefined || all.length === 0 ? undefined : all[again % all.length];
      all.push(before ? before.map((v) => sign * v) : values);
    }
    return {
      ...rest,
      x: Array.from({ length: rest.rowCount * rest.columnCount }, (_, at) => valueAt(all, rest.columnCount, at)),
    };
  });

function valueAt(columns: number[][], columnCount: number, at: number): number {
  return columns[at % columnCount][Math.floor(at / columnCount)];
}

it("reaches the objective and fitted values of the twin", async () => {
  const seen = { wide: 0, zero: 0, moved: 0 };
  const check = async ({ share, ...rows }: Rows & { share: number }): Promise<void> => {
    const { x, y, columnCount, rowCount } = rows;
    // l1 stays away from 0 if the target is constant or orthogonal to all columns.
    const l1 = share * Math.max(largestLambda(rows), 1e-3);
    using data = Dataset.fromArrays({ x: { values: Float64Array.from(x), columnCount }, y, type: "f64" });
    const { weights, intercept } = await fit(linear({ loss: "squared", l1, standardise: false }), data, {
      algorithm: coordinateDescent({ tolerance: 1e-12 }),
      epochs: 100_000,
    });
    const twin = lassoDescent(rows, { l1 });
    const found = lassoGap(rows, weights, intercept[0], l1);
    const wanted = lassoGap(rows, twin.weights, twin.intercept, l1);
    // The twin's own certificate: |y| ≤ 2, so objectives are at most 2.
    expect(wanted.primal - wanted.dual).toBeLessThan(1e-12);
    // The relative gap is 1e-12 of an objective of at most 2, and rounding adds to it.
    expect(Math.abs(found.primal - wanted.primal)).toBeLessThan(1e-11);
    // ‖z − z*‖²/(2n) is at most the excess of the objective over its minimum.
    const [z, least] = [outputs(rows, weights, intercept[0]), outputs(rows, twin.weights, twin.intercept)];
    const far = z.reduce((sum, v, i) => sum + (v - least[i]) ** 2, 0) / (2 * rowCount);
    expect(far).toBeLessThan(1e-11);
    if (columnCount > rowCount) seen.wide++;
    if (weights.every((v) => v === 0)) seen.zero++;
    else seen.moved++;
  };
  await fc.assert(fc.asyncProperty(problem, check), { seed: 1, numRuns: power(80, 200) });
  expect(seen.wide).toBeGreaterThan(power(20, 50));
  expect(seen.zero).toBeGreaterThan(power(2, 5));
  expect(seen.moved).toBeGreaterThan(power(40, 100));
});

import { expect, it } from "vitest";
import { SparseBuilder } from "../src/sparse-builder.ts";

it("gives a block weights only if one of its own rows has a weight", () => {
  const builder = new SparseBuilder("rows", 2);
  expect([builder.endRow(1, 2, 0), builder.endRow(0, 1, 0)]).toEqual([false, true]);
  expect([...builder.take(0).weights!]).toEqual([2, 1]);
  builder.endRow(1, 1, 0);
  expect(builder.take(0).weights).toBeUndefined();
});

it("preserves all rows when it grows at 256 and at 512 rows", () => {
  const builder = new SparseBuilder("rows");
  builder.reserve(600);
  for (let i = 0; i < 600; i++) builder.endRow(i, 1 + (i % 2), i + 1);
  const { rowStart, target, weights } = builder.take(0);
  expect([...rowStart]).toEqual(Array.from({ length: 601 }, (_, i) => i));
  expect([...target]).toEqual(Array.from({ length: 600 }, (_, i) => i));
  expect([...weights!]).toEqual(Array.from({ length: 600 }, (_, i) => 1 + (i % 2)));
});

it("preserves all entries when it grows, by as little as needed or to double size, and starts empty after take", () => {
  const builder = new SparseBuilder("rows");
  const wanted: [number, number][] = [];
  for (let i = 0; i < 40; i++) {
    const more = (7 * i) % 5;
    builder.reserve(more);
    expect(builder.values.length).toBeGreaterThanOrEqual(wanted.length + more);
    for (let k = 0; k < more; k++) {
      builder.columnIndex[wanted.length] = i + k;
      builder.values[wanted.length] = i - k / 2;
      wanted.push([i + k, i - k / 2]);
    }
    const { values } = builder;
    builder.reserve(0);
    expect(builder.values).toBe(values);
    builder.endRow(i + 7, 2, wanted.length);
  }
  const { columnIndex, values, rowStart, target, weights, rowCount, columnCount, source } = builder.take(50);
  expect(Array.from(columnIndex, (column, k) => [column, values[k]])).toEqual(wanted);
  expect([rowCount, columnCount, source, rowStart.length, rowStart[40]]).toEqual([40, 50, "rows", 41, wanted.length]);
  const starts = [...rowStart];
  builder.reserve(1);
  builder.values[0] = 9;
  builder.endRow(5, 1, 1);
  const next = builder.take(1);
  expect([next.rowCount, [...next.rowStart], [...next.values], [...next.target]]).toEqual([1, [0, 1], [9], [5]]);
  // The earlier result is unchanged.
  expect(Array.from(columnIndex, (column, k) => [column, values[k]])).toEqual(wanted);
  expect([...rowStart]).toEqual(starts);
  expect([target[0], target.length]).toEqual([7, 40]);
  expect([...weights!]).toEqual(Array.from({ length: 40 }, () => 2));
});

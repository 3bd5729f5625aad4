import { expect, it } from "vitest";
import { SparseBuilder } from "../src/sparse-builder.ts";

it("gives a block weights where one of its own rows has one, and not where one of the block before had", () => {
  const builder = new SparseBuilder("rows", 2);
  expect([builder.endRow(1, 2, 0), builder.endRow(0, 1, 0)]).toEqual([false, true]);
  expect([...builder.take(0).weights!]).toEqual([2, 1]);
  builder.endRow(1, 1, 0);
  expect(builder.take(0).weights).toBeUndefined();
});

it("keeps all rows where it grows, at 256 and at 512 rows", () => {
  const builder = new SparseBuilder("rows");
  builder.reserve(600);
  for (let i = 0; i < 600; i++) builder.endRow(i, 1 + (i % 2), i + 1);
  const { rowStart, target, weights } = builder.take(0);
  expect([...rowStart]).toEqual(Array.from({ length: 601 }, (_, i) => i));
  expect([...target]).toEqual(Array.from({ length: 600 }, (_, i) => i));
  expect([...weights!]).toEqual(Array.from({ length: 600 }, (_, i) => 1 + (i % 2)));
});

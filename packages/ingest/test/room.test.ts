/** Memory of columns is given back at once where that was asked for, and nowhere else. */
import { expect, test } from "vitest";
import { csv } from "../src/formats/csv.ts";
import { readTable } from "../src/index.ts";
import { release, room } from "../src/room.ts";
import { releaseTable, wholeTable } from "../src/rows.ts";
import { openSource } from "../src/source.ts";
import { cells } from "./writers.ts";

const content = `a,b,c\n${Array.from({ length: 100 }, (_, i) => `${i},x${i % 3},${i < 50 ? i : "y"}`).join("\n")}\n`;
const expected = [0, 1, 2].map((j) => Array.from({ length: 100 }, (_, i) => [i, `x${i % 3}`, i < 50 ? String(i) : "y"][j]));

test("numbers are zeros to begin with, and none once they were released", () => {
  for (const releasable of [false, true]) {
    const numbers = room(Float64Array, 5, releasable);
    numbers.subarray(0, 3).fill(2);
    expect([...numbers]).toEqual([2, 2, 2, 0, 0]);
    release(numbers);
    expect(numbers.length).toBe(releasable ? 0 : 5);
  }
});

test("a releasable table is the same table, until it is released", async () => {
  const { table } = await wholeTable(csv, openSource({ content }), {}, true);
  expect(cells(table)).toEqual(expected);
  releaseTable(table);
  expect(table.columns.map((column) => (column.kind === "number" ? column.values : column.codes).length)).toEqual([0, 0, 0]);
});

test("a table for the user lies in plain buffers, which everything takes", async () => {
  const table = await readTable({ content }, { format: "csv" });
  expect(cells(table)).toEqual(expected);
  releaseTable(table);
  expect(cells(table)).toEqual(expected);
});

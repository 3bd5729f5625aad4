/** Memory of columns is released immediately if requested, and not otherwise. */
import { expect, test } from "vitest";
import { csv } from "../src/formats/csv.ts";
import { readTable } from "../src/index.ts";
import { isReleasable, release, room } from "../src/room.ts";
import { releaseTable, wholeTable } from "../src/rows.ts";
import { openSource } from "../src/source.ts";
import { cells } from "./writers.ts";

const content = `a,b,c\n${Array.from({ length: 100 }, (_, i) => `${i},x${i % 3},${i < 50 ? i : "y"}`).join("\n")}\n`;
const expected = [0, 1, 2].map((j) => Array.from({ length: 100 }, (_, i) => [i, `x${i % 3}`, i < 50 ? String(i) : "y"][j]));

test.each([
  [Float64Array, 2048],
  [Int32Array, 4096],
])("initialises numbers to zeros and empties them on release", (Type, enough) => {
  // Smaller arrays use a plain buffer. A resizable buffer needs its own memory mapping, and 60,000 columns would need
  // as many.
  for (const [length, releasable] of [
    [enough, false],
    [enough, true],
    [enough - 1, true],
  ] as const) {
    const numbers = room(Type as typeof Float64Array, length, releasable);
    expect(numbers.length).toBe(length);
    expect(numbers.every((x) => x === 0)).toBe(true);
    numbers.subarray(0, 3).fill(2);
    const freed = releasable && length === enough;
    expect(isReleasable(numbers)).toBe(freed);
    release(numbers);
    expect(numbers.length).toBe(freed ? 0 : length);
  }
});

test("stores short columns of a releasable table in plain buffers, and releases long ones", async () => {
  const rows = (count: number) => `a,b\n${Array.from({ length: count }, (_, i) => `${i},x${i % 3}`).join("\n")}\n`;
  for (const [count, resizable] of [
    [3, false],
    [300, false],
    [5000, true],
  ] as const) {
    const { table } = await wholeTable(csv, openSource({ content: rows(count) }), {}, true);
    const all = table.columns.map((column) => (column.kind === "number" ? column.values : column.codes));
    expect(all.map(({ length }) => length)).toEqual([count, count]);
    expect(all.map((numbers) => isReleasable(numbers))).toEqual([resizable, resizable]);
    if (!resizable) for (const { buffer, byteLength } of all) expect(buffer.byteLength).toBeLessThanOrEqual(2 * byteLength);
  }
});

test("a releasable table has the same contents until it is released", async () => {
  const long = content + Array.from({ length: 5000 }, () => "0,x0,y\n").join("");
  const { table } = await wholeTable(csv, openSource({ content: long }), {}, true);
  expect(cells(table).map((column) => column.slice(0, 100))).toEqual(expected);
  releaseTable(table);
  expect(table.columns.map((column) => (column.kind === "number" ? column.values : column.codes).length)).toEqual([0, 0, 0]);
});

test("a table for the user is stored in plain buffers, which every API accepts", async () => {
  const table = await readTable({ content }, { format: "csv" });
  expect(cells(table)).toEqual(expected);
  releaseTable(table);
  expect(cells(table)).toEqual(expected);
});

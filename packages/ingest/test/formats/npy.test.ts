/** npy files written by NumPy. ../fixtures/README.md lists the calls. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { blocks, read, readNpy, readTable } from "../../src/index.ts";
import { cells, npyBytes } from "../writers.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}.npy`, import.meta.url));

const signed = [
  [-2, 0, 2],
  [-1, 1, 3],
];
const unsigned = [
  [0, 2, 4],
  [1, 3, 5],
];
const halves = [
  [-2.5, -0.5, 1.5],
  [-1.5, 0.5, 2.5],
];

test.each<[string, number[][]]>([
  ...["f4", "f8", "i1", "i2", "i4", "i8", "big-endian"].map((name): [string, number[][]] => [name, signed]),
  ...["u1", "u2", "u4", "u8"].map((name): [string, number[][]] => [name, unsigned]),
  [
    "b1",
    [
      [1, 0, 0],
      [0, 1, 0],
    ],
  ],
  ["fortran", halves],
  ["version2", halves],
  ["version3", halves],
  ["vector", [[0.5, -1, 2]]],
])("%s", async (name, columns) => {
  const table = await readTable(fixture(name));
  expect(table.columns.map((column) => column.name)).toEqual(columns.map((_, j) => `x${j}`));
  expect(cells(table)).toEqual(columns);
});

test("reads native byte order as little-endian", async () => {
  const bytes = npyBytes([[1.5, -2]], false);
  bytes[bytes.indexOf("<".charCodeAt(0), 10)] = "=".charCodeAt(0);
  expect(cells(await readTable({ content: bytes, name: "own.npy" }))).toEqual([[1.5], [-2]]);
});

test("reads NaN as missing, drops columns and makes blocks", async () => {
  expect(cells(await readTable(fixture("nan")))).toEqual([
    [1, null],
    [2, 4],
  ]);
  expect(cells(await readTable(fixture("f8"), { drop: [0] }))).toEqual([[-1, 1, 3]]);
  const sizes = [];
  for await (const block of blocks(fixture("fortran"), { rows: 2 })) sizes.push(cells(block));
  expect(sizes).toEqual([
    [
      [-2.5, -0.5],
      [-1.5, 0.5],
    ],
    [[1.5], [2.5]],
  ]);
});

test("names the first column with missing values and counts them", async () => {
  const content = npyBytes(
    [
      [1, NaN, 2],
      [2, NaN, NaN],
      [3, 4, 5],
    ],
    false,
  );
  await expect(readNpy({ content, name: "a.npy" }, { target: 0 })).rejects.toThrow(
    'a.npy:1:2: 2 values are missing in column "x1" (first "NaN") and in "x2" (1)',
  );
});

test("reads labels from a second array or the target from a column", async () => {
  using both = await readNpy(fixture("f8"), { labels: fixture("vector") });
  expect(both.columnCount).toBe(2);
  expect(Array.from(both.target.values)).toEqual([0.5, -1, 2]);
  using one = await readNpy(fixture("f8"), { target: -1 });
  expect(Array.from(one.target.values)).toEqual([-1, 1, 3]);
  await expect(readNpy(fixture("f8"), {})).rejects.toMatchObject({ code: "OPTION_MISSING" });
});

const twelve = (start: number) => Array.from({ length: 12 }, (_, j) => start + j);

test.each([
  ["cube", [3, 4, 1]],
  ["images-fortran", [2, 2, 3]],
  ["five", [2, 1, 2, 3]],
])("%s: flattens rows of a higher-dimensional array in C order and stores their shape", async (name, shape) => {
  const labels = npyBytes([[5], [6]], false);
  using data = await readNpy(fixture(name), { labels });
  expect(data.rowShape).toEqual(shape);
  expect([0, 1].map((i) => [...data.row(i)])).toEqual([twelve(0), twelve(12)]);
  const table = await readTable(fixture(name));
  expect(cells(table)).toEqual(twelve(0).map((first) => [first, first + 12]));
  using fewer = await readNpy(fixture(name), { labels, drop: [0] });
  expect([fewer.columnCount, fewer.rowShape]).toEqual([11, undefined]);
  using other = await readNpy(fixture(name), { labels, rowShape: [6, 2] });
  expect(other.rowShape).toEqual([6, 2]);
  using inner = await readNpy(fixture(name), { target: 0 });
  expect([inner.columnCount, inner.rowShape]).toEqual([11, undefined]);
});

test("reads labels from y.npy next to x.npy, unless a target is named", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-npy-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const x = join(folder, "x_train.npy");
  copyFileSync(fixture("cube"), x);
  await expect(read(x)).rejects.toMatchObject({ code: "OPTION_MISSING" });
  writeFileSync(join(folder, "y_train.npy"), npyBytes([[7], [8]], false));
  using data = await read(x);
  expect([data.rowShape, [...data.target.values]]).toEqual([
    [3, 4, 1],
    [7, 8],
  ]);
  using first = await read(x, { target: 0 });
  expect([...first.target.values]).toEqual([0, 12]);
  expect((await readTable(x)).columns).toHaveLength(12);
});

test("refuses the absurd row sizes of a damaged header", async () => {
  const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 99999, 99999), }\n";
  const content = Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0, ...Buffer.from(header)]);
  await expect(readTable({ content, name: "a.npy" })).rejects.toThrow(
    "a.npy: the shape (1, 99999, 99999) makes rows of 9999800001 columns, over 10 million; write the array again, with the rows first [DATA_UNSUPPORTED]",
  );
});

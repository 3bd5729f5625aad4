/** npy files written by NumPy: see ../fixtures/README.md for the calls. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { blocks, readNpy, readTable } from "../../src/index.ts";
import { cells } from "../writers.ts";

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

test("NaN is a missing value; columns can be dropped; blocks", async () => {
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

test("labels in a second array, or the target among the columns", async () => {
  using both = await readNpy(fixture("f8"), { labels: fixture("vector") });
  expect(both.columnCount).toBe(2);
  expect(Array.from(both.target.values)).toEqual([0.5, -1, 2]);
  using one = await readNpy(fixture("f8"), { target: -1 });
  expect(Array.from(one.target.values)).toEqual([-1, 1, 3]);
  await expect(readNpy(fixture("f8"), {})).rejects.toMatchObject({ code: "OPTION_MISSING" });
});

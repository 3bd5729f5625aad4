/** LIBSVM: comments, blanks, query groups, counting from 0, rows without labels. */
import { expect, test } from "vitest";
import { readLibsvm, readSparseTable, sparseBlocks } from "../../src/index.ts";
import { cutAt, sparseRows } from "../writers.ts";

const read = (content: string, options = {}) => readSparseTable({ content, name: "t.libsvm" }, options);

test("reads all kinds of labels, comments, blank lines, odd spacing and a missing final line end", async () => {
  const table = await read("# head\n+1 1:0.5\t3:-2e-3 # tail 9:9\r\n\n  -1.5  \n3 2:7#x\n".replace("7#x", "7 #x") + "0 1:.5");
  expect(sparseRows(table)).toEqual([
    {
      target: 1,
      entries: [
        [0, 0.5],
        [2, -0.002],
      ],
    },
    { target: -1.5, entries: [] },
    { target: 3, entries: [[1, 7]] },
    { target: 0, entries: [[0, 0.5]] },
  ]);
  expect(table.columnCount).toBe(3);
});

test("drops query groups, counts columns from 0 and adds columns, on request", async () => {
  const table = await read("2 qid:4 0:1 5:2\n", { qid: "ignore", firstIndex: 0, columnCount: 10 });
  expect(sparseRows(table)).toEqual([
    {
      target: 2,
      entries: [
        [0, 1],
        [5, 2],
      ],
    },
  ]);
  expect(table.columnCount).toBe(10);
});

test("reads rows without labels on request", async () => {
  expect(sparseRows(await read("1:1 2:2\n5 1:3\n", { target: false }))).toEqual([
    {
      target: NaN,
      entries: [
        [0, 1],
        [1, 2],
      ],
    },
    { target: 5, entries: [[0, 3]] },
  ]);
});

test("refuses indices that do not ascend and reports their place", async () => {
  for (const line of ["1 2:1 2:3", "1 3:1 2:3"])
    await expect(read(`0 1:1\n${line}\n`)).rejects.toThrow(
      /^t\.libsvm:2:7: index 2 in "2:3" follows [23], but indices must ascend.*\[DATA_INDEX\]$/,
    );
});

test("uses the columns of the first block for all blocks of a stream", async () => {
  const stream = () => cutAt(new TextEncoder().encode("1 2:1\n0 1:1\n1 3:1\n"), [3, 8]);
  const collect = async (options = {}) => {
    const counts = [];
    for await (const block of sparseBlocks(stream(), { format: "libsvm", rows: 2, ...options }))
      counts.push([block.rowCount, block.columnCount]);
    return counts;
  };
  await expect(collect()).rejects.toThrow(
    'stream:3:3: index 3 in "3:1" is beyond the last column, 2; raise columnCount, or correct the line [DATA_INDEX]',
  );
  expect(await collect({ columnCount: 3 })).toEqual([
    [2, 3],
    [1, 3],
  ]);
});

test("makes a dataset, with classes on request", async () => {
  using data = await readLibsvm({ content: "+1 1:1\n-1 2:1\n", name: "t.libsvm" }, { classes: true });
  expect([data.rowCount, data.columnCount]).toEqual([2, 2]);
  expect(data.target.levels).toEqual(["-1", "1"]);
  await expect(readLibsvm("1 1:1\n", { target: "y" } as never)).rejects.toMatchObject({ code: "OPTION_CONFLICT" });
  await expect(readLibsvm("1 1:1\n", { qid: "maybe" } as never)).rejects.toMatchObject({ code: "OPTION_RANGE" });
});

test("hashes any number of columns to 2^hash sparse columns by their index", async () => {
  const file = { content: "1 1:0.5\n0 2000000000:2\n", name: "t.libsvm" };
  using data = await readLibsvm(file, { hash: 8 });
  expect([data.columnCount, data.format, data.rowCount]).toEqual([256, "sparse", 2]);
  const row = (i: number): number[] => [...data.row(i)].filter((x) => x !== 0).map(Math.abs);
  expect([row(0), row(1)]).toEqual([[0.5], [2]]);
  using held = await readLibsvm(file, { like: data });
  expect([...held.row(1)]).toEqual([...data.row(1)]);
  await expect(readLibsvm(file, { hash: 8, layout: "dense" })).rejects.toThrow(
    't.libsvm: layout is "dense", but hashed columns are stored sparse; leave hash or layout out [OPTION_CONFLICT]',
  );
  await expect(readLibsvm(file, { hash: 31 })).rejects.toThrow(
    "readLibsvm: hash is 31, but must be an integer >= 1 and <= 30 [OPTION_RANGE]",
  );
});

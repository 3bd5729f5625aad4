/**
 * VW text: labels, importance, tags, namespaces, scaling and hashing. The expected columns were computed with
 * sklearn.utils.murmurhash3_32.
 */
import { Pipeline } from "ergodic/data";
import { expect, test } from "vitest";
import { readLibsvm, readSparseTable, readVw } from "../../src/index.ts";
import { sparseRows } from "../writers.ts";

const rows = async (content: string, options = {}) => sparseRows(await readSparseTable({ content, name: "t.vw" }, options));
const sorted = (...entries: [number, number][]) => entries.sort((a, b) => a[0] - b[0]);

test("hashes names as murmur3(name, murmur3(namespace, 0)) mod 2^18, and adds digits to the namespace's hash", async () => {
  // f = m("f", seed=0, positive=True); [m(n, seed=f, positive=True) & (2**18 - 1) for n in ["a", "b", "größe"]]; (7 + f) & (2**18 - 1)
  expect(await rows("1 |f a b:0.5 größe:2 7:3\n")).toEqual([
    { target: 1, entries: sorted([14355, 1], [146788, 0.5], [246819, 2], [34882, 3]) },
  ]);
  expect(await rows("1 | a 7:3\n")).toEqual([{ target: 1, entries: sorted([92594, 1], [7, 3]) }]);
  expect(await rows("1 |f a\n", { bits: 10 })).toEqual([{ target: 1, entries: [[14355 % 1024, 1]] }]);
});

test("scales values by their namespace, adds equal columns and drops zeros", async () => {
  expect(await rows("1 |f:2 a:3 b |f a:0.5 |g:0 x\n")).toEqual([{ target: 1, entries: sorted([14355, 6.5], [146788, 2]) }]);
});

test("reads importance as the weight and skips tags", async () => {
  const content = "1 2.5 'first|f a\n-1 second|f a\n0 'third |f a\n\n3 1 |f a\n";
  const table = await readSparseTable({ content, name: "t.vw" });
  expect(Array.from(table.target)).toEqual([1, -1, 0, 3]);
  expect(Array.from(table.weights ?? [])).toEqual([2.5, 1, 1, 1]);
  expect((await readSparseTable({ content: "1 1 | a\n", name: "t.vw" })).weights).toBeUndefined();
});

test("reads rows without labels on request", async () => {
  expect(await rows("|f a\n1 |f a\n", { target: false })).toEqual([
    { target: NaN, entries: [[14355, 1]] },
    { target: 1, entries: [[14355, 1]] },
  ]);
});

test("grows its scratch space for a row of many features and sorts it", async () => {
  const content = `1 | ${Array.from({ length: 5000 }, (_, i) => `${(i * 7919) % 5000}:${i + 1}`).join(" ")}\n`;
  const [{ entries }] = await rows(content);
  expect(entries.length).toBe(5000);
  expect(entries.every(([index], i) => index === i)).toBe(true);
  expect(entries[7919 % 5000]).toEqual([7919 % 5000, 2]);
});

test("are refused by a pipeline whose names were hashed into another number of columns", async () => {
  const source = () => ({ content: "1 |f a\n-1 |f b\n", name: "t.vw" });
  using data = await readVw(source(), { bits: 8 });
  const pipeline = Pipeline.fromJson(JSON.parse(JSON.stringify(data.pipeline)));
  using same = await readVw(source(), { bits: 8, like: { pipeline } });
  expect([same.rowCount, same.columnCount]).toEqual([2, 256]);
  await expect(readVw(source(), { bits: 9, like: { pipeline } })).rejects.toThrow(
    "t.vw: names are hashed into 512 columns, the model's into 256; read them with bits: 8 [DATA_SHAPE]",
  );
  using other = await readVw(source(), { bits: 9 });
  expect(() => other.follow(pipeline)).toThrow(/it has 512 columns, the model's rows had 256/);
  using numbered = await readLibsvm({ content: "1 3:1\n", name: "t.svm" }, { columnCount: 256 });
  expect(numbered.pipeline.apply(await readSparseTable(source(), { bits: 9 })).rowCount).toBe(2);
});

test("makes a dataset", async () => {
  using data = await readVw({ content: "1 2 |f a\n-1 |f b\n", name: "t.vw" }, { bits: 8, classes: true });
  expect([data.rowCount, data.columnCount, data.format]).toEqual([2, 256, "sparse"]);
  expect(data.target.levels).toEqual(["-1", "1"]);
});

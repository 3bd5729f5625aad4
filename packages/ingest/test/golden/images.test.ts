/**
 * Real images compared with NumPy's reading of the same bytes, with the calls that made each value: Debian's Python 3,
 * NumPy 2.2. Pixels are whole numbers, so sums agree exactly. JPEG files are compared with libjpeg-turbo
 * (fixtures/README.md).
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Dataset } from "ergodic";
import { expect, test } from "vitest";
import { isSlow } from "../../../ergodic/test/power.ts";
import { blocks, read, readIdx, readImages } from "../../src/index.ts";

const folder = "../shared/data/vision/";
const there = existsSync(folder);
if (!there) console.warn(`golden/images: MNIST skipped, because ${folder} is absent`);
const golden = test.skipIf(!there);
const why = there ? "" : ` (skipped: ${folder} is absent)`;
const images = `${folder}t10k-images-idx3-ubyte.gz`;
const labels = `${folder}t10k-labels-idx1-ubyte.gz`;

const firstTen = [7, 2, 1, 0, 4, 1, 4, 9, 5, 9];

/** Σ pixels, and Σ pixels · (column + 1) · (row mod 7 + 1), which depends on positions. */
function sums(data: Dataset): [number, number] {
  let [plain, placed] = [0, 0];
  for (let i = 0; i < data.rowCount; i++) {
    data.row(i).forEach((value, j) => {
      plain += value;
      placed += value * (j + 1) * ((i % 7) + 1);
    });
  }
  return [plain, placed];
}

// x = numpy.frombuffer(gzip.open(images).read()[16:], "u1").reshape(10000, 784).astype("i8")
// y = numpy.frombuffer(gzip.open(labels).read()[8:], "u1"); numpy.bincount(y); y[:10]
// x.sum(), (x * numpy.arange(1, 785) * (numpy.arange(10000)[:, None] % 7 + 1)).sum()
golden(`MNIST's test set${why}`, async () => {
  using data = await read(images);
  expect([data.rowCount, data.columnCount, data.rowShape, data.target.levels]).toEqual([
    10_000,
    784,
    [28, 28, 1],
    [...Array.from({ length: 10 }, (_, k) => String(k))],
  ]);
  const counts = new Array(10).fill(0);
  for (const label of data.target.values) counts[label]++;
  expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  expect([...data.target.values.slice(0, 10)]).toEqual(firstTen);
  expect(sums(data)).toEqual([264923200, 431480245096]);
  const { shape, values } = await readIdx(labels);
  expect([shape, [...values.subarray(0, 10)]]).toEqual([[10_000], firstTen]);
});

// formats/idx.test.ts reads small files in blocks.
test.skipIf(!there || !isSlow)(`MNIST's test set, in blocks${why}`, async () => {
  const found = [];
  for await (const { rowCount, columns } of blocks(images, { rows: 4096 })) {
    let sum = 0;
    for (const column of columns) if (column.kind === "number") for (const value of column.values) sum += value;
    found.push([rowCount, columns.length, sum]);
  }
  // [(len(b), 784, b.sum()) for b in numpy.split(x, [4096, 8192])]
  expect(found).toEqual([
    [4096, 784, 99868158],
    [4096, 784, 114522566],
    [1808, 784, 50532476],
  ]);
});

// d = numpy.genfromtxt("digits.csv", delimiter=",", skip_header=1).astype("i8"); x = d[:, :-1]; the sums as above
test("reads the demo's digits as images", async () => {
  const file = fileURLToPath(new URL("../../../cli/data/digits.csv", import.meta.url));
  using data = await read(file, { target: "label", classes: true, rowShape: [8, 8, 1] });
  expect([data.rowCount, data.rowShape, data.target.levels!.length]).toEqual([1797, [8, 8, 1], 10]);
  expect(sums(data)).toEqual([561718, 72883808]);
  const { train, test: held } = data.split(0.8, { seed: 1, stratify: true });
  expect([train.rowShape, held.rowShape]).toEqual([
    [8, 8, 1],
    [8, 8, 1],
  ]);
  await expect(read(file, { target: "label", rowShape: [8, 9] })).rejects.toThrow(
    "fromTable: rowShape is [8, 9], 72 values, but a row has 64 columns; give sizes that multiply to 64 [OPTION_RANGE]",
  );
});

// Decoders can differ by one in each of Y, Cb and Cr: by 1 in grey, and by 1 + 1.772, rounded to 3, in blue.
test.each([
  ["full", 3, 3],
  ["halved", 3, 3],
  ["progressive", 3, 3],
  ["grey", 1, 1],
])("decodes a JPEG to the pixels of another decoder: %s", async (name, channels, bound) => {
  const file = (extension: string) => readFileSync(new URL(`../fixtures/${name}.${extension}`, import.meta.url));
  const source = new Uint8Array(file("jpg"));
  using data = await readImages([
    { source, label: "a" },
    { source, label: "b" },
  ]);
  expect(data.rowShape).toEqual([13, 20, channels]);
  const found = data.row(0);
  const wanted = file("pnm").subarray(-found.length);
  expect(Math.max(...found.map((value, k) => Math.abs(value - wanted[k])))).toBeLessThanOrEqual(bound);
});

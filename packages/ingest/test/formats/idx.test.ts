/** IDX files written byte by byte. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { blocks, read, readIdx, readIdxDataset, readSparseTable, readTable } from "../../src/index.ts";
import { cells, cutAt } from "../writers.ts";

const types = {
  8: { size: 1, put: (view: DataView, at: number, value: number) => view.setUint8(at, value), array: Uint8Array },
  9: { size: 1, put: (view: DataView, at: number, value: number) => view.setInt8(at, value), array: Int8Array },
  11: { size: 2, put: (view: DataView, at: number, value: number) => view.setInt16(at, value), array: Int16Array },
  12: { size: 4, put: (view: DataView, at: number, value: number) => view.setInt32(at, value), array: Int32Array },
  13: { size: 4, put: (view: DataView, at: number, value: number) => view.setFloat32(at, value), array: Float32Array },
  14: { size: 8, put: (view: DataView, at: number, value: number) => view.setFloat64(at, value), array: Float64Array },
};

function idxBytes(shape: number[], values: ArrayLike<number>, type: keyof typeof types = 8): Uint8Array {
  const { size, put } = types[type];
  const header = 4 + 4 * shape.length;
  const bytes = new Uint8Array(header + values.length * size);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, type, shape.length]);
  shape.forEach((length, d) => void view.setUint32(4 + 4 * d, length));
  for (let i = 0; i < values.length; i++) put(view, header + i * size, values[i]);
  return bytes;
}

const counted = (count: number) => Uint8Array.from({ length: count }, (_, i) => i);
const images = idxBytes([3, 2, 2], counted(12));
const labels = idxBytes([3], [7, 0, 7]);

function folder(files: Record<string, Uint8Array>): string {
  const path = mkdtempSync(join(tmpdir(), "ergodic-idx-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes);
  return path;
}

test.each([8, 9, 11, 12, 13, 14] as const)("type %i: reads values and shape in any chunks, gzipped or not", async (type) => {
  const { array } = types[type];
  const element = { 8: [0, 255], 9: [-128, 127], 11: [-32_768, 32_767], 12: [-(2 ** 31), 2 ** 31 - 1], 13: [0, 0], 14: [0, 0] }[
    type
  ];
  const floats = { 13: fc.float(), 14: fc.double() }[type as 13];
  const value = floats ?? fc.integer({ min: element[0], max: element[1] });
  const arrays = fc
    .array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 })
    .chain((shape) => fc.tuple(fc.constant(shape), fc.array(value, { minLength: product(shape), maxLength: product(shape) })));
  await fc.assert(
    fc.asyncProperty(arrays, fc.array(fc.nat(60), { maxLength: 3 }), fc.boolean(), async ([shape, values], cuts, packed) => {
      const bytes = idxBytes(shape, values, type);
      const found = await readIdx(cutAt(packed ? gzipSync(bytes) : bytes, cuts));
      expect(found.shape).toEqual(shape);
      expect(found.values).toBeInstanceOf(array);
      expect(Array.from(found.values)).toEqual(values);
    }),
    { seed: 5, numRuns: 40 },
  );
});

const product = (sizes: number[]) => sizes.reduce((all, size) => all * size, 1);

test.each([9, 11, 12, 13, 14] as const)("type %i: refuses a file without its last byte", async (type) => {
  const bytes = idxBytes([2, 3], counted(6), type);
  await expect(readIdx(bytes.subarray(0, -1))).rejects.toThrow(
    `the file stops 1 bytes short of the ${6 * types[type].size} that its shape (2, 3) needs; fetch or write it again [DATA_TRUNCATED]`,
  );
});

test("makes a dataset of pixels, classes and the shape of an image", async () => {
  using data = await readIdxDataset(gzipSync(images), labels);
  expect([data.type, data.rowShape, data.target.name, data.target.levels]).toEqual(["f32", [2, 2, 1], "y", ["0", "7"]]);
  expect([...data.target.values]).toEqual([1, 0, 1]);
  expect([0, 1, 2].map((i) => [...data.row(i)])).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9, 10, 11],
  ]);
  using numbers = await readIdxDataset(images, labels, { classes: false, type: "f64" });
  expect([numbers.type, numbers.target.kind, ...numbers.target.values]).toEqual(["f64", "number", 7, 0, 7]);
  using colours = await readIdxDataset(idxBytes([3, 1, 2, 3], counted(18)), labels);
  expect(colours.rowShape).toEqual([1, 2, 3]);
  using lists = await readIdxDataset(idxBytes([3, 2], [1, 2, 3, 4, 5, -6], 9), labels);
  expect([lists.rowShape, [...lists.row(2)]]).toEqual([undefined, [5, -6]]);
});

test("read recognises IDX by content and finds the labels by their name next to it", async () => {
  const path = folder({
    "train-images-idx3-ubyte": images,
    "train-labels-idx1-ubyte.gz": gzipSync(labels),
    "t10k-images.idx3-ubyte.gz": gzipSync(images),
    "t10k-labels.idx1-ubyte": idxBytes([3], [1, 2, 3]),
    "alone-images-idx3-ubyte": images,
  });
  using train = await read(join(path, "train-images-idx3-ubyte"));
  using test = await read(join(path, "t10k-images.idx3-ubyte.gz"));
  expect([train, test].map(({ target, rowShape }) => [target.levels, rowShape])).toEqual([
    [
      ["0", "7"],
      [2, 2, 1],
    ],
    [
      ["1", "2", "3"],
      [2, 2, 1],
    ],
  ]);
  using named = await read({ content: images, name: "a.idx" }, { labels });
  expect(named.rowCount).toBe(3);
  await expect(read(join(path, "alone-images-idx3-ubyte"))).rejects.toThrow(
    "alone-images-idx3-ubyte: there are no labels to learn; pass labels: the file that holds them, or put it next to this file, with names like those of MNIST (train-images-idx3-ubyte, train-labels-idx1-ubyte) [DATA_TARGET]",
  );
});

test("makes tables and blocks for prediction", async () => {
  const table = await readTable(images);
  expect([table.columns.map(({ name }) => name), cells(table)[3]]).toEqual([
    ["x0", "x1", "x2", "x3"],
    [3, 7, 11],
  ]);
  const labelled = await readTable(images, { labels });
  expect(cells(labelled)[4]).toEqual([7, 0, 7]);
  const sizes = [];
  for await (const block of blocks(images, { rows: 2, labels })) sizes.push([block.rowCount, cells(block)[0], cells(block)[4]]);
  expect(sizes).toEqual([
    [2, [0, 4], [7, 0]],
    [1, [8], [7]],
  ]);
  using data = await readIdxDataset(images, labels);
  using again = data.pipeline.apply(labelled, { target: true });
  expect([again.rowShape, [...again.row(2)], [...again.target.values]]).toEqual([
    [2, 2, 1],
    [8, 9, 10, 11],
    [1, 0, 1],
  ]);
});

const file = (content: Uint8Array, name = "a.idx") => ({ content, name });

test.each<[string, () => Promise<unknown>, string]>([
  [
    "wrong magic",
    () => readIdx(file(Uint8Array.of(1, 2, 8, 1))),
    "a.idx: the file begins with 01 02 08 01, but an IDX file begins with 00 00, a type of 08, 09 or 0B to 0E, and a number of dimensions from 1; pass another file [DATA_FORMAT]",
  ],
  ["unknown type", () => readIdx(file(Uint8Array.of(0, 0, 10, 1))), "a.idx: the file begins with 00 00 0A 01, but"],
  ["no dimension", () => readIdx(file(Uint8Array.of(0, 0, 8, 0))), "a.idx: the file begins with 00 00 08 00, but"],
  ["empty", () => readIdx(file(new Uint8Array(0))), "a.idx: the file is empty; fetch it again [DATA_EMPTY]"],
  [
    "cut header",
    () => readIdx(file(images.subarray(0, 15))),
    "a.idx: the file stops inside its header (15 of 16 bytes); fetch or write it again [DATA_TRUNCATED]",
  ],
  [
    "truncated",
    () => readIdx(file(images.subarray(0, 25))),
    "a.idx: the file stops 3 bytes short of the 12 that its shape (3, 2, 2) needs; fetch or write it again [DATA_TRUNCATED]",
  ],
  [
    "too long",
    () => readIdx(file(Uint8Array.of(...labels, 9))),
    "a.idx: 1 bytes follow the end of the values that the shape (3) needs; fetch or write it again [DATA_PARSE]",
  ],
  [
    "damaged gzip",
    () => readIdx(file(gzipSync(images).subarray(0, 20))),
    "a.idx: the gzip data is damaged or cut short; fetch the file again [DATA_GZIP]",
  ],
  [
    "absurd sizes",
    () => readIdx(file(Uint8Array.of(0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255))),
    "a.idx: the file stops 18446744065119617000 bytes short",
  ],
  ["no rows", () => readTable(file(idxBytes([0, 2, 2], []))), "a.idx: the shape (0, 2, 2) holds no rows [DATA_EMPTY]"],
  [
    "unequal counts",
    () => readIdxDataset(file(images), file(idxBytes([2], [1, 2]), "b.idx")),
    "b.idx: labels have the shape (2), but must be one value for each of the 3 rows of a.idx; pass the matching file [DATA_RAGGED]",
  ],
  [
    "images for labels",
    () => readIdxDataset(file(images), file(images, "b.idx")),
    "b.idx: labels have the shape (3, 2, 2), but must be",
  ],
  [
    "one class",
    () => readIdxDataset(file(images), idxBytes([3], [4, 4, 4])),
    'a.idx: all 3 rows belong to one class, "4": there is nothing to learn; add rows of another class [DATA_TARGET]',
  ],
  [
    "a target",
    () => read(file(images), { labels, target: "y" }),
    'read: target is "y", but idx files bring their own; leave the option out [OPTION_CONFLICT]',
  ],
  [
    "not finite",
    () => readIdxDataset(file(idxBytes([3], [1, NaN, 2], 13)), labels),
    'a.idx: row 2: column "x0" is NaN, but must be a finite number [DATA_VALUE]',
  ],
  [
    "an unknown option",
    () => readIdxDataset(images, labels, { impute: "mean" } as never),
    'readIdxDataset: unknown option "impute"',
  ],
  ["sparse", () => readSparseTable(file(images)), "readSparseTable: a.idx holds a dense table; call readTable [OPTION_CONFLICT]"],
])("%s", async (_, act, message) => {
  const error = await act().then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  expect(error.message.startsWith(message), error.message).toBe(true);
});

test("counts surplus bytes up to 65536", async () => {
  for (const [extra, told] of [
    [65_536, "65536"],
    [65_537, "more than 65536"],
  ] as const)
    await expect(readIdx(file(Uint8Array.of(...labels, ...new Uint8Array(extra))))).rejects.toThrow(
      `a.idx: ${told} bytes follow the end of the values that the shape (3) needs`,
    );
});

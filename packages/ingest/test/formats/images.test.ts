/**
 * Folders of images. ../image-bytes.ts makes PNG and JPEG files, and the libraries' encoders make photographic images.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { encode as encodePng } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";
import { expect, onTestFinished, test } from "vitest";
import { blocks, type ImageOptions, read, readCsv, readImages, readRows, readTable } from "../../src/index.ts";
import { flatGreyJpeg, plainPng, pngBytes } from "../image-bytes.ts";
import { cells } from "../writers.ts";

function folder(files: Record<string, Uint8Array | string>): string {
  const path = mkdtempSync(join(tmpdir(), "ergodic-images-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(join(path, dirname(name)), { recursive: true });
    if (!name.endsWith("/.keep")) writeFileSync(join(path, name), bytes);
  }
  return path;
}

/** Pixels of one file. */
async function pixels(source: Uint8Array, options: ImageOptions = {}): Promise<number[]> {
  using data = await readImages(
    [
      { source, label: "a" },
      { source, label: "b" },
    ],
    options,
  );
  expect(data.row(1)).toEqual(data.row(0));
  return [...data.row(0)];
}

const grey = plainPng(
  [
    [0, 50, 100],
    [150, 200, 255],
  ],
  1,
);

test("reads a sub-folder per class in name order, and rows of pixels with their shape", async () => {
  const path = folder({
    "9/one.png": grey,
    "10/b.PNG": plainPng(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      1,
    ),
    "10/a.jpeg": plainPng(
      [
        [9, 9, 9],
        [9, 9, 8],
      ],
      1,
    ),
    "10/.hidden": "no image",
    "LICENSE.txt": "beside the classes",
  });
  using data = await read(path);
  expect([data.rowCount, data.rowShape, data.type, data.source]).toEqual([3, [2, 3, 1], "f32", basename(path)]);
  expect([data.target.name, data.target.levels, ...data.target.values]).toEqual(["y", ["9", "10"], 1, 1, 0]);
  expect([0, 1, 2].map((i) => [...data.row(i)])).toEqual([
    [9, 9, 9, 9, 9, 8],
    [1, 2, 3, 4, 5, 6],
    [0, 50, 100, 150, 200, 255],
  ]);
  using wide = await read(`${path}/`, { type: "f64", channels: 3 });
  expect([wide.type, wide.rowShape, ...wide.row(2).subarray(0, 6)]).toEqual(["f64", [2, 3, 3], 0, 0, 0, 50, 50, 50]);
});

test("uses one channel if all images are grey, else three, and converts to grey by luma", async () => {
  const colour = plainPng(
    [
      [255, 0, 0, 0, 255, 0],
      [0, 0, 255, 10, 20, 30],
    ],
    3,
  );
  const greyToo = plainPng(
    [
      [1, 2],
      [3, 4],
    ],
    1,
  );
  const images = [
    { source: colour, label: "a" },
    { source: greyToo, label: "b" },
  ];
  using both = await readImages(images);
  expect(both.rowShape).toEqual([2, 2, 3]);
  expect([...both.row(0)]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30]);
  expect([...both.row(1)]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  using luma = await readImages(images, { channels: 1 });
  // 0.299 · 255 = 76.245, 0.587 · 255 = 149.685, 0.114 · 255 = 29.07, 2.99 + 11.74 + 3.42 = 18.15.
  expect([luma.rowShape, [...luma.row(0)], [...luma.row(1)]]).toEqual([
    [2, 2, 1],
    [76, 150, 29, 18],
    [1, 2, 3, 4],
  ]);
});

test("reads a PNG larger than one stored block", async () => {
  const rows = Array.from({ length: 300 }, (_, i) => Array.from({ length: 256 }, (_, j) => (i + 3 * j) % 251));
  expect(await pixels(plainPng(rows, 1))).toEqual(rows.flat());
});

test("composites transparency on white or on black", async () => {
  const clear = plainPng(
    [
      [200, 100, 0, 255, 200, 100, 0, 0],
      [200, 100, 0, 51, 0, 0, 0, 128],
    ],
    4,
  );
  expect(await pixels(clear)).toEqual([200, 100, 0, 255, 255, 255, 244, 224, 204, 127, 127, 127]);
  expect(await pixels(clear, { background: "black" })).toEqual([200, 100, 0, 0, 0, 0, 40, 20, 0, 0, 0, 0]);
  const greyClear = pngBytes({ width: 2, height: 1, depth: 8, colour: 4, rows: [[100, 255, 100, 51]] });
  expect(await pixels(greyClear)).toEqual([100, 224]);
});

test.each<[string, Uint8Array, number[]]>([
  ["16-bit grey", pngBytes({ width: 3, height: 1, depth: 16, colour: 0, rows: [[255, 255, 1, 1, 1, 130]] }), [255, 1, 2]],
  ["16-bit colour", pngBytes({ width: 1, height: 1, depth: 16, colour: 2, rows: [[128, 0, 0, 0, 127, 255]] }), [128, 0, 127]],
  [
    "1-bit grey, rows of whole bytes",
    pngBytes({ width: 3, height: 2, depth: 1, colour: 0, rows: [[0b10100000], [0b01100000]] }),
    [255, 0, 255, 0, 255, 255],
  ],
  ["2-bit grey", pngBytes({ width: 5, height: 1, depth: 2, colour: 0, rows: [[0b00011011, 0b01000000]] }), [0, 85, 170, 255, 85]],
  ["4-bit grey", pngBytes({ width: 3, height: 1, depth: 4, colour: 0, rows: [[0x0f, 0x80]] }), [0, 255, 136]],
  [
    "1-bit grey with a transparent value",
    pngBytes({ width: 3, height: 1, depth: 1, colour: 0, rows: [[0b01000000]], transparency: [0, 0] }),
    [255, 255, 255],
  ],
  [
    "a palette of 4 bits",
    pngBytes({ width: 3, height: 1, depth: 4, colour: 3, rows: [[0x10, 0x20]], palette: [1, 2, 3, 4, 5, 6, 7, 8, 9] }),
    [4, 5, 6, 1, 2, 3, 7, 8, 9],
  ],
  [
    "a palette with transparency",
    pngBytes({ width: 2, height: 1, depth: 8, colour: 3, rows: [[0, 1]], palette: [9, 9, 9, 4, 5, 6], transparency: [0] }),
    [255, 255, 255, 4, 5, 6],
  ],
  [
    "colour with a suggested palette",
    pngBytes({ width: 1, height: 1, depth: 8, colour: 2, rows: [[7, 8, 9]], palette: [1, 1, 1] }),
    [7, 8, 9],
  ],
  [
    "colour with a transparent one",
    pngBytes({ width: 3, height: 1, depth: 8, colour: 2, rows: [[7, 8, 9, 7, 8, 8, 1, 1, 1]], transparency: [0, 7, 0, 8, 0, 9] }),
    [255, 255, 255, 7, 8, 8, 1, 1, 1],
  ],
  ["a grey JPEG", flatGreyJpeg(20), Array.from({ length: 64 }, () => 148)],
])("reads %s", async (_, bytes, wanted) => {
  expect(await pixels(bytes)).toEqual(wanted);
});

test("reads an interlaced PNG exactly and a colour JPEG within its coding error", async () => {
  const smooth = Array.from(
    { length: 16 * 16 * 3 },
    (_, k) => 40 + 5 * Math.floor(k / 48) + 5 * (Math.floor(k / 3) % 16) - 10 * (k % 3),
  );
  const interlaced = encodePng(
    { width: 16, height: 16, channels: 3, depth: 8, data: Uint8Array.from(smooth) },
    { interlace: "Adam7" },
  );
  expect(await pixels(interlaced)).toEqual(smooth);
  const data = smooth.flatMap((value, k) => (k % 3 === 2 ? [value, 255] : [value]));
  const jpeg = encodeJpeg({ width: 16, height: 16, data: Uint8Array.from(data) }, 100).data;
  const found = await pixels(jpeg);
  expect(found).toHaveLength(768);
  // Quantisers of 1 cause errors of a few levels at most. Another order of channels or pixels would differ by 10 or
  // more.
  expect(Math.max(...found.map((value, k) => Math.abs(value - smooth[k])))).toBeLessThan(5);
});

test("shrinks images by area averages and enlarges them by linear interpolation", async () => {
  const square = plainPng(
    [
      [0, 8, 16, 24],
      [8, 16, 24, 32],
      [100, 100, 0, 0],
      [100, 100, 0, 200],
    ],
    1,
  );
  expect(await pixels(square, { size: [2, 2] })).toEqual([8, 24, 100, 50]);
  expect(await pixels(square, { size: [1, 1] })).toEqual([46]); // 45.5
  const row = plainPng([[0, 90, 240]], 1);
  expect(await pixels(row, { size: [1, 2] })).toEqual([30, 190]); // (0 + 90/2) / 1.5, (90/2 + 240) / 1.5
  expect(await pixels(row, { size: [2, 6] })).toEqual([0, 23, 68, 128, 203, 240, 0, 23, 68, 128, 203, 240]);
  expect(await pixels(plainPng([[10, 20, 30, 30, 40, 50]], 3), { size: [1, 1] })).toEqual([20, 30, 40]);
  expect(await pixels(grey, { size: [2, 3] })).toEqual([0, 50, 100, 150, 200, 255]);
  for (const value of [1, 77, 255]) {
    const flat = plainPng(
      Array.from({ length: 7 }, () => Array.from({ length: 5 }, () => value)),
      1,
    );
    for (const size of [
      [3, 3],
      [4, 9],
      [13, 2],
    ] as const)
      expect(new Set(await pixels(flat, { size }))).toEqual(new Set([value]));
  }
});

test("reports the height and width of a JPEG that is too large", async () => {
  const bytes = flatGreyJpeg(20);
  const frame = bytes.findIndex((byte, k) => byte === 0xff && bytes[k + 1] === 0xc0);
  bytes.set([0x4e, 0x20, 0x27, 0x10], frame + 5);
  await expect(pixels(bytes)).rejects.toThrow(/20000 × 10000/);
});

test("computes grey as luma rounded to the nearest integer", async () => {
  const levels = [0, 1, 51, 102, 127, 204, 254, 255];
  const colours = levels.flatMap((r) => levels.flatMap((g) => levels.map((b) => [r, g, b])));
  expect(await pixels(plainPng([colours.flat()], 3), { channels: 1 })).toEqual(
    colours.map(([r, g, b]) => Math.round((299 * r + 587 * g + 114 * b) / 1000)),
  );
});

/**
 * Repeats each pixel `to` times and averages groups of `from`, or interpolates linearly between centres and extends the
 * edges.
 */
function resizedRow(row: number[], to: number): number[] {
  const from = row.length;
  if (to <= from) {
    const many = row.flatMap((value) => Array.from({ length: to }, () => value));
    return Array.from({ length: to }, (_, i) => many.slice(i * from, (i + 1) * from).reduce((sum, x) => sum + x, 0) / from);
  }
  return Array.from({ length: to }, (_, i) => {
    const place = ((i + 0.5) * from) / to - 0.5;
    const at = (k: number) => row[Math.min(Math.max(k, 0), from - 1)];
    const left = Math.floor(place);
    return at(left) + (place - left) * (at(left + 1) - at(left));
  });
}

test.each([
  [3, 2],
  [2, 5],
  [7, 3],
  [6, 9],
  [5, 7],
  [4, 1],
])("resizes a colour image of 5 × 7 to %d × %d like its separate channels", async (height, width) => {
  const value = (i: number, j: number, c: number) => (17 * i * i + 29 * j + 71 * c + 13 * i * j) % 256;
  const rows = Array.from({ length: 5 }, (_, i) => Array.from({ length: 21 }, (_, k) => value(i, Math.floor(k / 3), k % 3)));
  const found = await pixels(plainPng(rows, 3), { size: [height, width] });
  const transposed = (all: number[][]) => all[0].map((_, j) => all.map((row) => row[j]));
  for (const c of [0, 1, 2]) {
    const own = rows.map((row) => row.filter((_, k) => k % 3 === c));
    const wanted = transposed(transposed(own.map((row) => resizedRow(row, width))).map((row) => resizedRow(row, height))).flat();
    const errors = found.filter((_, k) => k % 3 === c).map((x, k) => Math.abs(x - wanted[k]));
    expect(errors).toHaveLength(height * width);
    expect(Math.max(...errors)).toBeLessThan(0.5 + 1e-9);
  }
});

test("preserves the order of more files than are open at a time", async () => {
  const files = Array.from({ length: 50 }, (_, i) => [
    `${i % 2 ? "odd" : "even"}/${String(i).padStart(2, "0")}.png`,
    plainPng([[i]], 1),
  ]);
  using data = await read(folder(Object.fromEntries(files)));
  const values = Array.from({ length: 50 }, (_, i) => data.row(i)[0]);
  expect(values).toEqual([...values.filter((value) => value % 2 === 0), ...values.filter((value) => value % 2 === 1)]);
  expect(values.slice(0, 25)).toEqual(Array.from({ length: 25 }, (_, i) => 2 * i));
  expect([...data.target.values]).toEqual(values.map((value) => value % 2));
});

test("makes tables and blocks for prediction, with or without classes", async () => {
  const path = folder({ "a/1.png": plainPng([[1, 2]], 1), "b/2.png": plainPng([[3, 4]], 1), "b/3.png": plainPng([[5, 6]], 1) });
  const table = await readTable(path);
  expect([table.columns.map(({ name }) => name), cells(table)]).toEqual([
    ["x0", "x1", "y"],
    [
      [1, 3, 5],
      [2, 4, 6],
      ["a", "b", "b"],
    ],
  ]);
  const sizes = [];
  for await (const block of blocks(path, { rows: 2, size: [1, 1] })) sizes.push(cells(block));
  expect(sizes).toEqual([
    [
      [2, 4],
      ["a", "b"],
    ],
    [[6], ["b"]],
  ]);
  expect(cells((await readRows(join(path, "b"))) as typeof table)).toEqual([
    [3, 5],
    [4, 6],
  ]);
  using data = await read(path);
  using again = data.pipeline.apply(table, { target: true });
  expect([again.rowShape, [...again.row(2)], [...again.target.values]]).toEqual([
    [1, 2, 1],
    [5, 6],
    [0, 1, 1],
  ]);
});

const two = (other: Uint8Array | string) => ({ "a/1.png": grey, "b/1.png": grey, "b/2.png": other });
const truncated = "stops too early; write or fetch it again [DATA_TRUNCATED]";
const wrong = (place: number): Uint8Array => grey.map((byte, k) => (k === place ? byte ^ 1 : byte));
const jpeg = flatGreyJpeg(20);

test.each<[string, Record<string, Uint8Array | string>, string, object?]>([
  [
    "sizes differ",
    two(plainPng([[1, 2]], 1)),
    "b/2.png: the image has 1 × 2 pixels (height × width), but a/1.png has 2 × 3; pass size: [height, width] to resize them all [DATA_RAGGED]",
  ],
  [
    "a text",
    two("hello there"),
    'b/2.png: the file begins with "hello th", which is neither PNG nor JPEG; convert it, or move it elsewhere [DATA_FORMAT]',
  ],
  ...[[0xff, 0xd8, 0, 1], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0d, 1], [0xff]].map(
    (bytes): [string, Record<string, Uint8Array>, string] => [
      `what begins like an image, ${bytes}`,
      { "a/1.png": grey, "b/1.png": grey, "b/2.png": Uint8Array.from(bytes) },
      "b/2.png: the file begins with ",
    ],
  ),
  ["an empty file", two(""), "b/2.png: the file is empty; write or fetch it again [DATA_EMPTY]"],
  ...[12, 30, 45, grey.length - 12, grey.length - 1].map((length): [string, Record<string, Uint8Array | string>, string] => [
    `a PNG cut at ${length}`,
    two(grey.subarray(0, length)),
    `b/2.png: the PNG ${truncated}`,
  ]),
  ...[4, 60, jpeg.length - 3, jpeg.length - 1].map((length): [string, Record<string, Uint8Array | string>, string] => [
    `a JPEG cut at ${length}`,
    two(jpeg.subarray(0, length)),
    `b/2.png: the JPEG ${truncated}`,
  ]),
  ["a wrong checksum", two(wrong(grey.length - 17)), "b/2.png: the PNG is damaged (CRC mismatch for chunk IDAT."],
  [
    "a PNG with too few rows",
    two(pngBytes({ width: 2, height: 3, depth: 8, colour: 0, rows: [[1, 2]] })),
    "b/2.png: the PNG is damaged (",
  ],
  [
    "a PNG without its palette",
    two(pngBytes({ width: 2, height: 1, depth: 8, colour: 3, rows: [[0, 1]] })),
    "b/2.png: the PNG is damaged (it has no palette); write or fetch it again [DATA_PARSE]",
  ],
  [
    "a PNG of a colour type that is none",
    two(pngBytes({ width: 2, height: 1, depth: 8, colour: 5, rows: [[0, 1]] })),
    "b/2.png: the PNG is damaged (there is no colour type 5); write or fetch it again [DATA_PARSE]",
  ],
  [
    "a JPEG without its tables",
    two(Uint8Array.of(...jpeg.subarray(0, 2), ...jpeg.subarray(71))),
    "b/2.png: the JPEG is damaged (",
  ],
  [
    "an interlaced PNG of few bits",
    two(pngBytes({ width: 1, height: 1, depth: 1, colour: 0, rows: [[0]], interlaced: true })),
    "b/2.png: the PNG is interlaced with 1-bit samples; save it without interlacing [DATA_UNSUPPORTED]",
  ],
  [
    "a huge image",
    two(pngBytes({ width: 20_000, height: 20_000, depth: 8, colour: 0, rows: [[0]] })),
    "b/2.png: the image is 20000 × 20000, over 100 million pixels; make it smaller [DATA_UNSUPPORTED]",
  ],
  ["the first of several at fault", { ...two("x"), "a/2.png": "y" }, 'a/2.png: the file begins with "y"'],
  ["an empty folder", {}, "{folder}: the folder is empty; put PNG or JPEG files into it, one sub-folder per class [DATA_EMPTY]"],
  [
    "a folder without images",
    { "notes.txt": "x" },
    '{folder}: the folder holds no image ("notes.txt"); put PNG or JPEG files into it, one sub-folder per class [DATA_EMPTY]',
  ],
  [
    "an empty class",
    { ...two(grey), "c/.keep": "" },
    "{folder}/c: the folder of this class is empty; put images into it, or remove it [DATA_EMPTY]",
  ],
  [
    "images beside classes",
    { ...two(grey), "3.jpg": grey },
    '{folder}/3.jpg: the image is next to 2 class folders ("a", "b"), so its class is unknown; move it into one of them [DATA_TARGET]',
  ],
  [
    "a folder too deep",
    { "train/a/1.png": grey },
    "{folder}/train/a: this folder is inside a class folder; name the folder that contains the class folders, and keep only images in them [DATA_FORMAT]",
  ],
  [
    "one class",
    { "a/1.png": grey, "a/2.png": grey },
    '{name}: all 2 rows belong to one class, "a": there is nothing to learn; add rows of another class [DATA_TARGET]',
  ],
  [
    "no classes",
    { "1.png": grey },
    "{name}: there are no labels to learn; put the images of each class into a sub-folder named after the class [DATA_TARGET]",
  ],
  [
    "a target",
    two(grey),
    'read: target is "y", but folders of images bring their own; leave the option out [OPTION_CONFLICT]',
    { target: "y" },
  ],
  ["an unknown option", two(grey), 'read: unknown option "sizes"; did you mean "size"?', { sizes: [1, 1] }],
  ["a wrong size", two(grey), "images: size is 28, but must be [height, width] [OPTION_RANGE]", { size: 28 }],
  [
    "a size of nothing",
    two(grey),
    "images: width of size is 0, but must be an integer >= 1 and <= 65535 [OPTION_RANGE]",
    { size: [2, 0] },
  ],
  [
    "a wrong number of channels",
    two(grey),
    "images: channels is 4, but must be 1 (grey) or 3 (colours) [OPTION_RANGE]",
    { channels: 4 },
  ],
  [
    "a wrong background",
    two(grey),
    'images: background is "red", but must be "white" or "black" [OPTION_RANGE]',
    { background: "red" },
  ],
  [
    "numbers wanted of names",
    two(grey),
    "read: classes is false, but folder names are not numbers; leave the option out [OPTION_CONFLICT]",
    { classes: false },
  ],
])("refuses %s", async (_, files, wanted, options = {}) => {
  const path = folder(files);
  const error = await read(path, options).then(
    () => new Error("nothing was thrown"),
    (thrown: Error) => thrown,
  );
  const message = error.message.replace(path, "{folder}").replace(basename(path), "{name}");
  expect(message.startsWith(wanted), message).toBe(true);
});

test("reads a list of images, and other readers refuse a folder", async () => {
  await expect(readImages([])).rejects.toThrow(
    "images: there are no images; a dataset needs at least one per class [DATA_EMPTY]",
  );
  await expect(readImages([{ source: grey, label: "a" }, { source: grey }])).rejects.toThrow(
    "images: 1 of 2 images have a label; give one to each, or to none [DATA_TARGET]",
  );
  await expect(readImages([{ source: grey }, { source: plainPng([[1]], 1), name: "dot.png" }])).rejects.toThrow(
    "dot.png: the image has 1 × 1 pixels (height × width), but bytes has 2 × 3;",
  );
  await expect(readCsv(tmpdir(), { target: 0 })).rejects.toThrow("this is a folder; name a file in it [DATA_FILE]");
});

test("names the files of rows on request, and reads the path of one picture", async () => {
  const path = folder({ "b/2.png": grey, "b/10.png": grey, "a/z.png": grey });
  const [, ...rest] = (await readTable(path)).columns.slice(5);
  expect(rest.map(({ name }) => name)).toEqual(["y"]);
  const names: unknown[] = [];
  for await (const table of blocks(path, { fileNames: true, rows: 2 })) names.push(cells(table).at(-1));
  expect(names).toEqual([["a/z.png", "b/10.png"], ["b/2.png"]]);
  const one = await readRows(join(path, "b/2.png"), { fileNames: true, size: [1, 2], channels: 3 });
  expect(one).toMatchObject({ rowCount: 1, source: "2.png" });
  expect(cells(one as Parameters<typeof cells>[0]).slice(6)).toEqual([["2.png"]]);
  await expect(readTable(join(path, "b/9.png"))).rejects.toThrow(/9\.png: there is no such file/);
  await expect(readTable(path, { fileNames: 1 as never })).rejects.toThrow(/fileNames is 1, but must be true or false/);
  await expect(readTable({ content: "a\n1\n", name: "t.csv" }, { fileNames: true })).rejects.toThrow(
    /unknown option "fileNames"/,
  );
});

/**
 * Small files with large claims. Each claim is checked against the bytes, or unpacking stops at what the rows need,
 * before memory is allocated.
 */
import { deflateSync, gzipSync } from "node:zlib";
import { encode as encodeJpeg } from "jpeg-js";
import { expect, test } from "vitest";
import { readIdx, readImages, readTable } from "../src/index.ts";
import { inflated, inflatedByStream } from "../src/inflate.ts";
import { flatGreyJpeg, pngBytes, pngFile } from "./image-bytes.ts";

const failure = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing was thrown",
    (error: Error) => error.message,
  );

const image = (source: Uint8Array) =>
  failure(
    readImages([
      { source, name: "a", label: "x" },
      { source, label: "y" },
    ]).then((data) => data.dispose()),
  );

/** Largest growth of the process's RSS while `work` runs. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  await work();
  clearInterval(timer);
  return (Math.max(most, process.memoryUsage().rss) - before) / 2 ** 20;
}

/** An image of 16 × 16 whose header claims another size. */
function jpegOf(height: number, width: number): Uint8Array {
  const data = Uint8Array.from({ length: 16 * 16 * 4 }, (_, k) => (k * 37) % 256);
  const bytes = new Uint8Array(encodeJpeg({ width: 16, height: 16, data }, 50).data);
  const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0);
  new DataView(bytes.buffer).setUint16(frame + 5, height);
  new DataView(bytes.buffer).setUint16(frame + 7, width);
  return bytes;
}

test("refuses a JPEG of less than a kilobyte that claims 98 million pixels", async () => {
  const bytes = jpegOf(9900, 9900);
  expect(bytes.length).toBeLessThan(1024);
  expect(
    await growth(async () =>
      expect(await image(bytes)).toMatch(
        /^a: the JPEG is damaged \(its \d+ bytes cannot hold 9900 × 9900 pixels in 3 components\).*DATA_PARSE/,
      ),
    ),
  ).toBeLessThan(200);
});

test("allows a JPEG one block per two bits of its scans", async () => {
  // An 8 × 8 grey image in one block needs at least two bits. The 5 bytes after the start of the last marker are the
  // scan and the end.
  const flat = flatGreyJpeg(20);
  const claim = (height: number) => {
    const bytes = flat.slice();
    new DataView(bytes.buffer).setUint16(bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0) + 5, height);
    return bytes;
  };
  const bits = 8 * (flat.length - flat.findIndex((byte, i) => byte === 0xff && flat[i + 1] === 0xda));
  expect(await image(flat)).toBe("nothing was thrown");
  expect(await image(claim(8 * (bits / 2)))).not.toContain("cannot hold");
  expect(await image(claim(8 * (bits / 2) + 8))).toContain("cannot hold");
});

test("refuses a JPEG with a second frame or with thousands of scans", async () => {
  const flat = flatGreyJpeg(20);
  const scan = flat.findIndex((byte, i) => byte === 0xff && flat[i + 1] === 0xda);
  const start = flat.findIndex((byte, i) => byte === 0xff && flat[i + 1] === 0xc0);
  const second = flat.slice(start, start + 13);
  new DataView(second.buffer).setUint32(5, 0x26ac26ac);
  expect(await image(Uint8Array.from([...flat.slice(0, scan), ...second, ...flat.slice(scan)]))).toContain(
    "it does not have exactly one frame",
  );
  // After the first scan the decoder would allocate memory before it reports the second frame.
  const behind = Uint8Array.from([...flat.slice(0, -2), ...second, 0xff, 0xd9]);
  expect(await growth(async () => expect(await image(behind)).toContain("the JPEG is damaged"))).toBeLessThan(200);
  const scans = Array.from({ length: 300 }, () => [...flat.slice(scan, -2)]).flat();
  expect(await image(Uint8Array.from([...flat.slice(0, scan), ...scans, 0xff, 0xd9]))).toContain("it has 300 scans, over 256");
});

const pixels = { width: 2, height: 2, depth: 8, colour: 0 };

test("refuses a PNG of 2 × 2 whose data unpack to far more", async () => {
  const packed = deflateSync(new Uint8Array(1 << 26));
  const bytes = pngFile(pixels, [["IDAT", packed]]);
  const wanted = /^a: the PNG is damaged \(its data unpack to more than the 6 bytes of 2 × 2 pixels\).*DATA_PARSE/;
  expect(await growth(async () => expect(await image(bytes)).toMatch(wanted))).toBeLessThan(40);
});

test("does not unpack packed texts and profiles of a PNG", async () => {
  const profile = Uint8Array.from([...Buffer.from("a\0"), 0, ...deflateSync(new Uint8Array(1 << 26))]);
  const data = deflateSync(Uint8Array.of(0, 1, 2, 0, 3, 4));
  const bytes = pngFile(pixels, [
    ["iCCP", profile],
    ["zTXt", profile],
    ["IDAT", data],
  ]);
  expect(await growth(async () => expect(await image(bytes)).toBe("nothing was thrown"))).toBeLessThan(40);
});

test("refuses a PNG of a kilobyte that claims 98 million pixels, and a PNG without pixels", async () => {
  const bytes = pngFile({ ...pixels, width: 9900, height: 9900 }, [["IDAT", deflateSync(new Uint8Array(1 << 20))]]);
  const wanted = /^a: the PNG is damaged \(\d+ packed bytes cannot hold the 98019900 of 9900 × 9900 pixels\)/;
  expect(await growth(async () => expect(await image(bytes)).toMatch(wanted))).toBeLessThan(40);
  expect(await image(pngBytes({ ...pixels, width: 0, rows: [[], []] }))).toMatch(/^a: the image is 2 × 0, so it has no pixels/);
});

test("refuses a PNG with too few data and accepts one with a few bytes too many", async () => {
  const short = pngFile(pixels, [["IDAT", deflateSync(Uint8Array.of(0, 1, 2))]]);
  expect(await image(short)).toContain("its data unpack to 3 bytes, but its rows need 6");
  const rows = Uint8Array.of(0, 1, 2, 0, 3, 4);
  const parts = deflateSync(Uint8Array.from([...rows, ...new Uint8Array(1000)]));
  const over = pngFile(pixels, [
    ["IDAT", parts.subarray(0, 5)],
    ["IDAT", parts.subarray(5)],
  ]);
  using data = await readImages([
    { source: over, label: "a" },
    { source: over, label: "b" },
  ]);
  expect([...data.row(0)]).toEqual([1, 2, 3, 4]);
});

test("inflated stops at the limit, both in Node and with streams", async () => {
  const packed = deflateSync(new Uint8Array(100_000).fill(7));
  for (const unpack of [inflated, inflatedByStream]) {
    expect(await unpack(packed, 100_000)).toEqual(new Uint8Array(100_000).fill(7));
    expect(await unpack(packed, 200_000)).toHaveLength(100_000);
    expect(await unpack(packed, 99_999)).toBeUndefined();
    await expect(unpack(packed.subarray(0, 20), 100_000)).rejects.toThrow();
  }
});

function npy(shape: string, descr = "|i1", order = "False", values = 16): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`;
  const length = header.length;
  const data = new Uint8Array(values);
  const magic = Uint8Array.of(0x93, ...Buffer.from("NUMPY"), 1, 0, length % 256, length >> 8);
  return Buffer.concat([magic, Buffer.from(header), data]);
}

test.each(["False", "True"])("refuses an npy header that claims 10 million columns, Fortran order %s", async (order) => {
  const content = npy("1, 10000000", "<f8", order);
  const read = async () =>
    expect(await failure(readTable({ content, name: "a.npy" }))).toMatch(
      /^a\.npy: the file stops 79999984 bytes short of the 80000000 that its shape needs.*DATA_TRUNCATED/,
    );
  expect(await growth(read)).toBeLessThan(40);
});

test("refuses an npy shape beyond what can be counted, rows without columns and columns without rows", async () => {
  expect(await failure(readTable({ content: npy("99999999999999999999, 1"), name: "a.npy" }))).toMatch(/DATA_PARSE/);
  for (const shape of ["0, 5", "5, 0", "0,"])
    expect(await failure(readTable({ content: npy(shape), name: "a.npy" }))).toMatch(/the array has no rows.*DATA_EMPTY/);
});

test("unpacks a packed npy or IDX file only as far as its shape needs", async () => {
  const zeros = 1 << 27;
  const table = await readTable({ content: gzipSync(npy("4, 4", "|i1", "False", 1 << 22)), name: "a.npy.gz" });
  expect(table.rowCount).toBe(4);
  const idx = new Uint8Array(zeros);
  idx.set([0, 0, 8, 1, 0, 0, 0, 4]);
  const packed = gzipSync(idx);
  const read = async () =>
    expect(await failure(readIdx({ content: packed, name: "a.idx" }))).toMatch(/^a\.idx: more than 65536 bytes follow the end/);
  expect(await growth(read)).toBeLessThan(60);
});

/** Arrow bytes with false offsets and lengths: each is refused, and none is followed. */
import { float32, float64, int64, tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { Draws } from "ergodic";
import { expect, test } from "vitest";
import { readDrawsArrow, writeDrawsArrow } from "../../src/draws.ts";
import { checkArrow } from "../../src/guards/arrow-check.ts";
import { readFlatbuffer } from "../../src/guards/flatbuffer.ts";

const draws = new Draws({
  chains: 1,
  count: 4,
  quantities: [{ name: "x", shape: [], kind: "parameter" }],
  values: { x: Float64Array.of(1, 2, 3, 4) },
  fields: [],
  transitions: new Float64Array(0),
  description: {},
  report: {},
});
const file = await writeDrawsArrow(draws);
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Positions of 64-bit numbers with this value. */
const places = (bytes: Uint8Array, value: number) =>
  Array.from({ length: Math.floor(bytes.length / 8) }, (_, k) => 8 * k).filter(
    (at) => view(bytes).getBigInt64(at, true) === BigInt(value),
  );

test("accepts the files and streams of real writers, with all numeric types, batches and nulls", async () => {
  const table = tableFromArrays(
    { "x[1]": [1, null, 3], "x[2]": [3, 4, 5], "x[3]": [1n, 2n, 3n] },
    { types: { "x[1]": float64(), "x[2]": float32(), "x[3]": int64() } },
  );
  for (const format of ["file", "stream"] as const) {
    const bytes = tableToIPC(table, { format })!;
    expect(() => checkArrow(bytes)).not.toThrow();
    expect((await readDrawsArrow(bytes)).draws("x")).toEqual(Float64Array.of(1, 3, 1, NaN, 4, 2, 3, 5, 3));
  }
});

test("checks the rows, lengths and offsets of every batch against the bytes", async () => {
  const fours = places(file, 4);
  expect(fours.length).toBeGreaterThan(3);
  for (const at of fours) {
    for (const value of [5n, -1n, 2n ** 31n, 2n ** 53n, 2n ** 62n]) {
      const bytes = file.slice();
      view(bytes).setBigInt64(at, value, true);
      await expect(readDrawsArrow(bytes)).rejects.toMatchObject({ code: "DATA_FORMAT" });
    }
  }
});

test("refuses a buffer shorter than its rows need, by one number or by one byte", () => {
  // Among these numbers are the byte counts of the buffers with four float64.
  const sizes = places(file, 32);
  let told = 0;
  for (const at of sizes)
    for (const size of [31, 24, 8, 4]) {
      const bytes = file.slice();
      view(bytes).setBigInt64(at, BigInt(size), true);
      try {
        checkArrow(bytes);
      } catch (error) {
        expect((error as Error).message).toBe(`a column of 4 rows has ${size} bytes`);
        told++;
      }
    }
  expect(told).toBeGreaterThanOrEqual(4);
});

test("refuses a buffer of the right length that begins too late", () => {
  // The body has 64 bytes. From offset 40 on, fewer than 32 bytes remain, but 40 can also be a length.
  const told = Array.from({ length: Math.floor(file.length / 8) }, (_, k) => {
    const bytes = file.slice();
    view(bytes).setBigInt64(8 * k, 40n, true);
    try {
      return checkArrow(bytes);
    } catch (error) {
      return (error as Error).message;
    }
  });
  expect(told).toContain("a buffer goes beyond its body");
});

test("refuses a body, a footer and messages with impossible lengths", async () => {
  const start = file.length - 10;
  for (const size of [0, -1, 2 ** 31 - 1, file.length]) {
    const bytes = file.slice();
    view(bytes).setInt32(start, size, true);
    await expect(readDrawsArrow(bytes)).rejects.toThrow(/its footer of -?\d+ bytes goes beyond the file.*DATA_FORMAT/);
  }
  const stream = tableToIPC(tableFromArrays({ x: [1, 2] }), { format: "stream" })!;
  for (const size of [-2, 2 ** 31 - 1, 4]) {
    const bytes = stream.slice();
    view(bytes).setInt32(4, size, true);
    await expect(readDrawsArrow(bytes)).rejects.toThrow(/a message of -?\d+ bytes goes beyond the end/);
  }
  await expect(readDrawsArrow(stream.subarray(0, 3))).rejects.toThrow(/there is no message at 0 of 3 bytes/);
  await expect(readDrawsArrow(null as never)).rejects.toMatchObject({ code: "OPTION_TYPE" });
});

test("reads or refuses a file with a typed error after the largest change to each byte", async () => {
  let refused = 0;
  for (let at = 0; at < file.length; at++) {
    for (const value of [0x80, 0xff]) {
      const bytes = file.slice();
      bytes[at] = value;
      await readDrawsArrow(bytes).catch((error) => {
        refused++;
        expect(error.code, `${value} at ${at}: ${error.stack}`).toMatch(/^(DATA|DRAWS|OPTION)_/);
      });
    }
  }
  expect(refused).toBeGreaterThan(500);
});

test("refuses a vector of a billion tables and a table that is its own child", () => {
  const tables = { 0: { tables: () => tables } } as const;
  // The root is at 8, its kind with a single field at 4, and the vector at 16.
  const bytes = new Uint8Array(32);
  const numbers = view(bytes);
  [8, 0x00060006, 0, 0].forEach((value, k) => void numbers.setUint32(4 * k, value, true));
  numbers.setUint16(4, 6, true);
  numbers.setUint16(6, 8, true);
  numbers.setUint16(8 - 4 + 4, 4, true);
  const root = 12;
  numbers.setUint32(0, root, true);
  numbers.setInt32(root, root - 4, true);
  numbers.setUint32(root + 4, 4, true);
  numbers.setUint32(20, 1e9, true);
  expect(() => readFlatbuffer(bytes, tables)).toThrow("4000000000 bytes at 24 are not within 32");
  numbers.setUint32(20, 1, true);
  numbers.setInt32(24, root - 24, true);
  expect(() => readFlatbuffer(bytes, tables)).toThrow(/nested without end|not within/);
});

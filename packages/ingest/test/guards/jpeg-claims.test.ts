/** Claims of a JPEG's header: blocks of all components, rounded up to whole units of the coarsest component. */
import { expect, test } from "vitest";
import { jpegEnds, jpegFrame, jpegMisclaim } from "../../src/guards/jpeg-claims.ts";

/** A JPEG that consists only of headers: a frame with these sampling factors, and one scan. */
function jpeg(height: number, width: number, factors: [h: number, v: number][], marker = 0xc0): Uint8Array {
  const size = [height, width].flatMap((length) => [length >> 8, length & 255]);
  const components = factors.flatMap(([h, v], c) => [c + 1, 16 * h + v, 0]);
  const frame = [0xff, marker, 0, 8 + components.length, 8, ...size, factors.length, ...components];
  const scan = [0xff, 0xda, 0, 6 + 2 * factors.length, factors.length, ...factors.flatMap((_, c) => [c + 1, 0]), 0, 63, 0];
  return Uint8Array.from([0xff, 0xd8, ...frame, ...scan, 0xff, 0xd9]);
}

test.each<[height: number, width: number, factors: [number, number][], blocks: number]>([
  [8, 8, [[1, 1]], 1],
  [9, 17, [[1, 1]], 6],
  // Units of 16 × 16: two across and three down, with four blocks of luma and two of colour each.
  [33, 17, [[2, 2], [1, 1], [1, 1]], 36], // biome-ignore format: factors
  // Units of 8 × 16, and of 16 × 8.
  [33, 17, [[2, 1], [1, 1], [1, 1]], 40], // biome-ignore format: factors
  [33, 17, [[1, 2], [1, 1], [1, 1]], 36], // biome-ignore format: factors
  // Colour sampled more finely than luma.
  [16, 16, [[1, 1], [2, 2], [1, 2]], 7], // biome-ignore format: factors
])("computes for %i × %i with factors %j the count of %i blocks", (height, width, factors, blocks) => {
  const bytes = jpeg(height, width, factors);
  expect(jpegFrame(bytes)).toEqual({
    ...{ height, width, components: factors.length, blocks, progressive: false },
    scanStart: bytes.length - 2 - (8 + 2 * factors.length),
  });
});

test("finds the end marker FF D9 after any number of FF, but not before the start of the search", () => {
  for (const fill of [0, 1, 2, 3]) {
    const bytes = Uint8Array.from([0xff, 0xd8, 7, ...new Array<number>(fill).fill(0xff), 0xff, 0xd9, 1]);
    expect(jpegEnds(bytes, 2), `${fill} more`).toBe(true);
    expect(jpegEnds(bytes, bytes.length - 3)).toBe(true);
    expect(jpegEnds(bytes, bytes.length - 2)).toBe(false);
  }
  for (const bytes of [[0xd9], [0xff], [0xff, 0x00, 0xd9], [0xff, 0xd8, 0xff, 0x00, 0xff, 0xd0, 0xff]])
    expect(jpegEnds(Uint8Array.from(bytes), 0)).toBe(false);
});

test("requires two bits per block, or one bit per block of a progressive JPEG", () => {
  for (const [marker, each] of [
    [0xc0, 2],
    [0xc2, 1],
  ]) {
    // biome-ignore format: pairs
    const bytes = jpeg(8, 8, [[1, 1]], marker);
    const frame = jpegFrame(bytes)!;
    const most = Math.floor((8 * (bytes.length - frame.scanStart)) / each);
    expect(jpegMisclaim(bytes, { ...frame, blocks: most })).toBe(undefined);
    expect(jpegMisclaim(bytes, { ...frame, blocks: most + 1 })).toMatch(/its \d+ bytes cannot hold 8 × 8 pixels/);
  }
});

test.each([1, 2, 3])("ignores %i surplus FF before a marker", (more) => {
  // biome-ignore format: pairs
  const bytes = jpeg(9, 17, [[1, 1]]);
  const filled = Uint8Array.from([...bytes.subarray(0, 2), ...new Array(more).fill(0xff), ...bytes.subarray(2)]);
  expect(jpegFrame(filled)).toEqual({ ...jpegFrame(bytes)!, scanStart: jpegFrame(bytes)!.scanStart + more });
});

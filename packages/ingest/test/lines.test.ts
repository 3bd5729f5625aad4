/** Blocks of whole lines, from sources larger than memory. */
import { expect, it } from "vitest";
import { decoded, isText, lineBlocks } from "../src/lines.ts";
import type { ByteSource } from "../src/source.ts";

/** The same megabyte repeatedly, in total more than the limit for a line. */
const repeated = (chunk: Uint8Array): ByteSource => ({
  name: "long.csv",
  rereadable: false,
  async *chunks() {
    for (let i = 0; i < 260; i++) yield chunk;
  },
});

async function bytesOf(source: ByteSource): Promise<number> {
  let bytes = 0;
  for await (const block of lineBlocks(source)) bytes += block.length;
  return bytes;
}

it("accepts a file longer than the limit for a line", async () => {
  const chunk = new Uint8Array(1 << 20).fill(97);
  chunk[10] = 10;
  expect(await bytesOf(repeated(chunk))).toBe(260 * chunk.length);
});

it("refuses a line beyond the limit", async () => {
  await expect(bytesOf(repeated(new Uint8Array(1 << 20).fill(97)))).rejects.toThrow(
    "long.csv: no line end within 268435456 bytes; is this a text file? [DATA_FORMAT]",
  );
});

it("reports the line and place of a byte that is not UTF-8, whatever precedes it", () => {
  const encoder = new TextEncoder();
  const cases: [string, number[], string][] = [
    ["", [0x80], "7:1: byte 0x80"],
    ["a\x7f", [0xff, 0x61], "7:3: byte 0xFF"],
    ["é", [0xc3, 0x28], "7:3: byte 0xC3"],
    ["ࠀ", [0xe0, 0xa0], "7:4: byte 0xE0"],
    ["€\u{fffd}", [0xe2, 0x82, 0x28], "7:7: byte 0xE2"],
    ["😀𐀀", [0xf0, 0x9f, 0x98, 0x28], "7:9: byte 0xF0"],
    ["x\n\nü", [0xed, 0xa0, 0x80], "9:3: byte 0xED"],
    ["x\r\nyz", [0x0f, 0xbf], "8:4: byte 0xBF"],
    ["", [0xf5, 0x80, 0x80, 0x80], "7:1: byte 0xF5"],
  ];
  for (const [before, bad, wanted] of cases)
    for (const after of ["", "\n", "end\nü\n"]) {
      const bytes = Uint8Array.from([...encoder.encode(before), ...bad, ...encoder.encode(after)]);
      expect(() => decoded("a.txt", bytes, 7)).toThrow(`a.txt:${wanted} is not UTF-8; if the file is Latin-1, convert it`);
      expect(isText(bytes)).toBe(false);
    }
  const right = encoder.encode("aé€😀\n\ufeff\u{fffd}");
  expect([decoded("a.txt", right, 1), isText(right)]).toEqual(["aé€😀\n\ufeff\u{fffd}", true]);
});

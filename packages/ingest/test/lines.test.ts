/** Blocks of whole lines, from sources that no memory holds. */
import { expect, it } from "vitest";
import { lineBlocks } from "../src/lines.ts";
import type { ByteSource } from "../src/source.ts";

/** The same megabyte again and again: in all more than a line may have. */
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

it("a file may be longer than any line of it may be", async () => {
  const chunk = new Uint8Array(1 << 20).fill(97);
  chunk[10] = 10;
  expect(await bytesOf(repeated(chunk))).toBe(260 * chunk.length);
});

it("a line may not", async () => {
  await expect(bytesOf(repeated(new Uint8Array(1 << 20).fill(97)))).rejects.toThrow(
    "long.csv: no line end within 268435456 bytes; is this a text file? [DATA_FORMAT]",
  );
});

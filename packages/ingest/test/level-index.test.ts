/** Level codes looked up by bytes, compared with a map of strings. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LevelIndex } from "../src/level-index.ts";

const encoder = new TextEncoder();
/** Places the bytes between others, because the index must stay within its range. */
const placed = (text: string) => {
  const bytes = encoder.encode(`<${text}>`);
  return [bytes, 1, bytes.length - 1] as const;
};

test("finds only the added levels", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "1", "ü", "\0"), maxLength: 9 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 300 }), (texts) => {
      const index = new LevelIndex();
      const codes = new Map<string, number>();
      let lost = 0;
      for (const level of texts) {
        const found = index.find(...placed(level));
        if (codes.has(level)) {
          if (found === undefined) lost++;
          else expect(found).toBe(codes.get(level));
          continue;
        }
        expect(found).toBeUndefined();
        codes.set(level, codes.size - 1);
        index.add(...placed(level), codes.get(level)!);
      }
      expect(lost).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("stores 16,384 levels of up to 64 bytes, nearly all of them, and no more", () => {
  const index = new LevelIndex();
  const level = (i: number) => `level ${i}`;
  for (let i = 0; i < 20_000; i++) index.add(...placed(level(i)), i);
  const found = Array.from({ length: 20_000 }, (_, i) => index.find(...placed(level(i))));
  expect(found.every((code, i) => code === undefined || code === i)).toBe(true);
  expect(found.filter((code) => code !== undefined).length).toBeGreaterThan(16_000);
  expect(found.filter((code) => code !== undefined).length).toBeLessThanOrEqual(16_384);
  index.add(...placed("x".repeat(65)), 1);
  expect(index.find(...placed("x".repeat(65)))).toBeUndefined();
});

/**
 * Computes hashes like level-index.ts. In a text of two words, the second word can be chosen so that any first word
 * gives the same hash.
 */
const mixed = (hash: number, word: number): number => Math.imul(hash ^ word ^ (hash >>> 15), 0x85ebca6b);
function colliding(count: number): Uint8Array[] {
  const begin = 8 ^ -2128831035;
  const texts: Uint8Array[] = [];
  for (let k = 0; k < count; k++) {
    const bytes = new DataView(new ArrayBuffer(8));
    const [first, wanted] = [mixed(begin, 1000 + k), 12_345];
    bytes.setInt32(0, 1000 + k, true);
    bytes.setInt32(4, wanted ^ first ^ (first >>> 15), true);
    texts.push(new Uint8Array(bytes.buffer));
  }
  return texts;
}

test("distinguishes texts with equal hashes by their bytes, and stores only a few of them", () => {
  const texts = colliding(40);
  const hashes = texts.map((text) => {
    const words = new Int32Array(text.buffer);
    return mixed(mixed(8 ^ -2128831035, words[0]), words[1]);
  });
  expect(new Set(hashes).size).toBe(1);
  const index = new LevelIndex();
  for (const [code, text] of texts.slice(0, 30).entries()) {
    expect(index.find(text, 0, 8)).toBeUndefined();
    index.add(text, 0, 8, code);
  }
  const found = texts.map((text) => index.find(text, 0, 8));
  expect(found.slice(0, 16)).toEqual(Array.from({ length: 16 }, (_, code) => code));
  expect(found.slice(16)).toEqual(Array.from({ length: 24 }, () => undefined));
});

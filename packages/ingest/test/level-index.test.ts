/** Codes by bytes against a map of texts. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LevelIndex } from "../src/level-index.ts";

const encoder = new TextEncoder();
/** Among neighbours: the index must stay within its range. */
const placed = (text: string) => {
  const bytes = encoder.encode(`<${text}>`);
  return [bytes, 1, bytes.length - 1] as const;
};

test("finds what was added, and nothing else", () => {
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

test("holds 16,384 levels of 64 bytes, nearly all of them, and nothing after", () => {
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

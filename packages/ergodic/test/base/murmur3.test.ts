/** Golden values: sklearn.utils.murmurhash3_32(text, seed=seed, positive=True), scikit-learn 1.4.2. */
import { expect, test } from "vitest";
import { murmur3 } from "../../src/base/murmur3.ts";

test.each([
  ["", 0, 0],
  ["", 1, 1364076727],
  ["a", 0, 1009084850],
  ["ab", 0, 2613040991],
  ["abc", 7, 940791465],
  ["abcd", 0, 1139631978],
  ["hello, world", 0x9747b28c, 2593340928],
  ["José", 0, 3422137460],
  ["The quick brown fox jumps over the lazy dog", 0xffffffff, 590642366],
])("%j, seed %i", (text, seed, hash) => {
  const bytes = new TextEncoder().encode(`..${text}..`);
  expect(murmur3(bytes, 2, bytes.length - 2, seed)).toBe(hash);
});

/** Golden values: sklearn.utils.murmurhash3_32(text, seed=seed, positive=True), scikit-learn 1.4.2. */
import { expect, test } from "vitest";
import { Murmur3, murmur3 } from "../../../src/engine/random/murmur3.ts";

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
])("hashes %j with seed %i", (text, seed, hash) => {
  const bytes = new TextEncoder().encode(`..${text}..`);
  expect(murmur3(bytes, 2, bytes.length - 2, seed)).toBe(hash);
  expect(new Murmur3(seed).add(bytes.subarray(2, bytes.length - 2)).value).toBe(hash);
});

test("hashes parts like the whole, wherever they are cut", () => {
  const bytes = Uint8Array.from({ length: 11 }, (_, i) => (i * 89 + 200) % 256);
  const whole = murmur3(bytes, 0, bytes.length, 5);
  for (let cuts = 0; cuts < 2 ** 10; cuts++) {
    const sum = new Murmur3(5);
    let from = 0;
    for (let at = 1; at <= 11; at++) {
      if (at < 11 && (cuts & (1 << (at - 1))) === 0) continue;
      sum.add(bytes.subarray(from, at)).add(new Uint8Array(0));
      from = at;
    }
    expect(sum.value).toBe(whole);
  }
});

test("hashes parts that are read into one reused Buffer", () => {
  const buffer = Buffer.alloc(5);
  const sum = new Murmur3(5);
  for (let i = 0; i < 4; i++) sum.add(buffer.fill(i + 1));
  const whole = Uint8Array.from({ length: 20 }, (_, k) => Math.floor(k / 5) + 1);
  expect(sum.value).toBe(murmur3(whole, 0, 20, 5));
});

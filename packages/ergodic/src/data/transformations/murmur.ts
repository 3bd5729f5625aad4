/** MurmurHash3_x86_32 of a text's UTF-8 bytes, seed 0: a u32. Source: A. Appleby 2011, public domain; constants as published. */
const encoder = new TextEncoder();

export function murmur3(text: string): number {
  const bytes = encoder.encode(text);
  const blocks = bytes.length >> 2;
  let hash = 0;
  for (let b = 0; b < blocks; b++) {
    const i = b * 4;
    const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    hash ^= scramble(word);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= blocks * 4; i--) tail = (tail << 8) | bytes[i];
  hash ^= scramble(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(word: number): number {
  word = Math.imul(word, 0xcc9e2d51);
  return Math.imul((word << 15) | (word >>> 17), 0x1b873593);
}

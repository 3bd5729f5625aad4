/** Hash of a column's text: MurmurHash3 of its UTF-8 bytes with seed 0, as a u32. */
import { murmur3 as ofBytes } from "../../random/murmur3.ts";

const encoder = new TextEncoder();

export function murmur3(text: string): number {
  const bytes = encoder.encode(text);
  return ofBytes(bytes, 0, bytes.length, 0);
}

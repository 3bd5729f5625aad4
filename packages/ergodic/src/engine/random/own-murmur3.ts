import { refuse } from "../errors/checks.ts";
import { murmur3 as hash } from "./murmur3.ts";

/**
 * Returns the unsigned 32-bit MurmurHash3 (x86) of a range of bytes. For code outside the library, so the arguments are
 * checked.
 */
export function murmur3(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const isRange = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end;
  if (!(bytes instanceof Uint8Array && isRange && end <= bytes.length && typeof seed === "number"))
    refuse(
      "murmur3",
      "the first argument",
      bytes,
      "a Uint8Array with a range of its bytes",
      "murmur3(bytes, 0, bytes.length, 0)",
    );
  return hash(bytes, start, end, seed);
}

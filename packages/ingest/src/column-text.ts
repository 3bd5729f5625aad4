/** Copies cells to strings that do not share memory with their block, and orders levels. */
import { shown } from "./lines.ts";
import { isNumberText } from "./number.ts";

/** Decodes bytes. Most strings are short and ASCII. For them, this loop costs less than a call to a decoder. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 32) return shown(bytes.subarray(start, end));
  let text = "";
  for (let i = start; i < end; i++) {
    if (bytes[i] > 127) return shown(bytes.subarray(start, end));
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}

const encoder = new TextEncoder();

/** Copies a string. A mere slice of a block would keep the whole block in memory. */
export function copied(text: string): string {
  return text.length < 13 ? text : shown(encoder.encode(text));
}

/**
 * Codes of levels in their final order. Declared levels keep their order. Other levels are ordered by value if all are
 * numbers, and by code unit otherwise.
 */
export function levelOrder(levels: readonly string[], declared: boolean): number[] {
  const order = levels.map((_, code) => code);
  if (declared) return order;
  if (levels.every((level) => isNumberText(level, "."))) return order.sort((a, b) => Number(levels[a]) - Number(levels[b]));
  return order.sort((a, b) => (levels[a] < levels[b] ? -1 : 1));
}

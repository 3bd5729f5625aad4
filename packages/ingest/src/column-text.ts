/** Copies cell contents to strings that do not share memory, and orders levels. */
import { shown } from "./lines.ts";
import { isNumberText } from "./number.ts";

/** Decodes bytes. Most strings are short ASCII, for which calling a decoder costs more than this loop. */
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

/** Copies a string. A slice would keep in memory the whole block from which it was cut. */
export function copied(text: string): string {
  return text.length < 13 ? text : shown(encoder.encode(text));
}

/**
 * Codes of levels in their final order. Levels are ordered as declared, by value if all are numbers, or by code unit.
 */
export function levelOrder(levels: readonly string[], declared: boolean): number[] {
  const order = levels.map((_, code) => code);
  if (declared) return order;
  if (levels.every((level) => isNumberText(level, "."))) return order.sort((a, b) => Number(levels[a]) - Number(levels[b]));
  return order.sort((a, b) => (levels[a] < levels[b] ? -1 : 1));
}

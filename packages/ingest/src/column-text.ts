/** Texts of cells as strings of their own, and the order of levels. */
import { shown } from "./lines.ts";
import { isNumberText } from "./number.ts";

/** Short ASCII texts are most of all, and a decoder's call costs more than they do. */
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

/** A string of its own: a slice would keep the whole block that it was cut from. */
export function copied(text: string): string {
  return text.length < 13 ? text : shown(encoder.encode(text));
}

/** Codes of levels in their order: as declared, or by value if all are numbers, otherwise by code unit. */
export function levelOrder(levels: readonly string[], declared: boolean): number[] {
  const order = levels.map((_, code) => code);
  if (declared) return order;
  if (levels.every((level) => isNumberText(level, "."))) return order.sort((a, b) => Number(levels[a]) - Number(levels[b]));
  return order.sort((a, b) => (levels[a] < levels[b] ? -1 : 1));
}

/**
 * Converts the values of a layout to another type. The result borrows the target, the weights and the sparse structure
 * from the source layout. The result's owner must therefore keep the source alive.
 *
 * i8 and i16: stored s = round(x / scale) with one scale for the dataset, scale = max|x| / 127 or max|x| / 32767, so
 * that |x − scale·s| ≤ scale/2 and |s| ≤ 127 or 32767. The intercept entry is round(1 / scale), clamped to [1, 127] or
 * [1, 32767]. Floats round to nearest.
 */
import { engineMemory } from "../memory/memory.ts";
import { type DataLayout, type Elements, elementBytes, elements, type NumberType, rowStride } from "./layout.ts";
import type { Stored } from "./storage.ts";

export function convert(from: DataLayout, type: NumberType, source: string): Stored {
  const limit = type === "i8" ? 127 : type === "i16" ? 32767 : 0;
  const scale = limit === 0 ? 1 : largest(from) / limit || 1;
  const storedOne = limit === 0 ? 1 : Math.min(limit, Math.max(1, Math.round(1 / scale)));
  const stride = from.format === "dense" ? rowStride(type, from.columnCount) : 0;
  const oldCount = storedCount(from);
  const count = from.format === "dense" ? from.rowCount * stride : oldCount;
  const allocation = engineMemory().allocate(count * elementBytes[type], `dataset ${source} as ${type}`);
  const memory = engineMemory();
  const input = elements(memory, from.type, from.values, oldCount);
  const output = elements(memory, type, allocation.pointer, count);
  const ratio = from.scale;
  const encode: (stored: number) => number =
    limit === 0
      ? (stored) => ratio * stored
      : (stored) => Math.max(-limit, Math.min(limit, Math.round((ratio * stored) / scale)));
  eachRow(from, stride, (start, end, newStart) => {
    for (let k = start; k < end; k++) output[newStart + k - start] = encode(input[k]);
    output[newStart + end - start] = storedOne;
  });
  const layout = { ...from, type, stride, scale, one: scale * storedOne, values: allocation.pointer };
  return { allocation, layout: Object.freeze(layout) };
}

/** Returns max|x| over all columns except the intercept. */
function largest(from: DataLayout): number {
  const values: Elements = elements(engineMemory(), from.type, from.values, storedCount(from));
  let maximum = 0;
  eachRow(from, from.stride, (start, end) => {
    for (let k = start; k < end; k++) maximum = Math.max(maximum, Math.abs(values[k]));
  });
  return maximum * from.scale;
}

/**
 * Visits every row. Passes the row's range of elements [start, end), without the intercept, and the index at which the
 * row begins when rows are `stride` elements apart.
 */
function eachRow(from: DataLayout, stride: number, visit: (start: number, end: number, newStart: number) => void): void {
  if (from.format === "dense") {
    for (let i = 0; i < from.rowCount; i++) visit(i * from.stride, i * from.stride + from.columnCount, i * stride);
    return;
  }
  const starts = engineMemory().u32(from.rowStart, from.rowCount + 1);
  for (let i = 0; i < from.rowCount; i++) visit(starts[i], starts[i + 1] - 1, starts[i]);
}

/** Returns the number of stored elements, including padding and intercept entries. */
export function storedCount(from: DataLayout): number {
  if (from.format === "dense") return from.rowCount * from.stride;
  return engineMemory().u32(from.rowStart, from.rowCount + 1)[from.rowCount];
}

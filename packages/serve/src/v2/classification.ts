/** The classification extension: an output as its largest entries per row, with their class names. */
import type { OutputTensor } from "../models/served.ts";
import { type Datatype, fromHalf } from "./datatypes.ts";

/**
 * Returns the `count` largest entries of each row as strings "value:index" or "value:index:label", from the largest to
 * the smallest. Equal entries are in the order of their index, and NaN counts as the smallest.
 */
export function largestOf(
  { shape, elements }: OutputTensor,
  datatype: Datatype,
  count: number,
  labels: readonly string[] | undefined,
  textOf: (value: number) => string,
): OutputTensor {
  const [rows] = shape;
  const width = shape.slice(1).reduce((product, extent) => product * extent, 1);
  const kept = Math.min(count, width);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const values = Array.from({ length: width }, (_, k) => {
      const value = Number(elements[row * width + k]);
      return datatype === "FP16" ? fromHalf(value) : value;
    });
    const rank = (k: number): number => (Number.isNaN(values[k]) ? -Infinity : values[k]);
    const order = values.map((_, k) => k).sort((a, b) => (rank(a) === rank(b) ? a - b : rank(b) - rank(a)));
    for (const k of order.slice(0, kept)) texts.push(`${textOf(values[k])}:${k}${labels ? `:${labels[k]}` : ""}`);
  }
  return { shape: [rows, kept], elements: texts };
}

/** Compares a model's answers to batches row by row. */
import type { OnnxTensor } from "../onnx/index.ts";
import { fromHalf } from "../v2/datatypes.ts";

/** Difference between two answers to the same row, in one output. */
export interface Difference {
  /**
   * Largest difference between two numbers. Infinity if only one of the two numbers is finite, or if two labels differ.
   */
  readonly largest: number;
  /** Largest absolute value in the row. */
  readonly scale: number;
}

/**
 * Checks the shapes of an answer to this many rows, and returns the first fault. Returns undefined if each output has
 * one part per row, and the parts have the same shape as in `like`.
 */
export function shapeFault(names: readonly string[], answer: readonly OnnxTensor[], rows: number, like: readonly OnnxTensor[]) {
  for (const [k, { shape }] of answer.entries()) {
    const wanted = [rows, ...like[k].shape.slice(1)];
    if (shape.length === wanted.length && shape.every((extent, i) => extent === wanted[i])) continue;
    return `its output "${names[k]}" has the shape [${shape.join(", ")}] for ${rows} ${rows === 1 ? "row" : "rows"}, not one part per row`;
  }
  return undefined;
}

/** Compares row i of one answer with row j of another, output by output. */
export function differences(a: readonly OnnxTensor[], i: number, b: readonly OnnxTensor[], j: number): Difference[] {
  return a.map((output, k) => {
    const [x, y] = [rowOf(output, i), rowOf(b[k], j)];
    if (output.type.startsWith("float")) return ofNumbers(numbersOf(output.type, x), numbersOf(output.type, y));
    return { largest: x.every((value, e) => value === y[e]) ? 0 : Infinity, scale: 0 };
  });
}

function ofNumbers(x: ArrayLike<number>, y: ArrayLike<number>): Difference {
  let largest = 0;
  let scale = 0;
  for (let e = 0; e < x.length; e++) {
    for (const value of [x[e], y[e]]) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
    if (Object.is(x[e], y[e])) continue;
    const difference = Math.abs(x[e] - y[e]);
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
  }
  return { largest, scale };
}

function rowOf({ shape, data }: OnnxTensor, i: number): readonly unknown[] {
  const size = data.length / shape[0];
  return data.slice(i * size, (i + 1) * size) as readonly unknown[];
}

const numbersOf = (type: string, values: readonly unknown[]): ArrayLike<number> =>
  (type === "float16" ? Array.from(values as readonly number[], fromHalf) : values) as ArrayLike<number>;

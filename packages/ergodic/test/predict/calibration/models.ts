/** Models that output their rows, and rows from known distributions, so that the result of calibration is known. */

import { Dataset, fit, type LinearPredictor, type Loss, linear, predictor } from "../../../src/entries/everything.ts";
import { decodeModel, encodeModel } from "../../../src/predict/model-file.ts";

export type Uniform = () => number;

/** Lehmer's generator, in (0, 1). */
export function uniforms(seed: number): Uniform {
  let s = seed;
  for (let k = 0; k < 3; k++) s = (s * 48271) % 2147483647;
  return () => {
    s = (s * 48271) % 2147483647;
    return s / 2147483647;
  };
}

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Class names that are not integers, because integer keys would change the order. */
export const className = (k: number): string => `c${k}`;

/** Rows of float64 numbers. Class indices in `y` become names. */
export function rowsOf(
  z: readonly (readonly number[])[],
  y: ArrayLike<number>,
  classes: number,
  weights?: readonly number[],
): Dataset {
  const target = classes > 0 ? Array.from(y, className) : Array.from(y);
  return Dataset.fromArrays({
    x: z.map((row) => [...row]),
    y: target as number[],
    type: "f64",
    ...(weights ? { weights: [...weights] } : {}),
  });
}

/** A model with z equal to the row. It has one column for two classes and for numbers (`classes` 0). */
export async function outputModel(classes: number, loss?: string | Loss, scale = 1): Promise<LinearPredictor> {
  const columns = classes > 2 ? classes : 1;
  const n = Math.max(4, 2 * classes);
  const data = rowsOf(
    range(n).map((i) => range(columns).map((j) => (i * 7 + j * 3) % 5)),
    range(n).map((i) => (classes > 0 ? i % classes : i % 3)),
    classes,
  );
  const model = await fit(linear(loss === undefined ? {} : { loss: loss as "logistic" }), data, { epochs: 1, workers: 1 });
  const { metadata, tensors, describe } = decodeModel(model.toBytes(), "test");
  (tensors.weights.values as Float64Array).fill(0);
  for (let k = 0; k < columns; k++) (tensors.weights.values as Float64Array)[k * columns + k] = scale;
  (tensors.intercept.values as Float64Array).fill(0);
  return predictor<LinearPredictor>(encodeModel(metadata.kind, describe(), tensors));
}

export function softmax(z: readonly number[]): number[] {
  const top = Math.max(...z);
  const e = z.map((x) => Math.exp(x - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / total);
}

export function drawn(p: readonly number[], u: number): number {
  let total = 0;
  for (const [k, share] of p.entries()) {
    total += share;
    if (u < total) return k;
  }
  return p.length - 1;
}

/** Standard normal number by Box and Muller. */
export const normalOf = (u: Uniform): number => Math.sqrt(-2 * Math.log(u())) * Math.cos(2 * Math.PI * u());

/** n rows of `classes` outputs, which are `sure` times the true ones. Two classes have one output. */
export function classRows(u: Uniform, n: number, classes: number, sure: number): { z: number[][]; y: number[] } {
  const z: number[][] = [];
  const y: number[] = [];
  for (let i = 0; i < n; i++) {
    const l = classes === 2 ? [2.5 * normalOf(u)] : range(classes).map(() => 1.5 * normalOf(u));
    y.push(drawn(softmax(classes === 2 ? [0, l[0]] : l), u()));
    z.push(l.map((x) => sure * x));
  }
  return { z, y };
}

/** Rows and problems shared by the tests of Newton's method. */
import type { Curved } from "../../../src/engine/contract/index.ts";

export function numbers(seed: number): () => number {
  let s = seed;
  return () => (s = (s * 48271) % 2147483647) / 2147483647;
}

export function compressed(x: number[][]) {
  const entries = x.map((row) => row.flatMap((v, j) => (v === 0 ? [] : [{ j, v }])));
  const rowStart = new Uint32Array(x.length + 1);
  for (const [i, row] of entries.entries()) rowStart[i + 1] = rowStart[i] + row.length;
  return {
    rowCount: x.length,
    columnCount: x[0].length,
    rowStart,
    columnIndex: Uint32Array.from(entries.flat(), ({ j }) => j),
    values: Float64Array.from(entries.flat(), ({ v }) => v),
    source: "sparse",
  };
}

export function floats(given: { target: number[]; weights: number[]; offset: number[] }) {
  const { target, weights, offset } = given;
  return { target: Float64Array.from(target), weights: Float64Array.from(weights), offset: Float64Array.from(offset) };
}

export function disposable<T extends { dispose(): void }>(made: T): T & Disposable {
  return Object.assign(made, { [Symbol.dispose]: () => made.dispose() });
}

/** Copies results that the next call overwrites. */
export const copied = ({ loss, gradient, hessian }: Curved): Curved => ({
  loss,
  gradient: gradient.slice(),
  hessian: hessian.slice(),
});

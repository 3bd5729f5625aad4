/** Arrays by formula: row-major values at every index, and the value at an index, without any code of the library. */
export type Index = readonly number[];

export function tabulate(shape: readonly number[], f: (...index: number[]) => number): Float64Array {
  const size = shape.reduce((a, b) => a * b, 1);
  const y = new Float64Array(size);
  const index = shape.map(() => 0);
  for (let i = 0; i < size; i++) {
    y[i] = f(...index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return y;
}

/** The element at an index, or 0 outside if `padded`. Missing leading axes and extents of 1 broadcast. */
export function elementOf(x: ArrayLike<number>, shape: readonly number[], index: Index, padded = false): number {
  const own = index.slice(index.length - shape.length);
  if (padded && own.some((i, axis) => i < 0 || i >= shape[axis])) return 0;
  let at = 0;
  shape.forEach((extent, axis) => {
    at = at * extent + (extent === 1 ? 0 : own[axis]);
  });
  return x[at];
}

/** Σ f(i) over 0 ≤ i < n. */
export function total(n: number, f: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += f(i);
  return sum;
}

/** Deterministic numbers between −1 and 1 that look random. */
export function numbers(size: number, seed = 0): Float64Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float64Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

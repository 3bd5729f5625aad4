/**
 * Plain twin of kernels/engine/arrays/elementwise.ts: one element after another, all loads before all stores, and sums
 * in float64 from first to last.
 */
import type { ElementwiseAccess, ElementwiseLoop } from "../../src/engine/memory/elementwise.ts";

/** A primitive by its name, for numbers. */
export type Apply = (name: string) => (...x: number[]) => number;

const START = { sum: 0, maximum: -Infinity, minimum: Infinity };
const COMBINE = { sum: (a: number, b: number) => a + b, maximum: Math.max, minimum: Math.min };

/** Writes into `arrays`. `round` rounds to the type of all arrays. */
export function elementwise(loop: ElementwiseLoop, arrays: number[][], apply: Apply, round: (x: number) => number): void {
  const writes: { value: number; at: number; x: number }[] = [];
  const sums = loop.reductions.map(({ size, kind }) => new Array<number>(size).fill(START[kind]));
  for (const index of indices(loop.shape)) {
    const at = ({ offset, strides }: ElementwiseAccess): number => strides.reduce((sum, s, d) => sum + s * index[d], offset);
    const known = [...loop.loads.map((access) => arrays[access.value][at(access)]), ...loop.constants.map(round)];
    for (const [name, ...args] of loop.operations) known.push(round(apply(name)(...args.map((i) => known[i]))));
    for (const { to, from } of loop.stores) writes.push({ value: to.value, at: at(to), x: known[from] });
    for (const [i, { kind, to, from }] of loop.reductions.entries())
      sums[i][at(to)] = COMBINE[kind](sums[i][at(to)], known[from]);
  }
  for (const { value, at, x } of writes) arrays[value][at] = x;
  for (const [i, { to }] of loop.reductions.entries()) for (const [k, x] of sums[i].entries()) arrays[to.value][k] = round(x);
}

function* indices(shape: readonly number[]): Generator<number[]> {
  const index = shape.map(() => 0);
  for (;;) {
    yield index;
    let axis = shape.length - 1;
    while (axis >= 0 && ++index[axis] === shape[axis]) index[axis--] = 0;
    if (axis < 0) return;
  }
}

/** Single numbers of quantities, each a series of its own: what is [chain, draw, ...shape] in memory, turned. */
import type { DrawsContent, DrawsQuantity } from "./content.ts";

/** Numbers that are turned at a time: eight to a line of the processor's cache, and two lines. */
const AT_ONCE = 16;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** "theta", "theta[3]", "L[2,1]": the name of the number at a row-major offset, counted from 1. */
export function scalarName(name: string, shape: readonly number[], at: number): string {
  if (shape.length === 0) return name;
  const index: number[] = [];
  for (let axis = shape.length - 1, rest = at; axis >= 0; axis--) {
    index.unshift((rest % shape[axis]) + 1);
    rest = Math.floor(rest / shape[axis]);
  }
  return `${name}[${index.join(",")}]`;
}

/** Every number of the quantities by its name, [chain, draw] each, in order. */
export function* seriesOf(
  { chains, count, values }: DrawsContent,
  quantities: readonly DrawsQuantity[],
): Generator<[name: string, series: Float64Array]> {
  for (const { name, shape } of quantities) {
    const size = sizeOf(shape);
    for (let at = 0; at < size; at += AT_ONCE) {
      const some = turned(values[name], size, { at, width: Math.min(AT_ONCE, size - at), length: chains * count });
      for (const [j, series] of some.entries()) yield [scalarName(name, shape, at + j), series];
    }
  }
}

/** The numbers at the offsets `at`, `at` + 1, … of rows of `size`. */
export function turned(
  values: Float64Array,
  size: number,
  { at, width, length }: { at: number; width: number; length: number },
): Float64Array[] {
  const series = Array.from({ length: width }, () => new Float64Array(length));
  // A few rows at a time, so that what is read stays at hand for every series.
  for (let start = 0; start < length; start += AT_ONCE) {
    const end = Math.min(length, start + AT_ONCE);
    for (let j = 0; j < width; j++) {
      const own = series[j];
      for (let k = start; k < end; k++) own[k] = values[k * size + at + j];
    }
  }
  return series;
}

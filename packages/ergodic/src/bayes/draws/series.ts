/** Series of single numbers: transposes [chain, draw, ...shape] into one array per number. */
import type { DrawsContent, DrawsQuantity } from "./content.ts";

/**
 * Number of series that are transposed together. Sixteen float64 numbers fill two cache lines of eight numbers each.
 */
const AT_ONCE = 16;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** Name of the number at a row-major offset, counted from 1: "theta", "theta[3]", "L[2,1]". */
export function scalarName(name: string, shape: readonly number[], at: number): string {
  if (shape.length === 0) return name;
  const index: number[] = [];
  for (let axis = shape.length - 1, rest = at; axis >= 0; axis--) {
    index.unshift((rest % shape[axis]) + 1);
    rest = Math.floor(rest / shape[axis]);
  }
  return `${name}[${index.join(",")}]`;
}

/** Yields every number of the quantities by name, each [chain, draw], in order. */
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

/** Returns `width` columns, beginning with column `at`, of a table with `size` values per row. */
export function turned(
  values: Float64Array,
  size: number,
  { at, width, length }: { at: number; width: number; length: number },
): Float64Array[] {
  const series = Array.from({ length: width }, () => new Float64Array(length));
  // Processes a few rows at a time, so that the rows stay in the cache while all series are read from them.
  for (let start = 0; start < length; start += AT_ONCE) {
    const end = Math.min(length, start + AT_ONCE);
    for (let j = 0; j < width; j++) {
      const own = series[j];
      for (let k = start; k < end; k++) own[k] = values[k * size + at + j];
    }
  }
  return series;
}

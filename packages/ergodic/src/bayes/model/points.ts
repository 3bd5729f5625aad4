/** Evaluates functions of u at many points. Each point has `dimension` numbers, and all points are concatenated. */
import type { Stream } from "../../engine/random/stream.ts";
import type { Drawer } from "./drawing.ts";
import type { PointFunction } from "./placed.ts";

function* pointsOf(points: Float64Array, dimension: number): Generator<[u: Float64Array, i: number]> {
  for (let i = 0; i * dimension < points.length; i++) yield [points.subarray(i * dimension, (i + 1) * dimension), i];
}

/** Returns the values [point, size]. */
export function eachPoint(points: Float64Array, dimension: number, f: PointFunction): Float64Array {
  const out = new Float64Array((points.length / dimension) * f.size);
  for (const [u, i] of pointsOf(points, dimension)) out.set(f.at(u), i * f.size);
  return out;
}

/** Returns draws by name [point, size]. Point i uses update i of the stream. */
export function drawEach(points: Float64Array, dimension: number, drawer: Drawer, stream: Stream): Record<string, Float64Array> {
  const made: Record<string, Float64Array> = {};
  for (const [u, i] of pointsOf(points, dimension))
    for (const { name, values } of drawer.at(u, stream.at(i))) {
      made[name] ??= new Float64Array((points.length / dimension) * values.length);
      made[name].set(values, i * values.length);
    }
  return made;
}

/** Splits rows of concatenated quantities into one array per quantity. */
export function namedColumns(
  rows: Float64Array,
  quantities: readonly { readonly name: string; readonly size: number }[],
): Record<string, Float64Array> {
  const width = quantities.reduce((count, { size }) => count + size, 0);
  let offset = 0;
  return Object.fromEntries(
    quantities.map(({ name, size }) => {
      offset += size;
      return [name, columns(rows, width, offset - size, size)];
    }),
  );
}

function columns(rows: Float64Array, width: number, from: number, size: number): Float64Array {
  if (width === size) return rows;
  const out = new Float64Array((rows.length / width) * size);
  for (let i = 0; i * width < rows.length; i++) out.set(rows.subarray(i * width + from, i * width + from + size), i * size);
  return out;
}

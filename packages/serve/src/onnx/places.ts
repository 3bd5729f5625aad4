/** Parts of arrays, and arrays made from parts (the compiler's slice and place), as ONNX nodes. */
import type { Arrays } from "./arrays.ts";

/** Elements of each axis: start, start + step, …. */
export interface Slice {
  readonly start: readonly number[];
  readonly step: readonly number[];
}

type Shape = readonly number[];

export const isPlace = (places: readonly Slice[]): boolean => places.every(({ step }) => step.every((by) => by === 1));

/** End of a reversed slice that includes the element with index 0. */
const BELOW_ALL = -(2 ** 31);

export function sliced({ graph }: Arrays, x: string, { start, step }: Slice, from: Shape, to: Shape): string {
  const axes = from.map((_, axis) => axis).filter((axis) => to[axis] !== from[axis] || (step[axis] !== 1 && to[axis] > 1));
  const ends = axes.map((axis) => {
    const end = start[axis] + step[axis] * to[axis];
    return end < 0 ? BELOW_ALL : end;
  });
  const list = (values: readonly number[]): string => graph.constant("int64", values);
  return graph.node("Slice", [
    x,
    list(axes.map((axis) => start[axis])),
    list(ends),
    list(axes),
    list(axes.map((axis) => step[axis])),
  ]);
}

/** Arranges parts next to each other, or pads a part with zeros. */
export function placed(
  { graph }: Arrays,
  parts: readonly string[],
  shapes: readonly Shape[],
  places: readonly Slice[],
  whole: Shape,
): string {
  const along = axisOf(shapes, places, whole);
  if (along !== undefined) {
    const order = parts.map((_, i) => i).sort((i, j) => places[i].start[along] - places[j].start[along]);
    return graph.node(
      "Concat",
      order.map((i) => parts[i]),
      { axis: along },
    );
  }
  const padded = parts.map((part, i) => {
    const { start } = places[i];
    const after = whole.map((extent, axis) => extent - start[axis] - shapes[i][axis]);
    return graph.node("Pad", [part, graph.constant("int64", [...start, ...after]), graph.scalar("float32", 0)]);
  });
  return padded.length === 1 ? padded[0] : graph.node("Sum", padded);
}

/** Returns the axis along which consecutive parts fill the whole array. Returns undefined if there is no such axis. */
function axisOf(shapes: readonly Shape[], places: readonly Slice[], whole: Shape): number | undefined {
  const axis = whole.findIndex((_, at) => shapes.some((shape) => shape[at] !== whole[at]));
  const isWhole = shapes.every((shape) => shape.every((extent, at) => at === axis || extent === whole[at]));
  const filled = shapes.reduce((sum, shape) => sum + shape[axis], 0);
  return axis >= 0 && isWhole && places.length > 0 && filled === whole[axis] ? axis : undefined;
}

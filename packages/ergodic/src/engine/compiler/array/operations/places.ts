/**
 * Parts of arrays, and arrays composed of parts. Each is the adjoint of the other.
 *
 * slice: y[i…] = x[start + step·i…], for each axis; steps can be negative, so flips are slices.
 * place: puts arrays at non-overlapping positions of a larger one, with 0 elsewhere; padding and concatenation are
 * places.
 */
import { add } from "../../primitives/arithmetic.ts";
import { anything, array, arrays, indices, number, operation, optional, options, whole } from "../../signature.ts";
import { arrayPrimitive } from "../primitive.ts";
import { axisOf, type Shape, type SymbolicArray, shapeError, shapeText, stridesOf } from "../symbolic.ts";
import { full } from "./constants.ts";
import { reshape } from "./reshape.ts";

export interface Slice {
  readonly start: readonly number[];
  readonly step: readonly number[];
}

const makeSlice = arrayPrimitive({
  name: "slice",
  evaluate(node, [x]) {
    const index = sliceIndex(node.args[0].shape, node.attributes as Slice, node.shape);
    return Float64Array.from({ length: node.size }, (_, i) => x[index(i)]);
  },
  derivative: (adjoint, node) => place([adjoint], node.args[0].shape, [node.attributes as Slice]),
  rebuild: (node, [x]) => slicedBy(x, node.attributes as Slice, node.shape),
  describe(node) {
    const { start, step } = node.attributes as Slice;
    return start.map((from, axis) => `${from}:${node.shape[axis]}${step[axis] === 1 ? "" : `:${step[axis]}`}`).join(", ");
  },
  code: {
    form: "view",
    layout(node, { offset, strides }) {
      const { start, step } = node.attributes as Slice;
      return {
        offset: offset + start.reduce((sum, from, axis) => sum + from * strides[axis], 0),
        strides: strides.map((stride, axis) => stride * step[axis]),
      };
    },
  },
});

/** Returns the row-major index in `shape` of element i of the slice. */
export function sliceIndex(shape: Shape, { start, step }: Slice, of: Shape): (i: number) => number {
  const outer = stridesOf(shape);
  const inner = stridesOf(of);
  return (i) =>
    outer.reduce((at, stride, axis) => at + (start[axis] + step[axis] * (Math.floor(i / inner[axis]) % of[axis])) * stride, 0);
}

/** Slices by start, step and extents. */
export function slicedBy(x: SymbolicArray, { start, step }: Slice, shape: Shape): SymbolicArray {
  const fits =
    start.length === x.rank &&
    shape.every((extent, axis) => {
      const last = start[axis] + step[axis] * (extent - 1);
      return extent >= 1 && Math.min(start[axis], last) >= 0 && Math.max(start[axis], last) < x.shape[axis];
    });
  if (!fits)
    throw shapeError(
      "slice",
      `start ${shapeText(start)}, step ${shapeText(step)} and extents ${shapeText(shape)} reach beyond ${shapeText(x.shape)}`,
    );
  if (shape.every((extent, axis) => extent === x.shape[axis] && (step[axis] === 1 || extent === 1))) return x;
  if (x.op === "full") return full(x.attributes as number, shape);
  return makeSlice([x], shape, { start: [...start], step: [...step] });
}

/**
 * Every `step`-th element of [from, to) along an axis. Negative positions count from the end of the axis, and step −1
 * reverses. Other axes stay whole.
 *
 * @throws CompileError if the result is empty or the axis does not exist
 */
export const slice = operation(
  "slice",
  { x: array, options: options({ axis: whole, from: number, to: number, step: number }) },
  (
    x: SymbolicArray,
    {
      axis = 0,
      from = 0,
      to = x.shape[axis < 0 ? axis + x.rank : axis],
      step = 1,
    }: { axis?: number; from?: number; to?: number; step?: number },
  ): SymbolicArray => {
    const at = axis < 0 ? axis + x.rank : axis;
    const extent = x.shape[at];
    if (extent === undefined || !Number.isInteger(step) || step === 0)
      throw shapeError("slice", `axis is ${axis} and step ${step}, but the array is ${shapeText(x.shape)}`);
    if (!Number.isInteger(from) || !Number.isInteger(to))
      throw shapeError("slice", `[${from}, ${to}) was given, but both ends must be whole numbers`);
    const low = Math.max(0, from < 0 ? from + extent : from);
    const high = Math.min(extent, to < 0 ? to + extent : to);
    const count = Math.ceil((high - low) / Math.abs(step));
    if (!(count >= 1)) throw shapeError("slice", `[${from}, ${to}) of axis ${axis} of ${shapeText(x.shape)} is empty`);
    const start = x.shape.map((_, i) => (i === at ? (step > 0 ? low : high - 1) : 0));
    return slicedBy(
      x,
      { start, step: x.shape.map((_, i) => (i === at ? step : 1)) },
      x.shape.map((n, i) => (i === at ? count : n)),
    );
  },
);

/**
 * Element x[index] along an axis. The result lacks this axis. A list of indices selects x[i][j] along that axis and the
 * following axes: `at(L, [1, 0])`. A negative index counts from the end.
 *
 * @throws CompileError if an index is out of range, or there are more indices than axes
 */
export const at = operation(
  "at",
  { x: array, index: indices, axis: optional(whole) },
  (x: SymbolicArray, index: number | readonly number[], axis = 0): SymbolicArray => {
    const list = typeof index === "number" ? [index] : Array.from(index);
    const first = axisOf("at", axis, x.rank);
    if (list.length === 0 || first + list.length > x.rank)
      throw shapeError(
        "at",
        `${list.length} indices were given from axis ${first} on, but ${shapeText(x.shape)} has ${x.rank - first} axes from there on; give one for each, or for fewer`,
      );
    const start = x.shape.map(() => 0);
    list.forEach((given, k) => {
      const extent = x.shape[first + k];
      const from = given < 0 ? given + extent : given;
      if (!Number.isInteger(from) || from < 0 || from >= extent)
        throw shapeError(
          "at",
          `index is ${given}, but axis ${first + k} of ${shapeText(x.shape)} has ${extent} elements; indices count from 0`,
        );
      start[first + k] = from;
    });
    const isTaken = (_: number, i: number): boolean => i >= first && i < first + list.length;
    const part = slicedBy(
      x,
      { start, step: x.shape.map(() => 1) },
      x.shape.map((n, i) => (isTaken(n, i) ? 1 : n)),
    );
    return reshape(
      part,
      x.shape.filter((n, i) => !isTaken(n, i)),
    );
  },
);

/** Reverses an axis. */
export const flip = operation(
  "flip",
  { x: array, axis: optional(whole) },
  (x: SymbolicArray, axis = 0): SymbolicArray => slice(x, { axis, step: -1 }),
);

/** The form is "special", because schedule-steps.ts copies each part to its position. */
const makePlace = arrayPrimitive({
  name: "place",
  evaluate(node, args) {
    const y = new Float64Array(node.size);
    for (const [k, place] of (node.attributes as Slice[]).entries()) {
      const index = sliceIndex(node.shape, place, node.args[k].shape);
      for (let i = 0; i < args[k].length; i++) y[index(i)] = args[k][i];
    }
    return y;
  },
  derivative: (adjoint, node, i) => slicedBy(adjoint, (node.attributes as Slice[])[i], node.args[i].shape),
  rebuild: (node, args) => place(args, node.shape, node.attributes as Slice[]),
  describe: (node) => (node.attributes as Slice[]).map(({ start }) => `at ${shapeText(start)}`).join(", "),
  code: { form: "special" },
});

export function place(parts: readonly SymbolicArray[], shape: Shape, places: readonly Slice[]): SymbolicArray {
  if (parts.every((part) => part.op === "full" && part.attributes === 0)) return full(0, shape);
  return makePlace(parts, shape, places);
}

/**
 * Each given array consists of one part, with 0 elsewhere, and all have the same shape. The function merges the arrays
 * into as few arrays as possible with the same sum. Parts at equal positions are added, and parts that do not overlap
 * share one array.
 */
export function joinedPlaces(wholes: readonly SymbolicArray[]): SymbolicArray[] {
  const [{ shape, size }] = wholes;
  const byPlace = new Map<string, { part: SymbolicArray; place: Slice }>();
  for (const { args, attributes } of wholes) {
    const [place] = attributes as Slice[];
    const key = JSON.stringify([place, args[0].shape]);
    const known = byPlace.get(key);
    byPlace.set(key, { part: known ? add(known.part, args[0]) : args[0], place });
  }
  const layers: { taken: Uint8Array; parts: SymbolicArray[]; places: Slice[] }[] = [];
  for (const { part, place } of byPlace.values()) {
    const index = sliceIndex(shape, place, part.shape);
    const cells = Array.from({ length: part.size }, (_, i) => index(i));
    let layer = layers.find(({ taken }) => cells.every((cell) => taken[cell] === 0));
    if (!layer) layers.push((layer = { taken: new Uint8Array(size), parts: [], places: [] }));
    for (const cell of cells) layer.taken[cell] = 1;
    layer.parts.push(part);
    layer.places.push(place);
  }
  return layers.map(({ parts, places }) => place(parts, shape, places));
}

/** Returns whether the parts together fill the whole array. */
export const isCovered = (node: SymbolicArray): boolean => node.args.reduce((sum, part) => sum + part.size, 0) === node.size;

/** Concatenates arrays along an axis; all other extents must be equal. */
export const concatenate = operation(
  "concatenate",
  { parts: arrays, axis: optional(number) },
  (parts: readonly SymbolicArray[], axis = 0): SymbolicArray => {
    const [first] = parts;
    if (!first) throw shapeError("concatenate", "no arrays were given, but at least one is needed");
    if (parts.length === 1) return first;
    const along = axisOf("concatenate", axis, first.rank);
    for (const part of parts) {
      if (part.rank !== first.rank || part.shape.some((n, i) => i !== along && n !== first.shape[i]))
        throw shapeError(
          "concatenate",
          `shapes ${shapeText(first.shape)} and ${shapeText(part.shape)} differ on other axes than ${axis}`,
        );
    }
    let from = 0;
    const places = parts.map((part) => {
      const start = first.shape.map((_, i) => (i === along ? from : 0));
      from += part.shape[along];
      return { start, step: first.shape.map(() => 1) };
    });
    return place(
      parts,
      first.shape.map((n, i) => (i === along ? from : n)),
      places,
    );
  },
);

/** Adds zeros before and after each axis: `widths[axis] = [before, after]`. */
export const pad = operation(
  "pad",
  { x: array, widths: anything },
  (x: SymbolicArray, widths: readonly (readonly [number, number])[]): SymbolicArray => {
    const isWidth = (pair: unknown): boolean =>
      Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 0);
    if (!Array.isArray(widths) || widths.length !== x.rank || !widths.every(isWidth))
      throw shapeError(
        "pad",
        `widths are ${JSON.stringify(widths)}, but ${shapeText(x.shape)} wants [before, after] for each axis`,
      );
    if (widths.flat().every((n) => n === 0)) return x;
    const shape = x.shape.map((n, axis) => n + widths[axis][0] + widths[axis][1]);
    return place([x], shape, [{ start: widths.map(([before]) => before), step: x.shape.map(() => 1) }]);
  },
);

/** Stacks arrays of equal shapes along a new axis. `axis` is its index in the result, so −1 makes it the last axis. */
export const stack = operation(
  "stack",
  { parts: arrays, axis: optional(number) },
  (parts: readonly SymbolicArray[], axis = 0): SymbolicArray => {
    const along = axisOf("stack", axis, (parts[0]?.rank ?? 0) + 1);
    return concatenate(
      parts.map((part) => withAxis(part, along)),
      along,
    );
  },
);

function withAxis(x: SymbolicArray, axis: number): SymbolicArray {
  return reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
}

/**
 * Augmentation layers at the start of a network. These layers change each example at random during training, and they
 * are the identity otherwise.
 *
 * `randomShift`: shifts images [n, height, width, channels] by −most … most whole cells in each direction, all equally
 * likely. Cells that enter at the border repeat the cells at the edge, because this suits any background. With `fill:
 * "zero"`, they are 0. `randomFlip`: mirrors images with probability ½, left to right (`axis` 2) or top to bottom
 * (`axis` 1). `randomCutout`: sets a square of `size` cells to 0. The centre can be any cell, so part of the square can
 * lie outside the image. DeVries & Taylor 2017.
 * `noise`: x + deviation · z, with z standard normal.
 *
 * @throws OptionError for options out of range; when traced, if the input is not an image
 */

import {
  broadcastTo,
  concatenate,
  flip,
  pad,
  range,
  reshape,
  type SymbolicArray,
  slice,
} from "../../../engine/compiler/array/index.ts";
import { add, and, equal, floor, less, lessEqual, mul, sub, where } from "../../../engine/compiler/index.ts";
import { plain } from "../../../engine/errors/checks.ts";
import { count, expectRank } from "./layers/expected.ts";
import { layer, type Named } from "./layers/layer.ts";
import type { Layer, Scope } from "./scope.ts";

const IMAGE = "[height, width, channels]";
const perExample = (x: SymbolicArray, scope: Scope): SymbolicArray => scope.uniform([x.shape[0], 1, 1, 1]);

/** Options of `randomShift`. */
export interface ShiftOptions extends Named {
  /**
   * Values of cells that enter at the border: "edge" repeats the cells at the edge, and "zero" gives 0. Default "edge".
   */
  readonly fill?: "edge" | "zero";
}

const makeShift = layer<ShiftOptions & { readonly most: number }>(
  "randomShift",
  (x, scope, { most, fill = "edge" }) => {
    expectRank("randomShift", scope, x, [4], IMAGE);
    if (!scope.training) return x;
    const along = (image: SymbolicArray, axis: number): SymbolicArray =>
      shifted(widened(image, axis, most, fill), axis, image.shape[axis], perExample(x, scope));
    return along(along(x, 1), 2);
  },
  {
    options: { most: count, fill: ["edge", "zero"] },
    required: ["most"],
    example: { options: { most: 1, fill: "zero" }, input: [2, 4, 4, 1] },
  },
);

function widened(x: SymbolicArray, axis: number, most: number, fill: "edge" | "zero"): SymbolicArray {
  if (fill === "zero")
    return pad(
      x,
      x.shape.map((_, i): [number, number] => (i === axis ? [most, most] : [0, 0])),
    );
  const wide = x.shape.map((extent, i) => (i === axis ? most : extent));
  const before = broadcastTo(slice(x, { axis, to: 1 }), wide);
  const after = broadcastTo(slice(x, { axis, from: x.shape[axis] - 1 }), wide);
  return concatenate([before, x, after], axis);
}

/** Shifts each image. Every possible shift is a slice of the padded image, and `where` selects one of the slices. */
function shifted(wide: SymbolicArray, axis: number, extent: number, u: SymbolicArray): SymbolicArray {
  const last = wide.shape[axis] - extent;
  const chosen = floor(mul(last + 1, u));
  const part = (from: number): SymbolicArray => slice(wide, { axis, from, to: from + extent });
  let made = part(last);
  for (let from = last - 1; from >= 0; from--) made = where(equal(chosen, from), part(from), made);
  return made;
}

const makeFlip = layer<{ readonly axis?: number }>(
  "randomFlip",
  (x, scope, { axis = 2 }) => {
    expectRank("randomFlip", scope, x, [4], IMAGE);
    return scope.training ? where(less(perExample(x, scope), 0.5), flip(x, axis), x) : x;
  },
  { options: { axis: { low: 1, high: 2, integer: true } }, example: { options: { axis: 1 }, input: [2, 4, 4, 1] } },
);

const makeCutout = layer<{ readonly size: number }>(
  "randomCutout",
  (x, scope, { size }) => {
    expectRank("randomCutout", scope, x, [4], IMAGE);
    if (!scope.training) return x;
    const within = (axis: 1 | 2): SymbolicArray => {
      const extent = x.shape[axis];
      const first = sub(floor(mul(extent, perExample(x, scope))), Math.floor(size / 2));
      const cells = reshape(range(extent), axis === 1 ? [1, extent, 1, 1] : [1, 1, extent, 1]);
      return and(lessEqual(first, cells), less(cells, add(first, size)));
    };
    return where(and(within(1), within(2)), 0, x);
  },
  { options: { size: count }, required: ["size"], example: { options: { size: 2 }, input: [2, 4, 4, 1] } },
);

const makeNoise = layer<{ readonly deviation: number }>(
  "noise",
  (x, scope, { deviation }) => {
    if (!scope.training || deviation === 0) return x;
    return add(x, mul(deviation, scope.normal(x.shape)));
  },
  { options: { deviation: { low: 0 } }, required: ["deviation"], example: { options: { deviation: 0.5 }, input: [2, 3] } },
);

/**
 * During training, shifts each image by a random whole number of cells, at most `most`, in each direction. Otherwise
 * y = x. x: [n, height, width, channels]. @throws OptionError
 */
export const randomShift = (most = 2, options: ShiftOptions = {}): Layer =>
  makeShift({ most, ...plain("randomShift", options, ["most"]) });
/**
 * During training, mirrors each image with probability ½; otherwise y = x. `axis`: 2 left to right (default), 1 top to
 * bottom. @throws OptionError
 */
export const randomFlip = (
  options: Named & {
    /** Axis along which images are mirrored: 2 from left to right, 1 from top to bottom. Default 2. */
    readonly axis?: 1 | 2;
  } = {},
): Layer => makeFlip(options);
/**
 * During training, sets a square of `size` cells of each image to 0, centred on any cell; otherwise y = x. DeVries,
 * Taylor 2017. @throws OptionError
 */
export const randomCutout = (size: number, options: Named = {}): Layer =>
  makeCutout({ size, ...plain("randomCutout", options, ["size"]) });
/**
 * During training, y = x + deviation · z, z standard normal; otherwise y = x. @throws OptionError unless deviation >= 0
 */
export const noise = (deviation: number, options: Named = {}): Layer =>
  makeNoise({ deviation, ...plain("noise", options, ["deviation"]) });

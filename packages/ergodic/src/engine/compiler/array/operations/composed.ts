/**
 * Functions made of primitives: means and variances, softmax, norms, statistics of batches. The scheduler fuses them
 * into few loops.
 *
 * `axis`: one axis or several, negative ones counted from the end. Default: all. `keep`: whether reduced axes are kept
 * with extent 1.
 */

import { float64s } from "../../../memory/room.ts";
import { add, div, mul, square, sub } from "../../primitives/arithmetic.ts";
import { exp, log, sqrt } from "../../primitives/functions.ts";
import { maximum, sum } from "../../primitives/reductions.ts";
import { abs, less, stopGradient, where } from "../../primitives/selection.ts";
import { array, axes, axisOptions, count, flag, number, oneAxis, operation, optional, options } from "../../signature.ts";
import type { AxisOptions } from "../chained.ts";
import { axisOf, type SymbolicArray, shapeError, shapeText } from "../symbolic.ts";
import { constantArray, range } from "./constants.ts";
import { reduceAxes } from "./map-reduce.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

const axesOf = (where: string, x: SymbolicArray, { axis }: AxisOptions): number[] => {
  const axes = axis === undefined ? x.shape.map((_, i) => i) : typeof axis === "number" ? [axis] : axis;
  return [...new Set(axes.map((a) => axisOf(where, a, x.rank)))];
};

const countOver = (where: string, x: SymbolicArray, options: AxisOptions): number =>
  axesOf(where, x, options).reduce((count, axis) => count * x.shape[axis], 1);

/** Smallest elements. NaN if any element is NaN; tied smallest elements share the derivative. */
export const minimum = operation(
  "minimum",
  { x: array, options: axisOptions },
  (x: SymbolicArray, options: AxisOptions = {}): SymbolicArray =>
    reduceAxes("minimum", x, axesOf("minimum", x, options), options.keep),
);

/** Σ x ÷ n. */
export const mean = operation(
  "mean",
  { x: array, options: axisOptions },
  (x: SymbolicArray, options: AxisOptions = {}): SymbolicArray => div(sum(x, options), countOver("mean", x, options)),
);

/** Options of `variance` and `standardDeviation`. */
export interface VarianceOptions extends AxisOptions {
  /** Correction to the divisor n: the sum of squares is divided by n − correction. Default 0. */
  readonly correction?: number;
}

/** Σ (x − x̄)² ÷ (n − correction). */
export const variance = operation(
  "variance",
  { x: array, options: optional(options({ axis: axes, keep: flag, correction: number })) },
  (x: SymbolicArray, { correction = 0, ...options }: VarianceOptions = {}): SymbolicArray => {
    const centred = sub(x, mean(x, { ...options, keep: true }));
    return div(sum(square(centred), options), countOver("variance", x, options) - correction);
  },
);

/**
 * Returns the largest elements, which are subtracted so that exponentials stay finite. Shifts have no derivative, and a
 * shift of ±∞ is replaced by 0.
 */
function shiftOf(x: SymbolicArray, options: AxisOptions): SymbolicArray {
  const largest = maximum(x, { ...options, keep: true });
  return stopGradient(where(less(abs(largest), Infinity), largest, 0));
}

/** log Σ exp x, without overflow: −∞ if every x is −∞. */
export const logSumExp = operation(
  "logSumExp",
  { x: array, options: axisOptions },
  (x: SymbolicArray, options: AxisOptions = {}): SymbolicArray => {
    const shift = shiftOf(x, options);
    const total = sum(exp(sub(x, shift)), { ...options, keep: true });
    const whole = add(log(total), shift);
    return options.keep ? whole : reshape(whole, sum(x, options).shape);
  },
);

/** exp x ÷ Σ exp x along an axis (default: the last). */
export const softmax = operation(
  "softmax",
  { x: array, options: oneAxis },
  (x: SymbolicArray, { axis = -1 }: Pick<AxisOptions, "axis"> = {}): SymbolicArray => {
    const powers = exp(sub(x, shiftOf(x, { axis })));
    return div(powers, sum(powers, { axis, keep: true }));
  },
);

/** x − log Σ exp x along an axis (default: the last). */
export const logSoftmax = operation(
  "logSoftmax",
  { x: array, options: oneAxis },
  (x: SymbolicArray, { axis = -1 }: Pick<AxisOptions, "axis"> = {}): SymbolicArray => {
    const shifted = sub(x, shiftOf(x, { axis }));
    return sub(shifted, log(sum(exp(shifted), { axis, keep: true })));
  },
);

/** √Σ x². The derivative at 0 is NaN, because the norm is not differentiable there. */
export const norm = operation(
  "norm",
  { x: array, options: axisOptions },
  (x: SymbolicArray, options: AxisOptions = {}): SymbolicArray => sqrt(sum(square(x), options)),
);

/** Outer product a_i b_j of two vectors. */
export const outer = operation("outer", { a: array, b: array }, (a: SymbolicArray, b: SymbolicArray): SymbolicArray => {
  if (a.rank !== 1 || b.rank !== 1)
    throw shapeError("outer", `shapes are ${shapeText(a.shape)} and ${shapeText(b.shape)}, but two vectors are wanted`);
  return mul(reshape(a, [a.size, 1]), b);
});

function checkSquare(where: string, x: SymbolicArray): number {
  const n = x.shape[x.rank - 1];
  if (x.rank < 2 || x.shape[x.rank - 2] !== n)
    throw shapeError(where, `the array is ${shapeText(x.shape)}, but its last two extents must be equal`);
  return n;
}

/** Diagonals x[…, i, i] of square matrices. */
export const diagonal = operation("diagonal", { x: array }, (x: SymbolicArray): SymbolicArray => {
  const n = checkSquare("diagonal", x);
  return sum(where(identity(n), x, 0), { axis: -1 });
});

/** Σ x[…, i, i] of square matrices. */
export const trace = operation("trace", { x: array }, (x: SymbolicArray): SymbolicArray => {
  const n = checkSquare("trace", x);
  return sum(where(identity(n), x, 0), { axis: [-2, -1] });
});

/** 1 on the diagonal, 0 elsewhere: [n, n]. */
export const identity = operation(
  "identity",
  { n: count },
  (n: number): SymbolicArray =>
    constantArray(
      float64s("identity", `${n} × ${n} numbers`, n * n).map((_, i) => Number(i % (n + 1) === 0)),
      [n, n],
    ),
);

/** Lower triangle (`upper`: upper triangle) of square matrices, including the diagonal; 0 elsewhere. */
export const triangle = operation(
  "triangle",
  { x: array, options: optional(options({ upper: flag })) },
  (x: SymbolicArray, { upper = false }: { upper?: boolean } = {}): SymbolicArray => {
    const n = checkSquare("triangle", x);
    const rows = reshape(range(n), [n, 1]);
    const outside = upper ? less(range(n), rows) : less(rows, range(n));
    return where(outside, 0, x);
  },
);

/**
 * (x − x̄) ÷ √(σ² + ε) along the last axis, where x̄ and σ² are the mean and variance along that axis and ε (`epsilon`)
 * > 0. Ba, Kiros, Hinton 2016, without gain and bias.
 */
export const layerNormalised = operation(
  "layerNormalised",
  { x: array, options: optional(options({ epsilon: number })) },
  (x: SymbolicArray, { epsilon = 1e-5 }: { epsilon?: number } = {}): SymbolicArray => {
    const centred = sub(x, mean(x, { axis: -1, keep: true }));
    return div(centred, sqrt(add(mean(square(centred), { axis: -1, keep: true }), epsilon)));
  },
);

/** Mean and variance (divided by n) of each channel, over all axes but the last. */
export const batchStatistics = operation(
  "batchStatistics",
  { x: array },
  (x: SymbolicArray): { mean: SymbolicArray; variance: SymbolicArray } => {
    const axis = x.shape.slice(0, -1).map((_, i) => i);
    return { mean: mean(x, { axis }), variance: variance(x, { axis }) };
  },
);

/**
 * Shuffles the channels (the last axis): the channels are viewed as a matrix of `groups` rows and transposed. Zhang et
 * al. 2018, ShuffleNet.
 */
export const channelShuffle = operation(
  "channelShuffle",
  { x: array, groups: number },
  (x: SymbolicArray, groups: number): SymbolicArray => {
    const channels = x.shape[x.rank - 1];
    if (x.rank < 1 || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
      throw shapeError("channelShuffle", `groups is ${groups}, but must divide the last extent of ${shapeText(x.shape)}`);
    const outside = x.shape.slice(0, -1);
    const split = reshape(x, [...outside, groups, channels / groups]);
    const order = split.shape.map((_, i) => i);
    [order[x.rank - 1], order[x.rank]] = [x.rank, x.rank - 1];
    return reshape(transpose(split, order), x.shape);
  },
);

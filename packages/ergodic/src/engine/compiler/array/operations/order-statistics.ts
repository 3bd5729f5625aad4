/**
 * Order statistics by counting ranks, with n² comparisons and no sort. The derivative flows only to the element with
 * the requested rank. Ties are broken by position. NaN if any element is NaN.
 */

import { add, mul } from "../../primitives/arithmetic.ts";
import { maximum, sum } from "../../primitives/reductions.ts";
import { and, equal, less, or, where } from "../../primitives/selection.ts";
import { array, number, oneAxis, operation } from "../../signature.ts";
import { axisOf, type SymbolicArray, shapeError } from "../symbolic.ts";
import { range } from "./constants.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

/** Returns x with `axis` moved to the end. */
function withLast(name: string, x: SymbolicArray, axis: number): SymbolicArray {
  const along = axisOf(name, axis, x.rank);
  const others = x.shape.map((_, i) => i).filter((i) => i !== along);
  return transpose(x, [...others, along]);
}

/** Returns the rank of each element along the last axis: 0 … n − 1. */
function ranks(x: SymbolicArray): SymbolicArray {
  const n = x.shape[x.rank - 1];
  const outside = x.shape.slice(0, -1);
  const [own, other] = [reshape(x, [...outside, n, 1]), reshape(x, [...outside, 1, n])];
  const isBefore = less(range(n), reshape(range(n), [n, 1]));
  return sum(or(less(other, own), and(equal(other, own), isBefore)), { axis: -1 });
}

/**
 * The k-th smallest element along `axis` (default: the last), counted from 0; k = 0, …, n − 1. The axis is removed from
 * the result.
 * @throws CompileError if k or the axis is out of range
 */
export const kthSmallest = operation(
  "kthSmallest",
  { x: array, k: number, options: oneAxis },
  (x: SymbolicArray, k: number, { axis = -1 }: { axis?: number } = {}): SymbolicArray => {
    const own = withLast("kthSmallest", x, axis);
    const n = own.shape[own.rank - 1];
    if (!Number.isInteger(k) || k < 0 || k >= n)
      throw shapeError("kthSmallest", `k is ${k}, but must be a whole number from 0 to ${n - 1}`);
    const chosen = sum(where(equal(ranks(own), k), own, 0), { axis: -1 });
    const largest = maximum(own, { axis: -1 });
    return where(equal(largest, largest), chosen, NaN);
  },
);

/**
 * The q-quantile, interpolated linearly between order statistics (numpy's default). `q`: 0 to 1.
 * @throws CompileError if q or the axis is out of range
 */
export const quantile = operation(
  "quantile",
  { x: array, q: number, options: oneAxis },
  (x: SymbolicArray, q: number, { axis = -1 }: { axis?: number } = {}): SymbolicArray => {
    if (!(q >= 0 && q <= 1)) throw shapeError("quantile", `q is ${q}, but must lie between 0 and 1`);
    const n = x.shape[axisOf("quantile", axis, x.rank)];
    const place = q * (n - 1);
    const k = Math.floor(place);
    const low = kthSmallest(x, k, { axis });
    if (place === k) return low;
    return add(mul(1 - (place - k), low), mul(place - k, kthSmallest(x, k + 1, { axis })));
  },
);

/** Middle element, or mean of the two middle elements, along `axis` (default: the last). */
export const median = operation(
  "median",
  { x: array, options: oneAxis },
  (x: SymbolicArray, options: { axis?: number } = {}): SymbolicArray => quantile(x, 0.5, options),
);

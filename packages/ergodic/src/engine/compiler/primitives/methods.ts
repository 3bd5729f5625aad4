/**
 * Operations as methods of symbolic arrays: alpha.add(beta.mul(x)) is the same node as add(alpha, mul(beta, x)). The
 * methods are installed when the first array is made (array/leaves.ts). The class cannot define them, because the
 * operations depend on the class.
 */
import { giveMethods, type Operations } from "../array/chained.ts";
import { logSumExp, mean, minimum } from "../array/operations/composed.ts";
import { cumsum } from "../array/operations/cumulative-sum.ts";
import { take } from "../array/operations/gather.ts";
import { onArrays } from "../array/operations/map-reduce.ts";
import { dot, matmul } from "../array/operations/matmul.ts";
import { at, slice } from "../array/operations/places.ts";
import { reshape } from "../array/operations/reshape.ts";
import { transpose } from "../array/operations/transpose.ts";
import { SymbolicArray } from "../array/symbolic.ts";
import { extendToArrays } from "../primitive.ts";
import { add, div, mul, neg, square, sub } from "./arithmetic.ts";
import { exp, expm1, log, log1p, pow, sigmoid, softplus, sqrt, tanh } from "./functions.ts";
import { maximum, sum } from "./reductions.ts";
import { abs, and, equal, floor, less, lessEqual, max, min, not, or, round, sign, stopGradient, where } from "./selection.ts";
import { atan, cos, digamma, erf, erfc, lgamma, sin, trigamma } from "./special-functions.ts";

let given = false;

/** Gives arrays their methods, and makes element-wise functions and reductions accept arrays. */
export function completeArrays(): void {
  if (given) return;
  given = true;
  extendToArrays(onArrays);
  giveMethods(SymbolicArray.prototype, operations);
}

const operations: Operations<SymbolicArray> = {
  add,
  sub,
  mul,
  div,
  neg,
  square,
  sqrt,
  pow,
  abs,
  exp,
  expm1,
  log,
  log1p,
  sigmoid,
  softplus,
  tanh,
  cos,
  sin,
  atan,
  erf,
  erfc,
  lgamma,
  digamma,
  trigamma,
  sign,
  floor,
  round,
  stopGradient,
  min,
  max,
  less,
  lessEqual,
  equal,
  and,
  or,
  not,
  where,
  sum,
  mean,
  maximum,
  minimum,
  logSumExp,
  cumsum,
  dot,
  matmul,
  at,
  take,
  slice,
  reshape,
  transpose,
};

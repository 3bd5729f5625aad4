/**
 * Operations as methods of symbolic arrays: alpha.add(beta.mul(x)) is add(alpha, mul(beta, x)), the same node. They are put in
 * place by this module, which stands on all operations, as bundlers keep the modules of this folder for what they do.
 */
import { giveMethods } from "../array/chained.ts";
import { logSumExp, mean, minimum } from "../array/operations/composed.ts";
import { cumsum } from "../array/operations/cumulative-sum.ts";
import { take } from "../array/operations/gather.ts";
import { dot, matmul } from "../array/operations/matmul.ts";
import { at, slice } from "../array/operations/places.ts";
import { reshape } from "../array/operations/reshape.ts";
import { transpose } from "../array/operations/transpose.ts";
import { SymbolicArray } from "../array/symbolic.ts";
import { add, div, mul, neg, square, sub } from "./arithmetic.ts";
import { exp, log, log1p, pow, sigmoid, sqrt, tanh } from "./functions.ts";
import { maximum, sum } from "./reductions.ts";
import { abs, equal, less, lessEqual, max, min } from "./selection.ts";

giveMethods(SymbolicArray.prototype, {
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
  log,
  log1p,
  sigmoid,
  tanh,
  min,
  max,
  less,
  lessEqual,
  equal,
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
});

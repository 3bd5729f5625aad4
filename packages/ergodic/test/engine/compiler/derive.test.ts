/** Derivatives by name: the slope of each primitive, ties and kinks, and losses. */
import { describe, expect, test } from "vitest";
import {
  abs,
  add,
  atan,
  constant,
  cos,
  derive,
  digamma,
  div,
  type Expr,
  equal,
  erf,
  erfc,
  evaluateVector,
  exp,
  expm1,
  gradients,
  index,
  less,
  lgamma,
  log,
  log1p,
  max,
  maximum,
  min,
  mul,
  neg,
  pow,
  primitiveOf,
  print,
  round,
  scalar,
  sigmoid,
  sin,
  softplus,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  tanh,
  trigamma,
  vector,
  where,
} from "../../../src/engine/compiler/index.ts";

const [x, y, z] = ["x", "y", "z"].map(vector);
const [s, c] = ["s", "c"].map(scalar);
const at = (expr: Expr, vectors: Record<string, number[]>, scalars: Record<string, number> = {}): number[] => [
  ...evaluateVector(expr, { vectors, scalars }),
];

describe("closed forms", () => {
  const forms: [string, Expr, Expr, Expr][] = [
    ["sum", add(x, y), x, constant(1)],
    ["difference", sub(y, x), x, constant(-1)],
    ["product", mul(x, y), x, y],
    ["quotient", div(x, y), x, div(1, y)],
    ["square", square(x), x, mul(2, x)],
    ["root", sqrt(x), x, div(0.5, sqrt(x))],
    ["exp", exp(x), x, exp(x)],
    ["log", log(x), x, div(1, x)],
    ["log1p", log1p(x), x, div(1, add(1, x))],
    ["expm1", expm1(x), x, add(expm1(x), 1)],
    ["tanh", tanh(x), x, sub(1, square(tanh(x)))],
    ["sigmoid", sigmoid(x), x, mul(sigmoid(x), sigmoid(neg(x)))],
    ["softplus", softplus(x), x, sigmoid(x)],
    ["power", pow(x, 3), x, mul(3, square(x))],
    ["sine", sin(x), x, cos(x)],
    ["cosine", cos(x), x, neg(sin(x))],
    ["arc tangent", atan(x), x, div(1, add(1, square(x)))],
    ["erf", erf(x), x, mul(2 / Math.sqrt(Math.PI), exp(neg(square(x))))],
    ["erfc", erfc(x), x, neg(mul(2 / Math.sqrt(Math.PI), exp(neg(square(x)))))],
    ["lgamma", lgamma(x), x, digamma(x)],
    ["digamma", digamma(x), x, trigamma(x)],
    ["rounding", mul(round(x), y), x, constant(0)],
    ["nothing", exp(y), x, constant(0)],
    ["stopped", mul(stopGradient(x), x), x, stopGradient(x)],
    ["choice", where(less(y, 0), x, square(y)), x, where(less(y, 0), 1, 0)],
    ["scalar of a sum", sum(mul(s, x)), s, sum(x)],
    ["broadcast", mul(s, x), s, sum(x)],
    ["itself", x, x, constant(1)],
    ["an inner node", exp(square(x)), square(x), exp(square(x))],
  ];
  test.each(forms)("derives the closed form: %s", (_, output, wrt, expected) => expect(derive(output, wrt)).toBe(expected));
});

test("sends the slope at a tie to the first argument, and gives |x| slope 0 at 0", () => {
  expect(at(derive(max(x, 0), x), { x: [-1, 0, 2] })).toEqual([0, 1, 1]);
  expect(at(derive(max(0, x), x), { x: [-1, 0, 2] })).toEqual([0, 0, 1]);
  expect(at(derive(min(x, 1), x), { x: [0, 1, 2] })).toEqual([1, 1, 0]);
  expect(at(derive(min(1, x), x), { x: [0, 1, 2] })).toEqual([1, 0, 0]);
  expect(at(derive(abs(x), x), { x: [-3, 0, 3] })).toEqual([-1, 0, 1]);
});

test("divides the slope of a maximum among the largest elements", () => {
  expect(at(derive(maximum(square(x)), x), { x: [1, -3, 3, 2] })).toEqual([0, -3, 3, 0]);
});

test("differentiates a power by both arguments, with slope 0 at base 0", () => {
  const [byBase, byExponent] = gradients(pow(x, y), [x, y]);
  expect(at(byBase, { x: [2], y: [3] })[0]).toBeCloseTo(12, 12);
  expect(at(byExponent, { x: [2, 0], y: [3, 2] })).toEqual([8 * Math.log(2), 0]);
});

test("differentiates the logistic loss", () => {
  const slope = derive(softplus(neg(mul(y, z))), z);
  expect(print(slope)).toBe("−σ(−y·z)·y");
  expect(at(slope, { y: [1, -1], z: [0, 800] })).toEqual([-0.5, 1]);
});

test("differentiates multinomial loss to probability minus indicator for outputs of any size", () => {
  const top = stopGradient(maximum(z));
  const loss = sub(add(top, log(sum(exp(sub(z, top))))), sum(mul(z, equal(index(), c))));
  const slope = at(derive(loss, z), { z: [1000, 1001, 999] }, { c: 1 });
  const total = 1 + Math.exp(-1) + Math.exp(-2);
  for (const [i, p] of [Math.exp(-1) / total, 1 / total - 1, Math.exp(-2) / total].entries()) expect(slope[i]).toBeCloseTo(p, 14);
  // Without stopGradient, the slope of the maximum itself cancels.
  const plain = sub(add(maximum(z), log(sum(exp(sub(z, maximum(z)))))), sum(mul(z, equal(index(), c))));
  for (const [i, d] of at(derive(plain, z), { z: [1000, 1001, 999] }, { c: 1 }).entries()) expect(d).toBeCloseTo(slope[i], 14);
});

test("computes second derivatives", () => {
  expect(derive(derive(square(x), x), x)).toBe(constant(2));
  expect(at(derive(derive(softplus(x), x), x), { x: [0] })).toEqual([0.25]);
});

test("multiplies the adjoint by the slope in each table entry", () => {
  expect(primitiveOf(exp(x))!.derivative(constant(1), exp(x), 0)).toBe(exp(x));
});

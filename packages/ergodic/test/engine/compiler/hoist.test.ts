/** Scalar factors hoisted out of loops leave the numbers unchanged for any scalars and vectors. */
import { describe, expect, it } from "vitest";
import { hoist } from "../../../src/engine/compiler/hoist.ts";
import { div, type Expr, evaluateVector, mul, scalar, sum, vector } from "../../../src/engine/compiler/index.ts";

const [s, t] = ["s", "t"].map(scalar);
const [x, y] = ["x", "y"].map(vector);
const at = (expr: Expr): Float64Array =>
  evaluateVector(expr, { vectors: { x: [2, -3, 0.5], y: [7, 1.5, -4] }, scalars: { s: 3, t: -5 } });

describe("hoist", () => {
  it.each<[string, Expr]>([
    ["a vector over a scalar", div(x, s)],
    ["a scalar times a scalar over a vector", mul(s, div(t, x))],
    ["a scalar times a product with a scalar", mul(s, mul(t, x))],
    ["the same, the vector first", mul(mul(x, t), s)],
    ["a scalar times two vectors", mul(s, mul(x, y))],
    ["a scalar times a vector over a vector", mul(s, div(x, y))],
    ["a sum of products with scalars", sum(mul(s, div(mul(t, x), s)))],
    ["a vector over a product of scalars", div(mul(s, x), mul(t, s))],
  ])("keeps the numbers of %s", (_, expr) => {
    const [given, moved] = [at(expr), at(hoist([expr])[0])];
    for (const [i, value] of given.entries()) expect(moved[i] / value).toBeCloseTo(1, 14);
  });
});

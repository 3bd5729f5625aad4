/** Sum and maximum over the elements, accumulated in float64. An empty sum is 0, an empty maximum −∞. */
import { count, type Expr, type ExprLike } from "../expression.ts";
import { reduction } from "../primitive.ts";
import { div, mul } from "./arithmetic.ts";
import { equal } from "./selection.ts";

export const sum: (v: ExprLike) => Expr = reduction({
  name: "sum",
  start: 0,
  combine: (total, x) => total + x,
  ofScalar: (x) => mul(count(), x),
  derivative: (adjoint) => adjoint,
  symbol: "Σ",
});

/** NaN if an element is; tied largest elements share the derivative. */
export const maximum: (v: ExprLike) => Expr = reduction({
  name: "maximum",
  start: -Infinity,
  combine: Math.max,
  ofScalar: (x) => x,
  derivative(adjoint, node) {
    const largest = equal(node.args[0], node);
    return div(mul(adjoint, largest), sum(largest));
  },
  symbol: "max",
});

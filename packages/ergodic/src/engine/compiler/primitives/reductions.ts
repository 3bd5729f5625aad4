/**
 * Sum and maximum over the elements (for arrays: over any axes), accumulated in float64. An empty sum is 0, an empty
 * maximum −∞.
 */
import { count } from "../expression.ts";
import { type Reducer, reduction } from "../primitive.ts";
import { div, mul } from "./arithmetic.ts";
import { equal } from "./selection.ts";

/** Σ x: over a vector, or over the axes of an array (default: all). */
export const sum: Reducer = /* @__PURE__ */ reduction({
  name: "sum",
  start: 0,
  combine: (total, x) => total + x,
  ofScalar: (x) => mul(count(), x),
  derivative: (adjoint) => adjoint,
  symbol: "Σ",
});

/** Largest element; NaN if any element is NaN. If several elements are the largest, they share the derivative. */
export const maximum: Reducer = /* @__PURE__ */ reduction({
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

/**
 * Operations at which derivatives stop. stopGradient is an element-wise primitive (primitives/selection.ts) that also
 * accepts arrays.
 */

import { stopGradient } from "../../primitives/selection.ts";
import { array, callback, operation } from "../../signature.ts";
import type { SymbolicArray } from "../symbolic.ts";
import { customDerivative } from "./custom-derivative.ts";

export { stopGradient };

/**
 * Returns forward(x), but with the derivative of x itself: a straight-through estimator (Bengio, Léonard, Courville
 * 2013).
 */
export const straightThrough = operation(
  "straightThrough",
  { x: array, forward: callback },
  (x: SymbolicArray, forward: (x: SymbolicArray) => SymbolicArray): SymbolicArray =>
    customDerivative([x], forward, (adjoint) => [adjoint]),
);

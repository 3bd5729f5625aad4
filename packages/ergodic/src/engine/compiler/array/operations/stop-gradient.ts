/** Where derivatives end. stopGradient itself is element-wise (primitives/selection.ts) and takes arrays as they are. */

import { stopGradient } from "../../primitives/selection.ts";
import { array, callback, operation } from "../../signature.ts";
import type { SymbolicArray } from "../symbolic.ts";
import { customDerivative } from "./custom-derivative.ts";

export { stopGradient };

/** forward(x), with the derivative of x itself: a straight-through estimator (Bengio, Léonard, Courville 2013). */
export const straightThrough = operation(
  "straightThrough",
  { x: array, forward: callback },
  (x: SymbolicArray, forward: (x: SymbolicArray) => SymbolicArray): SymbolicArray =>
    customDerivative([x], forward, (adjoint) => [adjoint]),
);

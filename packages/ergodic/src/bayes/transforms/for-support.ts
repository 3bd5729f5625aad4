/** Transform onto the support of a distribution, for values of a given shape. */

import { type Shape, shapeText } from "../../engine/compiler/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import type { Support } from "../distributions/constraint.ts";
import { angle } from "./angle.ts";
import { interval, lower, positive, unbounded, upper } from "./bounds.ts";
import { correlationCholesky } from "./cholesky-factors.ts";
import { simplex } from "./simplex.ts";
import type { Transform } from "./transform.ts";

/**
 * @throws CapabilityError for distributions of whole numbers, which have no smooth transform (integers.ts leaves them
 *   unchanged)
 */
export function transformFor(support: Support, shape: Shape): Transform {
  switch (support.kind) {
    case "interval": {
      const { low, high } = support;
      if (low && high) return interval(low, high, shape);
      if (high) return upper(high, shape);
      if (!low) return unbounded(shape);
      return low.op === "full" && low.attributes === 0 ? positive(shape) : lower(low, shape);
    }
    case "circle":
      return angle(shape);
    case "vector":
      return unbounded(shape);
    case "simplex":
      return simplex(shape);
    case "correlationCholesky":
      return correlationCholesky(shape[0]);
    default:
      throw new CapabilityError(
        "transformFor",
        `values of shape ${shapeText(shape)} are whole numbers, which no transform can make from real numbers; sum them out, or sample them with Gibbs steps`,
        "TRANSFORM_DISCRETE",
      );
  }
}

import { type Shape, toArray } from "../../engine/compiler/index.ts";
import { checked, outside, type Transform } from "./transform.ts";

/**
 * Whole numbers low ≤ x ≤ high. They are stored unchanged among the unconstrained numbers: x = u, log |J| = 0. Only
 * Gibbs steps move such numbers.
 *
 * `low` and `high` can be infinite.
 */
export const integers = (low: number, high: number, shape: Shape = []): Transform =>
  checked({
    name: "integers",
    shape,
    unconstrainedShape: shape,
    constrain: (u) => ({ value: u, logJacobian: toArray(0) }),
    unconstrain(value) {
      for (const x of Array.from(value))
        if (!(Number.isInteger(x) && x >= low && x <= high)) throw outside("integers", x, `a whole number${within(low, high)}`);
      return Float64Array.from(value);
    },
  });

function within(low: number, high: number): string {
  const above = low > -Infinity ? ` >= ${low}` : "";
  const below = high < Infinity ? ` <= ${high}` : "";
  return `${above}${above && below && " and"}${below}`;
}

import { div, log, mul, norm, type Shape, square, sum } from "../../engine/compiler/index.ts";
import { checked, outside, rowsOf, type Transform } from "./transform.ts";

/**
 * Vectors of length 1: x = u/|u|, with log |J| = −½|u|².
 *
 * x, u: [..., K], K ≥ 2. The length of u is redundant. The term −½|u|² makes u standard normal (up to a constant) if x
 * is uniform over the sphere. u = 0 has no direction and gives NaN. Source: Marsaglia 1972, as in Stan's reference
 * manual.
 *
 * shape: [..., K], each row of length 1.
 */
export function unitVector(shape: Shape): Transform {
  const [rows, count] = rowsOf("unitVector", shape, 2);
  return checked({
    name: "unitVector",
    shape,
    unconstrainedShape: shape,
    constrain(u) {
      const length = norm(u, { axis: -1, keep: true });
      return { value: div(u, length), logJacobian: mul(-0.5, sum(square(u))), chosen: mul(-0.5, sum(square(log(length)))) };
    },
    unconstrain(value) {
      for (let r = 0; r < rows; r++) {
        let squares = 0;
        for (let k = 0; k < count; k++) squares += value[r * count + k] ** 2;
        if (!(Math.abs(squares - 1) <= 1e-8)) throw outside("unitVector", Math.sqrt(squares), "1 in length");
      }
      return Float64Array.from(value);
    },
  });
}

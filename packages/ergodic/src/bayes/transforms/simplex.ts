import {
  add,
  concatenate,
  constantArray,
  cumsum,
  exp,
  neg,
  type Shape,
  slice,
  softplus,
  sub,
  sum,
} from "../../engine/compiler/index.ts";
import { log } from "../../engine/numbers/log.ts";
import { checked, outside, rowsOf, type Transform } from "./transform.ts";

/**
 * Simplexes, x ≥ 0 with sum 1, by stick breaking: z_k = σ(u_k − log(K − 1 − k)), x_k = z_k Π_{j<k}(1 − z_j), and the
 * last element of x is the remainder; log |J| = Σ_k [log z_k + log(1 − z_k) + Σ_{j<k} log(1 − z_j)].
 *
 * x: [..., K], K ≥ 2; u: [..., K − 1]; u = 0 is the centre. J is the Jacobian of the first K − 1 elements. Small
 * elements remain exact because logarithms are summed. Source: Betancourt 2012, as in Stan's reference manual.
 *
 * shape: [..., K], each row a simplex.
 */
export function simplex(shape: Shape): Transform {
  const [rows, count] = rowsOf("simplex", shape, 2);
  const free = count - 1;
  return checked({
    name: "simplex",
    shape,
    unconstrainedShape: [...shape.slice(0, -1), free],
    constrain(u) {
      const shifted = sub(u, constantArray(Array.from({ length: free }, (_, k) => log(free - k))));
      const logTaken = neg(softplus(neg(shifted)));
      const logLeft = neg(softplus(shifted));
      const after = cumsum(logLeft, { axis: -1 });
      const before = sub(after, logLeft);
      const logs = concatenate([add(logTaken, before), slice(after, { axis: -1, from: free - 1 })], shape.length - 1);
      return { value: exp(logs), logJacobian: sum(add(add(logTaken, logLeft), before)) };
    },
    unconstrain(value) {
      const u = new Float64Array(rows * free);
      for (let r = 0; r < rows; r++) {
        let left = value[r * count + free];
        if (!(left > 0)) throw outside("simplex", left, "> 0 in every element");
        for (let k = free - 1; k >= 0; k--) {
          const x = value[r * count + k];
          if (!(x > 0)) throw outside("simplex", x, "> 0 in every element");
          u[r * free + k] = log(x) - log(left) + log(free - k);
          left += x;
        }
        if (Math.abs(left - 1) > 1e-8) throw outside("simplex", left, "1 in the sum over each row");
      }
      return u;
    },
  });
}

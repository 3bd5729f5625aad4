import { concatenate, cumsum, exp, type Shape, slice, sum, toArray } from "../../engine/compiler/index.ts";
import { log } from "../../engine/numbers/log.ts";
import { checked, outside, rowsOf, type Transform } from "./transform.ts";

function steps(name: string, value: ArrayLike<number>, count: number, start: (x: number) => number): Float64Array {
  return Float64Array.from(value, (x, i) => {
    const u = i % count === 0 ? start(x) : log(x - value[i - 1]);
    if (Number.isFinite(u)) return u;
    throw outside(
      name,
      x,
      i % count === 0 ? "finite, and > 0 where it must be positive" : `> ${value[i - 1]}, the element before it`,
    );
  });
}

/**
 * Increasing numbers: x_0 = u_0, x_k = x_{k−1} + e^(u_k), log |J| = Σ_{k≥1} u_k; positive increasing numbers: x_0 =
 * e^(u_0), log |J| = Σ u_k.
 *
 * x, u: [..., K].
 *
 * shape: [..., K], each row increasing.
 */
export function ordered(shape: Shape): Transform {
  const [, count] = rowsOf("ordered", shape, 1);
  return checked({
    name: "ordered",
    shape,
    unconstrainedShape: shape,
    constrain(u) {
      if (count === 1) return { value: u, logJacobian: toArray(0) };
      const rest = slice(u, { axis: -1, from: 1 });
      const gaps = concatenate([slice(u, { axis: -1, to: 1 }), exp(rest)], shape.length - 1);
      return { value: cumsum(gaps, { axis: -1 }), logJacobian: sum(rest) };
    },
    unconstrain: (value) => steps("ordered", value, count, (x) => x),
  });
}

/** Positive increasing numbers. shape: [..., K]. */
export function positiveOrdered(shape: Shape): Transform {
  const [, count] = rowsOf("positiveOrdered", shape, 1);
  return checked({
    name: "positiveOrdered",
    shape,
    unconstrainedShape: shape,
    constrain: (u) => ({ value: cumsum(exp(u), { axis: -1 }), logJacobian: sum(u) }),
    unconstrain: (value) => steps("positiveOrdered", value, count, log),
  });
}

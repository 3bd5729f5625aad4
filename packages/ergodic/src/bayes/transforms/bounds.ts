/**
 * Bounds on numbers, element by element: none; x = l + e^u, log |J| = u; x = h − e^u, log |J| = u; x = l + (h − l)σ(u),
 * log |J| = log(h − l) + log σ(u) + log σ(−u).
 *
 * Bounds are numbers or symbolic arrays that broadcast to the shape. Bounds can depend on other parameters. l ≥ h gives
 * NaN.
 */

import {
  type ArrayLikeOperand,
  add,
  broadcastTo,
  exp,
  interpret,
  log,
  mul,
  neg,
  type Shape,
  type SymbolicArray,
  sigmoid,
  softplus,
  sub,
  sum,
  toArray,
} from "../../engine/compiler/index.ts";
import { log as logOf } from "../../engine/numbers/log.ts";
import type { Inputs } from "../distributions/value.ts";
import { type Constrained, checked, outside, type Transform } from "./transform.ts";

interface Elementwise {
  constrain(u: SymbolicArray): Constrained;
  /** Returns NaN outside the bounds. `bounds`: the bounds that were given (none, one or both). */
  unconstrain(x: number, ...bounds: number[]): number;
  wanted(...bounds: number[]): string;
}

function elementwise(name: string, shape: Shape, given: readonly ArrayLikeOperand[], how: Elementwise): Transform {
  const bounds = given.map((bound) => broadcastTo(toArray(bound), shape));
  return checked({
    name,
    shape,
    unconstrainedShape: shape,
    constrain: how.constrain,
    unconstrain(value: ArrayLike<number>, inputs: Inputs = {}) {
      const numbers = interpret(bounds, inputs);
      return Float64Array.from(value, (x, i) => {
        const own = numbers.map((bound) => bound[i]);
        const u = how.unconstrain(x, ...own);
        if (Number.isFinite(u)) return u;
        throw outside(name, x, how.wanted(...own));
      });
    },
  });
}

/** No constraint: x = u. */
export const unbounded = (shape: Shape = []): Transform =>
  elementwise("unbounded", shape, [], {
    constrain: (u) => ({ value: u, logJacobian: toArray(0) }),
    unconstrain: (x) => x,
    wanted: () => "a finite number",
  });

/** x > 0: x = e^u. */
export const positive = (shape: Shape = []): Transform =>
  elementwise("positive", shape, [], {
    constrain: (u) => ({ value: exp(u), logJacobian: sum(u) }),
    unconstrain: logOf,
    wanted: () => "> 0",
  });

/** x > low: x = low + e^u. */
export const lower = (low: ArrayLikeOperand, shape: Shape = []): Transform =>
  elementwise("lower", shape, [low], {
    constrain: (u) => ({ value: add(low, exp(u)), logJacobian: sum(u) }),
    unconstrain: (x, l) => logOf(x - l),
    wanted: (l) => `> ${l}`,
  });

/** x < high: x = high − e^u. */
export const upper = (high: ArrayLikeOperand, shape: Shape = []): Transform =>
  elementwise("upper", shape, [high], {
    constrain: (u) => ({ value: sub(high, exp(u)), logJacobian: sum(u) }),
    unconstrain: (x, h) => logOf(h - x),
    wanted: (h) => `< ${h}`,
  });

/** low < x < high: x = low + (high − low)σ(u). */
export const interval = (low: ArrayLikeOperand, high: ArrayLikeOperand, shape: Shape = []): Transform =>
  elementwise("interval", shape, [low, high], {
    constrain(u) {
      const width = sub(toArray(high), low);
      return {
        value: add(low, mul(width, sigmoid(u))),
        logJacobian: sum(sub(log(width), add(softplus(u), softplus(neg(u))))),
      };
    },
    unconstrain: (x, l, h) => logOf(x - l) - logOf(h - x),
    wanted: (l, h) => `> ${l} and < ${h}`,
  });

/** A loss as plain data, for training on another thread that has no definition of it. */
import { type Expr, print, scalar, substitute, vector } from "../../engine/compiler/index.ts";
import { expressionsFrom, type PortableExpressions, portableExpressions } from "../../engine/compiler/portable.ts";
import type { Loss } from "./loss.ts";

/** A loss as plain data. The expressions are ℓ(z, y) and, if the loss states them, the curvature and the conjugate. */
export interface PortableLoss extends Omit<Loss, "expression" | "equation" | "second" | "conjugate" | "toJSON"> {
  readonly states: { readonly second: boolean; readonly conjugate: boolean };
  readonly expressions: PortableExpressions;
}

const [z, u] = [vector("z"), vector("u")];
const targetOf = ({ joint }: Pick<Loss, "joint">): Expr => (joint ? scalar("y") : vector("y"));

export function portableLoss({ expression, equation: _, second, conjugate, toJSON: __, ...rest }: Loss): PortableLoss {
  const y = targetOf(rest);
  const stated = [second?.({ z, y: scalar("y") }), conjugate?.({ u, y, options: rest.options })].filter(
    (one) => one !== undefined,
  );
  return {
    ...rest,
    states: { second: second !== undefined, conjugate: conjugate !== undefined },
    expressions: portableExpressions([expression, ...stated]),
  };
}

export function lossFromPortable({ states, expressions, ...rest }: PortableLoss): Loss {
  const [expression, ...stated] = expressionsFrom(expressions);
  const second = states.second ? stated.shift() : undefined;
  const conjugate = states.conjugate ? stated.shift() : undefined;
  const on = (own: Expr, symbols: [Expr, Expr][]): Expr => substitute(own, new Map(symbols));
  return {
    ...rest,
    expression,
    equation: print(expression),
    ...(second
      ? {
          second: (given) =>
            on(second, [
              [z, given.z],
              [scalar("y"), given.y],
            ]),
        }
      : {}),
    ...(conjugate
      ? {
          conjugate: (given) =>
            on(conjugate, [
              [u, given.u],
              [targetOf(rest), given.y],
            ]),
        }
      : {}),
    toJSON: () => ({ name: rest.name, ...rest.options }),
  };
}

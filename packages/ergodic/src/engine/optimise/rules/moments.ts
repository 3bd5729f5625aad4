/**
 * Running moments shared by Adam and related rules: m ← m + (1 − β₁)(g − m), v ← β₂ v + (1 − β₂) g².
 * The bias corrections 1 − β^t are scalars, which are computed once per update in float64.
 */
import { add, type Expr, mul, pow, square, sub } from "../../compiler/index.ts";
import { notNegative, positive, share } from "../rule.ts";

export const adamRanges = { rate: positive, beta1: share, beta2: share, epsilon: notNegative };

export function firstMoment(m: Expr, g: Expr, beta1: Expr): Expr {
  return add(m, mul(sub(1, beta1), sub(g, m)));
}

export function secondMoment(v: Expr, g: Expr, beta2: Expr): Expr {
  return add(mul(beta2, v), mul(sub(1, beta2), square(g)));
}

export function biasCorrection(beta: Expr, t: Expr): Expr {
  return sub(1, pow(beta, t));
}

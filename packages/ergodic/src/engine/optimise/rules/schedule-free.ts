/**
 * Schedule-free averaging, shared by schedule-free SGD and Adam. With u the direction (g, or g over Adam's root):
 *   y = β x + (1 − β) z (gradients are taken at y, which is the parameter), z ← z − η u, x ← (1 − c) x + c z,
 *   c = w_t/Σw, w_t = (largest η so far)².
 * x is the evaluation point: x = (y − (1 − β) z)/β. x is not stored, so y ← (1 − c) y + c z − η (1 − β(1 − c)) u.
 * Source: Defazio et al. 2024, algorithm 1 and its reference code's weights.
 */
import { add, div, type Expr, max, mul, square, sub } from "../../compiler/index.ts";

export function scheduleFreeUpdate(
  { y, z, u, rate, beta }: { y: Expr; z: Expr; u: Expr; rate: Expr; beta: Expr },
  { weights, largest }: Readonly<Record<string, Expr>>,
): { z: Expr; scalars: { weights: Expr; largest: Expr }; step: Expr } {
  const highest = max(largest, rate);
  const total = add(weights, square(highest));
  const c = div(square(highest), total);
  return {
    z: sub(z, mul(rate, u)),
    scalars: { weights: total, largest: highest },
    step: add(mul(c, sub(y, z)), mul(mul(rate, sub(1, mul(beta, sub(1, c)))), u)),
  };
}

/** Returns x from y and z. */
export function scheduleFreePoint(y: Expr, z: Expr, beta: Expr): Expr {
  return add(z, div(sub(y, z), beta));
}

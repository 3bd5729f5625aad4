/**
 * Which second derivative trees use. A leaf's value is −Σ ∂ℓ/∂z / (Σ ∂²ℓ/∂z² + l2), so the second derivative must not
 * vanish where the first one does not.
 *
 * A smooth loss uses its own second derivative. A loss with pieces (its first derivative depends on comparisons) can be
 * flat in places; if it declares a bound on its curvature, the bound is used instead. The loss then lies below the
 * parabola that a leaf minimises, so no leaf increases it. A loss with pieces and without a bound is refused, except the
 * quantile loss, whose leaves are computed from residuals (quantile-leaves.ts).
 */

import { derive, nodesOf, sum, vector } from "../../../engine/compiler/index.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import type { Loss } from "../loss.ts";
import { quantileOf } from "./quantile-leaves.ts";

/** Returns the number that replaces the second derivative, or undefined if the loss uses its own. */
export function boundOf(loss: Loss): number | undefined {
  if (quantileOf(loss) !== undefined) return 1;
  return !loss.joint && !loss.quadratic && hasPieces(loss) ? loss.curvature : undefined;
}

/** @throws CapabilityError if trees cannot use the loss */
export function refuseFlat(loss: Loss): void {
  if (loss.joint || loss.curvature !== undefined || quantileOf(loss) !== undefined || !hasPieces(loss)) return;
  throw new CapabilityError(
    "trees",
    `loss "${loss.name}" has pieces on which its second derivative is 0, so leaves have no value; use "squared", "huber", "quantile", "poisson", "logistic" or "multinomial"`,
    "MODEL_CAPABILITY",
  );
}

const PIECES = new Set(["where", "less", "lessEqual", "equal", "sign", "abs", "max", "min"]);

/** Whether the first derivative of the loss depends on comparisons. */
function hasPieces({ expression }: Loss): boolean {
  return nodesOf([derive(sum(expression), vector("z"))]).some(({ op }) => PIECES.has(op));
}

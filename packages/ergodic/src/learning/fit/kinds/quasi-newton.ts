import type { Algorithm } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { lbfgs } from "../../../engine/optimise/rules/lbfgs.ts";
import { gradientDescent } from "../../descent/gradient-descent.ts";
import type { Loss } from "../../models/loss.ts";

/** Relative rounding error of float32, in which data are stored. */
const ROUNDING = 1e-7;

/** Stopping tolerances of L-BFGS for losses whose size is near 1. */
export interface Nearness {
  /** Tolerance of every component of the gradient. */
  readonly gradientTolerance: number;
  /** Tolerance of the gain of a step. */
  readonly changeTolerance: number;
}

/**
 * Returns L-BFGS with tolerances that suit the scale of the loss. For squared and Huber losses, gradients scale with u,
 * the standard deviation of the targets, and losses with u². With fixed tolerances, L-BFGS would stop immediately on
 * targets near 1e-5. So the tolerances are multiplied by u and u² if u < 1. The tolerances are also multiplied by the
 * mean weight, because the objective is Σ w ℓ / n.
 */
export function quasiNewton(loss: Loss, data: Dataset, { gradientTolerance, changeTolerance }: Nearness): Algorithm {
  const u = loss.name === "squared" || loss.name === "huber" ? Math.min(1, deviation(data)) : 1;
  const { weights, rowCount } = data;
  const w = weights ? weights.reduce((sum, weight) => sum + weight, 0) / rowCount : 1;
  return gradientDescent({
    preconditioned: true,
    rule: lbfgs({ gradientTolerance: w * u * gradientTolerance, changeTolerance: w * u * u * changeTolerance }),
  });
}

/**
 * Standard deviation √(Σ w (y − o − m)² / Σ w), where m is the weighted mean of y − o. The result is at least the
 * rounding error of m, and 1 if all values are 0.
 */
function deviation({ target, offset, weights }: Dataset): number {
  const values = Float64Array.from(target.values, (y, i) => y - (offset?.[i] ?? 0));
  const meanOf = (of: (value: number) => number): number => {
    let [sum, all] = [0, 0];
    for (const [i, value] of values.entries()) {
      const weight = weights?.[i] ?? 1;
      sum += weight * of(value);
      all += weight;
    }
    return sum / all;
  };
  const mean = meanOf((value) => value);
  const variance = meanOf((value) => (value - mean) * (value - mean));
  return Math.max(Math.sqrt(variance), ROUNDING * Math.abs(mean)) || 1;
}

import type { Algorithm } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { lbfgs } from "../../../engine/optimise/rules/lbfgs.ts";
import { gradientDescent } from "../../descent/gradient-descent.ts";
import type { Loss } from "../../models/loss.ts";

/** Of a number in float32, as data are kept. */
const ROUNDING = 1e-7;

/** Where L-BFGS ends, for losses near 1. */
export interface Nearness {
  /** Of every slope. */
  readonly gradientTolerance: number;
  /** Of what a step gains. */
  readonly changeTolerance: number;
}

/**
 * L-BFGS to the minimum of a linear model. Slopes of squared and of Huber's losses are in the unit u of the targets, and the losses in u²: tolerances for
 * losses near 1 would all be met at once where targets are
 * of 1e-5. So they are u and u² times as large where u < 1, u the deviation of the targets. And the objective is Σ w ℓ / n, in units of the mean weight: of weights that
 * sum to 1, all would be met at once, too.
 */
export function quasiNewton(loss: Loss, data: Dataset, { gradientTolerance, changeTolerance }: Nearness): Algorithm {
  const u = loss.name === "squared" || loss.name === "huber" ? Math.min(1, deviation(data)) : 1;
  const { weights, rowCount } = data;
  const w = weights ? weights.reduce((sum, weight) => sum + weight, 0) / rowCount : 1;
  return gradientDescent({
    rule: lbfgs({ gradientTolerance: w * u * gradientTolerance, changeTolerance: w * u * u * changeTolerance }),
  });
}

/** √(Σ w (y − o − m)² / Σ w), m the mean of y − o under w; no less than what rounding makes of m, and 1 where all are 0. */
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

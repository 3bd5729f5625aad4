import type { Dataset } from "../../../engine/data/dataset.ts";
import { chooseLoss } from "../../models/choose-loss.ts";
import type { LinearModel } from "../../models/linear/linear.ts";
import type { Loss } from "../../models/loss.ts";

/** Strength of the L2 penalty, and the reason for it. */
export interface Strength {
  readonly l2: number;
  readonly why: string;
}

/** A squared loss needs no penalty if there are at least this many rows per column. */
const AMPLE = 20;
/**
 * Integer weights are treated as frequencies if their mean is at least this value. Each row then represents many
 * observations, so that only some of them can be held out.
 */
const COUNTED = 10;

export const isQuadratic = ({ name }: Loss): boolean => name === "squared" || name === "huber";

/** Number of observations, which is the sum of the weights, if weights count observations; otherwise undefined. */
export function observationsOf({ weights, rowCount }: Dataset): number | undefined {
  if (!weights?.every(Number.isInteger)) return undefined;
  const sum = weights.reduce((a, b) => a + b, 0);
  return sum >= COUNTED * rowCount ? sum : undefined;
}

/** Returns strength 0 if the model needs no penalty. Otherwise linear-strength.ts searches for a strength. */
export function noPenalty({ options }: LinearModel, data: Dataset): Strength | undefined {
  const { loss } = chooseLoss("linear", options.loss, data);
  if (!isQuadratic(loss)) return undefined;
  const columns = options.features?.count ?? data.columnCount;
  if ((observationsOf(data) ?? data.rowCount) >= AMPLE * (columns + 1))
    return { l2: 0, why: `l2 is 0, since there are ${AMPLE} rows or more for each column` };
  const { values } = data.target;
  // The intercept alone predicts a constant target at any strength.
  if (options.intercept !== false && !data.layout.offset && values.every((value) => value === values[0]))
    return { l2: 0, why: "l2 is 0, since the target is the same in all rows" };
  return undefined;
}

import type { Dataset } from "../../engine/data/dataset.ts";
import type { RowPredictor } from "./description.ts";
import { calibrationIn, heldOutRows, modelOf, unable } from "./held-out.ts";

/** Results of comparing sets or intervals with known targets. */
export interface Coverage {
  /** Number of rows checked. */
  rows: number;
  /** Weighted share of rows whose set or interval contains the true value. It should be near 1 − α. */
  coverage: number;
  /** Mean number of classes in a set, or mean width of an interval in units of the target. */
  size: number;
}

/**
 * Measures how often sets or intervals contain the true value, and how large they are, on rows with known targets.
 * @throws CapabilityError for models without sets or intervals
 */
export function coverage(model: RowPredictor, data: Dataset): Coverage {
  const { classes } = modelOf("coverage", model);
  if (calibrationIn(model).conformal === undefined)
    unable("coverage", "the model has neither sets nor intervals; conformal() adds them");
  const { targets } = heldOutRows("coverage", model, data);
  let [total, inside, size] = [0, 0, 0];
  for (const [i, { set, interval }] of model.predict(data).entries()) {
    const weight = data.weights?.[i] ?? 1;
    const y = targets[i];
    total += weight;
    inside += weight * Number(set ? set.includes(classes![y]) : interval![0] <= y && y <= interval![1]);
    size += weight * (set ? set.length : interval![1] - interval![0]);
  }
  return { rows: targets.length, coverage: inside / total, size: size / total };
}

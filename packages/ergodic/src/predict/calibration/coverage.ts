import { CapabilityError } from "../../base/errors.ts";
import type { Dataset } from "../../data/dataset.ts";
import { calibrationIn, heldOutRows, modelOf, type RowPredictor } from "./held-out.ts";

/** How well sets or intervals did. */
export interface Coverage {
  /** Rows that were looked at. */
  rows: number;
  /** Share of rows whose truth is in their set or interval, by weight: to be compared with 1 − α. */
  coverage: number;
  /** Mean number of classes in a set, or mean width of an interval in units of the target. */
  size: number;
}

/**
 * How often the sets or intervals of a model hold the truth, on rows whose truth is known, and how large they are.
 *
 * @throws CapabilityError for models without; OptionError, DataError as `evaluate`
 */
export function coverage(model: RowPredictor, data: Dataset): Coverage {
  const { classes } = modelOf("coverage", model);
  if (calibrationIn(model).conformal === undefined) {
    const message = "the model has neither sets nor intervals; give it some by conformal()";
    throw new CapabilityError("coverage", message, "MODEL_CAPABILITY");
  }
  const { targets } = heldOutRows("coverage", model, data);
  const { weights } = data;
  let [total, inside, size] = [0, 0, 0];
  for (const [i, { set, interval }] of model.predict(data).entries()) {
    const weight = weights ? weights[i] : 1;
    const y = targets[i];
    const holds = set ? set.includes(classes![y]) : interval![0] <= y && y <= interval![1];
    total += weight;
    inside += weight * Number(holds);
    size += weight * (set ? set.length : interval![1] - interval![0]);
  }
  return { rows: targets.length, coverage: inside / total, size: size / total };
}

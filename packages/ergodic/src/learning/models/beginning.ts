/** Helpers for models that start from the parameters of a trained model. */

import type { Beginning, ElementType, JsonObject, Prepared, SavedModel, Tensor } from "../../engine/contract/index.ts";
import { type Dataset, Pipeline } from "../../engine/data/dataset.ts";
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import { resolveLoss } from "./choose-loss.ts";
import type { Loss } from "./loss.ts";

/** Location named in errors about the option `from`. */
export const FROM = "fit.from";

/**
 * Encodes data for a run that starts from a trained model. Uses the columns and classes that the model learnt from its
 * own training rows.
 */
export function preparedAs(data: Dataset, description: JsonObject, type: ElementType): Prepared<Dataset> {
  const pipeline = Pipeline.fromJson(description.pipeline);
  const followed = data.follow(pipeline);
  const dispose = (): void => {
    if (followed !== data) followed.dispose();
  };
  try {
    const dataset = followed.withTargetOf(pipeline);
    const disposeBoth = (): void => {
      if (dataset !== followed) dataset.dispose();
      dispose();
    };
    return { dataset: dataset.as(type), dispose: disposeBoth, [Symbol.dispose]: disposeBoth };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Returns the model's own loss or, if it has none, the loss of the model from which it starts. */
export function lossAfter<L>(own: L | undefined, { description }: Beginning): L | Loss | undefined {
  return own ?? (description?.loss === undefined ? undefined : resolveLoss(FROM, description.loss));
}

/** @throws OptionError unless the vector has `count` numbers, all finite. `order`: describes their order. */
export function checkVector(vector: Float64Array, count: number, order: string): void {
  if (vector.length !== count)
    throw new OptionError(FROM, `from has ${vector.length} numbers, but this model has ${count}: ${order}`, "OPTION_LENGTH");
  const wrong = vector.findIndex((x) => !Number.isFinite(x));
  if (wrong >= 0) throw new OptionError(FROM, `from[${wrong}] is ${vector[wrong]}, but must be a finite number`, "OPTION_TYPE");
}

/**
 * Returns a tensor of a trained model by name, or undefined if there is none. @throws DataError unless it has `count`
 * finite numbers
 */
export function tensorOf(tensors: SavedModel["tensors"], name: string, count: number): Tensor | undefined {
  const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  const wrong = found?.findIndex((x) => !Number.isFinite(x)) ?? -1;
  if (!found || (found.length === count && wrong < 0)) return found;
  const problem =
    wrong < 0
      ? `"${name}" has ${found.length} numbers in the trained model, but ${count} in this one`
      : `"${name}" has ${found[wrong]} at index ${wrong} in the trained model, but must be finite`;
  throw new DataError(FROM, `${problem}; give a model of the same shape`, "FROM_MODEL");
}

import type { JsonObject, SavedModel } from "../engine/contract/index.ts";
import { DataError } from "../engine/errors/errors.ts";

/**
 * Checks that apply to the descriptions and tensors of every kind of model. These checks run after a model has been
 * loaded and before it is used. They also run when a model is saved, so that every saved file can be loaded.
 *
 * @throws DataError [MODEL_FORMAT] unless `holds`. `problem` completes a message that begins "the model …".
 */
export function checkModel(where: string, holds: unknown, problem: string): asserts holds {
  if (!holds) throw new DataError(where, `the model ${problem}; the file is damaged, write it again`, "MODEL_FORMAT");
}

export const isObject = (json: unknown): json is JsonObject => typeof json === "object" && json !== null && !Array.isArray(json);

/** Formats JSON for a message, with at most 60 characters. */
export const shownJson = (json: unknown): string => (JSON.stringify(json) ?? "missing").slice(0, 60);

/** Returns the first argument of the constructor of predictors. @throws DataError for anything but a saved model */
export function savedModel(given: SavedModel): SavedModel {
  checkModel("predictor", isObject(given) && isObject(given.description) && isObject(given.tensors), "has no parts");
  return given;
}

/** A whole number, at least `low`. */
export function checkedCount(where: string, description: JsonObject, name: string, low = 0): number {
  const count = description[name];
  const isCount = typeof count === "number" && Number.isSafeInteger(count) && count >= low;
  checkModel(where, isCount, `has ${name} ${shownJson(count)}, but a whole number from ${low} is wanted`);
  return count as number;
}

export function checkedNumber(where: string, description: JsonObject, name: string, low = -Infinity): number {
  const value = description[name];
  const fits = typeof value === "number" && Number.isFinite(value) && value >= low;
  checkModel(where, fits, `has ${name} ${shownJson(value)}, but a number${low > -Infinity ? ` from ${low}` : ""} is wanted`);
  return value as number;
}

/** Returns a float64 copy of a tensor of `count` finite numbers. */
export function checkedTensor(where: string, tensors: SavedModel["tensors"], name: string, count: number): Float64Array {
  const values = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  const isFloat = values instanceof Float64Array || values instanceof Float32Array;
  checkModel(where, isFloat, `has no tensor "${name}" of floats`);
  checkModel(where, values.length === count, `has ${values.length} numbers in "${name}", but ${count} are wanted`);
  checkFinite(where, name, values);
  return Float64Array.from(values);
}

export function checkFinite(where: string, name: string, values: ArrayLike<number>): void {
  // The built-in search is faster, because this loop is not yet optimised when a file is read.
  if (values instanceof Float32Array || values instanceof Float64Array)
    if (![Number.NaN, Infinity, -Infinity].some((wrong) => values.includes(wrong))) return;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new DataError(
      where,
      `the model has ${values[i]} in "${name}" at ${i}, but finite numbers are wanted; train it again`,
      "MODEL_FORMAT",
    );
  }
}

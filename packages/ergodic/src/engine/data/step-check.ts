/**
 * Checks the contents of each step from a file, so that a damaged or foreign pipeline is refused before it is used.
 * Whether the steps fit together is checked elsewhere.
 */
import { DataError } from "../errors/errors.ts";

/** Throws unless the step is valid. @throws DataError [PIPELINE_STEP] unless `holds` */
export function checkStep(kind: string, holds: boolean, wanted: string): asserts holds {
  if (!holds)
    throw new DataError(
      "pipeline",
      `a step lacks a part that its kind needs: "${kind}" must have ${wanted}; the file is damaged, write it again`,
      "PIPELINE_STEP",
    );
}

export const isTexts = (list: unknown): list is readonly string[] =>
  Array.isArray(list) && list.every((text) => typeof text === "string");

export const isNumbers = (list: unknown): list is readonly number[] => Array.isArray(list) && list.every(Number.isFinite);

export const isFormat = (format: unknown): boolean => format === "dense" || format === "sparse";

export const isCount = (count: unknown): count is number =>
  typeof count === "number" && Number.isSafeInteger(count) && count >= 0;

/** Whether a value describes a table column before encoding. */
export function isRawColumn(column: unknown): boolean {
  const { name, kind, levels, of, part } = (column ?? {}) as Record<string, unknown>;
  // A date part has both `of` and `part`. Other columns have neither.
  if (typeof of !== typeof part || !/^(string|undefined)$/.test(typeof of)) return false;
  return typeof name === "string" && (kind === "number" || (kind === "category" && isTexts(levels)));
}

/** What steps from a file are held to, beside what fits together: a damaged or foreign pipeline is refused before anything is made of it. */
import { DataError } from "../errors/errors.ts";

/** @throws DataError [PIPELINE_STEP] unless `holds` */
export function checkStep(kind: string, holds: boolean, wanted: string): asserts holds {
  if (!holds)
    throw new DataError(
      "pipeline",
      `a step lacks what its kind needs: "${kind}" must have ${wanted}; the file is damaged, write it anew`,
      "PIPELINE_STEP",
    );
}

export const isTexts = (list: unknown): list is readonly string[] =>
  Array.isArray(list) && list.every((text) => typeof text === "string");

export const isNumbers = (list: unknown): list is readonly number[] => Array.isArray(list) && list.every(Number.isFinite);

export const isFormat = (format: unknown): boolean => format === "dense" || format === "sparse";

export const isCount = (count: unknown): count is number =>
  typeof count === "number" && Number.isSafeInteger(count) && count >= 0;

/** A column of a table before it becomes numbers. */
export function isRawColumn(column: unknown): boolean {
  const { name, kind, levels, of, part } = (column ?? {}) as Record<string, unknown>;
  // Both, or neither.
  if (typeof of !== typeof part || !/^(string|undefined)$/.test(typeof of)) return false;
  return typeof name === "string" && (kind === "number" || (kind === "category" && isTexts(levels)));
}

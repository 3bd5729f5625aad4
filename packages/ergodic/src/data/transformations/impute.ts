import { DataError } from "../../base/errors.ts";
import { forEachRow, type RawColumn, type RowSource, type Step, type Transformation } from "../rows.ts";
import { checkStep, isCount, isNumbers } from "../step-check.ts";

export type ImputeMethod = "mean" | "median" | "mode";

export interface ImputeStep extends Step {
  readonly kind: "impute";
  readonly method: ImputeMethod;
  /** A number, or the index of a level. */
  readonly fills: readonly number[];
  /** The report: how many cells of each column were missing when the pipeline was made. */
  readonly missing: readonly number[];
}

export function fitImpute(cells: RowSource, method: ImputeMethod, where: string): ImputeStep {
  const kinds = cells.shape.cells!;
  const present = kinds.map(() => new Float64Array(cells.rowCount));
  const counts = kinds.map(() => 0);
  forEachRow(cells, (row) => {
    for (let j = 0; j < kinds.length; j++) if (!Number.isNaN(row.values[j])) present[j][counts[j]++] = row.values[j];
  });
  const fills = kinds.map((column, j) => {
    if (counts[j] === 0) throw new DataError(where, `column "${column.name}" holds no value; drop it`, "DATA_MISSING");
    return fillOf(column, method, present[j].subarray(0, counts[j]));
  });
  return { kind: "impute", method, fills, missing: counts.map((count) => cells.rowCount - count) };
}

/**
 * Step `impute`: a missing cell takes its column's fill: the mean, median or mode of the values present when the pipeline was made.
 * A category column takes its mode under every method. Ties of the mode go to the smallest value.
 *
 * Every column has a fill, also one that had nothing missing, so that a row with a gap can be predicted.
 *
 * @throws DataError if a column holds no value at all
 */
export const impute: Transformation<ImputeStep> = {
  kind: "impute",

  output(step, input) {
    checkStep("impute", ["mean", "median", "mode"].includes(step.method), "a method");
    checkStep("impute", isNumbers(step.fills), "fills that are finite numbers");
    checkStep("impute", Array.isArray(step.missing) && step.missing.every(isCount), "counts of missing cells");
    if (!input.cells || step.fills.length !== input.columnCount) {
      throw new DataError(
        "pipeline",
        `impute has ${step.fills.length} fills for ${input.columnCount} cells a row`,
        "PIPELINE_STEP",
      );
    }
    const isLevel = (column: RawColumn, fill: number): boolean => column.kind === "number" || column.levels[fill] !== undefined;
    checkStep(
      "impute",
      input.cells.every((column, j) => isLevel(column, step.fills[j])),
      "fills that are levels of their columns",
    );
    checkStep("impute", step.missing.length === step.fills.length, "as many counts of missing cells as fills");
    return input;
  },

  start: (step) => (row) => {
    for (let j = 0; j < row.count; j++) if (Number.isNaN(row.values[j])) row.values[j] = step.fills[j];
    return row;
  },
};

function fillOf(column: RawColumn, method: ImputeMethod, values: Float64Array): number {
  if (column.kind === "number" && method === "mean") {
    let mean = 0;
    for (let i = 0; i < values.length; i++) mean += (values[i] - mean) / (i + 1);
    return mean;
  }
  values.sort();
  if (column.kind === "number" && method === "median") {
    const middle = values.length >> 1;
    return values.length % 2 === 1 ? values[middle] : values[middle - 1] + (values[middle] - values[middle - 1]) / 2;
  }
  return modeOfSorted(values);
}

function modeOfSorted(values: Float64Array): number {
  let mode = values[0];
  let most = 0;
  for (let start = 0; start < values.length; ) {
    let end = start;
    while (end < values.length && values[end] === values[start]) end++;
    if (end - start > most) {
      most = end - start;
      mode = values[start];
    }
    start = end;
  }
  return mode;
}

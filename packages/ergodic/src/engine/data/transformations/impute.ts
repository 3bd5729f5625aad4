import { DataError } from "../../errors/errors.ts";
import { denseRow, forEachRow, type RawColumn, type RowSource, type Step, type Transformation } from "../rows.ts";
import { checkStep, isCount, isNumbers } from "../step-check.ts";
import { addTransformation } from "./index.ts";
import { levelName } from "./level-name.ts";

/** Method of filling missing cells. "level" treats a missing cell as a separate level. */
export type ImputeMethod = "mean" | "median" | "mode" | "level";

const METHODS: readonly unknown[] = ["mean", "median", "mode", "level", null];

/** Name of the level for missing cells. Names of indicators use it, too. */
export const GAP = "(missing)";

export interface ImputeStep extends Step {
  readonly kind: "impute";
  /** One method for all columns, or one method per column. A method of null means that missing cells cause an error. */
  readonly method: ImputeMethod | readonly (ImputeMethod | null)[];
  /** Fill value of each column: a number, the index of a level, or null if missing cells cause an error. */
  readonly fills: readonly (number | null)[];
  /**
   * Columns that have an indicator column, which is 1 where a value was missing. Indicator columns come after all other
   * columns.
   */
  readonly indicators?: readonly number[];
  /** Number of missing cells in each column when the pipeline was made, for the report. */
  readonly missing: readonly number[];
}

/**
 * Fits fill values to the cells. `methods`: for each column, a method that suits its kind. null: the column has no
 * gaps, and later gaps are refused.
 */
export function fitImpute(
  cells: RowSource,
  methods: readonly (ImputeMethod | null)[],
  indicator: boolean,
  where: string,
): ImputeStep {
  const kinds = cells.shape.cells!;
  const present = kinds.map(() => new Float64Array(cells.rowCount));
  const counts = kinds.map(() => 0);
  forEachRow(cells, (row) => {
    for (let j = 0; j < kinds.length; j++) if (!Number.isNaN(row.values[j])) present[j][counts[j]++] = row.values[j];
  });
  const fills = kinds.map((column, j) => {
    if (counts[j] === 0) throw new DataError(where, `column "${column.name}" holds no value; drop it`, "DATA_MISSING");
    const method = methods[j];
    return method && fillOf(column, method, present[j].subarray(0, counts[j]));
  });
  const missing = counts.map((count) => cells.rowCount - count);
  const indicators = kinds.flatMap(({ kind }, j) => (indicator && kind === "number" && missing[j] > 0 ? [j] : []));
  return { kind: "impute", method: methods, fills, ...(indicators.length > 0 ? { indicators } : {}), missing };
}

/** Returns the indicator columns. */
export const indicatorColumns = (cells: readonly RawColumn[], { indicators = [] }: ImputeStep): RawColumn[] =>
  indicators.map((j) => ({ name: levelName(String(cells[j]?.name), GAP), kind: "number" }));

/**
 * Step `impute`: fills each missing cell with the fill value of its column. The fill is the mean, median or mode of the
 * values present when the pipeline was made, or a separate level for missing cells. If several values are equally
 * common, the mode is the smallest of them. Indicators add a column that is 1 where a number was missing.
 *
 * A column without gaps also has a fill value (unless it has no method), so that a row with a gap can be predicted.
 *
 * @throws DataError if a column holds no value at all
 */
export const impute: Transformation<ImputeStep> = {
  kind: "impute",

  output(step, input) {
    const { fills, indicators = [] } = step;
    checkStep(
      "impute",
      [step.method].flat().every((one) => METHODS.includes(one)),
      "a method",
    );
    checkStep("impute", Array.isArray(fills) && isNumbers(fills.map((fill) => fill ?? 0)), "fills that are finite numbers");
    checkStep("impute", Array.isArray(step.missing) && step.missing.every(isCount), "counts of missing cells");
    if (!input.cells || step.fills.length !== input.columnCount) {
      throw new DataError(
        "pipeline",
        `impute has ${step.fills.length} fills for ${input.columnCount} cells a row`,
        "PIPELINE_STEP",
      );
    }
    const isLevel = (column: RawColumn, fill: number | null): boolean =>
      column.kind === "number" || fill === null || column.levels[fill] !== undefined;
    checkStep(
      "impute",
      input.cells.every((column, j) => isLevel(column, step.fills[j])),
      "fills that are levels of their columns",
    );
    checkStep("impute", step.missing.length === step.fills.length, "as many counts of missing cells as fills");
    const { cells } = input;
    checkStep(
      "impute",
      Array.isArray(indicators) && indicators.every((j) => cells[j]?.kind === "number"),
      "indicators of numbers",
    );
    if (indicators.length === 0) return input;
    const columns = [...cells, ...indicatorColumns(cells, step)];
    return { ...input, columnCount: columns.length, cells: columns, names: () => columns.map(({ name }) => name) };
  },

  start({ fills, indicators = [] }, { columnCount }) {
    const out = denseRow(columnCount + indicators.length);
    const { values } = out;
    return (row) => {
      for (let k = 0; k < indicators.length; k++) values[columnCount + k] = Number(Number.isNaN(row.values[indicators[k]]));
      for (let j = 0; j < columnCount; j++) values[j] = Number.isNaN(row.values[j]) ? (fills[j] ?? NaN) : row.values[j];
      return out;
    };
  },
};

/** Registers the step. A program that only predicts registers this step when it loads a model that uses the step. */
export const addImpute = (): void => addTransformation(impute);

function fillOf(column: RawColumn, method: ImputeMethod, values: Float64Array): number {
  if (column.kind === "category" && method === "level") return column.levels.indexOf(GAP);
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

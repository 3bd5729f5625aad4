import { DataError } from "../../base/errors.ts";
import { forEachRow, type RowSource, type Step, type Transformation } from "../rows.ts";
import { checkStep, isNumbers } from "../step-check.ts";

export interface StandardiseStep extends Step {
  readonly kind: "standardise";
  readonly by: "sd" | "max";
  /** null: nothing is subtracted. */
  readonly centre: readonly number[] | null;
  readonly scale: readonly number[];
}

export interface ColumnMoments {
  readonly mean: Float64Array;
  /** 0 where a column is constant. */
  readonly deviation: Float64Array;
  /** √mean(x²). */
  readonly rootMeanSquare: Float64Array;
  /** max|x|. */
  readonly largest: Float64Array;
  /** 1 where a column holds 0 and 1 alone: levels of a category, yes and no. */
  readonly indicator: Uint8Array;
}

/** Over all rows, zeros of sparse rows included. */
export function columnMoments(rows: RowSource): ColumnMoments {
  const { columnCount } = rows.shape;
  const counts = new Float64Array(columnCount);
  const mean = new Float64Array(columnCount);
  const squares = new Float64Array(columnCount);
  const largest = new Float64Array(columnCount);
  let seen = 0;
  forEachRow(rows, ({ count, columns, values }) => {
    seen++;
    for (let k = 0; k < count; k++) {
      const j = columns === null ? k : columns[k];
      const x = values[k];
      const before = mean[j];
      const delta = x - before;
      const after = before + delta / (columns === null ? seen : ++counts[j]);
      mean[j] = after;
      squares[j] += delta * (x - after);
      const size = Math.abs(x);
      if (size > largest[j]) largest[j] = size;
    }
  });
  if (rows.shape.format === "dense") counts.fill(seen);
  const n = rows.rowCount;
  const deviation = new Float64Array(columnCount);
  const rootMeanSquare = new Float64Array(columnCount);
  for (let j = 0; j < columnCount; j++) {
    const variance = (squares[j] + (mean[j] * mean[j] * counts[j] * (n - counts[j])) / n) / n;
    mean[j] *= counts[j] / n;
    rootMeanSquare[j] = Math.sqrt(variance + mean[j] * mean[j]);
    const spread = Math.sqrt(variance);
    if (spread > Number.EPSILON * Math.abs(mean[j])) deviation[j] = spread;
  }
  return { mean, deviation, rootMeanSquare, largest, indicator: indicators(rows, largest) };
}

/** A second look at those columns alone whose largest value is 1, as few are of numbers that were measured. */
function indicators(rows: RowSource, largest: Float64Array): Uint8Array {
  const indicator = Uint8Array.from(largest, (size) => (size === 0 || size === 1 ? 1 : 0));
  const read = rows.open();
  for (let i = largest.includes(1) ? rows.rowCount : 0; i-- > 0; ) {
    const { count, columns, values } = read(i);
    for (let k = 0; k < count; k++) if (values[k] !== 0 && values[k] !== 1) indicator[columns === null ? k : columns[k]] = 0;
  }
  return indicator;
}

/** `indicators`: whether columns of 0 and 1 alone take part, too; else they stay as they are. */
export function fitStandardise(rows: RowSource, by: "sd" | "max", indicators: boolean): StandardiseStep {
  const { mean, deviation, largest, indicator } = columnMoments(rows);
  const centred = by === "sd" && rows.shape.format === "dense";
  const stays = (j: number): boolean => !indicators && indicator[j] === 1;
  return {
    kind: "standardise",
    by,
    centre: centred ? Array.from(mean, (m, j) => (stays(j) ? 0 : m)) : null,
    scale: Array.from(by === "sd" ? deviation : largest, (s, j) => (stays(j) ? 1 : s || 1)),
  };
}

/**
 * Step `standardise`: x' = (x − centre) / scale by columns.
 *
 * Dense rows, by "sd": centre = mean, scale = standard deviation (÷ n). By "max": centre 0, scale = max|x|. Sparse rows are only
 * scaled, never centred, so that zeros stay zeros; their deviation counts the zeros. A constant column (deviation within rounding
 * of its mean) and an all-zero column have scale 1. Row weights are not used.
 *
 * One stable pass: Welford 1962; sparse zeros join at the end by the pairwise update of Chan, Golub, LeVeque 1983.
 */
export const standardise: Transformation<StandardiseStep> = {
  kind: "standardise",

  output(step, input) {
    const { centre, scale } = step;
    checkStep("standardise", centre === null || isNumbers(centre), "centres that are finite numbers, or null");
    checkStep("standardise", isNumbers(scale) && scale.every((s) => s > 0), "scales that are finite and above 0");
    if (
      scale.length !== input.columnCount ||
      (centre && centre.length !== scale.length) ||
      (centre && input.format === "sparse")
    ) {
      const problem = `standardise was made for ${scale.length}${centre ? " dense" : ""} columns, but gets ${input.columnCount} ${input.format}`;
      throw new DataError("pipeline", problem, "PIPELINE_STEP");
    }
    return input;
  },

  start(step) {
    const scale = Float64Array.from(step.scale);
    const centre = step.centre ? Float64Array.from(step.centre) : new Float64Array(scale.length);
    return (row) => {
      const { count, columns, values } = row;
      if (columns === null) for (let j = 0; j < count; j++) values[j] = (values[j] - centre[j]) / scale[j];
      else for (let k = 0; k < count; k++) values[k] = (values[k] - centre[columns[k]]) / scale[columns[k]];
      return row;
    };
  },
};

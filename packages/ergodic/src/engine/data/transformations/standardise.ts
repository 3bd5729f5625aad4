import { DataError } from "../../errors/errors.ts";
import { forEachRow, type RowSource, type RowVector, type Shape, SparseRow, type Step, type Transformation } from "../rows.ts";
import { checkStep, isNumbers } from "../step-check.ts";

/** Divisor of columns: the standard deviation, √mean(x²) or max|x|. Only "sd" also centres columns. */
export type Scaling = "sd" | "rms" | "max";

export interface StandardiseStep extends Step {
  readonly kind: "standardise";
  readonly by: Scaling;
  /** Value subtracted from each column, or null if columns are not centred. */
  readonly centre: readonly number[] | null;
  readonly scale: readonly number[];
}

export interface ColumnMoments {
  readonly mean: Float64Array;
  /** Standard deviation of each column, 0 if the column is constant. */
  readonly deviation: Float64Array;
  /** √mean(x²). */
  readonly rootMeanSquare: Float64Array;
  /** max|x|. */
  readonly largest: Float64Array;
  /** Flag per column: 1 if the column contains only the numbers 0 and 1, as one-hot levels and yes/no columns do. */
  readonly indicator: Uint8Array;
}

/** Computes the moments over all rows, including the zeros of sparse rows. */
export function columnMoments(rows: RowSource): ColumnMoments {
  const { columnCount } = rows.shape;
  const counts = new Float64Array(columnCount);
  const mean = new Float64Array(columnCount);
  const squares = new Float64Array(columnCount);
  const largest = new Float64Array(columnCount);
  const indicator = new Uint8Array(columnCount).fill(1);
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
      if (x !== 0 && x !== 1) indicator[j] = 0;
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
  return { mean, deviation, rootMeanSquare, largest, indicator };
}

/**
 * Makes the step from the moments of the rows. `indicators`: whether to standardise columns that only contain 0 and 1.
 */
export function fitStandardise(
  { format, table }: Shape,
  { mean, deviation, rootMeanSquare, largest, indicator }: ColumnMoments,
  by: Scaling,
  indicators: boolean,
): StandardiseStep {
  const stays = (j: number): boolean => !indicators && indicator[j] === 1;
  const numbers = format === "dense" ? undefined : new Set(table?.numbers);
  const centred = by === "sd" && numbers?.size !== 0;
  return {
    kind: "standardise",
    by,
    centre: centred ? Array.from(mean, (m, j) => (stays(j) || numbers?.has(j) === false ? 0 : m)) : null,
    scale: Array.from({ sd: deviation, rms: rootMeanSquare, max: largest }[by], (s, j) => (stays(j) ? 1 : s || 1)),
  };
}

/**
 * Step `standardise`: x' = (x − centre) / scale for each column.
 *
 * Dense rows: "sd" has centre = mean and scale = standard deviation (÷ n); "rms" has centre 0 and scale = √mean(x²);
 * "max" has centre 0 and scale = max|x|. Sparse rows are scaled but not centred, so that zeros stay zeros. The standard
 * deviation of a sparse column takes its zeros into account. If sparse rows come from a table, "sd" also centres the
 * table's numeric columns, because every row stores an entry for each of them. With `indicators: false`, such sparse
 * rows therefore get the same values as dense rows. Scale 1 is used for constant columns (whose deviation is within the
 * rounding error of the mean) and for all-zero columns. Row weights are not used.
 *
 * The moments are computed in one stable pass (Welford 1962). At the end, the pairwise update of Chan, Golub, LeVeque
 * 1983 adds the zeros of sparse rows.
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
      (centre && input.format === "sparse" && !input.table)
    ) {
      const problem = `standardise was made for ${scale.length}${centre ? " dense" : ""} columns, but gets ${input.columnCount} ${input.format}`;
      throw new DataError("pipeline", problem, "PIPELINE_STEP");
    }
    if (centre && input.table) {
      // Other columns cannot be centred, because a row can lack their entries.
      const numbers = new Set(input.table.numbers);
      const other = centre.findIndex((c, j) => c !== 0 && !numbers.has(j));
      if (other >= 0) {
        const problem = `standardise has a centre in sparse rows for column ${other}, which is not a number of the table`;
        throw new DataError("pipeline", problem, "PIPELINE_STEP");
      }
    }
    return input;
  },

  start(step, { format }) {
    const scale = Float64Array.from(step.scale);
    const centre = step.centre ? Float64Array.from(step.centre) : new Float64Array(scale.length);
    if (format === "sparse" && step.centre) return centredEntries(centre, scale);
    return (row) => {
      const { count, columns, values } = row;
      if (columns === null) for (let j = 0; j < count; j++) values[j] = (values[j] - centre[j]) / scale[j];
      else for (let k = 0; k < count; k++) values[k] /= scale[columns[k]];
      return row;
    };
  },
};

/** Centres sparse rows. A centred column gets an entry in every row, even where the entry's value is 0. */
function centredEntries(centre: Float64Array, scale: Float64Array): (row: RowVector) => RowVector {
  const centred = Array.from(centre.keys()).filter((j) => centre[j] !== 0);
  const out = new SparseRow();
  return ({ count, columns, values }) => {
    out.count = 0;
    let next = 0;
    for (let k = 0; k < count; k++) {
      const j = columns![k];
      for (; centred[next] < j; next++) out.push(centred[next], -centre[centred[next]] / scale[centred[next]]);
      if (centred[next] === j) next++;
      out.push(j, (values[k] - centre[j]) / scale[j]);
    }
    for (; next < centred.length; next++) out.push(centred[next], -centre[centred[next]] / scale[centred[next]]);
    return out;
  };
}

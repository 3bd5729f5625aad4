import type { Dataset } from "../../engine/data/dataset.ts";
import { datasetMark, isMarked } from "../../engine/data/marks.ts";
import { isList } from "../../engine/data/number-cells.ts";
import type { RawRows } from "../../engine/data/raw.ts";
import type { RowSource } from "../../engine/data/rows.ts";
import type { Row } from "../../engine/data/table.ts";
import { checkBoolean, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys } from "../../engine/errors/errors.ts";
import type { AnyPredictor } from "../any-predictor.ts";
import { roomOf } from "../room-of.ts";
import type { TreesPredictor } from "../trees/trees.ts";
import { TreeAttributions } from "./tree-attributions.ts";

/** Trained trees with any kind of target and any column names. */
// biome-ignore lint/suspicious/noExplicitAny: no narrower type has models of every kind and any column names
export type AnyTrees = TreesPredictor<any, any>;

/** Options of `attributions`. */
export interface AttributionOptions {
  /** Whether to divide contributions among pairs of columns. Default false. */
  interactions?: boolean;
}

/** Contributions of columns to the margins of rows. */
export interface Attributions {
  /** Names of the model's columns. */
  readonly columns: readonly string[];
  /** Names of the outputs: the class whose score it is, or the target. */
  readonly outputs: readonly string[];
  /** Number of rows. */
  readonly rowCount: number;
  /** Mean margin of the training rows, weighted by cover: float64[outputs]. */
  readonly base: Float64Array;
  /** Contributions: float64[rows × outputs × columns]. */
  readonly values: Float64Array;
  /** The rows in the model's columns: float64[rows × columns]. A category is the index of its level; NaN is missing. */
  readonly rows: Float64Array;
  /**
   * Interactions: float64[rows × outputs × columns × columns], symmetric. The row of a column sums to its contribution.
   * Present if they were requested.
   */
  readonly interactions?: Float64Array;
}

/**
 * Explains margins of trees: the contribution of every column to the score of a row, before the link.
 *
 *   margin_k(row) = base_k + Σ_j values[row, k, j]   (plus the row's offset, if the data have one)
 *
 * A contribution is the column's Shapley value for the game f(S) = the expected margin if only the columns in S are
 * known. At a split by an unknown column, f follows both sides, weighted by the training rows that went there (`cover`).
 * Missing values and categories follow their side of a split, like other values.
 *
 * interactions: off the diagonal, the Shapley interaction of two columns, half on each side; on the diagonal, the
 * remaining effect of the column alone.
 *
 * Units: those of the margin: log odds for two classes, log mean for counts, and the target's units for numbers.
 * Time per row: O(leaves × depth²), with interactions O(leaves × depth³), where depth counts different columns.
 * Source: Lundberg et al. 2020 (path-dependent TreeSHAP), computed by the integrals of tree-attributions.ts. Sums are
 * in float64, also for models that XGBoost trained.
 *
 * @param predictor trees, trained by `fit` or loaded by `predictor`
 * @param rows a row, a list of rows, a table or a Dataset
 * @throws CapabilityError for other models, and for trees without `cover`; DataError for rows that the model cannot read
 *
 * @example
 * ```ts
 * const { base, values, columns } = attributions(model, [{ town: "Rome", size: 90 }]);
 * ```
 */
export function attributions(
  predictor: AnyTrees,
  rows: Row | ArrayLike<number> | RawRows | Dataset,
  options: AttributionOptions = {},
): Attributions {
  const where = "attributions";
  checkTrees(where, predictor);
  checkKeys(where, options, ["interactions"]);
  const { interactions: pairs = false } = options;
  checkBoolean(where, "interactions", pairs);
  const { ensemble, columns, classes, targetName } = predictor;
  if (ensemble.cover.length === 0)
    throw new CapabilityError(
      where,
      'the model has no cover, which is the weight of the training rows at each node; train it with fit(), or use importance(model, { by: "permutation", data })',
      "MODEL_CAPABILITY",
    );
  const width = columns.length;
  const outputs = ensemble.base.length;
  const trees = new TreeAttributions(ensemble, width, where);
  const { source, made } = sourceOf(where, predictor, rows);
  try {
    const { rowCount } = source;
    const x = roomOf(rowCount * width, where);
    const values = roomOf(rowCount * outputs * width, where);
    const interactions = pairs ? roomOf(rowCount * outputs * width * width, where) : undefined;
    readRows(source, x, ensemble.threshold instanceof Float32Array);
    for (let i = 0; i < rowCount; i++) {
      const own = values.subarray(i * outputs * width, (i + 1) * outputs * width);
      const both = interactions?.subarray(i * outputs * width * width, (i + 1) * outputs * width * width);
      trees.add(x.subarray(i * width, (i + 1) * width), { values: own, interactions: both });
      if (both) fillDiagonals(both, own, width);
    }
    const names = classes && outputs > 1 ? [...classes] : [classes?.[1] ?? targetName];
    const answer = { columns, outputs: names, rowCount, base: trees.base, values, rows: x };
    return interactions ? { ...answer, interactions } : answer;
  } finally {
    made?.dispose();
  }
}

/** Checks for trees. @throws OptionError, or CapabilityError for another model */
export function checkTrees(where: string, predictor: AnyTrees): void {
  const { kind } = (predictor ?? {}) as unknown as Partial<AnyPredictor>;
  if (kind === "trees") return;
  if (kind === undefined) refuse(where, "the model", predictor, "trained trees", "await fit(trees(), train)");
  throw new CapabilityError(
    where,
    `the model is of kind ${kind}, but only trees can be explained in this way; use importance(model, { by: "permutation", data })`,
    "MODEL_CAPABILITY",
  );
}

/** Opens rows through the model's pipeline. `made`: a dataset to free afterwards. */
function sourceOf(
  where: string,
  { pipeline }: AnyTrees,
  rows: Row | ArrayLike<number> | RawRows | Dataset,
): { source: RowSource; made?: Dataset } {
  if (typeof rows !== "object" || rows === null)
    refuse(where, "the rows", rows, "a row, a list of rows or a Dataset", "[{ age: 40 }]");
  if (isMarked(rows, datasetMark)) {
    const data = rows as Dataset;
    const followed = data.follow(pipeline);
    return followed === data ? { source: data.rows() } : { source: followed.rows(), made: followed };
  }
  const { columns, rowStart, length } = rows as { columns?: unknown; rowStart?: unknown; length?: unknown };
  const isSeveral = isList(rows) ? typeof (rows as ArrayLike<unknown>)[0] !== "number" : isList(columns) || isList(rowStart);
  if (isSeveral && length === 0) refuse(where, "the rows", rows, "at least one row", "[{ age: 40 }]");
  return { source: pipeline.rowsOf((isSeveral ? rows : [rows]) as RawRows) };
}

function readRows(source: RowSource, x: Float64Array, rounds: boolean): void {
  const read = source.open();
  const width = x.length / source.rowCount;
  for (let i = 0, to = 0; i < source.rowCount; i++, to += width) {
    const { columns, values, count } = read(i);
    if (columns) for (let e = 0; e < count; e++) x[to + columns[e]] = values[e];
    else for (let j = 0; j < width; j++) x[to + j] = values[j];
    if (rounds) for (let j = to; j < to + width; j++) x[j] = Math.fround(x[j]);
  }
}

/** Sets each diagonal entry to the column's contribution without its interactions. */
function fillDiagonals(both: Float64Array, values: Float64Array, width: number): void {
  for (let row = 0; row < values.length; row++) {
    let rest = values[row];
    for (let j = 0; j < width; j++) rest -= both[row * width + j];
    both[row * width + (row % width)] = rest;
  }
}

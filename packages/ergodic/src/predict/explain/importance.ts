import type { Dataset } from "../../engine/data/dataset.ts";
import { datasetMark, isMarked } from "../../engine/data/marks.ts";
import { checkChoice, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { stream } from "../../engine/random/stream.ts";
import type { AnyPredictor } from "../any-predictor.ts";
import type { RowPredictor } from "../calibration/description.ts";
import { type AnyTrees, checkTrees } from "./attributions.ts";
import { type Fill, replacedRows, valuesAt } from "./replaced-rows.ts";
import { type SourceColumn, sourceColumns } from "./source-columns.ts";

/** Options of `importance`. */
export interface ImportanceOptions {
  /**
   * Measure of importance. Default: "permutation" if data are given, otherwise "gain".
   *
   * "gain": sum of the reductions of the objective by the splits of a column. "splits": number of splits. "cover": sum
   * of the weights of the training rows at the splits. "permutation": increase of the loss if the column is shuffled.
   */
  by?: "gain" | "splits" | "cover" | "permutation";
  /** Rows with known targets, for "permutation". Rows that the model was not trained on show what generalises. */
  data?: Dataset;
  /** Seed of the shuffles. Default 0; a whole number >= 0. */
  seed?: number;
  /** Number of shuffles of each column. Default 5; a whole number >= 1. */
  repeats?: number;
}

/** Importance of a column. */
export interface Importance {
  /** Name of the table's column. */
  column: string;
  /** Importance, in the units of the measure. */
  value: number;
  /** Standard error of the mean over shuffles. Present for "permutation" with at least two repeats. */
  standardError?: number;
}

/**
 * Ranks the columns of the table by their importance for a model, most important first.
 *
 * Permutation: value = mean over repeats of loss(shuffled) − loss(given), where the column's values change places among
 * the rows. Works for every predictor of rows. loss: `logLoss` of `evaluate` (1 − accuracy if the model has no
 * probabilities), `rmse` for numbers and `deviance` for counts. All columns made of one column of the table (levels,
 * parts of a date, an indicator of gaps) are shuffled together. A column can be unimportant because another column
 * carries the same information. Source: Breiman 2001; Fisher, Rudin and Dominici 2019.
 *
 * Gain, splits and cover: sums over the splits of trees, for trees only. They describe training rows, and favour
 * columns with many different values. XGBoost calls them total_gain, weight and total_cover.
 *
 * Equals scikit-learn's `permutation_importance` with the negative loss as the scoring, up to the random shuffles. That
 * function returns standard deviations; divide them by √repeats for standard errors.
 *
 * @param predictor a trained model of rows; for "gain", "splits" and "cover": trees
 * @throws OptionError; CapabilityError for recommenders, for other models than trees, and for trees without gain or
 * cover; DataError for data with other columns
 *
 * @example
 * ```ts
 * importance(model);                               // trees: by gain
 * importance(model, { data: test, repeats: 10 });  // any model: by permutation
 * ```
 */
export function importance(predictor: RowPredictor, options: ImportanceOptions = {}): Importance[] {
  const where = "importance";
  checkKeys(where, options, ["by", "data", "seed", "repeats"]);
  const { data, seed = 0, repeats = 5 } = options;
  const by = options.by ?? (data === undefined ? "gain" : "permutation");
  checkChoice(where, "by", by, ["gain", "splits", "cover", "permutation"]);
  checkNumber(where, "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber(where, "repeats", repeats, { low: 1, integer: true });
  if (by === "permutation") return sorted(byPermutation(where, predictor, data, seed, repeats));
  const useless = (["data", "seed", "repeats"] as const).find((name) => options[name] !== undefined);
  if (useless !== undefined)
    throw new OptionError(
      where,
      `${useless} is for by: "permutation", but by is "${by}"; leave one of them out`,
      "OPTION_CONFLICT",
    );
  checkTrees(where, predictor as AnyTrees);
  return sorted(bySplits(where, predictor as AnyTrees, by));
}

/** Sorts by value. Equal columns remain in the order of the table. */
const sorted = (found: Importance[]): Importance[] => found.sort((a, b) => b.value - a.value);

function bySplits(where: string, { ensemble, pipeline }: AnyTrees, by: "gain" | "splits" | "cover"): Importance[] {
  const amounts = by === "splits" ? undefined : ensemble[by];
  if (amounts?.length === 0)
    throw new CapabilityError(
      where,
      `the model's trees have no ${by}; train them with fit(), or use by: "splits", or by: "permutation" with data`,
      "MODEL_CAPABILITY",
    );
  const sums = new Float64Array(pipeline.columnCount);
  for (let n = 0; n < ensemble.feature.length; n++)
    if (ensemble.feature[n] >= 0) sums[ensemble.feature[n]] += amounts ? amounts[n] : 1;
  return sourceColumns(pipeline).map(({ name, places }) => ({
    column: name,
    value: places.reduce((sum, j) => sum + sums[j], 0),
  }));
}

function byPermutation(
  where: string,
  predictor: RowPredictor,
  given: Dataset | undefined,
  seed: number,
  repeats: number,
): Importance[] {
  const data = checkedData(where, predictor, given);
  const least = lossOf(predictor, data);
  return sourceColumns(data.pipeline).map((column) => {
    const rises = Array.from({ length: repeats }, (_, r) => {
      const shuffled = shuffledData(data, column, shuffledOrder(data.rowCount, seed, column.name, r));
      try {
        return lossOf(predictor, shuffled) - least;
      } finally {
        shuffled.dispose();
      }
    });
    const value = rises.reduce((sum, rise) => sum + rise, 0) / repeats;
    if (repeats === 1) return { column: column.name, value };
    const squares = rises.reduce((sum, rise) => sum + (rise - value) ** 2, 0);
    return { column: column.name, value, standardError: Math.sqrt(squares / (repeats - 1) / repeats) };
  });
}

/** Checks a predictor of rows, and the data. Returns the data as floats. */
export function checkedData(where: string, predictor: RowPredictor, data: unknown): Dataset {
  const { kind } = (predictor ?? {}) as unknown as Partial<AnyPredictor>;
  if (kind === "factorisation")
    throw new CapabilityError(
      where,
      "the model predicts ratings, which depend on a user and an item alone; give a model of rows",
      "MODEL_CAPABILITY",
    );
  if (typeof (predictor as Partial<RowPredictor> | undefined)?.evaluate !== "function")
    refuse(where, "the model", predictor, "a trained model", "await fit(trees(), train)");
  if (!isMarked(data, datasetMark)) refuse(where, "data", data, "a Dataset", "data.split(0.8, { seed: 1 }).test");
  return (data as Dataset).original;
}

function lossOf(predictor: RowPredictor, data: Dataset): number {
  const { logLoss, accuracy, rmse, deviance } = predictor.evaluate(data) as Partial<Record<string, number>>;
  if (accuracy !== undefined) return Number.isNaN(logLoss) ? 1 - accuracy : logLoss!;
  return deviance ?? rmse!;
}

function shuffledOrder(count: number, seed: number, name: string, repeat: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const draws = stream(seed, "importance", name).at(repeat);
  for (let i = count - 1; i > 0; i--) {
    const j = draws.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Returns the data in which row i has the column's values of row order[i]. */
function shuffledData(data: Dataset, { places }: SourceColumn, order: Uint32Array): Dataset {
  const rows = data.rows();
  const fills = (): Fill => {
    const read = valuesAt(rows.open(), places);
    return (i, out) => out.set(read(order[i]));
  };
  return data.withRows(replacedRows(rows, places, fills));
}

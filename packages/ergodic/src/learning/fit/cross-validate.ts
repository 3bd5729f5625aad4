import type { Dataset } from "../../engine/data/dataset.ts";
import { checkFunction, checkSignal, isList, plain, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import type { LinearPredictor } from "../../predict/linear.ts";
import type { LinearModel } from "../models/linear/linear.ts";
import type { NetworkModel } from "../models/neural/network.ts";
import type { ForestModel } from "../models/trees/forest.ts";
import type { TreesModel } from "../models/trees/trees.ts";
import { checkFolds, dealFolds, dealGroups, type FoldRows, heldOut, stretches } from "./folds.ts";
import { checkDataset, type FitOptions, type TrainableModel } from "./kinds/trainable.ts";
import { train } from "./train.ts";

/** Options of `crossValidate`. */
export interface CrossValidateOptions {
  /** Number of folds, from 2 to the number of rows. Default 5. */
  folds?: number;
  /**
   * Group of each row. A group is held out as a whole. Default: rows are assigned at random, with classes spread
   * evenly.
   */
  groups?: ArrayLike<string | number>;
  /**
   * Time of each row, as a number or as a string whose sort order is chronological. Each period is predicted by a model
   * trained on all earlier rows. Default: none.
   */
  time?: ArrayLike<string | number>;
  /** Options of `fit` for each fold. */
  fit?: Omit<FitOptions, "signal">;
  /** Called with each fold when it ends. */
  onFold?: (fold: FoldResult, number: number) => void;
  /** Seed for the folds, and for each fit that has no seed of its own. Default 0; a whole number >= 0. */
  seed?: number;
  /** Aborts the cross-validation. */
  signal?: AbortSignal;
}

/** Result of one fold. */
export interface FoldResult {
  /** Number of training rows. */
  readonly train: number;
  /** Number of held-out rows. */
  readonly test: number;
  /** Metrics on the held-out rows. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Seconds of training. */
  readonly seconds: number;
  /** Reason for the end of training. */
  readonly reason: string;
}

/** Statistics of one metric over the folds. */
export interface Spread {
  /** Mean over the folds. */
  readonly mean: number;
  /** Standard deviation over the folds (n − 1). */
  readonly sd: number;
  /** Standard error of the mean, sd/√folds, as if folds were independent. */
  readonly standardError: number;
  /**
   * Number of folds in which the metric is defined. For example, auc is undefined in a fold that contains only one of
   * two classes.
   */
  readonly folds: number;
}

/** Result of `crossValidate`. */
export interface CrossValidated {
  /** Method of assigning rows to folds. */
  readonly by: "random" | "group" | "time";
  /** Results by fold. */
  readonly folds: readonly FoldResult[];
  /** Statistics of each metric over the folds. */
  readonly metrics: Readonly<Record<string, Spread>>;
}

const WHERE = "crossValidate";

/**
 * Cross-validation: trains the model once per fold on all other rows and evaluates it on the fold.
 *
 * By default, rows are assigned to folds at random by `seed`, with classes spread evenly. `groups` keeps each group in
 * one fold. `time` splits the rows into folds + 1 periods. Each period except the first is predicted by a model that is
 * trained on all earlier rows.
 * In each fold, a model's own statistics (means and scales, features) are learned again. The dataset's pipeline
 * (levels, imputed values) was fitted to all rows and is not learned again.
 *
 * @param model model to train again for each fold
 * @param data dataset whose rows are divided into folds
 * @param options number of folds (default 5), `groups` or `time` of the rows, options of `fit`, seed
 * @throws OptionError; the errors of `fit`; the reason of an aborted `signal`
 *
 * @example
 * ```ts
 * const { metrics } = await crossValidate(linear(), data, { folds: 5, fit: { algorithm: "auto" } });
 * metrics.accuracy;   // { mean: 0.85, sd: 0.01, … }
 * ```
 */
export async function crossValidate(
  model: LinearModel | NetworkModel | TreesModel | ForestModel,
  data: Dataset,
  options: CrossValidateOptions = {},
): Promise<CrossValidated> {
  checkKeys(WHERE, options, ["folds", "groups", "time", "fit", "onFold", "seed", "signal"], {
    absent: { cv: "write folds: 5 for the number of folds" },
  });
  checkDataset(WHERE, "data", data, "a Dataset", "Dataset.fromArrays({ x, y }), or read a file with @ergodic/ingest");
  const { folds = 5, groups, time, seed = 0, signal, onFold, fit: given = {} } = options;
  checkNumber(WHERE, "seed", seed, { low: 0, integer: true });
  checkSignal(WHERE, signal);
  if (onFold !== undefined)
    checkFunction(WHERE, "onFold", onFold, "a function of a fold", "({ metrics }) => console.log(metrics)");
  plain(`${WHERE}.fit`, given);
  checkFolds(WHERE, folds, data.rowCount);
  if (groups !== undefined && time !== undefined)
    throw new OptionError(WHERE, "both groups and time were given; leave one out", "OPTION_CONFLICT");
  // Before the folds, because a fold can lack one of the classes.
  const meant = (model as unknown as TrainableModel<Dataset, LinearPredictor>).trainable.meant?.(data, model) ?? data;
  const parts = partsOf(meant, options, folds, seed);
  const results: FoldResult[] = [];
  for (const [number, rows] of parts.entries()) {
    signal?.throwIfAborted();
    const result = await judged(model, meant, rows, { seed, ...given, ...(signal ? { signal } : {}) });
    results.push(result);
    onFold?.(result, number);
  }
  const names = [...new Set(results.flatMap(({ metrics }) => Object.keys(metrics)))];
  return printable({
    by: groups ? "group" : time ? "time" : "random",
    folds: results,
    metrics: Object.fromEntries(names.map((name) => [name, spreadOf(results.map(({ metrics }) => metrics[name] ?? Number.NaN))])),
  });
}

function partsOf(data: Dataset, { groups, time }: CrossValidateOptions, folds: number, seed: number): FoldRows[] {
  const each = (name: "groups" | "time", list: unknown): ArrayLike<string | number> => {
    const isKnown = (value: unknown): boolean => typeof value === "string" || (typeof value === "number" && !Number.isNaN(value));
    if (!isList(list) || !Array.from(list as ArrayLike<unknown>).every(isKnown))
      refuse(WHERE, name, list, "a list of strings or numbers, one for each row", `${name}: table.columns[0].values`);
    if (list.length !== data.rowCount)
      throw new OptionError(WHERE, `${name} has ${list.length} entries for ${data.rowCount} rows`, "OPTION_RANGE");
    return list as ArrayLike<string | number>;
  };
  if (time !== undefined) return stretches(WHERE, each("time", time), folds);
  if (groups !== undefined) return heldOut(dealGroups(WHERE, each("groups", groups), folds, seed), folds);
  return heldOut(dealFolds(data, folds, seed), folds);
}

async function judged(
  model: LinearModel | NetworkModel | TreesModel | ForestModel,
  data: Dataset,
  rows: FoldRows,
  options: FitOptions,
): Promise<FoldResult> {
  const [rowsTrained, rowsHeldOut] = [data.select(rows.train), data.select(rows.test)];
  try {
    const fitted = await train(model as unknown as TrainableModel<Dataset, LinearPredictor>, rowsTrained, options);
    const measured = Object.entries(fitted.evaluate(rowsHeldOut)).filter(
      (entry): entry is [string, number] => typeof entry[1] === "number",
    );
    const { seconds, reason } = fitted.run;
    return { train: rowsTrained.rowCount, test: rowsHeldOut.rowCount, metrics: Object.fromEntries(measured), seconds, reason };
  } finally {
    rowsTrained.dispose();
    rowsHeldOut.dispose();
  }
}

function spreadOf(values: readonly number[]): Spread {
  const known = values.filter(Number.isFinite);
  const folds = known.length;
  const mean = known.reduce((sum, value) => sum + value, 0) / folds;
  const sd = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (folds - 1));
  return { mean, sd, standardError: sd / Math.sqrt(folds), folds };
}

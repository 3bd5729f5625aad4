import type { JsonObject } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { checkChoice } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError } from "../../engine/errors/errors.ts";
import { Calibration } from "./applied.ts";
import type { CalibratedModel, CalibrationFacts, RowPredictor } from "./description.ts";
import { type Copied, calibrationIn, heldOutRows, modelOf, withCalibration } from "./held-out.ts";
import { rowNumber } from "./row-number.ts";
import { classScores, numberScore, rankOf, type Score, scoresOf } from "./scores.ts";

/** Options of `conformal`. */
export interface ConformalOptions {
  /**
   * Largest allowed share of rows whose set or interval does not contain the true value, between 0 and 1. Default 0.1.
   */
  alpha?: number;
  /**
   * Nonconformity score. The larger the score of an answer, the worse the answer fits the row. For classes, "lac" is 1
   * − p and gives the smallest sets. "aps" is the total probability of all more probable classes plus a random share of
   * the class's own probability, and gives larger sets when the model is unsure. For numbers, "absolute" is |y − m|,
   * and "scaled" is |y − m|/√m. Default "lac" for classes, "scaled" for counts, "absolute" for other numbers.
   */
  score?: "lac" | "aps" | "absolute" | "scaled";
  /** Seed of the rows' random numbers. A whole number from 0. Default 0. */
  seed?: number;
}

const WHERE = "conformal";

/**
 * Returns a copy of a model whose predictions contain a `set` of classes or an `interval`. Each set or interval
 * contains the true value with probability 1 − α. This guarantee holds for any model, but a poor model gets large sets.
 *
 * `heldOut` contains n ≥ 1/α − 1 rows of equal weight that neither training nor `calibrated` has seen. A set contains
 * all classes whose scores are at most the ⌈(n + 1)(1 − α)⌉th smallest score of these rows. New rows from the same
 * distribution are covered with a probability between 1 − α and 1 − α + 1/(n + 1). The coverage is an average over all
 * rows, not a guarantee within each class. If class scores are equal, a number that is computed from the row's columns
 * and the seed decides. For numeric targets with repeated scores, only the lower bound 1 − α is guaranteed.
 * Source: Vovk et al. 2005; Sadinle et al. 2019; Romano et al. 2020.
 *
 * @throws CapabilityError for ratings and models without probabilities; DataError for too few rows, or weights;
 * OptionError
 *
 * @example
 * ```ts
 * const careful = await conformal(model, heldOut, { alpha: 0.1 });
 * careful.predict({ age: 40 }).set;        // ["poor", "rich"] if the model is unsure
 * ```
 */
export async function conformal<M extends RowPredictor>(
  model: M,
  heldOut: Dataset,
  options: ConformalOptions = {},
): Promise<Copied<M>> {
  checkKeys(WHERE, options, ["alpha", "score", "seed"]);
  const facts = modelOf(WHERE, model);
  const { classes, task } = facts;
  const { alpha = 0.1, seed = 0, score = classes ? "lac" : task === "count" ? "scaled" : "absolute" } = options;
  checkNumber(WHERE, "alpha", alpha, { low: 0, high: 1 - 2 ** -53, open: true });
  checkNumber(WHERE, "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkChoice(WHERE, "score", score, scoresOf(classes !== undefined));
  const { probabilities } = calibrationIn(model) as { probabilities?: JsonObject };
  const kept: JsonObject = probabilities ? { probabilities } : {};
  const { z, targets } = heldOutRows(WHERE, model, heldOut);
  checkRows(heldOut, alpha);
  const numbers = classes ? rowNumbers(model, heldOut, seed) : undefined;
  const scores = scoresOfTruth(z, targets, numbers, { facts, score, kept: kept as CalibrationFacts });
  const order = Array.from(scores, (_, i) => i).sort((i, j) => scores[i] - scores[j] || (numbers ? numbers[i] - numbers[j] : 0));
  const at = order[rankOf(scores.length, alpha) - 1];
  const own: JsonObject = {
    score,
    alpha,
    quantile: scores[at],
    rows: scores.length,
    ...(numbers ? { tie: numbers[at], seed } : {}),
  };
  return withCalibration(WHERE, model, { ...kept, conformal: own });
}

/** Checks that there are enough rows and that all have the same weight. */
function checkRows({ rowCount, weights, source }: Dataset, alpha: number): void {
  if (rankOf(rowCount, alpha) > rowCount) {
    let wanted = Math.max(rowCount, Math.floor(1 / alpha) - 2);
    while (rankOf(wanted, alpha) > wanted) wanted++;
    const message = `${rowCount} rows are too few for alpha ${alpha}; give ${wanted} or more, or a larger alpha`;
    throw new DataError(WHERE, message, "DATA_SHAPE");
  }
  if (!weights || weights.every((weight) => weight === weights[0])) return;
  const message = `rows of ${source} have weights, but sets require rows drawn in the same way; give rows of equal weight`;
  throw new DataError(WHERE, message, "DATA_WEIGHT");
}

function rowNumbers(model: RowPredictor, heldOut: Dataset, seed: number): number[] {
  const rows = heldOut.follow(model.pipeline);
  try {
    const read = rows.rows().open();
    return Array.from({ length: rows.rowCount }, (_, i) => rowNumber(read(i), seed));
  } finally {
    if (rows !== heldOut) rows.dispose();
  }
}

function scoresOfTruth(
  z: Float64Array,
  targets: Float64Array,
  numbers: readonly number[] | undefined,
  { facts, score, kept }: { facts: CalibratedModel; score: Score; kept: CalibrationFacts },
): Float64Array {
  const { outputs, classes } = facts;
  const calibration = new Calibration(kept, facts);
  const scores = new Float64Array(classes?.length ?? 0);
  return targets.map((y, i) => {
    calibration.toPredictions(z, i * outputs);
    if (!numbers) return finite(numberScore(score, z[i], y), i);
    const p = outputs === 1 ? [1 - z[i], z[i]] : z.subarray(i * outputs, (i + 1) * outputs);
    classScores(score, p, numbers[i], scores);
    return scores[y];
  });
}

/** Throws if a score is infinite. This happens if the predicted mean of a count is 0 or has overflowed. */
function finite(score: number, i: number): number {
  if (Number.isFinite(score)) return score;
  throw new DataError(WHERE, `row ${i + 1} has a prediction too far from its target; drop the row, or train again`, "DATA_VALUE");
}

import { checkChoice } from "../../base/checks.ts";
import { checkKeys, checkNumber, DataError } from "../../base/errors.ts";
import type { PredictionKind } from "../../contract.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { LinearPredictor } from "../linear.ts";
import type { NetworkPredictor } from "../network.ts";
import { Calibrated } from "./applied.ts";
import { type CalibratedModel, type CalibrationFacts, VERSION } from "./description.ts";
import { calibrationIn, heldOutRows, modelOf, type RowPredictor, withCalibration } from "./held-out.ts";
import { rowNumber } from "./row-number.ts";
import { classScores, numberScore, rankOf, type Score, scoresOf } from "./scores.ts";

/** Options of `conformal`. */
export interface ConformalOptions {
  /** Share of rows whose truth may be missed, between 0 and 1. Default 0.1. */
  alpha?: number;
  /**
   * How badly an answer fits a row. Of classes "lac", 1 − p of the class: the smallest sets on average; or "aps", the probability of all classes that are
   * more probable, with a random part of its own: sets that grow where the model is unsure. Of numbers "absolute", |y − m|: the same width
   * everywhere; or "scaled", |y − m|/√m, of numbers that are not negative. Default "lac"; "absolute"; of counts "scaled".
   */
  score?: "lac" | "aps" | "absolute" | "scaled";
  /** Of the random numbers of rows. Default 0; a whole number from 0, below 2³². */
  seed?: number;
}

const WHERE = "conformal";

/** What a row was found to be: its truth's score, and the row's number. */
interface Scored {
  readonly score: number;
  readonly number: number;
}

/**
 * A copy of a model whose predictions carry a `set` of classes, or an `interval`, that holds the truth with probability 1 − α, whatever the model is worth:
 * a poor one pays with large sets.
 *
 *   const careful = await conformal(model, heldOut, { alpha: 0.1 });
 *   careful.predict({ age: 40 }).set;        // ["poor", "rich"] where it cannot tell
 *
 * Split conformal prediction: of the n held-out rows' scores the ⌈(n + 1)(1 − α)⌉th smallest is kept in the model's file, and a set holds every answer
 * whose score is no larger. If held-out rows and new ones come in random order from one source, the truth is in the set with a probability from 1 − α to
 * 1 − α + 1/(n + 1): over held-out rows and new ones together, not for each row, nor each class. The upper bound takes scores that differ; those of classes
 * are told apart by a random number of the row, which comes from its columns and the seed, so that a row's set is always the same. Intervals have their
 * lower bound alone where numbers repeat.
 *
 * `heldOut`: rows that neither training nor `calibrated` has seen, at least 1/α − 1, all of one weight: the promise is for rows drawn alike.
 * Source: Vovk, Gammerman, Shafer 2005; Romano, Sesia, Candès 2020; Sadinle, Lei, Wasserman 2019.
 *
 * @throws CapabilityError for ratings, and models that give classes without probabilities; DataError for too few rows, or weights; OptionError
 */
export function conformal<K extends PredictionKind, N extends string>(
  model: LinearPredictor<K, N>,
  heldOut: Dataset,
  options?: ConformalOptions,
): Promise<LinearPredictor<K, N>>;
export function conformal<K extends PredictionKind, N extends string>(
  model: NetworkPredictor<K, N>,
  heldOut: Dataset,
  options?: ConformalOptions,
): Promise<NetworkPredictor<K, N>>;
export function conformal(model: RowPredictor, heldOut: Dataset, options?: ConformalOptions): Promise<RowPredictor>;
export async function conformal(model: RowPredictor, heldOut: Dataset, options: ConformalOptions = {}): Promise<RowPredictor> {
  checkKeys(WHERE, options, ["alpha", "score", "seed"]);
  const facts = modelOf(WHERE, model);
  const { alpha = 0.1, seed = 0, score = defaultScore(facts) } = options;
  checkNumber(WHERE, "alpha", alpha, { low: 0, high: 1 - 2 ** -53, open: true });
  checkNumber(WHERE, "seed", seed, { low: 0, high: 2 ** 32 - 1, integer: true });
  checkChoice(WHERE, "score", score, scoresOf(facts.classes !== undefined));
  checkRows(heldOut, alpha);
  const { probabilities } = calibrationIn(model) as CalibrationFacts;
  const ranked = scored(model, heldOut, { facts, score, seed, ...(probabilities ? { probabilities } : {}) });
  const rows = ranked.length;
  const { score: quantile, number: tie } = ranked[rankOf(rows, alpha) - 1];
  if (!Number.isFinite(quantile)) {
    const message = `the score "${score}" of too many rows is not finite: predictions are 0 where the truth is not; use score: "absolute"`;
    throw new DataError(WHERE, message, "DATA_VALUE");
  }
  const own = { score, alpha, quantile, rows, ...(facts.classes ? { tie, seed } : {}) };
  return withCalibration(WHERE, model, {
    version: VERSION,
    ...(probabilities ? { probabilities } : {}),
    conformal: own,
  } as never);
}

const defaultScore = ({ task, classes }: CalibratedModel): Score => (classes ? "lac" : task === "count" ? "scaled" : "absolute");

/** Enough rows, all of one weight. */
function checkRows(heldOut: Dataset, alpha: number): void {
  const { rowCount, weights, source } = heldOut;
  if (rankOf(rowCount, alpha) > rowCount) {
    let wanted = Math.max(rowCount, Math.floor(1 / alpha) - 2);
    while (rankOf(wanted, alpha) > wanted) wanted++;
    const message = `${rowCount} held-out rows are too few for alpha ${alpha}: ${wanted} or more are wanted, so that ⌈(n + 1)(1 − alpha)⌉ is n at most; give more, or a larger alpha`;
    throw new DataError(WHERE, message, "DATA_SHAPE");
  }
  if (!weights || weights.every((weight) => weight === weights[0])) return;
  const message = `rows of ${source} have weights, but the promise is for rows that are drawn alike; give rows without weights`;
  throw new DataError(WHERE, message, "DATA_WEIGHT");
}

/** Rows from the best to the worst, ties in the order of their numbers. */
function scored(
  model: RowPredictor,
  heldOut: Dataset,
  {
    facts,
    score,
    seed,
    probabilities,
  }: { facts: CalibratedModel; score: Score; seed: number } & Pick<CalibrationFacts, "probabilities">,
): Scored[] {
  const { z, targets } = heldOutRows(WHERE, model, heldOut);
  const { outputs, classes } = facts;
  const applied = new Calibrated(probabilities ? { probabilities } : {}, facts);
  const numbers = classes ? rowNumbers(model, heldOut, seed) : undefined;
  const scores = new Float64Array(classes?.length ?? 0);
  const all = Array.from(targets, (y, i): Scored => {
    applied.link(z, i * outputs);
    if (!numbers) return { score: numberScore(score, z[i], y), number: 1 };
    const number = numbers[i];
    const p = outputs === 1 ? [1 - z[i], z[i]] : z.subarray(i * outputs, (i + 1) * outputs);
    classScores(score, p, number, scores);
    return { score: scores[y], number };
  });
  return all.sort((a, b) => a.score - b.score || a.number - b.number);
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

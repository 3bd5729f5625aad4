/**
 * Applies a calibration to a model's predictions. This module is loaded with the first file that contains a calibration
 * (load.ts).
 */
import type { Json } from "../../engine/contract/index.ts";
import type { ReadRow } from "../../engine/data/rows.ts";
import type { AnyPredictor } from "../any-predictor.ts";
import { checkModel } from "../check-model.ts";
import { largest, linkInPlace } from "../link.ts";
import type { Prediction } from "../output-predictor.ts";
import { type CalibratedModel, type CalibrationFacts, checkedCalibration, modelFacts } from "./description.ts";
import { bend, logitsInto, logOddsInto, temper } from "./probabilities.ts";
import { rowNumber } from "./row-number.ts";
import { classScores, intervalOf } from "./scores.ts";

/** Methods of OutputPredictor that calibration replaces. */
interface Seams {
  scoresInto(read: ReadRow, from: number, count: number, z: Float64Array): void;
  checkScores(z: Float64Array, from: number, row: number): void;
  toPredictions(z: Float64Array, from: number): void;
  prediction(z: Float64Array, i?: number): Prediction;
}

/** Replaces the model's prediction methods with calibrated ones. @throws DataError */
export function calibrate(model: AnyPredictor, json: Json, where: string): void {
  checkModel(where, model.kind !== "factorisation", "has a calibration, but predicts ratings");
  const facts = modelFacts(model);
  const calibration = new Calibration(checkedCalibration(json, facts, where), facts);
  model.description.calibration = json;
  const seams = model as unknown as Seams;
  const plain = { scoresInto: seams.scoresInto.bind(model), prediction: seams.prediction.bind(model) };
  seams.scoresInto = (read, from, count, z) => plain.scoresInto(calibration.watched(read), from, count, z);
  // Rows with NaN outputs are allowed here, because the set of such a row contains all classes.
  if (facts.classes && (json as { conformal?: Json }).conformal) seams.checkScores = () => {};
  seams.toPredictions = (z, from) => calibration.toPredictions(z, from);
  seams.prediction = (z, i = 0) => calibration.finished(plain.prediction(z, i), z, i);
}

export class Calibration implements Pick<Seams, "toPredictions"> {
  readonly #facts: CalibrationFacts;
  readonly #model: CalibratedModel;
  /**
   * Buffers for one row: the logits ℓ, which are then replaced by the probabilities p; the log odds; and the scores.
   */
  readonly #p: Float64Array;
  readonly #odds: Float64Array;
  readonly #scores: Float64Array;
  /** Random number of each row in the last batch that was read. */
  #rowNumbers: number[] = [];

  constructor(facts: CalibrationFacts, model: CalibratedModel) {
    this.#facts = facts;
    this.#model = model;
    const classes = model.classes?.length ?? 0;
    this.#p = new Float64Array(classes);
    this.#odds = new Float64Array(model.outputs);
    this.#scores = new Float64Array(classes);
  }

  toPredictions(z: Float64Array, from: number): void {
    const { link, outputs } = this.#model;
    const { probabilities } = this.#facts;
    if (!probabilities) {
      linkInPlace(link, z, from, outputs);
      return;
    }
    const p = this.#p;
    logitsInto(this.#model, z, from, p);
    if (probabilities.method === "temperature") temper(p, probabilities.temperature);
    else {
      logOddsInto(p, this.#odds);
      bend(this.#odds, probabilities.curves, p);
    }
    if (outputs === 1) z[from] = p[1];
    else z.set(p, from);
  }

  /** Wraps the reader so that it also stores each row's random number. */
  watched(read: ReadRow): ReadRow {
    const { conformal } = this.#facts;
    if (!conformal || !this.#model.classes) return read;
    const numbers: number[] = [];
    this.#rowNumbers = numbers;
    return (i) => {
      const row = read(i);
      numbers[i] = rowNumber(row, conformal.seed);
      return row;
    };
  }

  /**
   * Adds the prediction set or interval of the row to a prediction. `i` is the row's position in the batch that was
   * read last.
   */
  finished(prediction: Prediction, z: Float64Array, i: number): Prediction {
    const { probabilities, conformal } = this.#facts;
    const { classes, task } = this.#model;
    const found = probabilities?.method === "temperature" ? { ...prediction, value: this.#plainClass(z) } : prediction;
    if (!conformal) return found;
    const { score, quantile, tie } = conformal;
    if (!classes) return { ...found, interval: intervalOf(score, found.value as number, quantile, task === "count") };
    const p = classes.map((name) => prediction.probabilities![name]);
    const u = this.#rowNumbers[i];
    const scores = this.#scores;
    classScores(score, p, u, scores);
    // With this form of the comparison, a NaN score never excludes a class.
    return { ...found, set: classes.filter((_, k) => !(scores[k] > quantile || (scores[k] === quantile && u > tie))) };
  }

  /**
   * Returns the class that the uncalibrated model predicts. A temperature must not change the predicted class, even
   * through rounding.
   */
  #plainClass(z: Float64Array): string {
    const { link, outputs, classes } = this.#model;
    const values = z.slice();
    linkInPlace(link, values, 0, outputs);
    return classes![outputs === 1 ? Number(values[0] > 1 - values[0]) : largest(values)];
  }
}

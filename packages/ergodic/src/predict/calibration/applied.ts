/** Calibration as it is used: loaded with the first file that has one (load.ts). */
import type { Json } from "../../contract.ts";
import type { ReadRow } from "../../data/rows.ts";
import { type AppliedCalibration, applyCalibrationsBy } from "../calibration-of.ts";
import type { OutputFacts } from "../check-outputs.ts";
import { largest, linkInPlace } from "../link.ts";
import type { Prediction } from "../output-predictor.ts";
import { type CalibratedModel, type CalibrationFacts, checkedCalibration } from "./description.ts";
import { bend, logitsInto, logOddsInto, temper } from "./probabilities.ts";
import { rowNumber } from "./row-number.ts";
import { classScores, intervalOf } from "./scores.ts";

/** From now on predictors of calibrated models can be made. */
export function applyCalibrations(): void {
  applyCalibrationsBy(
    (json: Json, facts: OutputFacts, where: string) => new Calibrated(checkedCalibration(json, facts, where), facts),
  );
}

export class Calibrated implements AppliedCalibration {
  readonly #facts: CalibrationFacts;
  readonly #model: CalibratedModel;
  /** Of one row: ℓ, then p; log odds; scores. */
  readonly #p: Float64Array;
  readonly #odds: Float64Array;
  readonly #scores: Float64Array;
  /** Of the rows that were read last. */
  #rowNumbers: number[] = [];

  constructor(facts: CalibrationFacts, model: CalibratedModel) {
    this.#facts = facts;
    this.#model = model;
    const classes = model.classes?.length ?? 0;
    this.#p = new Float64Array(classes);
    this.#odds = new Float64Array(model.outputs);
    this.#scores = new Float64Array(classes);
  }

  link(z: Float64Array, from: number): void {
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

  finished(prediction: Prediction, z: Float64Array, i: number): Prediction {
    const { probabilities, conformal } = this.#facts;
    const { classes } = this.#model;
    const found = probabilities?.method === "temperature" ? { ...prediction, value: this.#plainClass(z) } : prediction;
    if (!conformal) return found;
    const { score, quantile, tie } = conformal;
    if (!classes) return { ...found, interval: intervalOf(score, found.value as number, quantile, this.#model.task === "count") };
    const p = classes.map((name) => prediction.probabilities![name]);
    const u = this.#rowNumbers[i];
    const scores = this.#scores;
    classScores(score, p, u, scores);
    // Where the model gives no number, all classes are possible.
    return { ...found, set: classes.filter((_, k) => !(scores[k] > quantile || (scores[k] === quantile && u > tie))) };
  }

  /** A temperature leaves the class as it was, to the last bit. */
  #plainClass(z: Float64Array): string {
    const { link, outputs, classes } = this.#model;
    const values = z.slice();
    linkInPlace(link, values, 0, outputs);
    return classes![outputs === 1 ? Number(values[0] > 1 - values[0]) : largest(values)];
  }
}

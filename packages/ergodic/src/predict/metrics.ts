import type { PredictionKind } from "../engine/contract/index.ts";
import { checkChoice } from "../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError } from "../engine/errors/errors.ts";
import { checkRoom, MOST_OBJECTS } from "../engine/memory/room.ts";
import { log } from "../engine/numbers/log.ts";
import { RankedOutputs } from "./ranking.ts";

/** Metrics of probabilities of two classes. */
export interface BinaryMetrics {
  /** Share of rows in the class with the largest probability. */
  accuracy: number;
  /** Mean of −log p(class), in nats. */
  logLoss: number;
  /** Area under the ROC curve: probability that a row of class 1 scores above a row of class 0. */
  auc: number;
  /** Average precision of class 1, the second of the model's `classes`. */
  averagePrecision: number;
  /** F1 of class 1, the second of the model's `classes`. */
  f1: number;
  /** Expected calibration error over 15 bins of equal width. */
  calibrationError: number;
  /** Number of rows by true class (row) and predicted class (column). */
  confusion: number[][];
}

/** Metrics of probabilities of three classes or more. */
export interface MulticlassMetrics {
  /** Share of rows in the class with the largest probability. */
  accuracy: number;
  /** Mean of −log p(class), in nats. */
  logLoss: number;
  /** Mean F1 of the classes that occur in targets or predictions. */
  f1: number;
  /** Expected calibration error over 15 bins of equal width. */
  calibrationError: number;
  /** Number of rows by true class (row) and predicted class (column). */
  confusion: number[][];
}

/** Metrics of predicted numbers. */
export interface RegressionMetrics {
  /** Root of the mean squared error, in units of the target. */
  rmse: number;
  /** Mean absolute error, in units of the target. */
  mae: number;
  /** 1 − squared error / squared error of the mean; NaN if all targets are equal, as with a single row. */
  r2: number;
  /** Warning that states both errors. Present if predicting the mean for every row has a smaller error. */
  warning?: string;
}

/** Metrics of predicted counts. */
export interface CountMetrics extends RegressionMetrics {
  /** Mean Poisson deviance. */
  deviance: number;
}

/** Metrics by the task of a model. */
export interface MetricsByTask {
  /** Metrics of two classes. */
  binary: BinaryMetrics;
  /** Metrics of several classes. */
  multiclass: MulticlassMetrics;
  /** Metrics of numbers. */
  regression: RegressionMetrics;
  /** Metrics of counts. */
  count: CountMetrics;
}

export type Task = keyof MetricsByTask;

/** Metrics of a classifier with two classes (with auc and averagePrecision) or more. */
export type ClassMetrics = MulticlassMetrics & Partial<Pick<BinaryMetrics, "auc" | "averagePrecision">>;
/** Metrics of a model whose task is unknown to the compiler. */
export type AnyMetrics = Partial<BinaryMetrics & CountMetrics>;
interface MetricsByKind {
  class: ClassMetrics;
  number: RegressionMetrics;
  count: CountMetrics;
}
export type MetricsOf<K extends PredictionKind> = [PredictionKind] extends [K] ? AnyMetrics : MetricsByKind[K];

export interface MetricsOptions {
  /** Meaning of the outputs for the tasks binary and multiclass. Default "probabilities". */
  outputs?: "probabilities" | "scores";
  /**
   * For regression, the prediction of a model without features, such as the training mean, and a name for the rows
   * whose mean it is. Default: the mean of the rows added.
   */
  mean?: { value: number; of: string };
}

/** Accumulates metrics in batches. */
export interface Metrics<R> {
  /** Adds rows. Targets are class indices or numbers. */
  add(outputs: ArrayLike<number>, targets: ArrayLike<number>, weights?: ArrayLike<number> | null): void;
  /** Returns the metrics of all rows added. */
  result(): R;
}

/**
 * Accumulator for one task: handles rows of positive weight, and computes the result. `at`: position of the row's first
 * output.
 */
interface Tally<R> {
  readonly width: number;
  add(outputs: ArrayLike<number>, at: number, target: number, weight: number, row: number): void;
  result(weight: number): R;
}

const BINS = 15;

/**
 * Computes metrics of predictions in one pass: `metrics(task, classes)`, then `add(outputs, targets, weights)` in
 * batches of any size, then `result()`. Each row has weight 1 unless weights are given. A row of weight w counts like w
 * rows of weight 1.
 *
 * outputs: binary: P(class 1) per row; multiclass: `classes` probabilities per row, row-major; regression: a prediction
 * per row; count: a mean ≥ 0 per row. With { outputs: "scores" }, the outputs for binary and multiclass are real
 * scores: a margin, where > 0 means class 1, or one score per class. logLoss and calibrationError are then NaN, because
 * there are no probabilities.
 *
 * accuracy: share of rows whose most probable class is the target (binary: P > ½; multiclass: the first of the
 * largest).
 * logLoss: −mean log P(target), nats, P clamped to [2⁻⁵², 1 − 2⁻⁵²].
 * auc (binary): P(a random 1 ranks above a random 0), ties ½, exact; NaN if a class is absent. To compute auc, every
 * output is stored: 16–24 bytes per row.
 * averagePrecision (binary): Σ (R_n − R_{n−1}) P_n over thresholds from the largest output down, without interpolation;
 * NaN if there is no 1. If the outputs are in random order, the value equals the share of 1s. If 1s are rare,
 * averagePrecision is more informative than auc.
 * f1: 2TP/(2TP + FP + FN) of class 1; multiclass: the mean over classes that occur in targets or predictions; 0 for
 * 0/0.
 * confusion: [target][prediction] → weight. calibrationError: Σ_b (w_b/w)·|mean confidence − share of correct rows|
 * over 15 bins [b/15, (b+1)/15) of equal width. Confidence is P(class 1) or, with more than two classes, the largest
 * probability (Naeini, Cooper, Hauskrecht 2015).
 * rmse, mae: units of the target. r2: 1 − Σ(y−ŷ)²/Σ(y−ȳ)²; NaN if all targets are equal, as with a single row. warning:
 * present if a constant prediction (the given `mean`, or else ȳ) has a smaller squared error.
 * deviance (count): the mean Poisson deviance, 2·mean(y log(y/ŷ) − y + ŷ), ŷ at least 2⁻¹⁰²².
 *
 * @throws OptionError, or DataError for lengths that do not match, a target out of range, outputs that are not numbers,
 * no rows
 */
export function metrics<T extends Task>(task: T, classes = 2, options: MetricsOptions = {}): Metrics<MetricsByTask[T]> {
  checkKeys("metrics", options, ["outputs", "mean"]);
  const { outputs = "probabilities", mean } = options;
  checkChoice("metrics", "outputs", outputs, ["probabilities", "scores"]);
  if (mean !== undefined) {
    checkKeys("metrics.mean", mean, ["value", "of"]);
    checkNumber("metrics.mean", "value", mean.value);
  }
  if (task === "multiclass") checkNumber("metrics", "classes", classes, { low: 2, integer: true });
  if (task === "multiclass") checkRoom("metrics", `${classes} classes by ${classes}`, 8 * classes * classes, MOST_OBJECTS);
  const tally = tallyOf(task, classes, outputs === "scores", mean) as Tally<MetricsByTask[T]>;
  let rows = 0;
  let total = 0;
  return {
    add(outputs, targets, weights) {
      const count = targets.length;
      if (outputs.length !== count * tally.width || (weights && weights.length !== count)) {
        const given = `${outputs.length} outputs and ${weights ? weights.length : "no"} weights`;
        throw new DataError(
          "metrics",
          `${count} targets came with ${given}, but need ${tally.width} outputs per row`,
          "DATA_SHAPE",
        );
      }
      for (let i = 0; i < count; i++) {
        const weight = weights ? weights[i] : 1;
        if (!(weight >= 0 && weight < Infinity)) throw wrong(rows + i, `weight ${weight} is not finite and >= 0`);
        if (weight > 0) tally.add(outputs, i * tally.width, targets[i], weight, rows + i);
        total += weight;
      }
      rows += count;
    },
    result() {
      if (total > 0) return tally.result(total);
      throw new DataError("metrics", "no row of positive weight was added", "DATA_EMPTY");
    },
  };
}

function tallyOf(task: Task, classes: number, scores: boolean, mean: MetricsOptions["mean"]): Tally<MetricsByTask[Task]> {
  if (task === "binary") return binaryTally(scores);
  if (task === "multiclass") return multiclassTally(classes, scores);
  if (task === "regression") return regressionTally(mean);
  checkChoice("metrics", "task", task, ["binary", "multiclass", "regression", "count"]);
  return countTally();
}

function binaryTally(scores: boolean): Tally<BinaryMetrics> {
  const classes = new ClassTally(2, scores);
  const ranked = new RankedOutputs();
  return {
    width: 1,
    add(outputs, at, target, weight, row) {
      const p = outputs[at];
      const predicted = p > (scores ? 0 : 0.5) ? 1 : 0;
      classes.add(row, { output: p, predicted, ofTarget: target === 1 ? p : 1 - p, target, truth: target, weight });
      ranked.add(p, target === 1, weight);
    },
    result(weight) {
      const { accuracy, logLoss, calibrationError, confusion } = classes.result(weight);
      return { accuracy, logLoss, ...ranked.areas(), f1: f1Of(confusion, 1), calibrationError, confusion };
    },
  };
}

function multiclassTally(count: number, scores: boolean): Tally<MulticlassMetrics> {
  const classes = new ClassTally(count, scores);
  return {
    width: count,
    add(outputs, at, target, weight, row) {
      let best = 0;
      let sum = 0;
      for (let k = 0; k < count; k++) {
        sum += outputs[at + k];
        if (outputs[at + k] > outputs[at + best]) best = k;
      }
      const output = Number.isNaN(sum) ? NaN : outputs[at + best];
      const truth = best === target ? 1 : 0;
      classes.add(row, { output, predicted: best, ofTarget: outputs[at + target], target, truth, weight });
    },
    result(weight) {
      const { accuracy, logLoss, calibrationError, confusion } = classes.result(weight);
      const occurring = confusion
        .map((_, k) => k)
        .filter((k) => confusion[k].some((w) => w > 0) || confusion.some((row) => row[k] > 0));
      const f1 = occurring.reduce((sum, k) => sum + f1Of(confusion, k), 0) / occurring.length;
      return { accuracy, logLoss, f1, calibrationError, confusion };
    },
  };
}

/**
 * One row of a classification. `output` is the probability that calibration compares with `truth` (0 or 1). `ofTarget`
 * is the probability of the target's class.
 */
interface ClassRow {
  output: number;
  predicted: number;
  ofTarget: number;
  target: number;
  truth: number;
  weight: number;
}

/** Metrics that binary and multiclass share. */
class ClassTally {
  private readonly scores: boolean;
  private readonly confusion: number[][];
  private loss = 0;
  private readonly confidence = new Float64Array(BINS);
  private readonly right = new Float64Array(BINS);

  constructor(classes: number, scores: boolean) {
    this.scores = scores;
    this.confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  }

  add(row: number, { output, predicted, ofTarget, target, truth, weight }: ClassRow): void {
    if (!Number.isInteger(target) || target < 0 || target >= this.confusion.length) {
      throw wrong(row, `target ${target} is not a class index below ${this.confusion.length}`);
    }
    const fits = this.scores ? !Number.isNaN(output) : output >= 0 && output <= 1 + 1e-6 && ofTarget >= -1e-6;
    if (!fits)
      throw wrong(
        row,
        `output ${output} is not a ${this.scores ? "number" : 'probability; for margins pass { outputs: "scores" }'}`,
      );
    this.confusion[target][predicted] += weight;
    if (this.scores) return;
    this.loss -= weight * log(Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, ofTarget)));
    const bin = Math.min(BINS - 1, Math.floor(output * BINS));
    this.confidence[bin] += weight * output;
    this.right[bin] += weight * truth;
  }

  result(weight: number): Omit<MulticlassMetrics, "f1"> {
    const right = this.confusion.reduce((sum, row, k) => sum + row[k], 0);
    const gap = this.confidence.reduce((sum, confidence, b) => sum + Math.abs(confidence - this.right[b]), 0);
    return {
      accuracy: right / weight,
      logLoss: this.scores ? NaN : this.loss / weight,
      calibrationError: this.scores ? NaN : gap / weight,
      confusion: this.confusion.map((row) => [...row]),
    };
  }
}

function f1Of(confusion: readonly (readonly number[])[], k: number): number {
  const targets = confusion[k].reduce((sum, w) => sum + w, 0);
  const predicted = confusion.reduce((sum, row) => sum + row[k], 0);
  return targets + predicted > 0 ? (2 * confusion[k][k]) / (targets + predicted) : 0;
}

function regressionTally(given?: MetricsOptions["mean"]): Tally<RegressionMetrics> {
  let squares = 0;
  let absolute = 0;
  let seen = 0;
  let mean = 0;
  let spread = 0;
  return {
    width: 1,
    add(outputs, at, target, weight, row) {
      const error = target - outputs[at];
      if (!Number.isFinite(error)) throw wrong(row, `output ${outputs[at]} or target ${target} is not finite`);
      squares += weight * error * error;
      absolute += weight * Math.abs(error);
      seen += weight;
      const delta = target - mean;
      mean += (weight / seen) * delta;
      spread += weight * delta * (target - mean);
    },
    result(weight) {
      const r2 = spread > 0 ? 1 - squares / spread : NaN;
      const [rmse, mae] = [Math.sqrt(squares / weight), absolute / weight];
      // A single value is its own mean, so no model can be better. No warning is given then.
      const least = given ? spread + weight * (mean - given.value) ** 2 : spread > 0 ? spread : Infinity;
      // A difference that rounding can explain does not count as worse.
      if (squares <= least * (1 + 1e-9)) return { rmse, mae, r2 };
      const digits = (x: number): string => String(Number(x.toPrecision(4)));
      const of = given?.of ?? "these rows";
      const other = digits(Math.sqrt(least / weight));
      return {
        rmse,
        mae,
        r2,
        warning: `worse than predicting the mean: RMSE ${digits(rmse)}, where the mean of ${of} gives ${other}`,
      };
    },
  };
}

/**
 * Smallest mean. Means that underflowed to 0 are replaced by this value, so that the deviance of a positive count is
 * large but not infinite.
 */
const SMALLEST_MEAN = 2 ** -1022;

function countTally(): Tally<CountMetrics> {
  const regression = regressionTally();
  let deviance = 0;
  return {
    width: 1,
    add(outputs, at, target, weight, row) {
      const mean = outputs[at];
      if (!(mean >= 0 && target >= 0)) throw wrong(row, `output ${mean} and target ${target} of a count must be >= 0`);
      regression.add(outputs, at, target, weight, row);
      const held = Math.max(mean, SMALLEST_MEAN);
      deviance += 2 * weight * ((target > 0 ? target * log(target / held) : 0) - target + held);
    },
    result: (weight) => ({ ...regression.result(weight), deviance: deviance / weight }),
  };
}

function wrong(row: number, problem: string): DataError {
  return new DataError("metrics", `row ${row + 1}: ${problem}`, "DATA_VALUE");
}

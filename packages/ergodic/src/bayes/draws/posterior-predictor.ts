import type { Remark } from "../../engine/data/table.ts";
import { isList, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { order } from "../../engine/numbers/order.ts";
import { quantileOfSorted } from "../../engine/statistics/quantile.ts";
import type { DrawsSource, RowDraws, RowPrediction } from "./content.ts";
import { scalarName, sizeOf } from "./series.ts";

/** Options of `posterior.predictor`. */
export interface PosteriorPredictorOptions {
  /** Probability of the central interval. Default 0.9; in (0, 1). */
  readonly level?: number;
  /** Number of draws to use, spread over all chains. The cost is proportional to this number. Default: all. */
  readonly draws?: number;
  /** Seed of the noise. Default 0. */
  readonly seed?: number;
  /** Name of the size that counts rows. Default: the first extent of the observed data. */
  readonly rows?: string;
}

type Nested = ArrayLike<number> | readonly Nested[];

/**
 * New row, an object whose keys are the names of the model's data: a number for vector("N"), a list of K numbers for
 * matrix("N", "K"), or the cells of a row for a formula. The observed data may be omitted.
 */
export type PosteriorRow<Names extends string = string> = { readonly [K in Names]?: number | string | boolean | Nested };

/** Prediction of one observed number. */
export interface PredictedNumber {
  /** Predictive mean; for a 0/1 value, the probability of 1. */
  readonly mean: number;
  /** Predictive standard deviation, from noise and parameter uncertainty together. */
  readonly sd: number;
  /** Lower end of the interval. */
  readonly lower: number;
  /** Upper end of the interval. */
  readonly upper: number;
  /**
   * Interval of the expected value, without the noise of a single row. This interval shows how precisely the draws
   * determine the mean. Both ends of the interval are NaN for families without a mean.
   */
  readonly expected: { readonly lower: number; readonly upper: number };
  /**
   * Probabilities by level name, for a formula's response with levels (family ordinal, or strings). The mean, standard
   * deviation and interval then refer to level indices, counted from 0.
   */
  readonly levels?: Readonly<Record<string, PredictedLevel>>;
}

/** Predicted probability of a level. */
export interface PredictedLevel {
  /** Probability of the level: the mean over draws. */
  readonly probability: number;
  /** Lower end of the central interval of the probability over draws. */
  readonly lower: number;
  /** Upper end of the same interval. */
  readonly upper: number;
}

/** Predictions by name of the observed number: "y"; "y[1]", "y[2]" if a row has several numbers. */
export type PosteriorPrediction = Readonly<Record<string, PredictedNumber>>;

const STATISTICS = 4;

/** @throws OptionError; errors of the model */
export async function posteriorPredictor(source: DrawsSource, options: PosteriorPredictorOptions): Promise<PosteriorPredictor> {
  checkKeys("predictor", options, ["level", "draws", "seed", "rows"]);
  const { level = 0.9, draws, seed = 0, rows } = options;
  checkNumber("predictor", "level", level, { low: 0, open: true, high: 1 - Number.EPSILON / 2 });
  if (draws !== undefined) checkNumber("predictor", "draws", draws, { low: 1, integer: true });
  checkNumber("predictor", "seed", seed, { integer: true });
  if (rows !== undefined && typeof rows !== "string") refuse("predictor", "rows", rows, "the name of a size", 'rows: "N"');
  const chosen = { seed, ...(draws === undefined ? {} : { draws }), ...(rows === undefined ? {} : { rows }) };
  return new PosteriorPredictor(await source.newRows(chosen), level);
}

/**
 * Predicts new rows from the draws of a posterior. For each number that the model observes in a row, the predictor
 * returns the mean, standard deviation and central interval of the posterior predictive distribution, including noise.
 *
 * p(y | row) = 1/S Σ_s p(y | row, θ_s) over draws θ_s. If the family has moments, the mean and sd combine the means and
 * variances of p(y | row, θ_s), and are exact given the draws.
 *
 * The ends of the interval are quantiles of a sample with one value per draw; for whole numbers they are members of
 * that sample.
 *
 * The ends of `expected` are quantiles of E(y | row, θ_s), and the ends of `levels` are quantiles of P(y = level | row,
 * θ_s).
 *
 * All rows share the same random numbers, so a prediction does not depend on the other rows, and similar rows have
 * similar intervals.
 *
 * `Names`: names of the model's data, as far as the compiler knows them.
 *
 * @throws DataError for rows with missing data or with values that the model does not accept
 *
 * @example
 * ```ts
 * const predictor = await posterior.predictor({ level: 0.9 });
 * predictor.predict({ x: 3 }).y;                       // { mean, sd, lower, upper, expected }
 * predictor.predict([{ x: 3 }, { x: 4 }]);             // a list of these
 * predictor.predictInto(matrix, out);                  // numbers alone, without making objects
 * ```
 */
export class PosteriorPredictor<Names extends string = string> implements Disposable {
  protected static readonly typeName: string = "PosteriorPredictor";
  /** Kind of predictor. */
  readonly kind = "posterior";
  /** Probability of the central interval. */
  readonly level: number;
  /** Names of the data that a row must give, in the model's order. */
  readonly columns: readonly string[];
  /**
   * Columns of a formula's data that held strings, such as factors and groups; undefined for models with numeric rows.
   */
  readonly texts: readonly string[] | undefined;
  /** Names of the predicted numbers. */
  readonly outputs: readonly string[];
  /** Level names of outputs that have levels, in order (formula responses only). */
  readonly levels: Readonly<Record<string, readonly string[]>>;
  /** Number of draws used for predictions. */
  readonly drawCount: number;
  /** Number of values in a row of an input matrix. */
  readonly inputCount: number;
  /** Number of values that `predictInto` writes per row: mean, sd, lower and upper for each of `outputs`. */
  readonly width: number;
  readonly #draws: RowDraws;
  readonly #discrete: readonly boolean[];
  readonly #row: Float64Array;
  readonly #numbers: Float64Array;
  #isDisposed = false;

  constructor(draws: RowDraws, level: number) {
    this.#draws = draws;
    this.level = level;
    this.drawCount = draws.drawCount;
    this.columns = draws.reading?.columns ?? draws.fields.map(({ name }) => name);
    this.texts = draws.reading?.texts;
    this.inputCount = draws.fields.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const outputs = draws.outputs.flatMap(({ name, shape, discrete }) =>
      Array.from({ length: sizeOf(shape) }, (_, at) => ({ name: scalarName(name, shape, at), discrete })),
    );
    this.outputs = outputs.map(({ name }) => name);
    this.levels = draws.levels;
    this.#discrete = outputs.map(({ discrete }) => discrete);
    this.width = STATISTICS * outputs.length;
    this.#row = new Float64Array(this.inputCount);
    this.#numbers = new Float64Array(this.width);
  }

  /**
   * Predicts one row, or a list of rows. A row is either an object whose keys are column names, or a list of numbers in
   * the order of `columns`.
   */
  predict(row: PosteriorRow<Names> | ArrayLike<number>): PosteriorPrediction;
  predict(rows: readonly PosteriorRow<Names>[] | readonly ArrayLike<number>[]): PosteriorPrediction[];
  predict(given: unknown): PosteriorPrediction | PosteriorPrediction[] {
    if (typeof given !== "object" || given === null) refuse("predict", "the row", given, "a row, or a list of rows", "{ x: 1 }");
    if (!Array.isArray(given) || typeof given[0] === "number") return this.#prediction(given, "predict");
    return given.map((row: unknown, i) => this.#prediction(row, `predict: row ${i + 1}`));
  }

  /**
   * Finds rows of a formula with groups that the draws do not know. The effects of such a group are drawn from the
   * population. Returns a remark per column with new groups; [] for models other than formulas.
   *
   * @example
   * ```ts
   * predictor.newGroups([{ week: 6, plant: "new" }])[0]?.message;
   * // 1 of 1 rows had a new group of "plant" ("new"), so its effects were drawn from the population
   * ```
   */
  newGroups(rows: readonly PosteriorRow<Names>[]): Remark[] {
    return this.#draws.reading?.newGroups(rows) ?? [];
  }

  /**
   * Writes predictions into `out` as numbers: mean, sd, lower and upper of each of `outputs`, `width` numbers per row.
   *
   * rows: a matrix with `inputCount` numbers per row, row after row, or rows as in `predict`.
   *
   * @returns number of rows
   *
   * @throws OptionError if `out` is too short; DataError as in `predict`
   */
  predictInto(
    rows: Float64Array | Float32Array | readonly PosteriorRow<Names>[] | readonly ArrayLike<number>[],
    out: Float64Array,
  ): number {
    const isMatrix = rows instanceof Float64Array || rows instanceof Float32Array;
    if (isMatrix && this.#draws.reading)
      refuse(
        "predictInto",
        "rows",
        rows,
        "a list of rows, as a formula's columns have names",
        `[{ ${this.columns.join(", ")} }]`,
      );
    if (!isMatrix && !Array.isArray(rows))
      refuse("predictInto", "rows", rows, "a Float64Array, a Float32Array or a list of rows", "new Float64Array(rows × columns)");
    if (!(out instanceof Float64Array))
      refuse("predictInto", "out", out, "a Float64Array", "new Float64Array(predictor.width * rowCount)");
    const { width, inputCount } = this;
    const count = isMatrix ? rows.length / inputCount : rows.length;
    if (!Number.isInteger(count))
      throw new OptionError(
        "predictInto",
        `the matrix has ${rows.length} numbers, which is not a multiple of the row length ${inputCount}; give whole rows one after another`,
        "PREDICT_INPUT",
      );
    if (out.length < count * width)
      throw new OptionError(
        "predictInto",
        `out has room for ${out.length} numbers, but ${count} rows need ${count * width}; make it new Float64Array(predictor.width * rowCount)`,
        "PREDICT_INPUT",
      );
    for (let i = 0; i < count; i++) {
      const row: unknown = isMatrix ? rows.subarray(i * inputCount, (i + 1) * inputCount) : rows[i];
      this.#into(row, `predictInto: row ${i + 1}`, out, i * width);
    }
    return count;
  }

  /** Releases its memory. */
  dispose(): void {
    if (!this.#isDisposed) this.#draws.dispose();
    this.#isDisposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #prediction(row: unknown, where: string): PosteriorPrediction {
    const numbers = this.#numbers;
    const { expected, levels } = this.#into(row, where, numbers, 0);
    return Object.fromEntries(
      this.outputs.map((name, j) => {
        const [mean, sd, lower, upper] = numbers.subarray(j * STATISTICS, (j + 1) * STATISTICS);
        const named = levels[j] && { levels: this.#levels(this.levels[name], levels[j]) };
        return [name, { mean, sd, lower, upper, expected: this.#interval(expected[j]), ...named }];
      }),
    );
  }

  #levels(names: readonly string[], probabilities: readonly Float64Array[]): Readonly<Record<string, PredictedLevel>> {
    return Object.fromEntries(
      names.map((level, k) => {
        const sum = probabilities[k].reduce((total, probability) => total + probability, 0);
        return [level, { probability: sum / this.drawCount, ...this.#interval(probabilities[k]) }];
      }),
    );
  }

  /** Reorders the numbers. */
  #interval(numbers: Float64Array): { readonly lower: number; readonly upper: number } {
    const tail = (1 - this.level) / 2;
    const [lower, upper] = [linearQuantile(numbers, tail), linearQuantile(numbers, 1 - tail)];
    // The quantile computation has moved any NaN to the end.
    return Number.isNaN(numbers[numbers.length - 1]) ? { lower: Number.NaN, upper: Number.NaN } : { lower, upper };
  }

  #into(row: unknown, where: string, out: Float64Array, at: number): RowPrediction {
    if (this.#isDisposed)
      throw new OptionError(
        where,
        "the predictor was used after dispose(); make another by posterior.predictor()",
        "PREDICTOR_DISPOSED",
      );
    this.#read(row, where);
    const prediction = this.#draws.of(this.#row, where);
    const { mean, sd, drawn } = prediction;
    const tail = (1 - this.level) / 2;
    for (let j = 0, to = at; j < drawn.length; j++, to += STATISTICS) {
      out[to] = mean[j];
      out[to + 1] = sd[j];
      const quantile = this.#discrete[j] ? stepQuantile : linearQuantile;
      out[to + 2] = quantile(drawn[j], tail);
      out[to + 3] = quantile(drawn[j], 1 - tail);
    }
    return prediction;
  }

  /** Reads a row's numbers into the shared row buffer. */
  #read(row: unknown, where: string): void {
    const { reading, fields } = this.#draws;
    if (reading) {
      const numbers = reading.numbers(row, where);
      let at = 0;
      for (const { name } of fields) {
        this.#row.set(numbers[name], at);
        at += numbers[name].length;
      }
      return;
    }
    if (isList(row)) {
      if (row.length !== this.inputCount)
        throw misfit(where, `the row has ${row.length} numbers, but must have ${this.inputCount}: ${this.columns.join(", ")}`);
      for (let j = 0; j < row.length; j++) this.#put(row[j], j, where, `number ${j + 1}`);
      return;
    }
    if (typeof row !== "object" || row === null)
      throw misfit(where, `the row is ${shown(row)}, but must be an object with ${this.columns.join(", ")}`);
    const named = row as Readonly<Record<string, unknown>>;
    const other = this.#draws.others.find((name) => Object.hasOwn(named, name));
    if (other !== undefined)
      throw new DataError(
        where,
        `"${other}" does not vary by row: it keeps its value from when the model was sampled; leave it out, or sample again`,
        "DATA_SHAPE",
      );
    let at = 0;
    for (const { name, shape } of fields) {
      const value = Object.hasOwn(named, name) ? named[name] : undefined;
      at = shape.length === 0 ? this.#put(value, at, where, `"${name}"`) : this.#list(value, shape, at, where, `"${name}"`);
    }
  }

  /** @returns the next free position */
  #put(value: unknown, at: number, where: string, what: string): number {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      const isMissing = value === undefined || value === null || Number.isNaN(value);
      throw new DataError(
        where,
        `${what} is ${isMissing ? "missing" : shown(value)}, but must be a finite number; a row gives ${this.columns.join(", ")}`,
        isMissing ? "DATA_MISSING" : "DATA_SHAPE",
      );
    }
    this.#row[at] = value;
    return at + 1;
  }

  /** Reads nested lists, or all numbers in one flat list. */
  #list(value: unknown, shape: readonly number[], at: number, where: string, what: string): number {
    const [extent, ...inner] = shape;
    const isFlat = isList(value) && inner.length > 0 && value.length === sizeOf(shape) && !isList(value[0]);
    const wanted = isFlat ? sizeOf(shape) : extent;
    if (value === undefined) return this.#put(value, at, where, what);
    if (!isList(value)) throw misfit(where, `${what} is ${shown(value)}, but must be a list of ${wanted}`);
    if (value.length !== wanted) throw misfit(where, `${what} has length ${value.length}, but must have ${wanted}`);
    let next = at;
    for (let i = 0; i < wanted; i++) {
      const each = `${what}[${i}]`;
      next =
        inner.length === 0 || isFlat ? this.#put(value[i], next, where, each) : this.#list(value[i], inner, next, where, each);
    }
    return next;
  }
}

const misfit = (where: string, message: string): DataError => new DataError(where, message, "DATA_SHAPE");

/** Returns the same result as `quantile` of a sorted copy. Reorders the numbers in place. */
function linearQuantile(x: Float64Array, probability: number): number {
  const position = 1 + (x.length - 1) * probability;
  order(x, Math.floor(position) - 1);
  order(x, Math.ceil(position) - 1, Math.floor(position));
  return quantileOfSorted(x, probability);
}

/**
 * Returns the smallest x in the list for which at least the share `probability` of all numbers in the list is at most
 * x.
 */
function stepQuantile(x: Float64Array, probability: number): number {
  // The tolerance ensures that a rounding error does not push a whole number to the next one.
  const place = Math.max(0, Math.ceil(x.length * probability - 1e-9) - 1);
  order(x, place);
  return x[place];
}

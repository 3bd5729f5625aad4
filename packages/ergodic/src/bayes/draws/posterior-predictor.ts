import { isList, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { order } from "../../engine/numbers/order.ts";
import { quantileOfSorted } from "../../engine/statistics/quantile.ts";
import type { DrawsSource, RowDraws, RowPrediction } from "./content.ts";
import { scalarName, sizeOf } from "./series.ts";

/** Options of `posterior.predictor`. */
export interface PosteriorPredictorOptions {
  /** Probability of the interval, half of the rest on each side. Default 0.9; in (0, 1). */
  readonly level?: number;
  /** So many of the draws, from all over the chains: predictions cost in proportion. Default: all. */
  readonly draws?: number;
  /** Seed of the noise. Default 0. */
  readonly seed?: number;
  /** Name of the size that counts rows. Default: the first extent of what is observed. */
  readonly rows?: string;
}

type Nested = ArrayLike<number> | readonly Nested[];

/** A row by the names of the model's data: of vector("N") a number, of matrix("N", "K") a list of K; of a formula cells. What is observed may be omitted. */
export type PosteriorRow<Names extends string = string> = { readonly [K in Names]?: number | string | boolean | Nested };

/** What is predicted of one number that is observed. */
export interface PredictedNumber {
  /** Predictive mean; of what is 0 or 1 the probability of 1. */
  readonly mean: number;
  /** Predictive standard deviation: of the noise and of the parameters together. */
  readonly sd: number;
  /** The interval's lower end. */
  readonly lower: number;
  /** The interval's upper end. */
  readonly upper: number;
  /** The interval of its expected value alone, without the noise of a single row: how well the draws know the mean. NaN of families without one. */
  readonly expected: { readonly lower: number; readonly upper: number };
  /** Of a formula's response that has levels (of the family ordinal, or texts): each by its name. The numbers above are then of their places, from 0. */
  readonly levels?: Readonly<Record<string, PredictedLevel>>;
}

/** How probable a level is. */
export interface PredictedLevel {
  /** Its probability: the mean over draws. */
  readonly probability: number;
  /** Lower end of the interval of its probability under each draw. */
  readonly lower: number;
  /** The upper end. */
  readonly upper: number;
}

/** By the names of what is observed: "y"; of several numbers a row "y[1]", "y[2]". */
export type PosteriorPrediction = Readonly<Record<string, PredictedNumber>>;

const STATISTICS = 4;

/** @throws OptionError; what the model refuses */
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
 * Predictions of new rows from a posterior's draws: of each number that the model observes of a row, mean, standard deviation and central interval
 * of the posterior predictive distribution, noise included.
 *
 *   const predictor = await posterior.predictor({ level: 0.9 });
 *   predictor.predict({ x: 3 }).y;                       // { mean, sd, lower, upper, expected }
 *   predictor.predict([{ x: 3 }, { x: 4 }]);             // a list of such
 *   predictor.predictInto(matrix, out);                  // numbers alone, without making objects
 *
 * p(y | row) = 1/S Σ_s p(y | row, θ_s) over draws θ_s. Mean and sd are averages of the means and variances of p(y | row, θ_s), where its
 * family has them: exact, given the draws. The ends of the interval are quantiles of one value from each draw; of whole numbers they are numbers
 * of that sample. Those of `expected` are quantiles of E(y | row, θ_s), those of `levels` of P(y = level | row, θ_s). The same random numbers
 * serve every row: a prediction does not depend on what else is predicted, and similar rows have similar intervals.
 *
 * @throws DataError for rows that lack what the model reads, or hold what it cannot take
 *
 * `Names`: the model's data, as far as the compiler knows them.
 */
export class PosteriorPredictor<Names extends string = string> implements Disposable {
  /** Tells predictors apart. */
  readonly kind = "posterior";
  /** Probability of the interval. */
  readonly level: number;
  /** What a row must give: names of data, in the order of the model's. */
  readonly columns: readonly string[];
  /** Of a formula: the columns that held texts in its data, as factors and groups do. Undefined for models whose rows are numbers. */
  readonly texts: readonly string[] | undefined;
  /** What is predicted: names of what is observed, one for each number. */
  readonly outputs: readonly string[];
  /** Names of levels of what is predicted, in their order: of a formula's response that has them. */
  readonly levels: Readonly<Record<string, readonly string[]>>;
  /** Draws that predictions are made from. */
  readonly drawCount: number;
  /** Numbers of a row of a matrix. */
  readonly inputCount: number;
  /** Numbers that `predictInto` gives for a row: mean, sd, lower and upper for each of `outputs`. */
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

  /** One row gives one prediction; several give a list. A row is an object by name, or numbers in the order of `columns`. */
  predict(row: PosteriorRow<Names> | ArrayLike<number>): PosteriorPrediction;
  predict(rows: readonly PosteriorRow<Names>[] | readonly ArrayLike<number>[]): PosteriorPrediction[];
  predict(given: unknown): PosteriorPrediction | PosteriorPrediction[] {
    if (typeof given !== "object" || given === null) refuse("predict", "the row", given, "a row, or a list of rows", "{ x: 1 }");
    if (!Array.isArray(given) || typeof given[0] === "number") return this.#prediction(given, "predict");
    return given.map((row: unknown, i) => this.#prediction(row, `predict: row ${i + 1}`));
  }

  /**
   * Predictions as numbers, written into `out`: of each row mean, sd, lower and upper of each of `outputs`, `width` numbers a row.
   *
   * rows: a matrix of `inputCount` numbers a row, one row after another, or rows as `predict` takes them.
   *
   * @returns how many rows there were @throws OptionError where they are more than `out` has room for; DataError as `predict`
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
        `the matrix has ${rows.length} numbers, which are not whole rows of ${inputCount}; give rows one after another`,
        "PREDICT_INPUT",
      );
    if (out.length < count * width)
      throw new OptionError(
        "predictInto",
        `out has room for ${out.length} numbers, but ${count} rows have ${count * width}; make it new Float64Array(predictor.width * rowCount)`,
        "PREDICT_INPUT",
      );
    for (let i = 0; i < count; i++) {
      const row: unknown = isMatrix ? rows.subarray(i * inputCount, (i + 1) * inputCount) : rows[i];
      this.#into(row, `predictInto: row ${i + 1}`, out, i * width);
    }
    return count;
  }

  /** Gives its memory back. */
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

  /** Changes the numbers' order. */
  #interval(numbers: Float64Array): { readonly lower: number; readonly upper: number } {
    const tail = (1 - this.level) / 2;
    const [lower, upper] = [linearQuantile(numbers, tail), linearQuantile(numbers, 1 - tail)];
    // NaN is last by now.
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

  /** The numbers of a row, into the one that is held. */
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
        `"${other}" is no row's own, but stays as it was when the model was sampled; leave it out, or sample anew`,
        "DATA_SHAPE",
      );
    let at = 0;
    for (const { name, shape } of fields) {
      const value = Object.hasOwn(named, name) ? named[name] : undefined;
      at = shape.length === 0 ? this.#put(value, at, where, `"${name}"`) : this.#list(value, shape, at, where, `"${name}"`);
    }
  }

  /** @returns the place behind it */
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

  /** Lists of lists, or all numbers in one. */
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

/** As `quantile` of a sorted copy, of numbers whose order is changed. */
function linearQuantile(x: Float64Array, probability: number): number {
  const position = 1 + (x.length - 1) * probability;
  order(x, Math.floor(position) - 1);
  order(x, Math.ceil(position) - 1, Math.floor(position));
  return quantileOfSorted(x, probability);
}

/** The least of the numbers with at least that share of them at or below it. */
function stepQuantile(x: Float64Array, probability: number): number {
  // What is a whole number but for rounding is that.
  const place = Math.max(0, Math.ceil(x.length * probability - 1e-9) - 1);
  order(x, place);
  return x[place];
}

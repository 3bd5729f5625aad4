import type { JsonObject, Link, PredictionKind, SavedModel } from "../engine/contract/index.ts";
import type { Dataset, Pipeline } from "../engine/data/dataset.ts";
import type { GivenRows } from "../engine/data/lying-rows.ts";
import { datasetMark, isMarked } from "../engine/data/marks.ts";
import { isList } from "../engine/data/number-cells.ts";
import type { RawRows } from "../engine/data/raw.ts";
import type { ReadRow, RowSource, SourceStep } from "../engine/data/rows.ts";
import type { Row, RowOf, SparseTable, Table } from "../engine/data/table.ts";
import { targetsAs } from "../engine/data/target.ts";
import { refuse } from "../engine/errors/checks.ts";
import { DataError } from "../engine/errors/errors.ts";
import { type FileTarget, writeWhole } from "../engine/files/files.ts";
import type { Tensor } from "../engine/files/safetensors.ts";
import { savedModel } from "./check-model.ts";
import { outputFacts } from "./check-outputs.ts";
import { largest, linkInPlace } from "./link.ts";
import { type MetricsOf, metrics, type Task } from "./metrics.ts";
import { encodeModel } from "./model-file.ts";
import { roomOf } from "./room-of.ts";
import { CHUNK, RowsInto } from "./rows-into.ts";

interface ValueByKind {
  class: string;
  number: number;
  count: number;
}

/** Prediction for one row. */
export interface Prediction<K extends PredictionKind = PredictionKind> {
  /** The class name, or the predicted number. */
  value: ValueByKind[K];
  /**
   * Probabilities by class name, if the model has them. The order of the classes is in the predictor's `classes`,
   * because JavaScript lists whole-number keys first, by size.
   */
  probabilities?: Record<string, number>;
  /**
   * Conformal prediction set (`ergodic/calibration`), in the order of `classes`. The set contains the true class with
   * the promised probability. The set is empty if every class fits the row worse than true classes usually fit their
   * rows.
   */
  set?: string[];
  /**
   * Conformal prediction interval (`ergodic/calibration`). The interval contains the true value with the promised
   * probability.
   */
  interval?: [low: number, high: number];
}

/**
 * Base class of predictors with outputs z. The class passes raw rows through the model's learnt pipeline, applies the
 * model's link (contract.ts), computes metrics and writes files. Subclasses compute z from rows, and define the tensors
 * in the file. The predicted class is the class with the largest probability or, with the link "sign", the second class
 * if z > 0.
 *
 * @throws DataError for rows that lack columns, datasets with other columns, classes that the model does not know
 *
 * `K`: kind of target, if the compiler knows the loss. `K` determines the types of `value` and of the metrics that
 * `evaluate` returns. `Names`: names of the columns, if known.
 */
export abstract class OutputPredictor<K extends PredictionKind = PredictionKind, Names extends string = string> {
  protected static readonly typeName: string = "OutputPredictor";
  /** Kind of predictor: "linear" or "network". */
  abstract readonly kind: string;
  /** "binary", "multiclass", "regression" or "count". */
  readonly task: Task;
  /** Steps from raw rows to the model's columns. */
  readonly pipeline: Pipeline;
  /** Class names in the order of their indices; undefined for numbers. */
  readonly classes: readonly string[] | undefined;
  /** Name of the target column. */
  readonly targetName: string;
  /** Description of the model without its parameters: options of the model and of the run that trained it. */
  readonly description: JsonObject;
  private readonly link: Link;
  /** Number of outputs z per row. */
  protected readonly outputCount: number;
  /** Buffer for the z of a single row. */
  readonly #z: Float64Array;
  #into: RowsInto | undefined;

  /** `where` names the file in errors. */
  constructor(saved: SavedModel, where: string) {
    const { description } = savedModel(saved);
    const facts = outputFacts(description, where);
    const { pipeline } = facts;
    this.task = facts.task;
    this.link = facts.link;
    this.outputCount = facts.outputs;
    this.targetName = facts.targetName;
    this.classes = facts.classes;
    this.pipeline = pipeline;
    this.#z = new Float64Array(facts.outputs);
    // Columns are not stored, because the pipeline has them and there can be millions. A calibration is added to the
    // description when it is applied to the model (load.ts).
    const { columns: _, calibration: __, ...rest } = description;
    this.description = Object.defineProperty(rest, "columns", {
      get: () => pipeline.names,
      enumerable: true,
      configurable: true,
    });
  }

  /**
   * Writes z of rows [from, from + count) to the start of z: float64[count × outputs]. The rows have passed the
   * pipeline. `given`: the source of the rows, if it allows many rows to be processed together.
   */
  protected abstract scoresInto(read: ReadRow, from: number, count: number, z: Float64Array, given?: GivenRows): void;
  /**
   * Returns the tensors that a file contains in addition to the description. @throws DataError for numbers that are not
   * finite
   */
  protected abstract tensors(): Record<string, Tensor>;

  /** Names of the model's columns. */
  get columns(): readonly string[] {
    return this.pipeline.names;
  }

  /**
   * Predicts: one row gives one prediction, and several rows give an array.
   *
   * @throws DataError for rows that lack columns or hold values that the model cannot read
   *
   * @example
   * ```ts
   * model.predict({ age: 40 });        // a row by column name
   * model.predict([40, 38]);           // or numbers in the order of the columns, if training was on arrays
   * model.predict([[40, 38], [51, 20]]);
   * ```
   */
  predict(row: RowOf<Names> | ArrayLike<number>): Prediction<K>;
  predict(rows: RawRows<Names> | Dataset): Prediction<K>[];
  predict(rows: Row | ArrayLike<number> | RawRows | Dataset): Prediction<K> | Prediction<K>[] {
    if (typeof rows !== "object" || rows === null)
      refuse("predict", "the row", rows, "a row, a list of rows or a Dataset", "{ age: 40 }");
    const single = !isMarked(rows, datasetMark) && isRow(rows as Row | ArrayLike<number> | RawRows);
    if (single) return this.prediction(this.scoresOfOne(rows as Row | ArrayLike<number>)) as Prediction<K>;
    const z = isMarked(rows, datasetMark) ? this.outputs(rows as Dataset) : this.scoresOfRaw(rows as RawRows);
    return Array.from({ length: z.length / this.outputCount }, (_, i) => this.prediction(this.rowOf(z, i), i) as Prediction<K>);
  }

  /** Number of values in a row of a matrix, which contains the raw columns before the pipeline. */
  get inputCount(): number {
    const { inputs, steps } = this.pipeline;
    // If the columns have no names, the first step gives their number.
    return inputs?.length ?? (steps[0] as unknown as { columnCount: number }).columnCount;
  }

  /**
   * Number of values that `predictInto` writes per row: one for a numeric target, otherwise one per class. For models
   * without probabilities, this is the number of outputs z.
   */
  get width(): number {
    return this.link === "sign" ? this.outputCount : (this.classes?.length ?? 1);
  }

  /**
   * Writes predictions as numbers into `out`, without allocating. For each row, it writes `width` numbers: the
   * predicted number, or the probabilities in the order of `classes` (with the link "sign", z).
   *
   * A row of a matrix has its numbers in the order of the columns.
   *
   * @returns the number of rows @throws OptionError if `out` has no room for all rows; DataError as `predict`
   *
   * @example
   * ```ts
   * const out = new Float64Array(model.width * 1000);
   * model.predictInto(matrix, out);            // a Float64Array or Float32Array with the rows one after another
   * model.predictInto([{ age: 40 }], out);     // or rows as `predict` takes them
   * ```
   */
  predictInto(
    rows: Float64Array | Float32Array | readonly RowOf<Names>[] | readonly ArrayLike<number>[],
    out: Float64Array,
  ): number {
    const into = this.#rowsInto();
    const count = into.begin(rows, out, this.width);
    const { outputCount, width } = this;
    const offset = this.pipeline.offsetOf(rows as RawRows);
    for (let from = 0; from < count; from += CHUNK) {
      const some = Math.min(CHUNK, count - from);
      const z = into.room(some * outputCount);
      try {
        this.scoresInto(into.read, from, some, z, rows);
      } catch (error) {
        into.blame(error);
      }
      for (let i = 0; i < some; i++) {
        if (offset) z[i] += offset[from + i];
        this.checkScores(z, i * outputCount, from + i);
        this.toPredictions(z, i * outputCount);
        const to = (from + i) * width;
        if (width === outputCount) for (let k = 0; k < width; k++) out[to + k] = z[i * width + k];
        else {
          out[to] = 1 - z[i];
          out[to + 1] = z[i];
        }
      }
    }
    return count;
  }

  /** Returns z of every row, float64[rows × outputs]. */
  outputs(data: Dataset): Float64Array {
    if (!isMarked(data, datasetMark)) refuse("evaluate", "data", data, "a Dataset", "data.split(0.8, { seed: 1 }).test");
    const rows = data.follow(this.pipeline);
    try {
      return this.scores(rows.rows());
    } finally {
      // Frees rows that were made for this call.
      if (rows !== data) rows.dispose();
    }
  }

  /** Computes metrics on rows with known targets, weighted by the rows' weights. */
  evaluate(data: Dataset): MetricsOf<K> {
    const z = this.outputs(data);
    const tally = metrics(this.task, this.classes?.length ?? 2, { outputs: this.link === "sign" ? "scores" : "probabilities" });
    for (let i = 0; i < data.rowCount; i++) {
      this.checkScores(z, i * this.outputCount, i);
      this.toPredictions(z, i * this.outputCount);
    }
    tally.add(z, this.targets(data), data.weights);
    return tally.result() as MetricsOf<K>;
  }

  /**
   * Writes the model as safetensors: its parameters and a versioned JSON description. The file appears whole or not at
   * all.
   */
  save(path: FileTarget): Promise<void> {
    return writeWhole(path, this.toBytes(), { keep: true });
  }

  /**
   * Returns the file's bytes. @throws DataError [MODEL_FORMAT] for numbers that are not finite, so that no file is
   * written that could not be loaded
   */
  toBytes(): Uint8Array {
    return encodeModel(this.kind, this.description, this.tensors());
  }

  /** Returns a line about the model: its kind, target and columns. */
  toString(): string {
    return `${this.kind} model of ${this.targetName}: ${this.task}, ${this.columns.length} columns`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * Frees memory that belongs to the model, as in networks. This memory is also freed when the predictor is garbage
   * collected.
   */
  dispose(): void {}

  [Symbol.dispose](): void {
    this.dispose();
  }

  private scores(rows: RowSource, given: GivenRows = rows): Float64Array {
    const z = roomOf(rows.rowCount * this.outputCount, this.kind);
    this.scoresInto(rows.open(), 0, rows.rowCount, z, given);
    // Offsets exist only for models with one output.
    rows.offset?.forEach((offset, i) => {
      z[i] += offset;
    });
    return z;
  }

  #rowsInto(): RowsInto {
    this.#into ??= new RowsInto(this.pipeline, this.inputCount);
    return this.#into;
  }

  /** Whether rows can be read without opening the pipeline for them. Weights and offsets are checked when it is opened. */
  get #isReusable(): boolean {
    const { weights, offset } = this.pipeline.steps[0] as SourceStep;
    return weights === null && offset === undefined;
  }

  /** Computes z of one row without opening the pipeline again. */
  private scoresOfOne(row: Row | ArrayLike<number>): Float64Array {
    if (!this.#isReusable) return this.scoresOfRaw([row] as RawRows);
    const into = this.#rowsInto();
    into.one(row);
    this.scoresInto(into.read, 0, 1, this.#z);
    return this.#z;
  }

  /** Computes z of raw rows. For lists of rows, the pipeline is not opened again. */
  private scoresOfRaw(raw: RawRows): Float64Array {
    if (!Array.isArray(raw) || raw.length === 0 || !this.#isReusable) return this.scores(this.pipeline.rowsOf(raw), raw);
    const into = this.#rowsInto();
    const z = roomOf(raw.length * this.outputCount, this.kind);
    into.list(raw);
    try {
      this.scoresInto(into.read, 0, raw.length, z, raw);
    } catch (error) {
      into.blame(error);
    } finally {
      into.list([]);
    }
    return z;
  }

  /**
   * Throws if an output z of a row is NaN, or is ∞ and goes through a softmax (calibrated models can handle ∞). The
   * causes are input values too large for the model, or a damaged file. `row`: from 0. Conformal sets replace this
   * check.
   */
  private checkScores(z: Float64Array, from: number, row: number): void {
    for (let k = from; k < from + this.outputCount; k++) {
      const isShared = z[k] === Infinity && this.link === "softmax" && this.description.calibration === undefined;
      if (!isShared && !Number.isNaN(z[k])) continue;
      throw new DataError(
        "predict",
        `row ${row + 1}: the model's answer is ${z[k]}; its values are too large for the model to compute with, or the model's file is damaged`,
        "PREDICT_NUMBER",
      );
    }
  }

  private rowOf(z: Float64Array, i: number): Float64Array {
    return z.slice(i * this.outputCount, (i + 1) * this.outputCount);
  }

  /** Replaces z of one row with predictions. Calibration overrides this method and the next method. */
  private toPredictions(z: Float64Array, from: number): void {
    linkInPlace(this.link, z, from, this.outputCount);
  }

  /** `row`: position of the row in the batch from which z was computed. */
  private prediction(z: Float64Array, row = 0): Prediction {
    this.checkScores(z, 0, row);
    const values = z.slice();
    this.toPredictions(values, 0);
    const { classes } = this;
    if (!classes) return { value: values[0] };
    if (this.link === "sign") return { value: classes[values.length === 1 ? Number(values[0] > 0) : largest(values)] };
    const p = values.length === 1 ? [1 - values[0], values[0]] : [...values];
    return { value: classes[largest(p)], probabilities: Object.fromEntries(classes.map((name, k) => [name, p[k]])) };
  }

  /**
   * Returns the targets in the encoding of the model: class indices, or 0 and 1 if the sign of a numeric target
   * determined the class in training. NaN if the target is missing.
   */
  targets(data: Dataset): Float64Array {
    const { target } = this.pipeline;
    const values = targetsAs(data.target, target, data.source);
    return target.kind === "number" && this.task === "binary" ? values.map((y) => Number(y > 0)) : values;
  }
}

/**
 * Whether `rows` is a single row rather than several rows or a table. Property names cannot distinguish a row from a
 * table, because a row can have columns of any name. Only a table has lists as values.
 */
function isRow(rows: Row | ArrayLike<number> | RawRows): boolean {
  if (Array.isArray(rows)) return typeof rows[0] === "number";
  const { columns, rowStart } = rows as Partial<Table & SparseTable>;
  return !(isList(columns) || isList(rowStart));
}

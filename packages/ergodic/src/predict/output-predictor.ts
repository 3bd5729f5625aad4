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

/** What is predicted for one row. */
export interface Prediction<K extends PredictionKind = PredictionKind> {
  /** The class name, or the predicted number. */
  value: ValueByKind[K];
  /**
   * By class name, where the model has probabilities. For their order take the predictor's `classes`: JavaScript lists keys that are whole
   * numbers first, by size.
   */
  probabilities?: Record<string, number>;
  /**
   * Of a model with conformal sets (`ergodic/calibration`): the classes that hold the truth with the promised probability, in the order of
   * `classes`. None of them, where no class fits the row as well as the truth usually does.
   */
  set?: string[];
  /** Of a model with conformal intervals: from where to where the truth lies with the promised probability. */
  interval?: [low: number, high: number];
}

/**
 * What predictors of models with outputs z share: raw rows through the pipeline that was learnt with the model, the model's
 * link (contract.ts), evaluation, the file. A family says how z comes from a dataset, and which numbers a file holds. Classes
 * with probability: argmax; by sign: z > 0 is the second class.
 *
 * @throws DataError for rows that lack columns, datasets with other columns, classes that the model does not know
 *
 * `K`: what is predicted, where the loss is known to the compiler; it types `value` and the metrics of `evaluate`. `Names`: the columns of
 * its rows, where they are known.
 */
export abstract class OutputPredictor<K extends PredictionKind = PredictionKind, Names extends string = string> {
  /** Tells predictors apart: "linear" or "network". */
  abstract readonly kind: string;
  /** "binary", "multiclass", "regression" or "count". */
  readonly task: Task;
  /** The steps from raw rows to the model's columns. */
  readonly pipeline: Pipeline;
  /** Class names in the order of their indices; undefined for numbers. */
  readonly classes: readonly string[] | undefined;
  /** Name of what is predicted. */
  readonly targetName: string;
  /** Everything but the numbers: options of the model and of the run that made it. */
  readonly description: JsonObject;
  private readonly link: Link;
  /** Numbers in z of a row. */
  protected readonly outputCount: number;
  /** Of a single row. */
  readonly #z: Float64Array;
  #into: RowsInto | undefined;

  /** `where`: the file, for errors. */
  constructor({ description }: SavedModel, where: string) {
    const facts = outputFacts(description, where);
    const { pipeline } = facts;
    this.task = facts.task;
    this.link = facts.link;
    this.outputCount = facts.outputs;
    this.targetName = facts.targetName;
    this.classes = facts.classes;
    this.pipeline = pipeline;
    this.#z = new Float64Array(facts.outputs);
    // Columns are not stored: the pipeline knows them, and there may be millions. Calibration is said of a model to which it was put (load.ts).
    const { columns: _, calibration: __, ...rest } = description;
    this.description = Object.defineProperty(rest, "columns", {
      get: () => pipeline.names,
      enumerable: true,
      configurable: true,
    });
  }

  /**
   * Puts z of rows [from, from + count), which have gone through the pipeline, into z from its start on: float64[count × outputs]. `given`: what they
   * are made from, where many may be taken at a time.
   */
  protected abstract scoresInto(read: ReadRow, from: number, count: number, z: Float64Array, given?: GivenRows): void;
  /** What a file holds in addition to the description. @throws DataError for numbers that are not finite */
  protected abstract tensors(): Record<string, Tensor>;

  /** Names of the model's columns. */
  get columns(): readonly string[] {
    return this.pipeline.names;
  }

  /**
   * One row gives one prediction; several give an array.
   *
   *   model.predict({ age: 40 });        // a row by column name
   *   model.predict([40, 38]);           // or numbers in the order of the columns, where training was on arrays
   *   model.predict([[40, 38], [51, 20]]);
   *
   * @throws DataError for rows that lack columns or hold what the model cannot read
   */
  predict(row: RowOf<Names> | ArrayLike<number>): Prediction<K>;
  predict(rows: RawRows<Names> | Dataset): Prediction<K>[];
  predict(rows: Row | ArrayLike<number> | RawRows | Dataset): Prediction<K> | Prediction<K>[] {
    if (typeof rows !== "object" || rows === null)
      refuse("predict", "the row", rows, "a row, a list of rows or a Dataset", "{ age: 40 }");
    const single = !isMarked(rows, datasetMark) && isRow(rows as Row | ArrayLike<number> | RawRows);
    if (single) return this.prediction(this.scoresOfOne(rows as Row | ArrayLike<number>)) as Prediction<K>;
    const z = isMarked(rows, datasetMark)
      ? this.outputs(rows as Dataset)
      : this.scores(this.pipeline.rowsOf(rows as RawRows), rows as RawRows);
    return Array.from({ length: z.length / this.outputCount }, (_, i) => this.prediction(this.rowOf(z, i), i) as Prediction<K>);
  }

  /** Numbers of a row of a matrix: the raw columns, before the pipeline makes others of them. */
  get inputCount(): number {
    const { inputs, steps } = this.pipeline;
    // Without names, the first step says how many.
    return inputs?.length ?? (steps[0] as unknown as { columnCount: number }).columnCount;
  }

  /** Numbers that `predictInto` gives for a row: one for numbers, else one a class; of models without probabilities those of z. */
  get width(): number {
    return this.link === "sign" ? this.outputCount : (this.classes?.length ?? 1);
  }

  /**
   * Predictions as numbers, written into `out` without making anything anew: the predicted number of each row, or the probabilities of its
   * classes in the order of `classes` (by sign: z), `width` numbers a row.
   *
   *   const out = new Float64Array(model.width * 1000);
   *   model.predictInto(matrix, out);            // Float64Array or Float32Array, rows one after another, in the order of the columns
   *   model.predictInto([{ age: 40 }], out);     // or rows as `predict` takes them
   *
   * @returns how many rows there were @throws OptionError where they are more than `out` has room for; DataError as `predict`
   */
  predictInto(
    rows: Float64Array | Float32Array | readonly RowOf<Names>[] | readonly ArrayLike<number>[],
    out: Float64Array,
  ): number {
    this.#into ??= new RowsInto(this.pipeline, this.inputCount);
    const into = this.#into;
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

  /** z of every row, float64[rows × outputs]. */
  outputs(data: Dataset): Float64Array {
    if (!isMarked(data, datasetMark)) refuse("evaluate", "data", data, "a Dataset", "data.split(0.8, { seed: 1 }).test");
    const rows = data.follow(this.pipeline);
    try {
      return this.scores(rows.rows());
    } finally {
      // Rows that were made for it.
      if (rows !== data) rows.dispose();
    }
  }

  /** Metrics on rows whose target is known, weighted by the rows' weights. */
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

  /** Writes the model as safetensors: its numbers, and a versioned JSON description. The file appears whole or not at all. */
  save(path: FileTarget): Promise<void> {
    return writeWhole(path, this.toBytes(), { keep: true });
  }

  /**
   * The file's bytes. @throws DataError [MODEL_FORMAT] for numbers that are not finite: no file is written that would be
   * refused
   */
  toBytes(): Uint8Array {
    return encodeModel(this.kind, this.description, this.tensors());
  }

  /** Gives back the memory that a model has of its own, as networks do; what is collected gives it back, too. */
  dispose(): void {}

  [Symbol.dispose](): void {
    this.dispose();
  }

  private scores(rows: RowSource, given: GivenRows = rows): Float64Array {
    const z = roomOf(rows.rowCount * this.outputCount, this.kind);
    this.scoresInto(rows.open(), 0, rows.rowCount, z, given);
    // Of one output.
    rows.offset?.forEach((offset, i) => {
      z[i] += offset;
    });
    return z;
  }

  /** Without opening the pipeline anew for each. */
  private scoresOfOne(row: Row | ArrayLike<number>): Float64Array {
    const { pipeline } = this;
    // Weights and offsets are looked at, too.
    const { weights, offset } = pipeline.steps[0] as SourceStep;
    if (weights !== null || offset !== undefined) return this.scores(pipeline.rowsOf([row] as RawRows));
    const into = (this.#into ??= new RowsInto(pipeline, this.inputCount));
    into.one(row);
    this.scoresInto(into.read, 0, 1, this.#z);
    return this.#z;
  }

  /**
   * Refuses a row of z that says nothing: NaN, or ∞ where shares of it are wanted, which calibrated ones know to give. They come of values beyond the
   * numbers that a model computes with, or of a damaged file. `row`: from 0. Conformal sets have an answer to it.
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

  /** z of one row, from there on, as predictions, where they are. Calibration takes the place of this and the next. */
  private toPredictions(z: Float64Array, from: number): void {
    linkInPlace(this.link, z, from, this.outputCount);
  }

  /** `row`: its place among those that z was computed of. */
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

  /** Targets as the model has them: its own class indices, 0 and 1 where it was trained on numbers of two signs. NaN where there is none. */
  targets(data: Dataset): Float64Array {
    const { target } = this.pipeline;
    const values = targetsAs(data.target, target, data.source);
    return target.kind === "number" && this.task === "binary" ? values.map((y) => Number(y > 0)) : values;
  }
}

/** Not several of them, nor a table: a row may have a column of any name, but lists are in tables alone. */
function isRow(rows: Row | ArrayLike<number> | RawRows): boolean {
  if (Array.isArray(rows)) return typeof rows[0] === "number";
  const { columns, rowStart } = rows as Partial<Table & SparseTable>;
  return !(isList(columns) || isList(rowStart));
}

/**
 * A trained linear model: prediction, evaluation and its file. Needs no trainer.
 *
 * outputs z = x·weightsᵀ + intercept in float64, then the model's link (contract.ts). `weights`: float64[outputs × columns], row-major, in the
 * units of the pipeline's columns; `intercept`: float64[outputs]. Raw rows (objects by column name, arrays of numbers, tables) go through the
 * pipeline that was learnt with the model. Classes with probability: argmax; by sign: z > 0 is the second class.
 *
 * @throws DataError for rows that lack columns, CapabilityError for datasets of another make
 */

import { writeWhole } from "../base/files.ts";
import { encode, type Tensor } from "../base/safetensors.ts";
import type { JsonObject, Link, PredictionKind, SavedModel } from "../contract.ts";
import { Dataset, Pipeline } from "../data/dataset.ts";
import type { RawRows } from "../data/raw.ts";
import { rowReader } from "../data/storage.ts";
import type { Row } from "../data/table.ts";
import { applyLink } from "./link.ts";
import { type MetricsOf, metrics, type Task } from "./metrics.ts";

export const FORMAT_VERSION = 1;

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
}

/** `K`: what is predicted, where the loss is known to the compiler; it types `value` and the metrics of `evaluate`. */
export class LinearPredictor<K extends PredictionKind = PredictionKind> {
  readonly kind = "linear";
  readonly task: Task;
  readonly weights: Float64Array;
  readonly intercept: Float64Array;
  readonly pipeline: Pipeline;
  /** Class names in the order of their indices; undefined for numbers. */
  readonly classes: readonly string[] | undefined;
  readonly targetName: string;
  /** Everything but the numbers: options of the model and of the run that made it. */
  readonly description: JsonObject;
  private readonly link: Link;

  constructor(saved: SavedModel) {
    const { description, tensors } = saved;
    const target = description.target as { name: string; levels: string[] | null };
    this.description = description;
    this.task = description.task as Task;
    this.link = description.link as Link;
    this.targetName = target.name;
    this.classes = this.task === "binary" || this.task === "multiclass" ? (target.levels ?? ["0", "1"]) : undefined;
    this.weights = Float64Array.from(tensors.weights as Float64Array);
    this.intercept = Float64Array.from(tensors.intercept as Float64Array);
    this.pipeline = Pipeline.fromJson(description.pipeline);
  }

  get columns(): readonly string[] {
    return this.pipeline.names;
  }

  /** One row gives one prediction; several give an array. */
  predict(row: Row): Prediction<K>;
  predict(rows: RawRows | Dataset): Prediction<K>[];
  predict(rows: Row | RawRows | Dataset): Prediction<K> | Prediction<K>[] {
    // A row may have a column of any name, but tables have these two.
    const single = !(rows instanceof Dataset) && !Array.isArray(rows) && !("rowCount" in rows && "source" in rows);
    const raw = (single ? [rows] : rows) as RawRows | Dataset;
    using data = raw instanceof Dataset ? followed(raw, this.pipeline) : owned(this.pipeline.apply(raw, { target: false }));
    const predictions = this.eachRow(data.dataset, (z) => this.prediction(z) as Prediction<K>);
    return single ? predictions[0] : predictions;
  }

  /** z of every row, float64[rows × outputs]. */
  outputs(data: Dataset): Float64Array {
    const width = this.intercept.length;
    const all = new Float64Array(data.rowCount * width);
    let at = 0;
    using rows = followed(data, this.pipeline);
    this.eachRow(rows.dataset, (z) => {
      all.set(z, at);
      at += width;
    });
    return all;
  }

  /** Metrics on rows whose target is known, weighted by the rows' weights. */
  evaluate(data: Dataset): MetricsOf<K> {
    using rows = followed(data, this.pipeline);
    const scores = this.link === "sign";
    const tally = metrics(this.task, this.classes?.length ?? 2, { outputs: scores ? "scores" : "probabilities" });
    const all: Float64Array[] = this.eachRow(rows.dataset, (z) => applyLink(this.link, z.slice()));
    const flat = new Float64Array(all.length * this.intercept.length);
    for (const [i, row] of all.entries()) flat.set(row, i * this.intercept.length);
    tally.add(flat, this.targets(data), data.weights);
    return tally.result() as MetricsOf<K>;
  }

  /** Writes the model as safetensors: its numbers, and a versioned JSON description. The file appears whole or not at all. */
  save(path: string): Promise<void> {
    return writeWhole(path, this.toBytes());
  }

  toBytes(): Uint8Array {
    const outputs = this.intercept.length;
    const tensors: Record<string, Tensor> = {
      weights: { shape: [outputs, this.weights.length / outputs], values: this.weights },
      intercept: { shape: [outputs], values: this.intercept },
    };
    return encode(tensors, {
      format: "ergodic",
      version: String(FORMAT_VERSION),
      kind: this.kind,
      description: JSON.stringify(this.description),
    });
  }

  /** Targets as class indices 0 and 1 where the data has them as numbers −1 and +1. */
  private targets(data: Dataset): Float64Array {
    const { kind, values } = data.target;
    return this.task === "binary" && kind === "number" ? values.map((y) => Number(y > 0)) : values;
  }

  private prediction(z: Float64Array): Prediction {
    const values = applyLink(this.link, z.slice());
    const { classes } = this;
    if (!classes) return { value: values[0] };
    if (this.link === "sign") return { value: classes[values.length === 1 ? Number(values[0] > 0) : largest(values)] };
    const p = values.length === 1 ? [1 - values[0], values[0]] : [...values];
    return { value: classes[largest(p)], probabilities: Object.fromEntries(classes.map((name, k) => [name, p[k]])) };
  }

  /** Calls `use` with the outputs of each row; they are overwritten by the next. */
  private eachRow<R>(data: Dataset, use: (z: Float64Array) => R): R[] {
    const read = rowReader(data.layout);
    const { weights, intercept } = this;
    const columns = weights.length / intercept.length;
    const z = new Float64Array(intercept.length);
    return Array.from({ length: data.rowCount }, (_, i) => {
      const row = read(i);
      for (let k = 0; k < z.length; k++) {
        const from = k * columns;
        let sum = intercept[k];
        if (row.columns) for (let e = 0; e < row.count; e++) sum += row.values[e] * weights[from + row.columns[e]];
        else for (let j = 0; j < columns; j++) sum += row.values[j] * weights[from + j];
        z[k] = sum;
      }
      return use(z);
    });
  }
}

function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}

/** `data` through the steps that it lacks; what that makes is released with it. */
function followed(data: Dataset, pipeline: Pipeline): { dataset: Dataset } & Disposable {
  const dataset = data.follow(pipeline);
  return dataset === data ? { dataset, [Symbol.dispose]: () => {} } : owned(dataset);
}
const owned = (dataset: Dataset): { dataset: Dataset } & Disposable => ({ dataset, [Symbol.dispose]: () => dataset.dispose() });

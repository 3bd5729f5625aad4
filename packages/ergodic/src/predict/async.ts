/** `ergodic/predict/async`: a predictor that computes on its own threads. */

import type { PredictionKind } from "../engine/contract/index.ts";
import { datasetMark, isMarked } from "../engine/data/marks.ts";
import type { Name } from "../engine/data/name-index.ts";
import type { RawRows } from "../engine/data/raw.ts";
import type { Row, RowOf } from "../engine/data/table.ts";
import { checkSignal, refuse } from "../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../engine/errors/errors.ts";
import { nameOf, readWhole } from "../engine/files/files.ts";
import { type Opening, seenFromHere } from "../engine/threads/own-thread.ts";
import type { AnyPredictor } from "./any-predictor.ts";
import type { Facts, Method } from "./async-messages.ts";
import { Threads } from "./async-threads.ts";
import type { FactorPredictor, Pair, Rated, Recommendation, RecommendOptions } from "./factorisation.ts";
import type { LinearPredictor } from "./linear.ts";
import type { PredictorOptions } from "./load.ts";
import type { NetworkPredictor } from "./network.ts";
import type { OutputPredictor, Prediction } from "./output-predictor.ts";

/** Options of the asynchronous `predictor`. */
export interface AsyncPredictorOptions extends PredictorOptions {
  /**
   * Number of threads, each with a copy of the model. Each thread computes one call at a time. A whole number ≥ 1.
   * Default 1.
   */
  readonly workers?: number;
  /**
   * Address of the program for the threads. Needed with bundlers that do not rewrite `new Worker(new URL(…))` (esbuild,
   * Rollup). For this purpose, build `ergodic/predict/serve` as a separate entry.
   */
  readonly script?: string | URL;
}

/** Options of one call. */
export interface CallOptions {
  /**
   * Aborts the call and rejects its promise with the signal's reason. If the call is being computed, its thread is
   * ended. The next call that needs a thread opens another one.
   */
  readonly signal?: AbortSignal;
}

/** The asynchronous counterpart of a predictor type. */
export type AsyncOf<P extends AnyPredictor> =
  P extends LinearPredictor<infer K, infer N>
    ? AsyncOutputPredictor<K, N, "linear">
    : P extends NetworkPredictor<infer K, infer N>
      ? AsyncOutputPredictor<K, N, "network">
      : P extends FactorPredictor
        ? AsyncFactorPredictor
        : never;

/**
 * Loads a saved model onto its own threads, so that predictions do not block a page or Node's event loop. The model
 * comes from a path, a URL, a Blob or bytes.
 *
 * The predictions equal those of a predictor from `ergodic/predict`. Rows are copied to the thread, and predictions are
 * copied back. For a linear model, which takes about a microsecond per row, copying the rows costs more than the
 * threads save. Calls wait for a free thread in the order in which they were made. In Node, idle threads do not keep
 * the process alive.
 *
 * @throws as `predictor` of `ergodic/predict`; WorkerError if no thread can be opened; OptionError unless workers ≥ 1
 *
 * @example
 * ```ts
 * import { predictor } from "ergodic/predict/async";
 * const model = await predictor("digits.safetensors", { workers: 2 });
 * if (model.kind === "network") await model.predict([pixels]);
 * model.dispose();
 * ```
 */
export async function predictor<P extends AnyPredictor = AnyPredictor>(
  from: string | URL | Uint8Array | Blob,
  options: AsyncPredictorOptions = {},
): Promise<AsyncOf<P>> {
  checkKeys("predictor", options, ["maxWork", "maxMemory", "deterministic", "unknown", "workers", "script"]);
  const { workers = 1, script, ...rest } = options;
  checkNumber("predictor", "workers", workers, { low: 1, high: 1024, integer: true });
  const program = script === undefined ? undefined : seenFromHere("predictor", "script", script);
  const where = nameOf(from, "model");
  const threads = new Threads(workers, { kind: "load", bytes: await readWhole(from), where, options: rest }, () =>
    opening(program),
  );
  const facts = await threads.start();
  const made =
    facts.kind === "factorisation" ? new AsyncFactorPredictor(threads, facts) : new AsyncOutputPredictor(threads, facts);
  return made as unknown as AsyncOf<P>;
}

const opening = (script: URL | undefined): Opening => ({
  onNode: (Thread, options) => new Thread(script ?? new URL("./serve.js", import.meta.url), options),
  onWeb: () =>
    script
      ? new Worker(script, { type: "module", name: "ergodic-predictor" })
      : new Worker(new URL("./serve.js", import.meta.url), { type: "module", name: "ergodic-predictor" }),
  entry: "ergodic/predict/serve",
  call: "predictor(file, { script })",
});

abstract class AsyncPredictor {
  readonly #threads: Threads;

  constructor(threads: Threads) {
    this.#threads = threads;
  }

  /** Ends the threads. Calls that have not been answered are rejected. */
  dispose(): void {
    this.#threads.end();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  protected ask<T>(method: Method, args: readonly unknown[], options: CallOptions = {}): Promise<T> {
    return this.send({ kind: "call", method, args }, method, options) as Promise<T>;
  }

  protected async send(request: Parameters<Threads["call"]>[0], where: string, options: CallOptions): Promise<unknown> {
    checkKeys(where, options, ["signal"]);
    checkSignal(where, options.signal);
    try {
      return await this.#threads.call(request, options);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "DataCloneError") || error === options.signal?.reason) throw error;
      const said = `an argument cannot be sent to a thread: ${error.message}; give plain rows`;
      throw new OptionError(where, said, "WORKER_ARGUMENT", { cause: error });
    }
  }
}

/** A linear model or a network that computes on its own threads. `K` and `Names` are as in `OutputPredictor`. */
export class AsyncOutputPredictor<
  K extends PredictionKind = PredictionKind,
  Names extends string = string,
  Kind extends "linear" | "network" = "linear" | "network",
> extends AsyncPredictor {
  protected static readonly typeName: string = "AsyncOutputPredictor";
  /** Kind of predictor. */
  readonly kind: Kind;
  /** "binary", "multiclass", "regression" or "count". */
  readonly task: OutputPredictor["task"];
  /** Class names in the order of their indices; undefined for numeric targets. */
  readonly classes: readonly string[] | undefined;
  /** Name of the target column. */
  readonly targetName: string;
  /** Number of values that `predictInto` writes for each row. */
  readonly width: number;
  /** Number of values in a row of a matrix. */
  readonly inputCount: number;

  constructor(threads: Threads, { kind, task, classes, targetName, width, inputCount }: Facts) {
    super(threads);
    this.kind = kind as Kind;
    this.task = task as OutputPredictor["task"];
    this.classes = classes;
    this.targetName = targetName!;
    this.width = width!;
    this.inputCount = inputCount!;
  }

  /** Returns the names of the model's columns. There can be millions. */
  columns(): Promise<readonly string[]> {
    return this.ask("columns", []);
  }

  /**
   * Predicts one row or several rows. One row gives one prediction, and several rows give an array.
   *
   * @throws as `OutputPredictor.predict`; WorkerError if its thread ended
   */
  predict(row: RowOf<Names> | ArrayLike<number>, options?: CallOptions): Promise<Prediction<K>>;
  predict(rows: RawRows<Names>, options?: CallOptions): Promise<Prediction<K>[]>;
  predict(rows: Row | ArrayLike<number> | RawRows, options?: CallOptions): Promise<Prediction<K> | Prediction<K>[]> {
    if (isMarked(rows, datasetMark)) refuse("predict", "rows", rows, "rows that can be sent to a thread", "[{ age: 40 }]");
    return this.ask("predict", [rows], options);
  }

  /**
   * Writes predictions as numbers into `out`, with `width` numbers per row, like `OutputPredictor.predictInto`.
   *
   * @returns the number of rows
   */
  async predictInto(
    rows: Float64Array | Float32Array | readonly Row[] | readonly ArrayLike<number>[],
    out: Float64Array,
    options: CallOptions = {},
  ): Promise<number> {
    const isMatrix = rows instanceof Float64Array || rows instanceof Float32Array;
    if (!isMatrix && !Array.isArray(rows))
      refuse("predictInto", "rows", rows, "a Float64Array, a Float32Array or a list of rows", "new Float64Array(rows × columns)");
    if (!(out instanceof Float64Array))
      refuse("predictInto", "out", out, "a Float64Array", "new Float64Array(model.width * rowCount)");
    const count = isMatrix ? Math.ceil(rows.length / Math.max(1, this.inputCount)) : rows.length;
    if (out.length < count * this.width) {
      const problem = `out has room for ${out.length} numbers, but ${count} rows have ${count * this.width}`;
      throw new OptionError("predictInto", `${problem}; make it new Float64Array(model.width * rowCount)`, "PREDICT_INPUT");
    }
    const numbers = (await this.send({ kind: "numbers", rows }, "predictInto", options)) as Float64Array;
    out.set(numbers);
    return numbers.length / this.width;
  }
}

/**
 * A factorisation that computes on its own threads. Its methods return the same results as the methods of
 * `FactorPredictor`.
 */
export class AsyncFactorPredictor extends AsyncPredictor {
  protected static readonly typeName: string = "AsyncFactorPredictor";
  /** Kind of predictor. */
  readonly kind = "factorisation";
  /** "rating" or "preference". */
  readonly task: FactorPredictor["task"];

  constructor(threads: Threads, { task }: Facts) {
    super(threads);
    this.task = task as FactorPredictor["task"];
  }

  /** Predicts the values of pairs of a user and an item. */
  predict(row: Pair | Row, options?: CallOptions): Promise<{ value: number }>;
  predict(rows: readonly (Pair | Row)[], options?: CallOptions): Promise<{ value: number }[]>;
  predict(given: Pair | Row | readonly (Pair | Row)[], options?: CallOptions): Promise<{ value: number } | { value: number }[]> {
    return this.ask("predict", [given], options);
  }

  /** Returns the items with the highest predicted scores for a user. */
  recommend(user: Name, { signal, ...options }: RecommendOptions & CallOptions = {}): Promise<Recommendation[]> {
    return this.ask("recommend", [user, options], signal ? { signal } : {});
  }

  /** Returns the items with the highest predicted scores for a new user, from that user's ratings. */
  recommendFor(
    rated: readonly (Rated | Row)[],
    { signal, ...options }: RecommendOptions & CallOptions = {},
  ): Promise<Recommendation[]> {
    return this.ask("recommendFor", [rated, options], signal ? { signal } : {});
  }

  /** Returns the items most similar to an item. */
  similar(
    item: Name,
    { signal, ...options }: { count?: number } & CallOptions = {},
  ): Promise<{ item: Name; similarity: number }[]> {
    return this.ask("similar", [item, options], signal ? { signal } : {});
  }
}

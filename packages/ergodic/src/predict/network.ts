import type { Tensor } from "../base/safetensors.ts";
import type { PredictionKind, SavedModel } from "../contract.ts";
import type { Dataset } from "../data/dataset.ts";
import { rowReader } from "../data/storage.ts";
import type { ArrayPlan } from "../host/array-plan.ts";
import type { Engine } from "../host/engine.ts";
import { checkNetwork, checkParameters, checkPlan } from "./check-network.ts";
import { NetworkPlan, resultsOf } from "./network-plan.ts";
import { OutputPredictor } from "./output-predictor.ts";

/** Rows that are read from a dataset at a time. */
const CHUNK = 256;

/**
 * Most work of a row that a loaded network may be, in multiply-adds: some ten seconds on one core. The largest networks for images of 224 × 224 are
 * 1.6e10 (VGG), usual ones a tenth of it.
 */
export const MAX_WORK = 2e10;

export interface LoadedOptions {
  /** Default MAX_WORK. */
  readonly maxWork?: number;
  /** The same bits on every host. Default: as the model was trained. */
  readonly deterministic?: boolean;
}

/** Whether the model was trained so that all hosts agree: predictions then do, too. */
export const isDeterministic = ({ description }: SavedModel): boolean =>
  (description.plan as { deterministic?: unknown } | null | undefined)?.deterministic === true;

/**
 * A trained neural network: outputs z by its plan of kernels (network-plan.ts), in float32. Needs neither trainer nor compiler, but an open engine.
 */
export class NetworkPredictor<K extends PredictionKind = PredictionKind> extends OutputPredictor<K> {
  /** Tells predictors apart. */
  readonly kind = "network";
  readonly #numbers: SavedModel["tensors"];
  readonly #plan: NetworkPlan;
  readonly #where: string;

  /** `loaded`: where it comes from a file, whose plan runs on a memory of its own, and is refused where it is more work than that. */
  constructor(saved: SavedModel, engine: Engine, where = "network", loaded?: LoadedOptions) {
    super(saved, where);
    checkNetwork(saved, this.pipeline.columnCount, where);
    this.#where = where;
    this.#numbers = saved.tensors;
    this.#plan = new NetworkPlan(
      engine,
      saved.description.program as unknown as ArrayPlan,
      saved.tensors as Record<string, Float32Array>,
      {
        where,
        apart: loaded !== undefined,
        maxWork: loaded ? (loaded.maxWork ?? MAX_WORK) : Infinity,
        deterministic: loaded?.deterministic ?? isDeterministic(saved),
      },
    );
    checkPlan(this.#plan, this.pipeline.columnCount, this.outputCount, where);
  }

  /** Sizes of a row: [28, 28, 1]. */
  get rowShape(): readonly number[] {
    return this.description.rowShape as number[];
  }

  /** Gives memory back; it is given back too when the predictor is collected. */
  dispose(): void {
    this.#plan.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  protected tensors(): Record<string, Tensor> {
    const shapes = this.description.shapes as Record<string, number[]> | undefined;
    checkParameters("network", this.description, this.#numbers);
    return Object.fromEntries(
      Object.entries(this.#numbers).map(([name, values]) => [name, { shape: shapes?.[name] ?? [values.length], values }]),
    ) as Record<string, Tensor>;
  }

  protected scores(data: Dataset): Float64Array {
    const read = rowReader(data.layout);
    const outputs = Number(this.description.outputs);
    const { columnCount, rowCount } = data;
    const z = resultsOf(rowCount * outputs, this.#where);
    const x = new Float32Array(Math.min(CHUNK, rowCount) * columnCount);
    for (let from = 0; from < rowCount; from += CHUNK) {
      const rows = Math.min(CHUNK, rowCount - from);
      x.fill(0);
      for (let i = 0; i < rows; i++) {
        const { values, columns, count } = read(from + i);
        const to = x.subarray(i * columnCount, (i + 1) * columnCount);
        if (columns) for (let e = 0; e < count; e++) to[columns[e]] = values[e];
        else for (let j = 0; j < columnCount; j++) to[j] = values[j];
      }
      z.set(this.#plan.run({ x: x.subarray(0, rows * columnCount) }, rows).z, from * outputs);
    }
    return z;
  }
}

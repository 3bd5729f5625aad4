import type { PredictionKind, SavedModel } from "../engine/contract/index.ts";
import { type GivenRows, isFloats, lyingRows, plainNumbers } from "../engine/data/lying-rows.ts";
import type { ReadRow } from "../engine/data/rows.ts";
import type { Tensor } from "../engine/files/safetensors.ts";
import type { ArrayPlan } from "../engine/memory/array-plan.ts";
import type { Engine } from "../engine/memory/engine.ts";
import { type Family, familyOfArrayKernel } from "../engine/memory/families.ts";
import { checkNetwork, checkParameters, checkPlan } from "./check-network.ts";
import { type Limits, MAX_MEMORY, MAX_WORK } from "./limits.ts";
import { OutputPredictor } from "./output-predictor.ts";
import { NetworkPlan, type OpenBatch } from "./plan/index.ts";

export interface LoadedOptions extends Partial<Limits> {
  /** Whether predictions have the same bits on every host. Default: the setting used in training. */
  readonly deterministic?: boolean;
}

/** Whether training gives the same bits on every host. If so, predictions do as well. */
export const isDeterministic = ({ description }: SavedModel): boolean =>
  (description.plan as { deterministic?: unknown } | null | undefined)?.deterministic === true;

/** Families of the kernels that a saved network's plan calls. The plan does not need to have been checked. */
export function familiesOfPlan({ description }: SavedModel): Family[] {
  const families = new Set<Family>(["arrays"]);
  const look = (part: unknown): void => {
    if (typeof part !== "object" || part === null) return;
    const { kernel, steps, body, calls } = part as Record<string, unknown>;
    if (typeof kernel === "string") families.add(familyOfArrayKernel(kernel));
    for (const inner of [steps, calls]) if (Array.isArray(inner)) inner.forEach(look);
    look(body);
  };
  look(description.program);
  return [...families];
}

/**
 * A trained neural network. The plan of kernels (plan/network-plan.ts) computes the outputs z in float32. Prediction
 * needs an open engine, but neither the trainer nor the compiler.
 */
export class NetworkPredictor<K extends PredictionKind = PredictionKind, Names extends string = string> extends OutputPredictor<
  K,
  Names
> {
  protected static override readonly typeName: string = "NetworkPredictor";
  /** Kind of predictor. */
  readonly kind = "network";
  readonly #numbers: SavedModel["tensors"];
  readonly #plan: NetworkPlan;
  /** Whether the model uses the numbers of a matrix unchanged, and whether it rounds these numbers to float32 first. */
  readonly #takesMatrix: boolean;
  readonly #rounds: boolean;

  /**
   * `loaded` is given for a network from a file. The plan of such a network runs in its own memory and must stay within
   * these limits.
   */
  constructor(saved: SavedModel, engine: Engine, where = "network", loaded?: LoadedOptions) {
    super(saved, where);
    checkNetwork(saved, this.pipeline.columnCount, where);
    this.#numbers = saved.tensors;
    this.#plan = new NetworkPlan(
      engine,
      saved.description.program as unknown as ArrayPlan,
      saved.tensors as Record<string, Float32Array>,
      {
        where,
        apart: loaded !== undefined,
        ...(loaded && { maxWork: loaded.maxWork ?? MAX_WORK, maxMemory: loaded.maxMemory ?? MAX_MEMORY }),
        deterministic: loaded?.deterministic ?? isDeterministic(saved),
      },
    );
    const plain = plainNumbers(this.pipeline);
    this.#takesMatrix = plain?.source.format === "dense";
    this.#rounds = plain?.rounds === true;
    checkPlan(this.#plan, this.pipeline.columnCount, this.outputCount, where);
  }

  /** Shape of a row, such as [28, 28, 1]. */
  get rowShape(): readonly number[] {
    return this.description.rowShape as number[];
  }

  /** Bytes of the WebAssembly memory in which the model runs; 0 before a loaded network's first prediction. */
  get memoryBytes(): number {
    return this.#plan.memoryBytes;
  }

  /** Frees the memory. This memory is also freed when the predictor is garbage collected. */
  override dispose(): void {
    this.#plan.dispose();
  }

  /** Shapes of the tensors in the file. @internal */
  shapes(): Record<string, number[]> {
    return (this.description.shapes as Record<string, number[]> | undefined) ?? {};
  }

  protected tensors(): Record<string, Tensor> {
    const shapes = this.shapes();
    checkParameters("network", this.description, this.#numbers);
    return Object.fromEntries(
      Object.entries(this.#numbers).map(([name, values]) => [name, { shape: shapes[name] ?? [values.length], values }]),
    ) as Record<string, Tensor>;
  }

  protected scoresInto(read: ReadRow, from: number, count: number, z: Float64Array, given?: GivenRows): void {
    const plan = this.#plan;
    const { columnCount } = this.pipeline;
    const outputs = this.outputCount;
    // Matrices are handled here, because describing their layout would allocate an object per call.
    const matrix = given && this.#takesMatrix && isFloats(given) ? given : undefined;
    const lying = given && !matrix && "open" in given ? lyingRows(this.pipeline, given) : undefined;
    const values = matrix ?? (lying && !lying.entries && lying.stride === columnCount ? lying.values : undefined);
    const rounds = matrix ? this.#rounds : lying?.isF32 === true;
    for (let done = 0; done < count; done += plan.chunk) {
      const rows = Math.min(plan.chunk, count - done);
      const batch = plan.open(rows, "x", "z");
      const x = batch.input;
      if (!(values && copied(batch, values, rounds, from + done, rows, columnCount))) {
        for (let i = 0, to = 0; i < rows; i++, to += columnCount) {
          const { values, columns, count: entries } = read(from + done + i);
          if (columns) {
            x.fill(0, to, to + columnCount);
            for (let e = 0; e < entries; e++) x[to + columns[e]] = values[e];
          } else for (let j = 0; j < columnCount; j++) x[to + j] = values[j];
        }
      }
      batch.run();
      const { output } = batch;
      // For a few outputs, a loop is faster than calling `set`.
      for (let i = 0, to = done * outputs; i < output.length; i++, to++) z[to] = output[i];
    }
  }
}

/**
 * Copies rows from an array to the input of a batch. `rounds`: to float32. Returns false if the rows cannot be copied
 * and must be read one by one. The reader then rounds each row, or reports a number that is not finite.
 */
function copied(
  batch: OpenBatch,
  values: Float32Array | Float64Array,
  rounds: boolean,
  from: number,
  rows: number,
  columns: number,
): boolean {
  const { input } = batch;
  if (rounds && input instanceof Float64Array && values instanceof Float64Array) return false;
  if (input.length !== rows * columns) return false;
  // Avoids a view if possible, because a view is an object that must be allocated per call.
  input.set(rows * columns === values.length ? values : values.subarray(from * columns, (from + rows) * columns));
  return batch.isFinite();
}

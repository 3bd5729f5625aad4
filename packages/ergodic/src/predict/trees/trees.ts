/**
 * A trained ensemble of decision trees: gradient boosting, a forest or a single tree. ensemble.ts describes the arrays.
 */

import type { PredictionKind, SavedModel } from "../../engine/contract/index.ts";
import type { ReadRow } from "../../engine/data/rows.ts";
import type { Tensor } from "../../engine/files/safetensors.ts";
import { OutputPredictor } from "../output-predictor.ts";
import { forgetMemory, type HasMemory, noteMemory } from "../plan/live-memories.ts";
import { type Ensemble, ensembleFrom, ensembleShapes, ensembleTensors } from "./ensemble.ts";
import { addPlainly, divideSums } from "./plain.ts";
import { Walks } from "./walks.ts";

/**
 * A trained ensemble of trees. `K` is the kind of target if the compiler knows the loss. `K` determines the types of
 * `value` and of the metrics that `evaluate` returns.
 */
export class TreesPredictor<K extends PredictionKind = PredictionKind, Names extends string = string>
  extends OutputPredictor<K, Names>
  implements HasMemory
{
  protected static override readonly typeName: string = "TreesPredictor";
  /** Kind of predictor. */
  readonly kind = "trees";
  /** The trees. @internal */
  readonly ensemble: Ensemble;
  /** The kernel, or null if there is none; undefined until the work so far exceeds that of preparing it. */
  #walks: Walks | null | undefined;
  /** Number of walks through a tree so far. */
  #walked = 0;
  readonly #holder = new WeakRef<HasMemory>(this);
  /** Whether rows are being computed. A row's getter can run user code that makes another prediction. */
  #isBusy = false;

  constructor(saved: SavedModel, where = "trees") {
    super(saved, where);
    const columns = this.pipeline.columnCount;
    this.ensemble = ensembleFrom(saved, { columns, outputs: this.outputCount, where });
  }

  /** Number of trees. With several classes, each round of boosting makes one tree per class. */
  get treeCount(): number {
    return this.ensemble.outputOf.length;
  }

  /** Shapes of the tensors in the file. @internal */
  shapes(): Record<string, number[]> {
    return ensembleShapes(this.ensemble);
  }

  /** Drops the kernel and its memory. The next prediction makes them again. @internal */
  giveUp(): void {
    this.#walks = undefined;
  }

  override dispose(): void {
    forgetMemory(this.#holder);
    this.giveUp();
  }

  protected tensors(): Record<string, Tensor> {
    return ensembleTensors(this.ensemble);
  }

  protected scoresInto(read: ReadRow, from: number, count: number, z: Float64Array): void {
    this.addTo(read, from, count, z, 0, this.treeCount);
    divideSums(this.ensemble, z, count);
  }

  /**
   * Adds trees to the outputs of rows: reads the rows [from, from + count) and adds the trees [first, end) to z:
   * float64[count × outputs]. With first = 0, z starts at the base, or at 0 if the
   * sums are to be divided. Adding trees in several calls gives the same bits
   * as adding all in one call. @internal
   */
  addTo(read: ReadRow, from: number, count: number, z: Float64Array, first: number, end: number): void {
    const { ensemble } = this;
    this.#walked += count * (end - first);
    if (this.#walks === undefined && this.#walked >= ensemble.feature.length) this.#walks = Walks.of(ensemble);
    const walks = this.#walks;
    if (!walks || this.#isBusy) {
      addPlainly(ensemble, this.pipeline.columnCount, read, from, count, z, first, end);
      return;
    }
    this.#isBusy = true;
    try {
      noteMemory(this.#holder);
      walks.addTo(read, from, count, z, first, end);
    } finally {
      this.#isBusy = false;
    }
  }
}

/**
 * A trained ensemble of decision trees: gradient boosting, a forest or a single tree. ensemble.ts describes the arrays.
 */

import type { PredictionKind, SavedModel } from "../../engine/contract/index.ts";
import type { ReadRow } from "../../engine/data/rows.ts";
import type { Tensor } from "../../engine/files/safetensors.ts";
import { OutputPredictor } from "../output-predictor.ts";
import { type Ensemble, ensembleFrom, ensembleShapes, ensembleTensors, leafNode } from "./ensemble.ts";

/** Number of rows that pass through a tree together, so that the tree stays in the cache. */
const BLOCK = 64;

/**
 * A trained ensemble of trees. `K` is the kind of target if the compiler knows the loss. `K` determines the types of
 * `value` and of the metrics that `evaluate` returns.
 */
export class TreesPredictor<K extends PredictionKind = PredictionKind, Names extends string = string> extends OutputPredictor<
  K,
  Names
> {
  protected static override readonly typeName: string = "TreesPredictor";
  /** Kind of predictor. */
  readonly kind = "trees";
  /** The trees. @internal */
  readonly ensemble: Ensemble;
  readonly #rows: Float64Array;
  /** Whether every split compares a number with x < threshold, and only NaN is missing. */
  readonly #isPlain: boolean;

  constructor(saved: SavedModel, where = "trees") {
    super(saved, where);
    const columns = this.pipeline.columnCount;
    this.ensemble = ensembleFrom(saved, { columns, outputs: this.outputCount, where });
    this.#rows = new Float64Array(BLOCK * columns);
    this.#isPlain = this.ensemble.sets.length === 0 && this.ensemble.rule.every((rule) => rule < 2);
  }

  /** Number of trees. With several classes, each round of boosting makes one tree per class. */
  get treeCount(): number {
    return this.ensemble.outputOf.length;
  }

  /** Shapes of the tensors in the file. @internal */
  shapes(): Record<string, number[]> {
    return ensembleShapes(this.ensemble);
  }

  protected tensors(): Record<string, Tensor> {
    return ensembleTensors(this.ensemble);
  }

  protected scoresInto(read: ReadRow, from: number, count: number, z: Float64Array): void {
    for (let done = 0; done < count; done += BLOCK) {
      const some = Math.min(BLOCK, count - done);
      this.#readRows(read, from + done, some);
      this.addTrees(0, this.treeCount, some, z, done);
      this.#divide(z, done, some);
    }
  }

  /** Divides the sums of rows [from, from + count) by the divisor, if there is one, and adds the base. */
  #divide(z: Float64Array, from: number, count: number): void {
    const { base, divisor = 1 } = this.ensemble;
    const outputs = this.outputCount;
    if (divisor === 1) return;
    for (let i = from * outputs; i < (from + count) * outputs; i++) z[i] = base[i % outputs] + z[i] / divisor;
  }

  /**
   * Adds trees to the outputs of rows: reads the rows [from, from + count) and adds the trees [first, end) to z:
   * float64[count × outputs]. With first = 0, z starts at the base. Adding trees in several calls gives the same bits
   * as adding all in one call, unless outputs are summed in float32. @internal
   */
  addTo(read: ReadRow, from: number, count: number, z: Float64Array, first: number, end: number): void {
    for (let done = 0; done < count; done += BLOCK) {
      const some = Math.min(BLOCK, count - done);
      this.#readRows(read, from + done, some);
      this.addTrees(first, end, some, z, done);
    }
  }

  #readRows(read: ReadRow, from: number, count: number): void {
    const rows = this.#rows;
    const columns = this.pipeline.columnCount;
    const rounds = this.ensemble.threshold instanceof Float32Array;
    for (let i = 0, to = 0; i < count; i++, to += columns) {
      const row = read(from + i);
      const { values } = row;
      if (row.columns) {
        rows.fill(0, to, to + columns);
        for (let e = 0; e < row.count; e++) rows[to + row.columns[e]] = values[e];
      } else for (let j = 0; j < columns; j++) rows[to + j] = values[j];
      if (rounds) for (let j = to; j < to + columns; j++) rows[j] = Math.fround(rows[j]);
    }
  }

  /** Adds the trees to z of the rows that were read last, from row `done` of z. */
  private addTrees(first: number, end: number, count: number, z: Float64Array, done: number): void {
    const { ensemble } = this;
    const { outputOf, left, values, leafWidth, base, isFloatSum } = ensemble;
    const rows = this.#rows;
    const columns = this.pipeline.columnCount;
    const outputs = this.outputCount;
    const start = (ensemble.divisor ?? 1) === 1 ? base : new Float64Array(outputs);
    if (first === 0) for (let i = 0; i < count; i++) z.set(start, (done + i) * outputs);
    for (let t = first; t < end; t++) {
      for (let i = 0; i < count; i++) {
        const leaf = left[this.#isPlain ? this.plainLeaf(t, i * columns) : leafNode(ensemble, t, rows, i * columns)];
        const to = (done + i) * outputs;
        if (leafWidth === 1) {
          const sum = z[to + outputOf[t]] + values[leaf];
          z[to + outputOf[t]] = isFloatSum ? Math.fround(sum) : sum;
        } else {
          for (let k = 0; k < outputs; k++) z[to + k] += values[leaf * outputs + k];
          if (isFloatSum) for (let k = to; k < to + outputs; k++) z[k] = Math.fround(z[k]);
        }
      }
    }
  }

  /** `leafNode` without sets and with x < threshold, which is faster. */
  private plainLeaf(t: number, from: number): number {
    const { firstNode, feature, threshold, left, right, rule } = this.ensemble;
    const rows = this.#rows;
    let n = firstNode[t];
    for (let f = feature[n]; f >= 0; f = feature[n]) {
      const x = rows[from + f];
      n = x < threshold[n] || (rule[n] === 1 && Number.isNaN(x)) ? left[n] : right[n];
    }
    return n;
  }
}

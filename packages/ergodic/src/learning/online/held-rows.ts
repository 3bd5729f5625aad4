import { Dataset, type Pipeline } from "../../engine/data/dataset.ts";
import { type DataLayout, elementBytes, place, rowStride } from "../../engine/data/layout.ts";
import { engineMemory } from "../../engine/memory/memory.ts";
import type { OnlineRows } from "./types.ts";

/** Maximum number of rows in memory. If rows are long, fewer rows are stored. */
const MOST_ROWS = 256;
/** Maximum number of values in memory. This maximum can be exceeded only by a single batch. */
const MOST_VALUES = 2 ** 20;

/** Dataset whose rows are overwritten repeatedly. The problem of an online run is bound to this dataset. */
export class HeldRows {
  readonly dataset: Dataset;
  /** Capacity in rows, which is a multiple of the batch size. */
  readonly rowCount: number;
  /** For sparse rows, the capacity in entries, including intercepts. */
  readonly entryCount: number;
  readonly #layout: DataLayout;

  /** `targets`: two values that the loss accepts. Because there are at least two rows, both values occur. */
  constructor(pipeline: Pipeline, batch: number, targets: readonly [number, number]) {
    const { columnCount, format, type } = pipeline.shape;
    const size = elementBytes[type];
    const isSparse = format === "sparse";
    const batches = isSparse ? 2 : Math.max(2, Math.floor(Math.min(MOST_ROWS, MOST_VALUES / (columnCount + 1)) / batch));
    const rowCount = batch * batches;
    const stride = isSparse ? 0 : rowStride(type, columnCount);
    this.rowCount = rowCount;
    this.entryCount = isSparse ? Math.min(rowCount * (columnCount + 1), Math.max(MOST_VALUES, 2 * rowCount)) : 0;
    const values = (isSparse ? this.entryCount : rowCount * stride) * size;
    const { offsets, bytes } = place([
      values,
      isSparse ? 4 * (rowCount + 1) : 0,
      4 * this.entryCount,
      8 * rowCount,
      8 * rowCount,
    ]);
    const allocation = engineMemory().allocate(bytes, "rows to learn");
    const at = (i: number): number => allocation.pointer + offsets[i];
    this.#layout = Object.freeze({
      ...{ format, type, rowCount, columnCount, stride, one: 1, scale: 1, values: at(0) },
      ...{ rowStart: isSparse ? at(1) : 0, columnIndex: isSparse ? at(2) : 0, target: at(3), weights: at(4), offset: 0 },
    });
    const memory = engineMemory();
    memory.f64(this.#layout.target, rowCount).set(Float64Array.from({ length: rowCount }, (_, i) => targets[i % 2]));
    memory.f64(this.#layout.weights, rowCount).fill(1);
    if (isSparse) {
      // Initial rows contain only the intercept.
      memory.u32(this.#layout.rowStart, rowCount + 1).set(Uint32Array.from({ length: rowCount + 1 }, (_, i) => i));
      memory.u32(this.#layout.columnIndex, rowCount).fill(columnCount);
    }
    const ones = memory[type](this.#layout.values, isSparse ? rowCount : rowCount * stride);
    for (let i = 0; i < rowCount; i++) ones[isSparse ? i : i * stride + columnCount] = 1;
    this.dataset = new Dataset({ layout: this.#layout, allocation }, pipeline, "rows to learn");
  }

  /**
   * Writes rows [first, first + count) to the place from which kernels read them. If the rows are sparse, returns their
   * columns, including intercepts.
   */
  write({ starts, columns, values }: OnlineRows, first: number, count: number): Uint32Array | undefined {
    const { stride, columnCount, type, rowStart, columnIndex, values: pointer } = this.#layout;
    const memory = engineMemory();
    if (!starts || !columns) {
      const to = memory[type](pointer, count * stride);
      for (let i = 0; i < count; i++)
        to.set(values.subarray((first + i) * columnCount, (first + i + 1) * columnCount), i * stride);
      return undefined;
    }
    const total = starts[first + count] - starts[first] + count;
    const [ends, index, to] = [memory.u32(rowStart, count + 1), memory.u32(columnIndex, total), memory[type](pointer, total)];
    let at = 0;
    ends[0] = 0;
    for (let i = 0; i < count; i++) {
      for (let e = starts[first + i]; e < starts[first + i + 1]; e++) {
        index[at] = columns[e];
        to[at++] = values[e];
      }
      index[at] = columnCount;
      to[at++] = 1;
      ends[i + 1] = at;
    }
    return index;
  }
}

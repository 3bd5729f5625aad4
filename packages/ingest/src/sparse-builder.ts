import type { SparseTable } from "ergodic/data";
import { commentRemark } from "./comment.ts";

/**
 * Collects sparse rows and makes a `SparseTable` from them, for LIBSVM and VW. Arrays double. A hot loop reserves space
 * once per block of bytes, after which it writes without checks.
 */
export class SparseBuilder {
  rowCount = 0;
  /** Number of non-zeros so far, including the open row. */
  entryCount = 0;
  /** Whether columns are hashes of names. */
  hashed = false;
  columnIndex = new Uint32Array(0);
  values = new Float64Array(0);
  readonly file: string;
  readonly blockRows: number;

  #rowStart = new Uint32Array(256);
  #target = new Float64Array(256);
  #weights = new Float64Array(256);
  #weighted = false;
  #comments = 0;
  #comment = "";

  constructor(file: string, blockRows = Infinity) {
    this.file = file;
    this.blockRows = blockRows;
  }

  reserve(entries: number): void {
    const wanted = this.entryCount + entries;
    if (wanted <= this.values.length) return;
    const size = Math.max(wanted, 2 * this.values.length);
    const columnIndex = new Uint32Array(size);
    columnIndex.set(this.columnIndex.subarray(0, this.entryCount));
    const values = new Float64Array(size);
    values.set(this.values.subarray(0, this.entryCount));
    this.columnIndex = columnIndex;
    this.values = values;
  }

  /** Closes a row whose entries end at `entryCount`. Returns true if a block is full. */
  endRow(target: number, weight: number, entryCount: number): boolean {
    if (this.rowCount + 1 >= this.#rowStart.length) {
      const size = 2 * this.#rowStart.length;
      this.#rowStart = widened(this.#rowStart, new Uint32Array(size));
      this.#target = widened(this.#target, new Float64Array(size));
      this.#weights = widened(this.#weights, new Float64Array(size));
    }
    this.#target[this.rowCount] = target;
    this.#weights[this.rowCount] = weight;
    if (weight !== 1) this.#weighted = true;
    this.entryCount = entryCount;
    this.#rowStart[++this.rowCount] = entryCount;
    return this.rowCount === this.blockRows;
  }

  /** Counts lines that were not read because they begin with `mark`. */
  skipComments(count: number, mark: string): void {
    this.#comments += count;
    this.#comment = mark;
  }

  /** Returns the rows since the last take, and starts the next block. */
  take(columnCount: number): SparseTable {
    const { rowCount, entryCount } = this;
    const table: SparseTable = {
      rowCount,
      columnCount,
      rowStart: this.#rowStart.subarray(0, rowCount + 1),
      columnIndex: this.columnIndex.subarray(0, entryCount),
      values: this.values.subarray(0, entryCount),
      target: this.#target.subarray(0, rowCount),
      source: this.file,
    };
    if (this.hashed) table.hashed = true;
    if (this.#weighted) table.weights = this.#weights.subarray(0, rowCount);
    if (this.#comments > 0) table.remarks = [commentRemark(this.#comments, rowCount, this.#comment)];
    this.#comments = 0;
    this.rowCount = 0;
    this.entryCount = 0;
    this.columnIndex = new Uint32Array(0);
    this.values = new Float64Array(0);
    this.#rowStart = new Uint32Array(256);
    this.#target = new Float64Array(256);
    this.#weights = new Float64Array(256);
    this.#weighted = false;
    return table;
  }
}

function widened<A extends Uint32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

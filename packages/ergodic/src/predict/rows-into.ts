import { refuse } from "../base/checks.ts";
import { OptionError } from "../base/errors.ts";
import { isList } from "../data/number-cells.ts";
import type { HeldRow, StepPipeline } from "../data/pipeline.ts";
import type { ReadRow } from "../data/rows.ts";
import type { Row } from "../data/table.ts";

type Matrix = Float64Array | Float32Array;
type Rows = readonly Row[] | readonly ArrayLike<number>[];

/** Rows that are computed at a time. */
const CHUNK = 256;
const NONE: Rows = [];

/** Raw rows on their way to predictions in an array of the caller's: nothing is made for them but what stays for the next ones. */
export class RowsInto {
  readonly chunk = CHUNK;
  /** Row i of those that were given last, through the pipeline. */
  readonly read: ReadRow;
  readonly #pipeline: StepPipeline;
  readonly #inputs: number;
  /** A row of a matrix. */
  readonly #row: Float64Array;
  #listed: HeldRow | undefined;
  #named: HeldRow | undefined;
  #matrix: Matrix | undefined;
  #rows: Rows = NONE;
  #z = new Float64Array(0);

  constructor(pipeline: StepPipeline, inputs: number) {
    this.#pipeline = pipeline;
    this.#inputs = inputs;
    this.#row = new Float64Array(this.#inputs);
    this.read = (i) => (this.#matrix ? this.#ofMatrix(this.#matrix, i) : this.#ofRows(i));
  }

  /** How many rows there are. @throws OptionError unless `out` has room for them */
  begin(rows: Matrix | Rows, out: Float64Array, width: number): number {
    const isMatrix = rows instanceof Float64Array || rows instanceof Float32Array;
    if (!isMatrix && !Array.isArray(rows))
      refuse("predictInto", "rows", rows, "a Float64Array, a Float32Array or a list of rows", "new Float64Array(rows × columns)");
    if (!(out instanceof Float64Array))
      refuse("predictInto", "out", out, "a Float64Array", "new Float64Array(model.width * rowCount)");
    const count = isMatrix ? Math.floor(rows.length / this.#inputs) : rows.length;
    if (isMatrix && rows.length % this.#inputs !== 0) {
      const problem = `the matrix has ${rows.length} numbers, which are not whole rows of ${this.#inputs}`;
      throw new OptionError("predictInto", `${problem}; give rows one after another`, "PREDICT_INPUT");
    }
    if (out.length < count * width) {
      const problem = `out has room for ${out.length} numbers, but ${count} rows have ${count * width}`;
      throw new OptionError("predictInto", `${problem}; make it new Float64Array(model.width * rowCount)`, "PREDICT_INPUT");
    }
    this.#matrix = isMatrix ? rows : undefined;
    this.#rows = isMatrix ? NONE : (rows as Rows);
    return count;
  }

  /** An array of at least so many numbers, the same one each time. */
  room(count: number): Float64Array {
    if (this.#z.length < count) this.#z = new Float64Array(count);
    return this.#z;
  }

  /** Where a row could not be read, the error that names it as one of all; else the one that was given. */
  blame(error: unknown): never {
    const all = this.#all();
    const read = this.#pipeline.rowsOf(all).open();
    for (let i = 0; i < all.length; i++) read(i);
    throw error;
  }

  #all(): Rows {
    const matrix = this.#matrix;
    if (!matrix) return this.#rows;
    const count = matrix.length / this.#inputs;
    return Array.from({ length: count }, (_, i) => matrix.subarray(i * this.#inputs, (i + 1) * this.#inputs));
  }

  #ofMatrix(matrix: Matrix, i: number): ReturnType<ReadRow> {
    const row = this.#row;
    for (let j = 0, at = i * row.length; j < row.length; j++) row[j] = matrix[at + j];
    return this.#through(row, true);
  }

  #ofRows(i: number): ReturnType<ReadRow> {
    const row = this.#rows[i];
    return this.#through(row, isList(this.#rows[0]));
  }

  #through(row: Row | ArrayLike<number>, isListed: boolean): ReturnType<ReadRow> {
    const holding = isListed ? (this.#listed ??= this.#pipeline.holding(row)) : (this.#named ??= this.#pipeline.holding(row));
    holding.held[0] = row;
    return holding.read(0);
  }
}

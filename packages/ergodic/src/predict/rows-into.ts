import { isList } from "../engine/data/number-cells.ts";
import type { HeldRow, StepPipeline } from "../engine/data/pipeline.ts";
import type { ReadRow } from "../engine/data/rows.ts";
import type { Row } from "../engine/data/table.ts";
import { refuse } from "../engine/errors/checks.ts";
import { OptionError } from "../engine/errors/errors.ts";

type Matrix = Float64Array | Float32Array;
type Rows = readonly Row[] | readonly ArrayLike<number>[];

/** Number of rows that are computed in one call. */
export const CHUNK = 256;
const NONE: Rows = [];

/**
 * Computes the predictions for raw rows and writes them into the caller's array. All buffers are reused, and nothing is
 * allocated.
 */
export class RowsInto {
  /** Reads row i of the latest rows, through the pipeline. */
  readonly read: ReadRow;
  readonly #pipeline: StepPipeline;
  readonly #inputs: number;
  /** Buffer for a row of a matrix. */
  readonly #row: Float64Array;
  #listed: HeldRow | undefined;
  #named: HeldRow | undefined;
  #matrix: Matrix | undefined;
  #rows: Rows = NONE;
  readonly #one: unknown[] = [];
  #z = new Float64Array(0);

  constructor(pipeline: StepPipeline, inputs: number) {
    this.#pipeline = pipeline;
    this.#inputs = inputs;
    this.#row = new Float64Array(this.#inputs);
    this.read = (i) => {
      const matrix = this.#matrix;
      if (!matrix) return this.#through(this.#rows[i], isList(this.#rows[0]));
      const row = this.#row;
      for (let j = 0, at = i * row.length; j < row.length; j++) row[j] = matrix[at + j];
      return this.#through(row, true);
    };
  }

  /** Takes the rows and returns their number. @throws OptionError unless `out` has room for them */
  begin(rows: Matrix | Rows, out: Float64Array, width: number): number {
    const isMatrix = rows instanceof Float64Array || rows instanceof Float32Array;
    if (!isMatrix && !Array.isArray(rows))
      refuse("predictInto", "rows", rows, "a Float64Array, a Float32Array or a list of rows", "new Float64Array(rows × columns)");
    if (!(out instanceof Float64Array))
      refuse("predictInto", "out", out, "a Float64Array", "new Float64Array(model.width * rowCount)");
    const count = rows.length / (isMatrix ? this.#inputs : 1);
    const refuseSize = (problem: string): never => {
      throw new OptionError("predictInto", problem, "PREDICT_INPUT");
    };
    if (!Number.isInteger(count))
      refuseSize(
        `the matrix has ${rows.length} numbers, which are not whole rows of ${this.#inputs}; give rows one after another`,
      );
    if (out.length < count * width)
      refuseSize(
        `out has room for ${out.length} numbers, but ${count} rows have ${count * width}; make it new Float64Array(model.width * rowCount)`,
      );
    this.#matrix = isMatrix ? rows : undefined;
    this.#rows = isMatrix ? NONE : (rows as Rows);
    return count;
  }

  /** Takes rows. */
  list(rows: Rows): void {
    this.#matrix = undefined;
    this.#rows = rows;
  }

  /** Takes one row. */
  one(row: Row | ArrayLike<number>): void {
    this.#matrix = undefined;
    this.#one[0] = row;
    this.#rows = this.#one as Rows;
  }

  /** Returns a reused array of at least `count` numbers. */
  room(count: number): Float64Array {
    if (this.#z.length < count) this.#z = new Float64Array(count);
    return this.#z;
  }

  /**
   * Throws an error for the first row that cannot be read, with its index among all rows. If all rows can be read,
   * throws the given error.
   */
  blame(error: unknown): never {
    const [matrix, inputs] = [this.#matrix, this.#inputs];
    const rowOf = (_: unknown, i: number): Matrix => matrix!.subarray(i * inputs, (i + 1) * inputs);
    const all = matrix ? Array.from({ length: matrix.length / inputs }, rowOf) : this.#rows;
    const read = this.#pipeline.rowsOf(all).open();
    for (let i = 0; i < all.length; i++) read(i);
    throw error;
  }

  #through(row: Row | ArrayLike<number>, isListed: boolean): ReturnType<ReadRow> {
    const holding = isListed ? (this.#listed ??= this.#pipeline.holding(row)) : (this.#named ??= this.#pipeline.holding(row));
    holding.held[0] = row;
    return holding.read(0);
  }
}

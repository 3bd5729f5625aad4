/**
 * Interfaces of the steps in `transformations/` and `features/`, which process rows on the way from a raw table to
 * engine memory.
 *
 * A source step reads raw rows, and every later step maps one row to one row, so that no intermediate matrix is stored.
 * Row objects are reused between calls, so callers must copy a row to keep it. If `Shape.type` is f32, values are
 * rounded to f32 after every step whose output a dataset could store (`stored`). A run of the whole pipeline therefore
 * gives the same bits as applying its steps to datasets one by one.
 */
import { DataError } from "../errors/errors.ts";
import type { EngineMemory } from "../memory/memory.ts";
import type { DataLayout, Format } from "./layout.ts";

/** One row: dense (`columns` is null, values[0..count)) or sparse (column of entry k is columns[k], ascending). */
export interface RowVector {
  count: number;
  columns: Uint32Array | null;
  values: Float64Array;
}

/** A raw column, before it is encoded as numbers. */
export type RawColumn = (
  | { readonly name: string; readonly kind: "number" }
  | { readonly name: string; readonly kind: "category"; readonly levels: readonly string[] }
) & {
  /** For a column with a part of a date: the raw column that holds the date, and the name of the part (dates.ts). */
  readonly of?: string;
  readonly part?: string;
};

/** Description of the rows between two steps. */
export interface Shape {
  readonly columnCount: number;
  readonly format: Format;
  readonly type: "f32" | "f64";
  /**
   * Whether a dataset could store the rows. False if rows consist of table cells, where a category is still a level
   * index (−1 = unknown, NaN = missing).
   */
  readonly stored: boolean;
  readonly cells?: readonly RawColumn[];
  /** Whether values can be NaN, which means that they are missing. */
  readonly gaps?: boolean;
  /** Array shape of the columns, with the last index varying fastest; see transformations/row-shape.ts. */
  readonly rowShape?: readonly number[];
  /**
   * For sparse rows of a table: the ascending indices of the number columns, and the maximum number of entries per row
   * (one per cell).
   */
  readonly table?: { readonly numbers: readonly number[]; readonly most: number };
  /**
   * Returns the column names. The names are computed on demand, because a hashed dataset can have millions of columns.
   */
  readonly names: () => readonly string[];
  /** Returns the name of one column. Present if this name can be computed without the other names. */
  readonly name?: (j: number) => string;
}

export interface RowSource {
  readonly rowCount: number;
  readonly shape: Shape;
  /** Offset added to the output of each row, if there is one. */
  readonly offset?: Float64Array | null;
  /** For sparse rows: an upper bound on the number of entries, if one is known in advance. */
  readonly entryCount?: number;
  /** Layout in memory, for rows of a dataset. */
  readonly stored?: () => { readonly layout: DataLayout; readonly memory: EngineMemory };
  /** Opens a reader of rows by index. */
  open(): ReadRow;
}

/** Returns the row with this index. The next call overwrites the row. */
export type ReadRow = (index: number) => RowVector;

export function forEachRow(rows: RowSource, visit: (row: RowVector, index: number) => void): void {
  const read = rows.open();
  for (let i = 0; i < rows.rowCount; i++) visit(read(i), i);
}

/** A step of a pipeline, as stored in a saved model. */
export interface Step {
  readonly kind: string;
}

export interface TargetColumn {
  readonly name: string;
  readonly kind: "number" | "category";
  /** Classes in order. The target of a row is then the index of the row's class. */
  readonly levels?: string[];
}

/** The first step of every pipeline. */
export interface SourceStep extends Step {
  /** Name of the data in errors, e.g. the file that the pipeline was made from. */
  readonly source: string;
  readonly type: "f32" | "f64";
  readonly target: TargetColumn;
  readonly weights: string | null;
  /** Name of the offset column, if rows have an offset. */
  readonly offset?: string;
}

/** Cost of a pipeline step: the cost of starting the step, and of applying it to one row. */
export interface Cost {
  /** Computing time, in units of one multiply-add of a matrix product (about 0.3 ns). */
  readonly work: number;
  readonly bytes: number;
}

export interface Transformation<S extends Step> {
  readonly kind: S["kind"];
  /**
   * Returns the shape of the step's output for rows of shape `input`. @throws DataError if the step does not fit them
   */
  output(step: S, input: Shape): Shape;
  /**
   * Cost of `start`, plus the cost of one row without the output columns. Absent if the cost is not larger than the
   * size of the step's JSON.
   */
  cost?(step: S): Cost;
  /**
   * Prepares the mapping of rows. The pipeline calls this function once per run. `where` prefixes errors, `index`
   * counts rows from 0.
   */
  start(step: S, input: Shape, where: string): (row: RowVector, index: number) => RowVector;
}

export function denseRow(count: number): RowVector {
  return { count, columns: null, values: new Float64Array(count) };
}

/** A sparse row that grows as entries are pushed. */
export class SparseRow implements RowVector {
  count = 0;
  columns = new Uint32Array(16);
  values = new Float64Array(16);

  push(column: number, value: number): void {
    if (this.count === this.columns.length) this.#grow();
    this.columns[this.count] = column;
    this.values[this.count++] = value;
  }

  #grow(): void {
    const columns = new Uint32Array(2 * this.count);
    const values = new Float64Array(2 * this.count);
    columns.set(this.columns);
    values.set(this.values);
    this.columns = columns;
    this.values = values;
  }
}

export function roundToF32(row: RowVector): void {
  const { count, values } = row;
  for (let k = 0; k < count; k++) values[k] = Math.fround(values[k]);
}

/** Returns the rows of `source` after `step`, rounded to f32 if the shape requires it. */
export function mapped<S extends Step>(source: RowSource, transformation: Transformation<S>, step: S, where: string): RowSource {
  const shape = transformation.output(step, source.shape);
  const rounds = shape.stored && shape.type === "f32";
  return {
    rowCount: source.rowCount,
    shape,
    open() {
      const read = source.open();
      const map = transformation.start(step, source.shape, where);
      return (i) => {
        const out = map(read(i), i);
        if (rounds) roundToF32(out);
        return out;
      };
    },
  };
}

/** Always throws. @throws DataError for a value that is not finite */
export function refuseValue(source: string, index: number, name: string, value: number, type: string): never {
  const problem = Number.isNaN(value)
    ? "is not a number (NaN)"
    : `is too large for ${type}; rescale the column${type === "f32" ? ' or pass type: "f64"' : ""}`;
  throw new DataError(source, `row ${index + 1}: column "${name}" ${problem}`, "DATA_VALUE");
}

/**
 * Rows on their way from a raw table to engine memory: the contract of the steps in `transformations/` and `features/`.
 *
 * A source step reads raw rows; every later step maps one row to one row. Nothing holds a whole matrix in between. A row is reused
 * from call to call: whoever keeps one copies it. Where `Shape.type` is f32, values are rounded to f32 after every step whose
 * output a dataset could hold (`stored`), so that stepping through datasets and running a pipeline give the same bits.
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

/** A raw column before it becomes numbers. */
export type RawColumn = (
  | { readonly name: string; readonly kind: "number" }
  | { readonly name: string; readonly kind: "category"; readonly levels: readonly string[] }
) & {
  /** Of a part of a date: the column that rows have, and which part (dates.ts). */
  readonly of?: string;
  readonly part?: string;
};

/** What the rows between two steps look like. */
export interface Shape {
  readonly columnCount: number;
  readonly format: Format;
  readonly type: "f32" | "f64";
  /** False for cells of a table, where a category is still a level index, −1 = unknown, NaN = missing. */
  readonly stored: boolean;
  readonly cells?: readonly RawColumn[];
  /** The columns as an array of these sizes, last index fastest; see transformations/row-shape.ts. */
  readonly rowShape?: readonly number[];
  /** Sparse rows of a table: which columns are its numbers, ascending, and how many entries a row has at most, one a cell. */
  readonly table?: { readonly numbers: readonly number[]; readonly most: number };
  /** Made on demand: a hashed dataset may have millions of columns. */
  readonly names: () => readonly string[];
  /** One of them, where it can be told without the others. */
  readonly name?: (j: number) => string;
}

export interface RowSource {
  readonly rowCount: number;
  readonly shape: Shape;
  /** What is added to the output of each row, where anything is. */
  readonly offset?: Float64Array | null;
  /** Sparse: how many entries there are at most, where that is known beforehand. */
  readonly entryCount?: number;
  /** Of a dataset: where the rows lie. */
  readonly stored?: () => { readonly layout: DataLayout; readonly memory: EngineMemory };
  /** Reads rows by their index. */
  open(): ReadRow;
}

/** The row of an index, which the next call overwrites. */
export type ReadRow = (index: number) => RowVector;

export function forEachRow(rows: RowSource, visit: (row: RowVector, index: number) => void): void {
  const read = rows.open();
  for (let i = 0; i < rows.rowCount; i++) visit(read(i), i);
}

/** A step of a pipeline, as it stands in a saved model. */
export interface Step {
  readonly kind: string;
}

export interface TargetColumn {
  readonly name: string;
  readonly kind: "number" | "category";
  /** Classes in order; the target of a row is the index of its class. */
  readonly levels?: string[];
}

/** The first step of every pipeline. */
export interface SourceStep extends Step {
  /** Names the data in errors, e.g. the file that the pipeline was made from. */
  readonly source: string;
  readonly type: "f32" | "f64";
  readonly target: TargetColumn;
  readonly weights: string | null;
  /** Where rows have an offset. */
  readonly offset?: string;
}

/** Cost of starting a step and of one row. */
export interface Cost {
  /** In multiply-adds of a matrix product, about 0.3 ns each. */
  readonly work: number;
  readonly bytes: number;
}

export interface Transformation<S extends Step> {
  readonly kind: S["kind"];
  /** What the step gives for rows of shape `input`. @throws DataError if the step does not fit them */
  output(step: S, input: Shape): Shape;
  /** Cost of `start` and of one row, besides the columns that come out. Absent if it is no more than the size of the step's description. */
  cost?(step: S): Cost;
  /** The step's map of one row; called once an application. `where` opens its errors, `index` counts rows from 0. */
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

/** Rows `source` after `step`, rounded where the shape says so. */
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

/** @throws DataError for a value that is not finite, always */
export function refuseValue(source: string, index: number, name: string, value: number, type: string): never {
  const problem = Number.isNaN(value)
    ? "is not a number (NaN)"
    : `is too large for ${type}; rescale the column${type === "f32" ? ' or pass type: "f64"' : ""}`;
  throw new DataError(source, `row ${index + 1}: column "${name}" ${problem}`, "DATA_VALUE");
}

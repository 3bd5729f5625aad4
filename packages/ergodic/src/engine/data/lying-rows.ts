import type { EngineMemory } from "../memory/memory.ts";
import type { DataLayout } from "./layout.ts";
import type { RawRows } from "./raw.ts";
import type { RowSource, Shape, SourceStep, Step } from "./rows.ts";
import type { NumbersStep } from "./transformations/numbers.ts";

/** Rows that can be read directly from existing arrays, so that no reader of single rows is needed. */
export interface LyingRows {
  /** Row values, not checked to be finite. */
  readonly values: Float32Array | Float64Array;
  /** Whether the pipeline's numbers are float32. If so, float64 `values` must be rounded. */
  readonly isF32: boolean;
  /** Dense: row stride, in numbers. */
  readonly stride: number;
  /** Sparse: row i has the entries rowStart[i] to rowStart[i + 1] − `extra`. */
  readonly entries: { readonly rowStart: Uint32Array; readonly columnIndex: Uint32Array; readonly extra: number } | null;
}

/**
 * Input rows: a row-major matrix, raw rows that have been checked, or rows of a dataset that already has the pipeline's
 * columns.
 */
export type GivenRows = Float64Array | Float32Array | RawRows | RowSource;

interface Steps {
  readonly steps: readonly Step[];
  readonly shape: Shape;
}

/** A pipeline that uses the numbers as they are, except for rounding. */
export interface PlainNumbers {
  readonly source: NumbersStep;
  /** Whether numbers are rounded to float32. */
  readonly rounds: boolean;
}

export function plainNumbers({ steps }: Pick<Steps, "steps">): PlainNumbers | undefined {
  const [source, ...later] = steps as readonly [NumbersStep, ...Step[]];
  if (source.kind !== "numbers" || later.some(({ kind }) => kind !== "numberType" && kind !== "rowShape")) return undefined;
  return { source, rounds: steps.some((step) => (step as SourceStep).type === "f32") };
}

/** Returns the arrays that hold the rows, if the pipeline uses their numbers as they are or only rounds them. */
export function lyingRows(pipeline: Steps, given: GivenRows): LyingRows | undefined {
  if ("open" in given) return given.stored && ofLayout(given.stored());
  const plain = plainNumbers(pipeline);
  if (!plain) return undefined;
  const { source, rounds } = plain;
  if (isFloats(given))
    return source.format === "dense"
      ? { values: given, isF32: rounds || given instanceof Float32Array, stride: source.columnCount, entries: null }
      : undefined;
  // If both sides have column names, columns can have other positions, and unknown columns must be dropped.
  if (source.format === "dense" || !("rowStart" in given) || (source.names && given.names)) return undefined;
  if (given.columnCount > source.columnCount) return undefined;
  const { values, rowStart, columnIndex } = given;
  // Lists and other types of arrays can contain values that are not valid column indices.
  if (!isFloats(values) || !(rowStart instanceof Uint32Array && columnIndex instanceof Uint32Array)) return undefined;
  return { values, isF32: rounds || values instanceof Float32Array, stride: 0, entries: { rowStart, columnIndex, extra: 0 } };
}

export const isFloats = (given: unknown): given is Float32Array | Float64Array =>
  given instanceof Float32Array || given instanceof Float64Array;

/** Returns undefined for quantised numbers, which are not floats. */
function ofLayout({ layout, memory }: { layout: DataLayout; memory: EngineMemory }): LyingRows | undefined {
  const { type, rowCount, stride } = layout;
  if (type !== "f32" && type !== "f64") return undefined;
  const isF32 = type === "f32";
  if (layout.format === "dense") return { values: memory[type](layout.values, rowCount * stride), isF32, stride, entries: null };
  const rowStart = memory.u32(layout.rowStart, rowCount + 1);
  const count = rowStart[rowCount];
  const columnIndex = memory.u32(layout.columnIndex, count);
  return { values: memory[type](layout.values, count), isF32, stride: 0, entries: { rowStart, columnIndex, extra: 1 } };
}

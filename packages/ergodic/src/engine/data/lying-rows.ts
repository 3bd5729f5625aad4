import type { EngineMemory } from "../memory/memory.ts";
import type { DataLayout } from "./layout.ts";
import type { RawRows } from "./raw.ts";
import type { RowSource, Shape, SourceStep, Step } from "./rows.ts";
import type { NumbersStep } from "./transformations/numbers.ts";

/** Rows that are in arrays already, where others read them one by one. */
export interface LyingRows {
  /** Not checked to be finite. */
  readonly values: Float32Array | Float64Array;
  /** Whether the pipeline's numbers are float32: to be rounded where `values` are not. */
  readonly isF32: boolean;
  /** Dense: numbers from one row to the next. */
  readonly stride: number;
  /** Sparse: entries rowStart[i] to rowStart[i + 1] are those of row i, the last `extra` of which do not count. */
  readonly entries: { readonly rowStart: Uint32Array; readonly columnIndex: Uint32Array; readonly extra: number } | null;
}

/** What rows are made from: a matrix, rows one after another; raw rows, which have been checked; or a dataset's, which have the pipeline's columns. */
export type GivenRows = Float64Array | Float32Array | RawRows | RowSource;

interface Steps {
  readonly steps: readonly Step[];
  readonly shape: Shape;
}

/** A pipeline that takes numbers as they are, or rounds them at most. */
export interface PlainNumbers {
  readonly source: NumbersStep;
  /** To float32. */
  readonly rounds: boolean;
}

export function plainNumbers({ steps }: Pick<Steps, "steps">): PlainNumbers | undefined {
  const [source, ...later] = steps as readonly [NumbersStep, ...Step[]];
  if (source.kind !== "numbers" || later.some(({ kind }) => kind !== "numberType" && kind !== "rowShape")) return undefined;
  return { source, rounds: steps.some((step) => (step as SourceStep).type === "f32") };
}

/** Where the rows lie, if the pipeline takes them as they are, or rounds them at most; else undefined. */
export function lyingRows(pipeline: Steps, given: GivenRows): LyingRows | undefined {
  if ("open" in given) return given.stored && ofLayout(given.stored());
  const plain = plainNumbers(pipeline);
  if (!plain) return undefined;
  const { source, rounds } = plain;
  if (isFloats(given))
    return source.format === "dense"
      ? { values: given, isF32: rounds || given instanceof Float32Array, stride: source.columnCount, entries: null }
      : undefined;
  // Names may put columns elsewhere, and those that the pipeline lacks are to be passed over.
  if (source.format === "dense" || !("rowStart" in given) || (source.names && given.names)) return undefined;
  if (given.columnCount > source.columnCount) return undefined;
  const { values, rowStart, columnIndex } = given;
  // Of other types, and of lists, numbers may be no columns.
  if (!isFloats(values) || !(rowStart instanceof Uint32Array && columnIndex instanceof Uint32Array)) return undefined;
  return { values, isF32: rounds || values instanceof Float32Array, stride: 0, entries: { rowStart, columnIndex, extra: 0 } };
}

export const isFloats = (given: unknown): given is Float32Array | Float64Array =>
  given instanceof Float32Array || given instanceof Float64Array;

/** Quantised numbers are no floats. */
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

/** Converts a dataset to plain data for a thread with separate memory, and back. */
import { engineMemory } from "../memory/memory.ts";
import { Dataset, Pipeline } from "./dataset.ts";
import { type DataLayout, type Elements, elementBytes, elements } from "./layout.ts";
import { allocate } from "./storage.ts";

type Sizes = Pick<DataLayout, "format" | "type" | "rowCount" | "columnCount" | "stride" | "one" | "scale">;

/**
 * A dataset as plain data. `values`, `rowStart` and `columnIndex` have the memory layout of layout.ts. For dense rows,
 * `rowStart` and `columnIndex` are empty.
 */
export interface PortableData {
  readonly sizes: Sizes;
  readonly values: Elements;
  readonly rowStart: Uint32Array;
  readonly columnIndex: Uint32Array;
  readonly target: Float64Array;
  readonly weights: Float64Array | null;
  readonly offset: Float64Array | null;
  readonly steps: unknown;
  readonly source: string;
}

/** Copies a dataset to plain data. */
export function portableData(data: Dataset): PortableData {
  const { values, rowStart, columnIndex, target, weights, offset, ...sizes } = data.layout;
  const memory = engineMemory();
  const isSparse = sizes.format === "sparse";
  const starts = isSparse ? memory.u32(rowStart, sizes.rowCount + 1).slice() : new Uint32Array(0);
  const count = isSparse ? starts[sizes.rowCount] : sizes.rowCount * sizes.stride;
  return {
    sizes,
    values: elements(memory, sizes.type, values, count).slice(),
    rowStart: starts,
    columnIndex: isSparse ? memory.u32(columnIndex, count).slice() : new Uint32Array(0),
    target: memory.f64(target, sizes.rowCount).slice(),
    weights: weights === 0 ? null : memory.f64(weights, sizes.rowCount).slice(),
    offset: offset === 0 ? null : memory.f64(offset, sizes.rowCount).slice(),
    steps: data.pipeline.toJSON(),
    source: data.source,
  };
}

/** Makes a dataset with the same bits in this thread's memory. @throws MemoryLimitError */
export function dataFrom({ sizes, values, rowStart, columnIndex, source, steps, ...labels }: PortableData): Dataset {
  const bytes = [values.length * elementBytes[sizes.type], rowStart.byteLength, columnIndex.byteLength];
  const { allocation, pointers } = allocate(source, bytes, labels);
  const memory = engineMemory();
  elements(memory, sizes.type, pointers[0], values.length).set(values);
  memory.u32(pointers[1], rowStart.length).set(rowStart);
  memory.u32(pointers[2], columnIndex.length).set(columnIndex);
  const isSparse = sizes.format === "sparse";
  const at = { rowStart: isSparse ? pointers[1] : 0, columnIndex: isSparse ? pointers[2] : 0 };
  const [first, , , target, weights, offset] = pointers;
  const layout = Object.freeze({ ...sizes, ...at, values: first, target, weights, offset });
  return new Dataset({ layout, allocation }, Pipeline.fromJson(steps), source);
}

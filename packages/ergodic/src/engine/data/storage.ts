/** Stores rows in engine memory, reads them, and copies selected rows. The memory layout is in `layout.ts`. */
import { type Allocation, engineMemory } from "../memory/memory.ts";
import { type DataLayout, elementBytes, elements, place, rowStride } from "./layout.ts";
import { denseRow, forEachRow, type RowSource, refuseValue, type Shape, SparseRow } from "./rows.ts";

export interface Stored {
  readonly layout: DataLayout;
  /** Owner of all arrays in the layout, except those that are borrowed from another dataset. */
  readonly allocation: Allocation;
}

/** Target, weight and offset of each row, which are stored in addition to the columns. */
export interface Labels {
  readonly target: Float64Array;
  readonly weights: Float64Array | null;
  readonly offset: Float64Array | null;
}

/** Stores rows. @throws DataError if a value is not finite; MemoryLimitError, named "dataset SOURCE" */
export function store(rows: RowSource, labels: Labels, source: string): Stored {
  return rows.shape.format === "dense" ? storeDense(rows, labels, source) : storeSparse(rows, labels, source);
}

function storeDense(rows: RowSource, labels: Labels, source: string): Stored {
  const { rowCount, shape } = rows;
  const { columnCount, type, gaps = false } = shape;
  const stride = rowStride(type, columnCount);
  const { allocation, pointers } = allocate(source, [rowCount * stride * elementBytes[type]], labels);
  try {
    const values = elements(engineMemory(), type, pointers[0], rowCount * stride);
    forEachRow(rows, ({ values: row }, i) => {
      const base = i * stride;
      for (let j = 0; j < columnCount; j++) {
        const value = row[j];
        values[base + j] = value;
        if (values[base + j] - values[base + j] !== 0 && !(gaps && Number.isNaN(value)))
          refuseValue(source, i, shape.names()[j], value, type);
      }
      values[base + columnCount] = 1;
    });
  } catch (error) {
    allocation.dispose();
    throw error;
  }
  const at = { values: pointers[0], rowStart: 0, columnIndex: 0, target: pointers[1], weights: pointers[2], offset: pointers[3] };
  return { allocation, layout: Object.freeze({ format: "dense", type, rowCount, columnCount, stride, one: 1, scale: 1, ...at }) };
}

function storeSparse(rows: RowSource, labels: Labels, source: string): Stored {
  const { rowCount, shape } = rows;
  const { columnCount, type } = shape;
  // An upper bound on the size is enough, because memory that is never written is not committed.
  const most = mostEntries(rows) + rowCount;
  const { allocation, pointers } = allocate(source, [most * elementBytes[type], (rowCount + 1) * 4, most * 4], labels);
  try {
    const memory = engineMemory();
    const values = elements(memory, type, pointers[0], most);
    const starts = memory.u32(pointers[1], rowCount + 1);
    const columns = memory.u32(pointers[2], most);
    let at = 0;
    forEachRow(rows, (row, i) => {
      for (let k = 0; k < row.count; k++) {
        const j = row.columns![k];
        const value = row.values[k];
        columns[at] = j;
        values[at] = value;
        if (values[at] - values[at] !== 0) refuseValue(source, i, shape.names()[j], value, type);
        at++;
      }
      columns[at] = columnCount;
      values[at++] = 1;
      starts[i + 1] = at;
    });
  } catch (error) {
    allocation.dispose();
    throw error;
  }
  const [values, rowStart, columnIndex, target, weights, offset] = pointers;
  const at = { values, rowStart, columnIndex, target, weights, offset };
  return {
    allocation,
    layout: Object.freeze({ format: "sparse", type, rowCount, columnCount, stride: 0, one: 1, scale: 1, ...at }),
  };
}

/** Returns the number of entries in sparse rows, or an upper bound. Counts the entries if no bound is known. */
function mostEntries(rows: RowSource): number {
  const { table } = rows.shape;
  if (rows.entryCount !== undefined || table) return rows.entryCount ?? rows.rowCount * table!.most;
  let most = 0;
  forEachRow(rows, ({ count }) => {
    most += count;
  });
  return most;
}

/**
 * Copies the rows `chosen` of a layout, in that order. The copy is exact for every type, because stored elements are
 * copied.
 */
export function copyRows(from: DataLayout, chosen: Uint32Array, source: string): Stored {
  const memory = engineMemory();
  const labels: Labels = {
    target: pick(memory.f64(from.target, from.rowCount), chosen),
    weights: from.weights ? pick(memory.f64(from.weights, from.rowCount), chosen) : null,
    offset: from.offset ? pick(memory.f64(from.offset, from.rowCount), chosen) : null,
  };
  return from.format === "dense" ? copyDense(from, chosen, labels, source) : copySparse(from, chosen, labels, source);
}

function copyDense(from: DataLayout, chosen: Uint32Array, labels: Labels, source: string): Stored {
  const rowBytes = from.stride * elementBytes[from.type];
  const { allocation, pointers } = allocate(source, [chosen.length * rowBytes], labels);
  const memory = engineMemory();
  const input = memory.u8(from.values, from.rowCount * rowBytes);
  const output = memory.u8(pointers[0], chosen.length * rowBytes);
  for (let i = 0; i < chosen.length; i++) {
    output.set(input.subarray(chosen[i] * rowBytes, (chosen[i] + 1) * rowBytes), i * rowBytes);
  }
  const [values, target, weights, offset] = pointers;
  return { allocation, layout: Object.freeze({ ...from, rowCount: chosen.length, values, target, weights, offset }) };
}

function copySparse(from: DataLayout, chosen: Uint32Array, labels: Labels, source: string): Stored {
  const starts = engineMemory().u32(from.rowStart, from.rowCount + 1);
  const newStarts = new Uint32Array(chosen.length + 1);
  for (let i = 0; i < chosen.length; i++) newStarts[i + 1] = newStarts[i] + starts[chosen[i] + 1] - starts[chosen[i]];
  const oldStarts = Uint32Array.from(chosen, (row) => starts[row]);
  const oldCount = starts[from.rowCount];
  const count = newStarts[chosen.length];
  const sizes = [count * elementBytes[from.type], newStarts.byteLength, count * 4];
  const { allocation, pointers } = allocate(source, sizes, labels);
  const memory = engineMemory();
  const inValues = elements(memory, from.type, from.values, oldCount);
  const inColumns = memory.u32(from.columnIndex, oldCount);
  const outValues = elements(memory, from.type, pointers[0], count);
  const outColumns = memory.u32(pointers[2], count);
  memory.u32(pointers[1], newStarts.length).set(newStarts);
  for (let i = 0; i < chosen.length; i++) {
    const end = oldStarts[i] + newStarts[i + 1] - newStarts[i];
    outValues.set(inValues.subarray(oldStarts[i], end), newStarts[i]);
    outColumns.set(inColumns.subarray(oldStarts[i], end), newStarts[i]);
  }
  const [values, rowStart, columnIndex, target, weights, offset] = pointers;
  const layout = { ...from, rowCount: chosen.length, values, rowStart, columnIndex, target, weights, offset };
  return { allocation, layout: Object.freeze(layout) };
}

/** Returns the rows of a layout without the intercept, as numbers x = scale × stored. */
export function readRows(layout: DataLayout, shape: Shape): RowSource {
  return {
    rowCount: layout.rowCount,
    shape,
    stored: () => ({ layout, memory: engineMemory() }),
    open: () => rowReader(layout),
  };
}

/** Returns a reader of row i. Each call overwrites the previous row. Views stay valid until the next allocation. */
export function rowReader(layout: DataLayout): (i: number) => ReturnType<typeof denseRow> {
  const memory = engineMemory();
  const { rowCount, columnCount, stride, scale } = layout;
  if (layout.format === "dense") {
    const values = elements(memory, layout.type, layout.values, rowCount * stride);
    const row = denseRow(columnCount);
    const out = row.values;
    return (i) => {
      for (let j = 0, at = i * stride; j < columnCount; j++, at++) out[j] = scale * values[at];
      return row;
    };
  }
  const starts = memory.u32(layout.rowStart, rowCount + 1);
  const columns = memory.u32(layout.columnIndex, starts[rowCount]);
  const values = elements(memory, layout.type, layout.values, starts[rowCount]);
  const row = new SparseRow();
  return (i) => {
    row.count = 0;
    for (let k = starts[i]; k < starts[i + 1] - 1; k++) row.push(columns[k], scale * values[k]);
    return row;
  };
}

/**
 * Allocates one piece of memory for the given arrays and the labels. Returns the pointers, first those of the arrays
 * and then those of the labels. The pointer of an absent label is 0.
 */
export function allocate(
  source: string,
  sizes: readonly number[],
  { target, weights, offset }: Labels,
): { allocation: Allocation; pointers: number[] } {
  const labels = [target, weights, offset];
  const { offsets, bytes } = place([...sizes, ...labels.map((values) => values?.byteLength ?? 0)]);
  const allocation = engineMemory().allocate(bytes, `dataset ${source}`);
  const pointers = offsets.map((at) => allocation.pointer + at);
  labels.forEach((values, i) => {
    const k = sizes.length + i;
    if (values) engineMemory().f64(pointers[k], values.length).set(values);
    else pointers[k] = 0;
  });
  return { allocation, pointers };
}

function pick(values: Float64Array, chosen: Uint32Array): Float64Array {
  return Float64Array.from(chosen, (row) => values[row]);
}

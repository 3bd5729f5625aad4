import { type Allocation, engineMemory } from "../memory/memory.ts";
import { type ColumnLayout, columnStride, type DataLayout, elementBytes, elements, place } from "./layout.ts";

/**
 * Converts rows to columns, without the intercept. For sparse rows, a counting sort of the non-zero entries gives
 * compressed columns (CSC) with ascending rows. Dense rows are transposed in tiles, to avoid a cache miss for every
 * element.
 */
export function columnsOf(from: DataLayout, source: string): { columns: ColumnLayout; allocation: Allocation } {
  return from.format === "dense" ? transpose(from, source) : compress(from, source);
}

const TILE = 32;

function transpose(from: DataLayout, source: string): { columns: ColumnLayout; allocation: Allocation } {
  const { rowCount, columnCount, type, scale, stride: rowStride } = from;
  const stride = columnStride(type, rowCount);
  const allocation = engineMemory().allocate(columnCount * stride * elementBytes[type], `columns of dataset ${source}`);
  const memory = engineMemory();
  const values = allocation.pointer;
  const rows = elements(memory, type, from.values, rowCount * rowStride);
  const out = elements(memory, type, values, columnCount * stride);
  for (let top = 0; top < rowCount; top += TILE) {
    const bottom = Math.min(rowCount, top + TILE);
    for (let left = 0; left < columnCount; left += TILE) {
      const right = Math.min(columnCount, left + TILE);
      for (let j = left; j < right; j++) {
        for (let i = top; i < bottom; i++) out[j * stride + i] = rows[i * rowStride + j];
      }
    }
  }
  const entryCount = rowCount * columnCount;
  const layout = {
    format: "dense",
    type,
    rowCount,
    columnCount,
    entryCount,
    stride,
    columnStart: 0,
    rowIndex: 0,
    values,
    scale,
  } as const;
  return { columns: Object.freeze(layout), allocation };
}

function compress(from: DataLayout, source: string): { columns: ColumnLayout; allocation: Allocation } {
  const { rowCount, columnCount, type, scale } = from;
  const columnStarts = new Uint32Array(columnCount + 1);
  eachEntry(from, (_row, column) => columnStarts[column + 1]++);
  for (let j = 0; j < columnCount; j++) columnStarts[j + 1] += columnStarts[j];
  const entryCount = columnStarts[columnCount];

  const { offsets, bytes } = place([entryCount * elementBytes[type], columnStarts.byteLength, entryCount * 4]);
  const allocation = engineMemory().allocate(bytes, `columns of dataset ${source}`);
  const memory = engineMemory();
  const [values, columnStart, rowIndex] = offsets.map((offset) => allocation.pointer + offset);
  memory.u32(columnStart, columnCount + 1).set(columnStarts);
  const outValues = elements(memory, type, values, entryCount);
  const outRows = memory.u32(rowIndex, entryCount);
  const next = columnStarts.slice();
  eachEntry(from, (row, column, stored) => {
    const k = next[column]++;
    outValues[k] = stored;
    outRows[k] = row;
  });
  const layout = {
    format: "sparse",
    type,
    rowCount,
    columnCount,
    entryCount,
    stride: 0,
    columnStart,
    rowIndex,
    values,
    scale,
  } as const;
  return { columns: Object.freeze(layout), allocation };
}

/** Visits all stored non-zero entries row by row, except the intercept. */
function eachEntry(from: DataLayout, visit: (row: number, column: number, stored: number) => void): void {
  const memory = engineMemory();
  const { rowCount } = from;
  const starts = memory.u32(from.rowStart, rowCount + 1);
  const columns = memory.u32(from.columnIndex, starts[rowCount]);
  const values = elements(memory, from.type, from.values, starts[rowCount]);
  for (let i = 0; i < rowCount; i++) {
    for (let k = starts[i]; k < starts[i + 1] - 1; k++) if (values[k] !== 0) visit(i, columns[k], values[k]);
  }
}

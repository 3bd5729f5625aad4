/** Compressed columns (CSC) of a layout: a counting sort of its non-zero entries by column, rows ascending; intercept left out. */
import { type Allocation, engineMemory } from "../host/memory.ts";
import { type ColumnLayout, type DataLayout, elementBytes, elements, place } from "./layout.ts";

export function compressColumns(from: DataLayout, source: string): { columns: ColumnLayout; allocation: Allocation } {
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
  const columns = Object.freeze({ type, rowCount, columnCount, entryCount, columnStart, rowIndex, values, scale });
  return { columns, allocation };
}

/** Every stored element that is not 0, intercept apart, row by row. */
function eachEntry(from: DataLayout, visit: (row: number, column: number, stored: number) => void): void {
  const memory = engineMemory();
  const { rowCount, columnCount, stride } = from;
  if (from.format === "dense") {
    const values = elements(memory, from.type, from.values, rowCount * stride);
    for (let i = 0; i < rowCount; i++) {
      for (let j = 0; j < columnCount; j++) {
        const stored = values[i * stride + j];
        if (stored !== 0) visit(i, j, stored);
      }
    }
    return;
  }
  const starts = memory.u32(from.rowStart, rowCount + 1);
  const columns = memory.u32(from.columnIndex, starts[rowCount]);
  const values = elements(memory, from.type, from.values, starts[rowCount]);
  for (let i = 0; i < rowCount; i++) {
    for (let k = starts[i]; k < starts[i + 1] - 1; k++) if (values[k] !== 0) visit(i, columns[k], values[k]);
  }
}

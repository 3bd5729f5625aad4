/** Plain twins for the tests of data/: arrays from engine memory, and tables from objects. */

import type { Dataset } from "../../../src/engine/data/dataset.ts";
import type { ColumnLayout } from "../../../src/engine/data/layout.ts";
import type { Column, Row, SparseTable, Table } from "../../../src/engine/data/table.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";

/** Returns every row as numbers by column. */
export function matrix(data: Dataset): number[][] {
  return Array.from({ length: data.rowCount }, (_, i) => [...data.row(i)]);
}

/** Returns every row as numbers, read from the columns. */
export function matrixOfColumns(columns: ColumnLayout): number[][] {
  const memory = engineMemory();
  if (columns.format === "dense") {
    const { stride, rowCount, columnCount, scale } = columns;
    const stored = memory[columns.type](columns.values, stride * columnCount);
    return Array.from({ length: rowCount }, (_, i) =>
      Array.from({ length: columnCount }, (_, j) => scale * stored[j * stride + i]),
    );
  }
  const starts = memory.u32(columns.columnStart, columns.columnCount + 1);
  const rows = memory.u32(columns.rowIndex, columns.entryCount);
  const values = memory[columns.type](columns.values, columns.entryCount);
  const out = Array.from({ length: columns.rowCount }, () => new Array<number>(columns.columnCount).fill(0));
  for (let j = 0; j < columns.columnCount; j++) {
    for (let k = starts[j]; k < starts[j + 1]; k++) out[rows[k]][j] = columns.scale * values[k];
  }
  return out;
}

/** Returns every byte of a dataset's layout, array by array. */
export function bytes(data: Dataset): Record<string, Uint8Array> {
  const memory = engineMemory();
  const { layout } = data;
  const size = { f32: 4, f64: 8, i16: 2, i8: 1 }[layout.type];
  const entries = layout.format === "sparse" ? memory.u32(layout.rowStart, layout.rowCount + 1)[layout.rowCount] : 0;
  const count = layout.format === "sparse" ? entries : layout.rowCount * layout.stride;
  return {
    values: memory.u8(layout.values, count * size).slice(),
    rowStart: memory.u8(layout.rowStart, entries && (layout.rowCount + 1) * 4).slice(),
    columnIndex: memory.u8(layout.columnIndex, entries * 4).slice(),
    target: memory.u8(layout.target, layout.rowCount * 8).slice(),
    weights: memory.u8(layout.weights, layout.weights ? layout.rowCount * 8 : 0).slice(),
  };
}

/**
 * Makes a table of objects. A column with any string is a category, with levels in order of appearance. Null is
 * missing.
 */
export function tableOf(rows: Row[], source = "people.csv"): Table {
  const columns = Object.keys(rows[0]).map((name): Column => {
    const cells = rows.map((row) => row[name]);
    if (cells.every((cell) => typeof cell === "number" || cell === null)) {
      return { name, kind: "number", values: Float64Array.from(cells, (cell) => (cell === null ? NaN : Number(cell))) };
    }
    const levels = [...new Set(cells.filter((cell) => cell !== null).map(String))];
    return {
      name,
      kind: "category",
      levels,
      codes: Int32Array.from(cells, (cell) => (cell === null ? -1 : levels.indexOf(String(cell)))),
    };
  });
  return { rowCount: rows.length, columns, source };
}

export function sparseOf(rows: number[][], target?: number[], source = "news.libsvm"): SparseTable {
  const entries = rows.map((row) => row.flatMap((value, j) => (value === 0 ? [] : [{ j, value }])));
  const rowStart = new Uint32Array(rows.length + 1);
  entries.forEach((row, i) => {
    rowStart[i + 1] = rowStart[i] + row.length;
  });
  return {
    rowCount: rows.length,
    columnCount: rows[0].length,
    rowStart,
    columnIndex: Uint32Array.from(entries.flat(), ({ j }) => j),
    values: Float64Array.from(entries.flat(), ({ value }) => value),
    target: Float64Array.from(target ?? rows.map((_, i) => i)),
    source,
  };
}

export const people: Row[] = [
  { age: 39, education: "Bachelors", hours: 40, income: "low" },
  { age: 50, education: "Masters", hours: 13.5, income: "high" },
  { age: 38, education: "HS", hours: 40, income: "low" },
  { age: 53, education: "HS", hours: 60.1, income: "high" },
  { age: 28, education: "Bachelors", hours: 40, income: "low" },
  { age: 37, education: "Doctorate", hours: 45, income: "high" },
];

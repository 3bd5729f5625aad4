/** Seeded data of any size, on which the families work. */
import { Dataset } from "ergodic";
import { randomNumbers } from "../data.mjs";

/** Normal columns, and a target computed from the first of them: numbers, or `classes` classes. */
export function dense(rowCount, columnCount, classes = 0) {
  const random = randomNumbers(1);
  const values = Float32Array.from({ length: rowCount * columnCount }, () => random.normal());
  const y = Array.from({ length: rowCount }, (_, i) => {
    const z = values[i * columnCount] - values[i * columnCount + 1] + random.normal();
    return classes === 0 ? z : `c${classes === 2 ? Number(z > 0) : Math.floor(random.uniform() * classes)}`;
  });
  return Dataset.fromArrays({ x: { values, columnCount }, y, type: "f32" });
}

const ENTRIES = 10;

/** Ten entries per row, in typed arrays, because a list of ten million columns would be too large. */
export function sparse(rowCount, columnCount) {
  const random = randomNumbers(1);
  const rowStart = new Uint32Array(rowCount + 1);
  const columnIndex = new Uint32Array(rowCount * ENTRIES);
  const target = new Float64Array(rowCount);
  let end = 0;
  for (let i = 0; i < rowCount; i++) {
    const row = new Set(Array.from({ length: ENTRIES }, () => Math.floor(random.uniform() * columnCount)));
    for (const j of [...row].sort((a, b) => a - b)) columnIndex[end++] = j;
    rowStart[i + 1] = end;
    target[i] = columnIndex[rowStart[i]] + random.normal() * columnCount > columnCount / 2 ? 1 : 0;
  }
  const values = new Float32Array(end).fill(1);
  return Dataset.fromSparse({
    rowCount,
    columnCount,
    rowStart,
    columnIndex: columnIndex.slice(0, end),
    values,
    target,
    source: "sparse",
  });
}

/** A number, and a category with `levels` levels, each occurring twice. */
export function levelled(levels) {
  const cells = Array.from({ length: 2 * levels }, (_, i) => i % levels);
  const column = {
    name: "c",
    kind: "category",
    levels: Array.from({ length: levels }, (_, k) => `level ${k}`),
    codes: Int32Array.from(cells),
  };
  const y = { name: "y", kind: "number", values: Float64Array.from(cells, (k) => k % 3) };
  return Dataset.fromTable({ columns: [column, y], rowCount: cells.length, source: "levels" }, { target: "y" });
}

import type { ReadRow, RowSource, RowVector } from "../../engine/data/rows.ts";
import { denseRow, SparseRow } from "../../engine/data/rows.ts";

/** Writes new values of the columns at `places` for row i: out[p] is the value at places[p]. */
export type Fill = (i: number, out: Float64Array) => void;

/**
 * Returns the rows with other values in the columns at `places`, which ascend. `fills` starts a pass over the rows. It
 * may open readers, which later allocations of memory would invalidate.
 */
export function replacedRows(rows: RowSource, places: readonly number[], fills: () => Fill): RowSource {
  const { rowCount, shape, offset, entryCount } = rows;
  const isSparse = shape.format === "sparse";
  return {
    rowCount,
    shape,
    ...(offset ? { offset } : {}),
    // A row can gain an entry for each place.
    ...(isSparse && entryCount !== undefined ? { entryCount: entryCount + rowCount * places.length } : {}),
    open: () => (isSparse ? sparseReader : denseReader)(rows.open(), places, fills(), shape.columnCount),
  };
}

/** Returns values at `places` of row i, in an array that is overwritten by the next call. */
export function valuesAt(read: ReadRow, places: readonly number[]): (i: number) => Float64Array {
  const out = new Float64Array(places.length);
  return (i) => {
    const { columns, values, count } = read(i);
    if (!columns) for (let p = 0; p < places.length; p++) out[p] = values[places[p]];
    else {
      out.fill(0);
      for (let k = 0, p = 0; k < count && p < places.length; k++) {
        while (p < places.length && places[p] < columns[k]) p++;
        if (places[p] === columns[k]) out[p] = values[k];
      }
    }
    return out;
  };
}

function denseReader(read: ReadRow, places: readonly number[], fill: Fill, columnCount: number): ReadRow {
  const row = denseRow(columnCount);
  const own = new Float64Array(places.length);
  return (i) => {
    const { values } = read(i);
    for (let j = 0; j < columnCount; j++) row.values[j] = values[j];
    fill(i, own);
    for (let p = 0; p < places.length; p++) row.values[places[p]] = own[p];
    return row;
  };
}

function sparseReader(read: ReadRow, places: readonly number[], fill: Fill): ReadRow {
  const row = new SparseRow();
  const own = new Float64Array(places.length);
  return (i): RowVector => {
    const { columns, values, count } = read(i);
    fill(i, own);
    row.count = 0;
    let p = 0;
    const pushBelow = (end: number): void => {
      for (; p < places.length && places[p] < end; p++) if (own[p] !== 0) row.push(places[p], own[p]);
    };
    for (let k = 0; k < count; k++) {
      const j = columns![k];
      pushBelow(j);
      if (places[p] !== j) row.push(j, values[k]);
    }
    pushBelow(Infinity);
    return row;
  };
}

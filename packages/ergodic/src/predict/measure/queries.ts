/**
 * Queries, made before the clock starts. Rows are drawn at random with replacement and keep the form in which they were
 * given.
 */

import type { Dataset } from "../../engine/data/dataset.ts";
import { datasetMark, isMarked } from "../../engine/data/marks.ts";
import { isSparseTable, isTable, type RawRows, rowCountOf } from "../../engine/data/raw.ts";
import type { Column, SparseTable, Table } from "../../engine/data/table.ts";
import { isList, refuse } from "../../engine/errors/checks.ts";
import { stream } from "../../engine/random/stream.ts";

/** Rows for a predictor. A list can contain anything that the predictor accepts. */
export type MeasureInputs = Dataset | RawRows | readonly unknown[];

/** Maximum number of distinct queries. `MOST_ROWS` limits their total number of rows. Queries are reused in turn. */
const MOST_QUERIES = 256;
const MOST_ROWS = 2 ** 16;

export interface Queries {
  at(i: number): unknown;
  dispose(): void;
}

export function checkedCount(inputs: MeasureInputs): number {
  const known =
    isMarked(inputs, datasetMark) || isList(inputs) || (typeof inputs === "object" && inputs !== null && "rowCount" in inputs);
  if (!known) refuse("measure", "inputs", inputs, "rows that the model takes: a list, a table or a Dataset", "[{ age: 40 }]");
  const count = isMarked(inputs, datasetMark) ? (inputs as Dataset).rowCount : rowCountOf(inputs as RawRows);
  if (!(count > 0)) refuse("measure", "inputs", inputs, "at least 1 row", "[{ age: 40 }]");
  return count;
}

/** Creates the queries. If a query has one row and the inputs are a list, the query is the row itself. */
export function queriesOf(inputs: MeasureInputs, rows: number, seed: number): Queries {
  const count = checkedCount(inputs);
  const draws = stream(seed, "measure", "rows").at(0);
  const queries = Array.from({ length: Math.max(1, Math.min(MOST_QUERIES, Math.floor(MOST_ROWS / rows))) }, () =>
    taken(
      inputs,
      Uint32Array.from({ length: rows }, () => draws.integer(count)),
    ),
  );
  return {
    at: (i) => queries[i % queries.length],
    dispose() {
      if (isMarked(inputs, datasetMark)) for (const query of queries) (query as Dataset).dispose();
    },
  };
}

function taken(inputs: MeasureInputs, picks: Uint32Array): unknown {
  if (isMarked(inputs, datasetMark)) return (inputs as Dataset).select(picks);
  const raw = inputs as RawRows;
  if (isTable(raw)) return ofTable(raw, picks);
  if (isSparseTable(raw)) return ofSparse(raw, picks);
  const list = Array.from(picks, (i) => raw[i]);
  return list.length === 1 ? list[0] : list;
}

function ofTable({ columns, source }: Table, picks: Uint32Array): Table {
  const picked = (column: Column): Column =>
    column.kind === "number"
      ? { ...column, values: Float64Array.from(picks, (i) => column.values[i]) }
      : { ...column, codes: Int32Array.from(picks, (i) => column.codes[i]) };
  return { rowCount: picks.length, columns: columns.map(picked), source };
}

function ofSparse(table: SparseTable, picks: Uint32Array): SparseTable {
  const { rowStart, columnIndex, values, target, weights, offset } = table;
  const entries = Array.from(picks).flatMap((i) =>
    Array.from({ length: rowStart[i + 1] - rowStart[i] }, (_, k) => rowStart[i] + k),
  );
  const starts = new Uint32Array(picks.length + 1);
  for (const [k, i] of picks.entries()) starts[k + 1] = starts[k] + rowStart[i + 1] - rowStart[i];
  return {
    ...table,
    rowCount: picks.length,
    rowStart: starts,
    columnIndex: Uint32Array.from(entries, (e) => columnIndex[e]),
    values: Float64Array.from(entries, (e) => values[e]),
    target: Float64Array.from(picks, (i) => target[i]),
    ...(weights ? { weights: Float64Array.from(picks, (i) => weights[i]) } : {}),
    ...(offset ? { offset: Float64Array.from(picks, (i) => offset[i]) } : {}),
  };
}

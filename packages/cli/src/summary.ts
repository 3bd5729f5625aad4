/**
 * Summary of a table: for each column its kind, number of missing values, number of distinct values, and range or most
 * common levels.
 */
import type { Column, SparseTable, Table } from "ergodic";

export type ColumnSummary = { name: string; missing: number; distinct: number } & (
  | { kind: "number"; min: number; max: number; mean: number; sd: number }
  | { kind: "category"; levels: { level: string; count: number }[] }
);

export type DataSummary =
  | { format: "dense"; rowCount: number; columnCount: number; columns: ColumnSummary[] }
  | { format: "sparse"; rowCount: number; columnCount: number; filled: number; target: ColumnSummary };

const MOST_LEVELS = 5;

export function summarise(table: Table | SparseTable): DataSummary {
  const { rowCount } = table;
  if ("columns" in table) {
    return { format: "dense", rowCount, columnCount: table.columns.length, columns: table.columns.map(summariseColumn) };
  }
  const filled = table.values.length / Math.max(1, rowCount * table.columnCount);
  return { format: "sparse", rowCount, columnCount: table.columnCount, filled, target: summariseNumbers("y", table.target) };
}

function summariseColumn(column: Column): ColumnSummary {
  return column.kind === "number"
    ? summariseNumbers(column.name, column.values)
    : summariseLevels(column.name, column.codes, column.levels);
}

/** Summarises numbers: mean and sample sd by Welford's recurrence. NaN counts as missing. */
function summariseNumbers(name: string, values: Float64Array): ColumnSummary {
  const seen = new Set<number>();
  let [count, mean, squares, min, max] = [0, 0, 0, Infinity, -Infinity];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    seen.add(value);
    const delta = value - mean;
    mean += delta / ++count;
    squares += delta * (value - mean);
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const sd = count > 1 ? Math.sqrt(squares / (count - 1)) : Number.NaN;
  return {
    name,
    kind: "number",
    missing: values.length - count,
    distinct: seen.size,
    min,
    max,
    mean: count > 0 ? mean : Number.NaN,
    sd,
  };
}

function summariseLevels(name: string, codes: Int32Array, levels: readonly string[]): ColumnSummary {
  const counts = new Float64Array(levels.length);
  let missing = 0;
  for (const code of codes) {
    if (code < 0) missing++;
    else counts[code]++;
  }
  const present = levels.map((level, k) => ({ level, count: counts[k] })).filter(({ count }) => count > 0);
  present.sort((a, b) => b.count - a.count);
  return { name, kind: "category", missing, distinct: present.length, levels: present.slice(0, MOST_LEVELS) };
}

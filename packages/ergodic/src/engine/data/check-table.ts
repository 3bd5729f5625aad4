/** Checks tables from readers and users once, on input, so that later code need not repeat the checks. */
import { DataError } from "../errors/errors.ts";
import { holdsNumbers, numbersGiven } from "./number-cells.ts";
import { isSparseTable, isTable, type RawRows, rowCountOf, sourceOf } from "./raw.ts";
import type { SparseTable, Table } from "./table.ts";

/** Checks raw rows. @throws DataError if there are no rows, or if the table is inconsistent */
export function checkRaw(raw: RawRows): void {
  const rowCount = rowCountOf(raw);
  if (!(rowCount > 0)) throw new DataError(sourceOf(raw, "rows"), "holds 0 rows, but at least 1 is needed", "DATA_EMPTY");
  if (isTable(raw)) checkTable(raw);
  else if (isSparseTable(raw)) checkSparseTable(raw);
}

export function checkNames(names: readonly string[], where: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new DataError(where, `has two columns "${name}"; rename one`, "DATA_COLUMN");
    seen.add(name);
  }
}

function checkTable({ columns, rowCount, source }: Table): void {
  checkNames(
    columns.map((column) => column.name),
    source,
  );
  for (const column of columns) {
    const length = column.kind === "number" ? column.values.length : column.codes.length;
    if (length !== rowCount) {
      throw new DataError(source, `column "${column.name}" holds ${length} values, but there are ${rowCount} rows`, "DATA_SHAPE");
    }
    if (column.kind === "number") {
      checkNumbers(column.values, source, `column "${column.name}"`);
      continue;
    }
    const bad = column.codes.findIndex((code) => code < -1 || code >= column.levels.length);
    if (bad < 0) continue;
    const problem = `row ${bad + 1}: code ${column.codes[bad]} of column "${column.name}" is not one of its ${column.levels.length} levels`;
    throw new DataError(source, problem, "DATA_LEVEL");
  }
}

function checkSparseTable(table: SparseTable): void {
  const { rowCount, columnCount, rowStart, columnIndex, values, target, weights, offset, names, source } = table;
  const count = rowStart[rowCount];
  const lengths: [string, number, number][] = [
    ["rowStart", rowStart.length, rowCount + 1],
    ["target", target.length, rowCount],
    ["weights", weights?.length ?? rowCount, rowCount],
    ["offset", offset?.length ?? rowCount, rowCount],
    ["names", names?.length ?? columnCount, columnCount],
  ];
  for (const [what, given, wanted] of lengths) {
    if (given !== wanted) throw new DataError(source, `${what} holds ${given} values, but ${wanted} are needed`, "DATA_SHAPE");
  }
  if (names) checkNames(names, source);
  checkNumbers(target, source, "the target");
  if (weights) checkNumbers(weights, source, "the weight");
  if (offset) checkNumbers(offset, source, "the offset");
  checkNumbers(values, source, "the entry");
  if (rowStart[0] !== 0 || count > columnIndex.length || count > values.length) {
    const problem = `rowStart runs from ${rowStart[0]} to ${count}, but must start at 0 and end within the ${columnIndex.length} entries`;
    throw new DataError(source, problem, "DATA_SHAPE");
  }
  for (let i = 0; i < rowCount; i++) {
    if (rowStart[i + 1] < rowStart[i]) throw new DataError(source, `row ${i + 1} ends before it starts`, "DATA_SHAPE");
    for (let k = rowStart[i]; k < rowStart[i + 1]; k++) {
      const ascending = k === rowStart[i] || columnIndex[k] > columnIndex[k - 1];
      if (ascending && columnIndex[k] < columnCount) continue;
      const problem = `row ${i + 1}: column ${columnIndex[k]} is out of order, repeated, or beyond the ${columnCount} columns`;
      throw new DataError(source, problem, "DATA_SHAPE");
    }
  }
}

/** Typed arrays contain only numbers, but plain lists from untyped programs can contain anything. */
function checkNumbers(values: ArrayLike<unknown>, source: string, what: string): void {
  if (!holdsNumbers(values)) numbersGiven(values, source, what);
}

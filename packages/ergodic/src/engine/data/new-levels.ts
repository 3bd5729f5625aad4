import { isList } from "./number-cells.ts";
import { isArrays, isSparseTable, isTable, listed, namedCells, type RawRows, rowCountOf, sourceOf } from "./raw.ts";
import type { Step } from "./rows.ts";
import type { Remark, Row } from "./table.ts";
import { type ColumnsStep, levelIndex } from "./transformations/columns.ts";

interface Steps {
  readonly steps: readonly Step[];
}

/** Levels of a column that a model does not know. */
export interface UnknownLevels {
  /** The column. */
  readonly column: string;
  /** Number of rows that have one. */
  readonly rows: number;
  /** Position of the first of these rows, from 0. */
  readonly first: number;
  /** The levels, in the order of the rows. */
  readonly levels: readonly string[];
  /** The levels that the model knows. */
  readonly known: readonly string[];
}

/**
 * Levels of categories that a model does not know, which become all zeros: how many rows have one, column by column.
 *
 *   newLevels(model.pipeline, rows)[0]?.message;   // 3 of 200 rows had new levels in "city", which the model does not know ("Bonn", "Kyiv")
 *
 * `rows`: rows as `predict` takes them, or one of them by name. @throws DataError for absent columns
 */
export function newLevels(pipeline: Steps, rows: RawRows | Row): Remark[] {
  const raw = isOne(rows) ? [rows] : rows;
  return unknownLevels(pipeline, raw).map(({ column, rows, levels }) => {
    const [of, which] = [rowCountOf(raw), levels.length === 1 ? "a new level" : "new levels"];
    const message = `${rows} of ${of} rows had ${which} in "${column}", which the model does not know (${listed(levels)})`;
    return { kind: "new level", column, rows, of, message };
  });
}

/** What `newLevels` says in sentences. @throws DataError for absent columns */
export function unknownLevels({ steps: [source] }: Steps, raw: RawRows): UnknownLevels[] {
  if (source.kind !== "columns" || isSparseTable(raw) || isArrays(raw)) return [];
  const rowCount = rowCountOf(raw);
  const byName = new Map(isTable(raw) ? raw.columns.map((column) => [column.name, column]) : []);
  const texts = namedCells(raw, sourceOf(raw, "rows")).texts;
  return (source as ColumnsStep).columns.flatMap((column) => {
    if (column.kind === "number" || column.of !== undefined) return [];
    const known = levelIndex(column.levels);
    const strangers = new Set<string>();
    let rows = 0;
    let first = 0;
    const meet = (level: string, i: number): void => {
      if (rows++ === 0) first = i;
      strangers.add(level);
    };
    const given = byName.get(column.name);
    if (given?.kind === "category") {
      // By code: a table may have millions of rows, and hardly ever a level that is new.
      const isNew = given.levels.map((level) => !known.has(level));
      if (!isNew.includes(true)) return [];
      for (const [i, code] of given.codes.entries()) if (isNew[code]) meet(given.levels[code], i);
    } else {
      const text = texts(column.name);
      for (let i = 0; i < rowCount; i++) {
        const level = text(i);
        if (level !== null && !known.has(level)) meet(level, i);
      }
    }
    return rows === 0 ? [] : [{ column: column.name, rows, first, levels: [...strangers], known: column.levels }];
  });
}

/** One row by name: lists of columns or of rows are in tables alone. */
function isOne(rows: RawRows | Row): rows is Row {
  const { columns, rowStart } = rows as { columns?: unknown; rowStart?: unknown };
  return !(Array.isArray(rows) || isList(columns) || isList(rowStart));
}

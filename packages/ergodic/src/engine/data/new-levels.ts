import { made, refuse } from "../errors/checks.ts";
import { isList } from "./number-cells.ts";
import { isArrays, isSparseTable, isTable, listed, namedCells, type RawRows, rowCountOf, sourceOf } from "./raw.ts";
import type { Step } from "./rows.ts";
import type { Remark, Row } from "./table.ts";
import { type ColumnsStep, levelIndex } from "./transformations/columns.ts";

interface Steps {
  readonly steps: readonly Step[];
}

/** Levels in a column of new rows that a model does not know. */
export interface UnknownLevels {
  /** Name of the column. */
  readonly column: string;
  /** Number of rows with an unknown level. */
  readonly rows: number;
  /** Index of the first such row, from 0. */
  readonly first: number;
  /** Unknown levels, in the order of the rows. */
  readonly levels: readonly string[];
  /** The levels that the model knows. */
  readonly known: readonly string[];
}

/**
 * Finds levels of categories that a model does not know. Such levels are encoded as all zeros. Returns a remark for
 * each column with new levels, which states the number of affected rows.
 *
 * `rows`: rows in any form that `predict` accepts, or a single row by name. @throws DataError for absent columns
 *
 * @example
 * ```ts
 * newLevels(model.pipeline, rows)[0]?.message;
 * // 3 of 200 rows had new levels in "city", which the model does not know ("Bonn", "Kyiv")
 * ```
 */
export function newLevels(pipeline: Steps, rows: RawRows | Row): Remark[] {
  checkGiven("newLevels", pipeline, rows);
  const raw = isOne(rows) ? [rows] : rows;
  return unknownLevels(pipeline, raw).map(({ column, rows, levels }) => {
    const [of, which] = [rowCountOf(raw), levels.length === 1 ? "a new level" : "new levels"];
    const message = `${rows} of ${of} rows had ${which} in "${column}", which the model does not know (${listed(levels)})`;
    return { kind: "new level", column, rows, of, message };
  });
}

/** Same as `newLevels`, but returns the findings as data instead of sentences. @throws DataError for absent columns */
export function unknownLevels(pipeline: Steps, raw: RawRows): UnknownLevels[] {
  checkGiven("unknownLevels", pipeline, raw);
  const [source] = pipeline.steps;
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
      // Compares codes rather than strings, because a table can have millions of rows but hardly ever has a new level.
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

function checkGiven(where: string, pipeline: Steps, rows: RawRows | Row): void {
  made(where, pipeline, "steps", "a pipeline", "model.pipeline");
  if (typeof rows !== "object" || rows === null) refuse(where, "rows", rows, "rows, or one row by name", '[{ city: "Bonn" }]');
}

/** Whether `rows` is a single row by name. Only tables have lists of columns or row starts. */
function isOne(rows: RawRows | Row): rows is Row {
  const { columns, rowStart } = rows as { columns?: unknown; rowStart?: unknown };
  return !(Array.isArray(rows) || isList(columns) || isList(rowStart));
}

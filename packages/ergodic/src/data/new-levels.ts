import { isArrays, isSparseTable, isTable, listed, namedCells, type RawRows, rowCountOf, sourceOf } from "./raw.ts";
import type { Step } from "./rows.ts";
import type { Remark } from "./table.ts";
import type { ColumnsStep } from "./transformations/columns.ts";

/**
 * Levels of categories that a model does not know, which become all zeros: how many rows have one, column by column.
 *
 *   newLevels(model.pipeline, rows)[0]?.message;   // 3 of 200 rows had new levels in "city", which the model does not know ("Bonn", "Kyiv")
 *
 * `rows`: as `predict` takes them. @throws DataError for absent columns
 */
export function newLevels({ steps: [source] }: { readonly steps: readonly Step[] }, raw: RawRows): Remark[] {
  if (source.kind !== "columns" || isSparseTable(raw) || isArrays(raw)) return [];
  const rowCount = rowCountOf(raw);
  const byName = new Map(isTable(raw) ? raw.columns.map((column) => [column.name, column]) : []);
  const texts = namedCells(raw, sourceOf(raw, "rows")).texts;
  return (source as ColumnsStep).columns.flatMap((column) => {
    if (column.kind === "number" || column.of !== undefined) return [];
    const known = new Set(column.levels);
    const strangers = new Set<string>();
    let rows = 0;
    const given = byName.get(column.name);
    if (given?.kind === "category") {
      // By code: a table may have millions of rows, and hardly ever a level that is new.
      const isNew = given.levels.map((level) => !known.has(level));
      if (!isNew.includes(true)) return [];
      for (const code of given.codes) {
        if (!isNew[code]) continue;
        rows++;
        strangers.add(given.levels[code]);
      }
    } else {
      const text = texts(column.name);
      for (let i = 0; i < rowCount; i++) {
        const level = text(i);
        if (level === null || known.has(level)) continue;
        rows++;
        strangers.add(level);
      }
    }
    if (rows === 0) return [];
    const levels = strangers.size === 1 ? "a new level" : "new levels";
    const message = `${rows} of ${rowCount} rows had ${levels} in "${column.name}", which the model does not know (${listed([...strangers])})`;
    return [{ kind: "new level", column: column.name, rows, of: rowCount, message }];
  });
}

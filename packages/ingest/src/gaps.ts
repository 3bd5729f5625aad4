/**
 * Strings such as "N/A" or "-". In a numeric column they mean "no value", whereas in a column of strings they are
 * ordinary levels.
 *
 * Later cells can still decide the type of a column. These strings are therefore counted as they occur, and their rows
 * are stored until the first number appears. If the column turns out to have no numbers, they can still become levels.
 */
import { missingAmongNumbers, type Remark } from "ergodic/data";
import { show } from "./fault.ts";

/** Whether a string is such a gap. */
export const isGap = (text: string): boolean => gaps.has(text);

const gaps: ReadonlySet<string> = new Set(missingAmongNumbers);

export class Gaps {
  /** Number of cells. */
  count = 0;
  first: { line: number; text: string } | undefined;
  /** Number of cells per string. */
  readonly counts = new Map<string, number>();
  /** Rows by string, until the first number. */
  #rows: Map<string, number[]> | undefined = new Map();

  /** Counts a cell. `row`: undefined if rows are no longer needed. */
  put(text: string, line: number, row: number | undefined): void {
    this.count++;
    this.first ??= { line, text };
    this.counts.set(text, (this.counts.get(text) ?? 0) + 1);
    if (row === undefined) this.#rows = undefined;
    const rows = this.#rows?.get(text);
    if (rows) rows.push(row!);
    else this.#rows?.set(text, [row!]);
  }

  /** Rows in which each string occurs; undefined once the column has numbers. */
  get rows(): ReadonlyMap<string, readonly number[]> | undefined {
    return this.#rows;
  }
}

/** Remark about cells that were interpreted as missing values. `of` is the number of rows. */
export function missingRemark(column: string, { counts, count: rows }: Gaps, of: number): Remark {
  const message = `${rows} of ${of} rows hold ${texts(counts)} in ${show(column)}, a column of numbers: taken as missing`;
  return { kind: "missing", column, rows, of, message };
}

/** Remark about cells in a column of strings that might mean "no value" but were kept. */
export function keptRemark(column: string, counts: ReadonlyMap<string, number>, of: number): Remark {
  const rows = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const kept = `${counts.size === 1 ? "it" : "each"} is kept as a level; list it in the option missing if it means no value`;
  const message = `${rows} of ${of} rows hold ${texts(counts)} in ${show(column)}, a column of texts: ${kept}`;
  return { kind: "missing", column, rows, of, message };
}

function texts(counts: ReadonlyMap<string, number>): string {
  const all = [...counts.keys()].map((text) => show(text));
  return all.length === 1 ? all[0] : `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
}

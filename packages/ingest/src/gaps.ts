/**
 * Texts that mean "no value" in a column of numbers, and are levels like any other in a column of texts: "N/A", "-" and their like.
 *
 * Which kind a column is, its other cells decide, and they may come later. So the texts are counted as they come, and their rows are kept until the
 * first number: in a column that has none, they can still become levels.
 */
import type { Remark } from "ergodic";
import { missingAmongNumbers } from "ergodic/data";
import { show } from "./fault.ts";

/** Whether a text is one of them. */
export const isGap = (text: string): boolean => gaps.has(text);

const gaps: ReadonlySet<string> = new Set(missingAmongNumbers);

export class Gaps {
  /** How many cells. */
  count = 0;
  first: { line: number; text: string } | undefined;
  /** How many cells of each text. */
  readonly counts = new Map<string, number>();
  /** Rows by text, until the first number. */
  #rows: Map<string, number[]> | undefined = new Map();

  /** `row`: undefined if it is not wanted any more. */
  put(text: string, line: number, row: number | undefined): void {
    this.count++;
    this.first ??= { line, text };
    this.counts.set(text, (this.counts.get(text) ?? 0) + 1);
    if (row === undefined) this.#rows = undefined;
    const rows = this.#rows?.get(text);
    if (rows) rows.push(row!);
    else this.#rows?.set(text, [row!]);
  }

  /** Rows of each text; undefined once the column has numbers. */
  get rows(): ReadonlyMap<string, readonly number[]> | undefined {
    return this.#rows;
  }
}

/** Cells of a column of `rowCount` rows that were taken for missing. */
export function missingRemark(column: string, { counts, count: rows }: Gaps, of: number): Remark {
  const message = `${rows} of ${of} rows hold ${texts(counts)} in ${show(column)}, a column of numbers: taken as missing`;
  return { kind: "missing", column, rows, of, message };
}

/** Cells of a column of texts that may mean "no value", but were kept. */
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

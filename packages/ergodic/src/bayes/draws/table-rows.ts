/**
 * Converts a table of columns, as table readers return it, to a list of rows by name. Predictions for new rows take
 * such a list.
 */

/** Column of a table of new rows: either numbers, or level names together with a level index per row. */
export interface PosteriorColumn {
  /** Name of the column. */
  readonly name: string;
  /** Kind of column: "number" or "category". */
  readonly kind: string;
  /** Numbers; NaN if missing. */
  readonly values?: ArrayLike<number>;
  /** Distinct strings of a category column. */
  readonly levels?: readonly string[];
  /** Level index of each row; negative if missing. */
  readonly codes?: ArrayLike<number>;
}

/** Table of new rows, as returned by `readTable` of `@ergodic/ingest`. */
export interface PosteriorTable {
  /** Number of rows. */
  readonly rowCount: number;
  /** Columns of the table. */
  readonly columns: readonly PosteriorColumn[];
}

export const isTable = (given: unknown): given is PosteriorTable =>
  typeof given === "object" &&
  given !== null &&
  typeof (given as Partial<PosteriorTable>).rowCount === "number" &&
  Array.isArray((given as Partial<PosteriorTable>).columns);

/** Returns the table as rows. Missing strings become null, and missing numbers become NaN. */
export const rowsOfTable = ({ rowCount, columns }: PosteriorTable): Readonly<Record<string, number | string | null>>[] =>
  Array.from({ length: rowCount }, (_, i) =>
    Object.fromEntries(
      columns.map(({ name, values, levels, codes }) => [name, values ? values[i] : (levels?.[codes?.[i] ?? -1] ?? null)]),
    ),
  );

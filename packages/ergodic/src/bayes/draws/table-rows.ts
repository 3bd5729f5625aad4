/** A table of columns, as readers make it, as a list of rows by name: what predictions of new rows take. */

/** A column of a table of new rows: numbers, or levels with the place of each row's. */
export interface PosteriorColumn {
  /** Its name. */
  readonly name: string;
  /** "number" or "category". */
  readonly kind: string;
  /** Numbers, NaN where one is missing. */
  readonly values?: ArrayLike<number>;
  /** Texts that occur. */
  readonly levels?: readonly string[];
  /** Of each row, which of the levels; negative where it is missing. */
  readonly codes?: ArrayLike<number>;
}

/** A table of new rows, as `readTable` of @ergodic/ingest gives it. */
export interface PosteriorTable {
  /** Rows. */
  readonly rowCount: number;
  /** Columns, by name. */
  readonly columns: readonly PosteriorColumn[];
}

export const isTable = (given: unknown): given is PosteriorTable =>
  typeof given === "object" &&
  given !== null &&
  typeof (given as Partial<PosteriorTable>).rowCount === "number" &&
  Array.isArray((given as Partial<PosteriorTable>).columns);

/** Missing texts are null, missing numbers NaN, as in the table. */
export const rowsOfTable = ({ rowCount, columns }: PosteriorTable): Readonly<Record<string, number | string | null>>[] =>
  Array.from({ length: rowCount }, (_, i) =>
    Object.fromEntries(
      columns.map(({ name, values, levels, codes }) => [name, values ? values[i] : (levels?.[codes?.[i] ?? -1] ?? null)]),
    ),
  );

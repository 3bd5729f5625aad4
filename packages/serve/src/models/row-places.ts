import { DataError } from "ergodic";

/** Adds `first` to the row that an error names, because rows are counted from the start of a slice of the request. */
export function withRow(error: Error, first: number): Error {
  if (!(error instanceof DataError) || first === 0) return error;
  const said = error.said.replace(/^row (\d+)/, (_, row: string) => `row ${Number(row) + first}`);
  return new DataError(error.where, said, error.code, { cause: error.cause });
}

/** Columns of DATA that are copied in front of the predictions, and the formatting of CSV fields. */
import { DataError, type Table } from "ergodic";
import { columnNamed } from "../ratings.ts";

export interface KeptColumn {
  readonly name: string;
  readonly text: (row: number) => string;
}

export function keptColumns(table: Table, wanted: readonly (string | number)[]): KeptColumn[] {
  return wanted.map((key) => {
    const name = columnNamed(table, key, "--id or --keep");
    const column = table.columns.find((one) => one.name === name);
    if (!column)
      throw new DataError(
        table.source,
        `--id or --keep asks for a column "${name}" that is not there; it has ${table.columns.map((c) => `"${c.name}"`).join(", ")}`,
        "DATA_COLUMN",
      );
    if (column.kind === "number")
      return { name, text: (row) => (Number.isNaN(column.values[row]) ? "" : String(column.values[row])) };
    return { name, text: (row) => (column.codes[row] < 0 ? "" : column.levels[column.codes[row]]) };
  });
}

/** Formats a CSV field, with quotes if necessary. */
export function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

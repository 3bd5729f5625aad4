/** Plain writers, the inverse of each reader, for round-trip property tests. */
import type { Column, SparseTable, Table } from "ergodic";

/** Cells as JavaScript values. null means missing. */
export function cells(table: Table): (number | string | null)[][] {
  return table.columns.map((column) => Array.from({ length: table.rowCount }, (_, i) => cell(column, i)));
}

function cell(column: Column, i: number): number | string | null {
  if (column.kind === "number") return Number.isNaN(column.values[i]) ? null : column.values[i];
  return column.codes[i] < 0 ? null : column.levels[column.codes[i]];
}

/** The shortest decimal that reads back as the same float64. String(-0) would lose the sign. */
export function decimal(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

export interface CsvStyle {
  delimiter: string;
  lineEnd: string;
  finalLineEnd: boolean;
  quoteAll: boolean;
  mark: boolean;
}

export function csvText(names: string[], columns: (number | string | null)[][], style: CsvStyle): string {
  const quoted = (text: string) => {
    const needed =
      style.quoteAll ||
      text === "" ||
      text.trim() !== text ||
      ['"', "\r", "\n", style.delimiter].some((mark) => text.includes(mark));
    return needed ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const field = (value: number | string | null) =>
    value === null ? "NA" : quoted(typeof value === "number" ? decimal(value) : value);
  const rows = columns[0].map((_, i) => columns.map((column) => field(column[i])));
  const lines = [names.map(quoted), ...rows].map((row) => row.join(style.delimiter));
  return (style.mark ? "\ufeff" : "") + lines.join(style.lineEnd) + (style.finalLineEnd ? style.lineEnd : "");
}

export function libsvmText(
  rows: { target: number; entries: [index: number, value: number][] }[],
  lineEnd: string,
  blank: string,
): string {
  const line = ({ target, entries }: (typeof rows)[number]) =>
    [decimal(target), ...entries.map(([i, v]) => `${i + 1}:${decimal(v)}`)].join(blank);
  return rows.map(line).join(lineEnd);
}

export function sparseRows(table: SparseTable): { target: number; entries: [index: number, value: number][] }[] {
  return Array.from({ length: table.rowCount }, (_, i) => ({
    target: table.target[i],
    entries: Array.from({ length: table.rowStart[i + 1] - table.rowStart[i] }, (_, k): [number, number] => {
      const at = table.rowStart[i] + k;
      return [table.columnIndex[at], table.values[at]];
    }),
  }));
}

/** A float64 array in C or Fortran order, as numpy.save writes it. */
export function npyBytes(rows: number[][], fortran: boolean): Uint8Array {
  const shape = [rows.length, rows[0].length];
  const text = `{'descr': '<f8', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${shape.join(", ")}), }`;
  const header = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + "\n";
  const bytes = new Uint8Array(10 + header.length + 8 * shape[0] * shape[1]);
  const view = new DataView(bytes.buffer);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  view.setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  const order = fortran ? rows[0].flatMap((_, j) => rows.map((row) => row[j])) : rows.flat();
  order.forEach((value, i) => {
    view.setFloat64(10 + header.length + 8 * i, value, true);
  });
  return bytes;
}

/** The bytes cut at the given places, as a stream that can be read once. */
export async function* cutAt(bytes: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  const sorted = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of sorted) {
    yield bytes.slice(start, end);
    start = end;
  }
}

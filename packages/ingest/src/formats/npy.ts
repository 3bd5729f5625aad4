/**
 * NumPy `.npy`, versions 1 to 3 → tables of numeric columns x0, x1, …
 *
 * A one-dimensional array is one column, and a two-dimensional array has the shape rows × columns. In an array of more
 * dimensions, [n, …sizes], a row has the shape `sizes`, and its last index varies fastest. Images without channels, [n,
 * h, w], get one channel: [h, w, 1]. Arrays can be in C or Fortran order and little- or big-endian. Their types can be
 * f4 f8, i1 i2 i4 i8, u1 u2 u4 u8 and b1. NaN is a missing value. 64-bit integers beyond ±2^53 are refused, because
 * float64 cannot hold them.
 * Source: numpy.lib.format.
 *
 * @throws DataError DATA_FORMAT, DATA_UNSUPPORTED, DATA_TRUNCATED, DATA_TYPE, DATA_EMPTY
 */

import type { Table } from "ergodic/data";
import { labelColumn } from "../array-rows.ts";
import { ByteReader } from "../byte-reader.ts";
import { fault, fileFault, show } from "../fault.ts";
import { type ByteSource, openSource, type Source } from "../source.ts";
import { checkColumnKeys, columnIndex, type MissingValues, type ParsedTable, type TableOptions } from "../table-builder.ts";
import type { DenseFormat } from "./format.ts";
import { type NpyHeader, readNpyHeader } from "./npy-header.ts";

/** Options of NumPy files. */
export interface NpyOptions extends Pick<TableOptions, "drop"> {
  /**
   * Second array, with one dimension and the same length. The second array becomes the column y, which is the target
   * unless another column is named.
   */
  labels?: Source;
}

export const npyKeys = ["drop", "labels"];

export async function npyTable(source: ByteSource, options: NpyOptions): Promise<ParsedTable> {
  for await (const parsed of npyParts(source, options, Infinity)) {
    return options.labels === undefined
      ? parsed
      : withLabels(parsed, await npyTable(openSource(options.labels, {}, "labels"), {}));
  }
  throw fileFault(source.name, "the array has no rows; a table needs at least one", "DATA_EMPTY");
}

function withLabels({ table, names, missing, rowShape }: ParsedTable, labels: ParsedTable): ParsedTable {
  const [column, ...more] = labels.table.columns;
  const { rowCount, source } = labels.table;
  if (more.length > 0 || rowCount !== table.rowCount) {
    const shape = more.length > 0 ? `${rowCount} × ${more.length + 1}` : `${rowCount}`;
    throw fileFault(
      source,
      `labels have the shape ${shape}, but must be one value for each of the ${table.rowCount} rows of ${table.source}; pass the matching array`,
      "DATA_RAGGED",
    );
  }
  const gaps = labels.missing.map((gap) => ({ ...gap, column: labelColumn, position: names.length + 1 }));
  return {
    table: { ...table, columns: [...table.columns, { ...column, name: labelColumn }] },
    names: [...names, labelColumn],
    missing: [...missing, ...gaps],
    rowShape,
  };
}

/**
 * Yields tables of `blockRows` rows. In Fortran order, each column is contiguous, so the whole file must be in memory
 * to form blocks.
 */
export async function* npyBlocks(source: ByteSource, options: NpyOptions, blockRows: number): AsyncGenerator<Table> {
  let blocks = 0;
  for await (const { table } of npyParts(source, options, blockRows)) {
    blocks++;
    yield table;
  }
  if (blocks === 0) throw fileFault(source.name, "the array has no rows; a table needs at least one", "DATA_EMPTY");
}

async function* npyParts(source: ByteSource, options: NpyOptions, blockRows: number): AsyncGenerator<ParsedTable> {
  if (options.drop !== undefined) checkColumnKeys("drop", options.drop);
  const reader = new ByteReader(source);
  try {
    const header = await readNpyHeader(source.name, reader);
    const { rowCount, columnCount, size, fortran } = header;
    const rowBytes = size * columnCount;
    const step = Math.min(blockRows, rowCount);
    // The shape in the header is checked against the available bytes before any names or columns are allocated.
    const whole = fortran ? await part(source.name, reader, rowBytes, rowCount, 0, rowCount) : undefined;
    const first = whole ?? (step > 0 ? await part(source.name, reader, rowBytes, step, 0, rowCount) : undefined);
    const names = Array.from({ length: columnCount }, (_, i) => `x${i}`);
    const dropped = new Set((options.drop ?? []).map((key) => columnIndex(source.name, "drop", names, key)));
    const kept = names.map((_, i) => i).filter((i) => !dropped.has(i));
    for (let start = 0; start < rowCount; start += step) {
      const count = Math.min(step, rowCount - start);
      const view = whole ?? (start === 0 ? first! : await part(source.name, reader, rowBytes, count, start, rowCount));
      const place = fortran ? start * size : 0;
      const strides = fortran ? { row: size, column: size * rowCount } : { row: rowBytes, column: size };
      yield table(source.name, header, names, kept, view, { first: place, count, start, ...strides });
    }
  } finally {
    await reader.close();
    await source.close?.();
  }
}

async function part(
  file: string,
  reader: ByteReader,
  rowBytes: number,
  count: number,
  start: number,
  rowCount: number,
): Promise<DataView> {
  const bytes = await reader.take(rowBytes * count);
  if (bytes.length < rowBytes * count) {
    const missing = rowBytes * (rowCount - start) - bytes.length;
    throw fileFault(
      file,
      `the file stops ${missing} bytes short of the ${rowBytes * rowCount} that its shape needs; write or fetch it again`,
      "DATA_TRUNCATED",
    );
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Window {
  first: number;
  count: number;
  start: number;
  row: number;
  column: number;
}

function table(file: string, header: NpyHeader, names: string[], kept: number[], view: DataView, at: Window): ParsedTable {
  const { read, little, wide, rowShape } = header;
  const missing: MissingValues[] = [];
  const columns = kept.map((j) => {
    const values = new Float64Array(at.count);
    let place = at.first + header.place(j) * at.column;
    for (let i = 0; i < at.count; i++, place += at.row) {
      const value = read(view, place, little);
      if (value - value !== 0) note(file, missing, value, at.start + i, j, names[j]);
      else if (wide && !Number.isSafeInteger(value)) {
        const exact = header.unsigned ? view.getBigUint64(place, little) : view.getBigInt64(place, little);
        throw fault(
          file,
          at.start + i + 1,
          j + 1,
          `the integer ${exact} is beyond 2^53, which a number column cannot hold exactly; save it as float64`,
          "DATA_TYPE",
        );
      }
      values[i] = value;
    }
    return { name: names[j], kind: "number" as const, values };
  });
  return { table: { rowCount: at.count, columns, source: file }, names, missing, rowShape };
}

function note(file: string, missing: MissingValues[], value: number, i: number, j: number, column: string): void {
  if (!Number.isNaN(value)) {
    throw fault(
      file,
      i + 1,
      j + 1,
      `${show(String(value))} is not a finite number in column ${show(column)}; replace it, or make it NaN and impute`,
      "DATA_TYPE",
    );
  }
  const before = missing.at(-1);
  if (before?.column === column) before.count++;
  else missing.push({ column, position: j + 1, count: 1, line: i + 1, text: "NaN" });
}

export const npyFormat: DenseFormat<NpyOptions> = { kind: "dense", keys: npyKeys, table: npyTable, blocks: npyBlocks };

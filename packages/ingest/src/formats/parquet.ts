import { DataError } from "ergodic/data";
import type { DecodedArray, FileMetaData, SchemaTree } from "hyparquet";
import type { ColumnBuilder } from "../column.ts";
import type { EngineOptions } from "../engine/engine.ts";
import { fault, fileFault, show } from "../fault.ts";
import { checkFooter, PageCheck } from "../guards/parquet-check.ts";
import type { RowDecoder } from "../rows.ts";
import { allBytes, type ByteSource, openSource, type RandomAccess } from "../source.ts";
import type { TableBuilder, TableOptions } from "../table-builder.ts";
import { hostBrotli } from "./parquet-brotli.ts";
import { asCounted, putTime, type Times, timesOf } from "./parquet-times.ts";

/** Options of Parquet files: the options of tables, and the choice of the reader. */
export interface ParquetOptions extends TableOptions, EngineOptions {}

/** Largest number of rows per group. If an array grows beyond about 100 million values, V8 ends the process. */
const groupLimit = 2 ** 26;

/**
 * Converts Parquet to tables with hyparquet. Only one row group is in memory at a time.
 *
 * Integers, floats and decimals make numeric columns. Strings, enums and booleans make categories. Dates and times also
 * make categories, as ISO strings. null is a missing value. Nested and repeated columns, intervals, raw bytes and JSON
 * are refused, unless these columns are dropped. Error messages give row numbers instead of line numbers.
 *
 * @throws DataError DATA_FORMAT, DATA_UNSUPPORTED, DATA_PARSE (damaged), DATA_TYPE, DATA_EMPTY
 */
export const parquet: RowDecoder<ParquetOptions> = { typed: true, listsColumns: true, rows: parquetRows };

async function* parquetRows(source: ByteSource, _: ParquetOptions, builder: TableBuilder): AsyncGenerator<void> {
  const access = await (source.access?.() ?? openSource(await allBytes(source)).access!());
  try {
    const { parquetScan } = await import("hyparquet");
    const { compressors } = await import("hyparquet-compressors");
    const brotli = hostBrotli();
    const pages = new PageCheck(access, brotli ? { ...compressors, BROTLI: brotli } : compressors);
    const { metadata, kept } = await keptFields(source.name, access, pages, builder);
    const columns = kept.map(({ column }) => column.name);
    const { file, unpack } = pages;
    const scan = await readable(source.name, () =>
      parquetScan({ file, metadata, columns, compressors: unpack, useOffsetIndex: false, parsers: asCounted }),
    );
    const groups = metadata.row_groups.filter((group) => Number(group.num_rows) > 0);
    for (const [g, { rowStart, rowEnd }] of scan.ranges.entries()) {
      const arrays: DecodedArray[] = [];
      for (const { field, column } of kept) {
        const read = async () => {
          pages.begin(groups[g], field, rowEnd - rowStart);
          return whole(await scan.readColumn({ column: column.name, rowStart, rowEnd }), rowEnd - rowStart);
        };
        arrays.push(await readable(source.name, read));
      }
      for (let i = 0; i < rowEnd - rowStart; i++) {
        for (let j = 0; j < kept.length; j++) putValue(source.name, kept[j], arrays[j][i], rowStart + i + 1);
        if (builder.endRow()) yield;
      }
    }
  } finally {
    await access.close();
  }
}

/** A kept column, with its schema. */
export interface KeptField {
  field: SchemaTree;
  column: ColumnBuilder;
  /** Unit of a column of dates or times. */
  times: Times | undefined;
}

/** Reads the footer and refuses unsupported content. Returns the columns that the builder keeps. */
export async function keptFields(
  name: string,
  access: RandomAccess,
  { file }: PageCheck,
  builder: TableBuilder,
): Promise<{ metadata: FileMetaData; kept: KeptField[] }> {
  await checkMagic(name, access);
  const { parquetMetadataAsync, parquetSchema } = await import("hyparquet");
  const metadata = await readable(name, async () => {
    await checkFooter(access);
    return parquetMetadataAsync(file, { geoparquet: false });
  });
  const fields = await readable(name, () => namedFields(parquetSchema(metadata)));
  refuseVast(name, metadata, access.byteLength);
  builder.begin(fields.map((field) => field.element.name));
  const kept = fields.flatMap((field, i) => {
    const column = builder.columns[i];
    return column === undefined ? [] : [{ field, column, times: timesOf(field.element) }];
  });
  for (const one of kept) refuseUnsupported(name, one);
  if (kept.length === 0) throw fileFault(name, "all columns are dropped; keep at least one", "DATA_EMPTY");
  return { metadata, kept };
}

/** Checks that there are as many values as rows, without gaps. */
function whole(values: DecodedArray, rows: number): DecodedArray {
  if (values.length !== rows) throw new Error(`a column holds ${values.length} values, but its row group has ${rows} rows`);
  if (Array.isArray(values) && values.includes(undefined)) throw new Error("a value is not in its dictionary");
  return values;
}

function namedFields({ children }: SchemaTree): SchemaTree[] {
  const names = new Set(children.map(({ element }) => element.name));
  if (names.size === children.length && [...names].every((name) => typeof name === "string")) return children;
  throw new Error("columns lack a name, or share one");
}

/**
 * Refuses more rows than the file's size can justify. The row count alone cannot be trusted, because a column with at
 * most one distinct value needs only a few bytes for a million rows.
 */
function refuseVast(file: string, { row_groups: groups }: FileMetaData, byteLength: number): void {
  const counts = groups.map((group) => Number(group.num_rows));
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const most = Math.max(2 ** 20, byteLength * 2 ** 10);
  if (counts.every((count) => Number.isSafeInteger(count) && count >= 0 && count <= groupLimit) && rows <= most) return;
  const held = `the file declares ${rows} rows in ${groups.length} row groups, but has ${byteLength} bytes`;
  throw fileFault(file, `${held}; write it again, with row groups of a million rows or fewer`, "DATA_UNSUPPORTED");
}

/** Adds the value of a column in a row. */
export function putValue(file: string, { column, times }: Omit<KeptField, "field">, value: unknown, row: number): void {
  if (typeof value === "number" || typeof value === "bigint") {
    if (times) {
      putTime(file, column, times, value, row);
      return;
    }
    const number = Number(value);
    if (typeof value === "bigint" && !Number.isSafeInteger(number)) {
      throw fault(
        file,
        row,
        column.position,
        `the integer ${value} of column ${show(column.name)} is beyond 2^53, which a number column cannot hold exactly; save it as a double or a text`,
        "DATA_TYPE",
      );
    }
    if (Number.isFinite(number)) column.putNumber(number, row);
    else column.put(String(number), row);
  } else if (value === null || value === undefined) column.putMissing(row, "null");
  else column.put(String(value), row);
}

async function checkMagic(file: string, access: RandomAccess): Promise<void> {
  if (access.byteLength === 0) throw fileFault(file, "the file is empty; a table needs at least one row", "DATA_EMPTY");
  const head = String.fromCharCode(...(await access.slice(0, 4)));
  const tail = String.fromCharCode(...(await access.slice(Math.max(0, access.byteLength - 4), access.byteLength)));
  if (head === "PARE" || tail === "PARE")
    throw fileFault(file, "the file is encrypted Parquet; write it without encryption", "DATA_UNSUPPORTED");
  if (head !== "PAR1")
    throw fileFault(
      file,
      `the file begins with ${show(head)}, not with "PAR1", so it is not Parquet; pass its actual format`,
      "DATA_FORMAT",
    );
  if (tail !== "PAR1")
    throw fileFault(
      file,
      `the file ends with ${show(tail)}, not with "PAR1": it was cut short; write or fetch it again`,
      "DATA_TRUNCATED",
    );
}

function refuseUnsupported(file: string, { field: { children, element }, column: { position }, times }: KeptField): void {
  const { name, type, converted_type: converted, logical_type: logical, repetition_type: repetition } = element;
  const isTime = [logical?.type, converted].some((one) => one !== undefined && /^(DATE|TIME)/.test(one));
  let kind = logical?.type ?? converted ?? type ?? "a group";
  if (children.length > 0) kind = `nested (${kind})`;
  else if (repetition === "REPEATED") kind = `repeated (${kind})`;
  else if (times) return;
  else if (isTime) kind = `${[logical?.type, converted].filter((one) => one !== undefined).join(" and ")} of ${type}`;
  else if (read.has(kind)) return;
  const advice = `drop it: drop: [${show(name)}], or write it as numbers or text`;
  throw fault(
    file,
    1,
    position,
    `column ${show(name)} is ${kind}, but a column must hold numbers, texts, booleans, dates or times; ${advice}`,
    "DATA_UNSUPPORTED",
  );
}

const read = new Set<string>([
  ...["BOOLEAN", "INT32", "INT64", "FLOAT", "DOUBLE", "FLOAT16", "DECIMAL", "INTEGER"],
  ...["INT_8", "INT_16", "INT_32", "INT_64", "UINT_8", "UINT_16", "UINT_32", "UINT_64"],
  ...["STRING", "UTF8", "ENUM", "BYTE_ARRAY", "UUID"],
]);

/** Adds the file name to an error of hyparquet. */
async function readable<T>(file: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DataError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw fileFault(
      file,
      `the Parquet data is damaged or uses an unsupported feature (${reason}); write it again, for instance with pyarrow`,
      "DATA_PARSE",
      error,
    );
  }
}

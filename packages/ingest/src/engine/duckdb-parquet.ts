/**
 * Parquet by DuckDB → tables, the same as by `formats/parquet.ts`: its rules read the footer, refuse what they refuse, and judge the values; the database decodes
 * the pages. These are not looked at first, as ours are: of a stranger's file take `engine: "own"`.
 *
 * @throws as `formats/parquet.ts`
 */
import type { ColumnBuilder } from "../column.ts";
import { fault, show } from "../fault.ts";
import { keptFields, type ParquetOptions, putValue } from "../formats/parquet.ts";
import { PageCheck } from "../formats/parquet-check.ts";
import type { ByteSource } from "../source.ts";
import type { TableBuilder } from "../table-builder.ts";
import { DuckDbFile } from "./duckdb-file.ts";
import { type Pick, putRows } from "./duckdb-rows.ts";

export async function* duckDbParquetRows(source: ByteSource, _: ParquetOptions, builder: TableBuilder): AsyncGenerator<void> {
  const { name } = source;
  const file = await DuckDbFile.open(source);
  try {
    const expected = await beginColumns(source, builder);
    file.refuseWide(builder.names.length);
    const names = builder.names.map((_, i) => `c${i}`);
    const settings = "binary_as_string = true, hive_partitioning = false, union_by_name = false, filename = false";
    const from = `(SELECT * FROM read_parquet(${file.path}, ${settings}) AS t(${names.join(", ")}))`;
    const types = await file.texts(`SELECT column_type FROM (DESCRIBE SELECT * FROM ${from})`);
    const picks = builder.columns.flatMap((column, i) => (column ? [pickOf(name, column, names[i], types[i])] : []));
    const putText = (column: ColumnBuilder, text: string, line: number) => column.putText(text, line);
    const putOdd = (column: ColumnBuilder, value: number | bigint, line: number) => putValue(name, column, value, line);
    yield* putRows({ file, from, picks, line: 1, done: 0, expected, textOf: (text) => text, putText, putOdd }, builder);
  } finally {
    file.close();
  }
}

/** Takes the columns of the footer; its count of rows. */
async function beginColumns(source: ByteSource, builder: TableBuilder): Promise<number> {
  const access = await source.access!();
  try {
    const { metadata } = await keptFields(source.name, access, new PageCheck(access, {}), builder);
    return Number(metadata.num_rows);
  } finally {
    await access.close();
  }
}

/** Decimals become the nearest float64, integers of 64 bits stay what they are. */
function pickOf(file: string, column: ColumnBuilder, sql: string, type: string): Pick {
  if (type === "BIGINT" || type === "UBIGINT") return { column, sql, kind: "number" };
  if (/^(U?(TINY|SMALL)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/.test(type))
    return { column, sql: `CAST(${sql} AS DOUBLE)`, kind: "number" };
  if (type === "BOOLEAN" || type === "UUID") return { column, sql: `CAST(${sql} AS VARCHAR)`, kind: "text" };
  if (type === "VARCHAR") return { column, sql, kind: "text" };
  throw fault(
    file,
    1,
    column.position,
    `column ${show(column.name)} is ${type} to DuckDB, but must hold numbers, texts or booleans; take engine: "own", or drop it`,
    "DATA_UNSUPPORTED",
  );
}

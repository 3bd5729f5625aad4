/**
 * Reads Parquet with DuckDB. The tables are equal to those of `formats/parquet.ts`. That module's rules read the
 * footer, refuse files and check values, whereas DuckDB decodes the pages. Our own reader checks pages before it
 * decodes them, but DuckDB does not, so use `engine: "own"` for untrusted files.
 *
 * @throws as `formats/parquet.ts`
 */
import type { ColumnBuilder } from "../column.ts";
import { fault, show } from "../fault.ts";
import { type KeptField, keptFields, type ParquetOptions, putValue } from "../formats/parquet.ts";
import { putTime, type Times } from "../formats/parquet-times.ts";
import { PageCheck } from "../guards/parquet-check.ts";
import type { ByteSource } from "../source.ts";
import type { TableBuilder } from "../table-builder.ts";
import { DuckDbFile } from "./duckdb-file.ts";
import { type Pick, putRows } from "./duckdb-rows.ts";

export async function* duckDbParquetRows(source: ByteSource, _: ParquetOptions, builder: TableBuilder): AsyncGenerator<void> {
  const { name } = source;
  const file = await DuckDbFile.open(source);
  try {
    const { expected, kept } = await beginColumns(source, builder);
    file.refuseWide(builder.names.length);
    const names = builder.names.map((_, i) => `c${i}`);
    const settings = "binary_as_string = true, hive_partitioning = false, union_by_name = false, filename = false";
    const from = `(SELECT * FROM read_parquet(${file.path}, ${settings}) AS t(${names.join(", ")}))`;
    const types = await file.texts(`SELECT column_type FROM (DESCRIBE SELECT * FROM ${from})`);
    const picks = kept.map((field) => pickOf(name, field, `c${field.column.position - 1}`, types[field.column.position - 1]));
    const putOdd = (column: ColumnBuilder, value: number | bigint, line: number) =>
      putValue(name, { column, times: undefined }, value, line);
    yield* putRows({ file, from, picks, line: 1, done: 0, expected, textOf: (text) => text, putOdd }, builder);
  } finally {
    file.close();
  }
}

/** Reads the columns and the number of rows from the footer. */
async function beginColumns(source: ByteSource, builder: TableBuilder): Promise<{ expected: number; kept: KeptField[] }> {
  const access = await source.access!();
  try {
    const { metadata, kept } = await keptFields(source.name, access, new PageCheck(access, {}), builder);
    return { expected: Number(metadata.num_rows), kept };
  } finally {
    await access.close();
  }
}

/** Units that DuckDB always uses, even if the file has other units. */
const counts: Readonly<Record<Times["what"], Readonly<Record<string, Times["unit"] | undefined>>>> = {
  date: { DATE: "days", INTEGER: "days" },
  timestamp: { TIMESTAMP: "micros", "TIMESTAMP WITH TIME ZONE": "micros", TIMESTAMP_NS: "nanos" },
  time: { TIME: "micros", "TIME WITH TIME ZONE": "micros", TIME_NS: "nanos" },
};
/**
 * Number of low bits that hold the UTC offset. The microseconds are above these bits. The offset is 0 in every file.
 */
const offsetBits = 24n;

/**
 * Chooses the SQL for a column. Decimals are converted to the nearest float64; 64-bit integers, dates and times are not
 * converted.
 */
function pickOf(file: string, { column, times }: KeptField, sql: string, type: string): Pick {
  const unit = times && counts[times.what][type];
  if (times && unit) {
    const held = { what: times.what, unit };
    const hasOffset = type === "TIME WITH TIME ZONE";
    const put = (item: number | bigint, line: number) =>
      putTime(file, column, held, hasOffset ? BigInt(item) >> offsetBits : item, line);
    return { column, sql, kind: "count", put };
  }
  const isPlain = times === undefined;
  if (isPlain && (type === "BIGINT" || type === "UBIGINT")) return { column, sql, kind: "number" };
  if (isPlain && /^(U?(TINY|SMALL)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/.test(type))
    return { column, sql: `CAST(${sql} AS DOUBLE)`, kind: "number" };
  if (isPlain && (type === "BOOLEAN" || type === "UUID")) return { column, sql: `CAST(${sql} AS VARCHAR)`, kind: "text" };
  if (isPlain && type === "VARCHAR") return { column, sql, kind: "text" };
  throw fault(
    file,
    1,
    column.position,
    `column ${show(column.name)} is ${type} to DuckDB, but must hold numbers, texts, booleans, dates or times; use engine: "own", or drop it`,
    "DATA_UNSUPPORTED",
  );
}

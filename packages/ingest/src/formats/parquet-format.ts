/** Parquet, read by this package or by DuckDB. */
import { duckDbParquetRows } from "../engine/duckdb-parquet.ts";
import { byEngine } from "../engine/engine.ts";
import { dense } from "./format.ts";
import { parquet } from "./parquet.ts";

export const parquetFormat = dense(byEngine(parquet, duckDbParquetRows), ["engine"]);

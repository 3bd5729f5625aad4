/** Parquet, read by this package or by DuckDB. */
import { byEngine } from "../engine/engine.ts";
import { dense } from "./format.ts";
import { parquet } from "./parquet.ts";

export const parquetFormat = dense(
  byEngine(parquet, async () => (await import("../engine/duckdb-parquet.ts")).duckDbParquetRows),
  ["engine"],
);

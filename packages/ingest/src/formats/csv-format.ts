/** CSV and TSV, read by this package or by DuckDB. */
import { duckDbCsvRows, duckDbTsvRows } from "../engine/duckdb-csv.ts";
import { byEngine } from "../engine/engine.ts";
import { csv, csvKeys, tsv } from "./csv.ts";
import { dense } from "./format.ts";

export const csvFormat = dense(byEngine(csv, duckDbCsvRows), csvKeys);
export const tsvFormat = dense(byEngine(tsv, duckDbTsvRows), csvKeys);

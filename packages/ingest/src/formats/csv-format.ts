/** CSV and TSV, read by this package or by DuckDB. */
import { byEngine } from "../engine/engine.ts";
import { csv, csvKeys, tsv } from "./csv.ts";
import { dense } from "./format.ts";

export const csvFormat = dense(
  byEngine(csv, async () => (await import("../engine/duckdb-csv.ts")).duckDbCsvRows),
  csvKeys,
);
export const tsvFormat = dense(
  byEngine(tsv, async () => (await import("../engine/duckdb-csv.ts")).duckDbTsvRows),
  csvKeys,
);

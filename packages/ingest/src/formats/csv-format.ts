/** CSV and TSV, in a detected dialect, read by this package or by DuckDB. */
import { byEngine } from "../engine/engine.ts";
import { csv, csvKeys, tsv } from "./csv.ts";
import { detecting } from "./csv-dialect.ts";
import { dense } from "./format.ts";

export const csvFormat = detecting(
  dense(
    byEngine(csv, async () => (await import("../engine/duckdb-csv.ts")).duckDbCsvRows),
    csvKeys,
  ),
);
export const tsvFormat = detecting(
  dense(
    byEngine(tsv, async () => (await import("../engine/duckdb-csv.ts")).duckDbTsvRows),
    csvKeys,
  ),
  { delimiter: "\t" },
);

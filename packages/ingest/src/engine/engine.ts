/** Who reads a file: the decoders of this package, or DuckDB. */
import { checkOneOf } from "../fault.ts";
import type { RowDecoder } from "../rows.ts";

/** "own": the decoders of this package. "duckdb": the package @duckdb/node-api, where it is installed. */
export type Engine = "own" | "duckdb";

/** What the formats that both read have besides their own options. */
export interface EngineOptions {
  /**
   * Who reads the file: "own" (default), or "duckdb", which takes less processor time for large Parquet files, and needs the package @duckdb/node-api and the
   * path of a file. Never chosen by size or by what is installed: the two agree on files that are written by the book, not on all others.
   */
  engine?: Engine;
}

/** A decoder that hands the file to the one that was asked for. @throws OptionError */
export function byEngine<O extends EngineOptions>(own: RowDecoder<O>, duckdb: RowDecoder<O>["rows"]): RowDecoder<O> {
  return {
    ...own,
    async *rows(source, options, builder) {
      checkOneOf("read", "engine", options.engine, ["own", "duckdb"]);
      yield* options.engine === "duckdb" ? duckdb(source, options, builder) : own.rows(source, options, builder);
    },
  };
}

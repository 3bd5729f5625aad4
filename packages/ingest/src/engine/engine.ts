/** Choice of the reader: the decoders of this package, or DuckDB. */
import { checkOneOf } from "../fault.ts";
import type { RowDecoder } from "../rows.ts";

/**
 * Reader of a file. "own": the decoders of this package. "duckdb": the package `@duckdb/node-api`, if it is installed.
 */
export type Engine = "own" | "duckdb";

/** Options of the formats that both readers support. */
export interface EngineOptions {
  /**
   * Reader of the file: "own" (default) or "duckdb". DuckDB takes less processor time for large Parquet files; it needs
   * the package `@duckdb/node-api` and a file path. "duckdb" is never chosen automatically, because the two readers agree
   * only on files that follow the standards.
   */
  engine?: Engine;
}

/**
 * Returns a decoder that passes the file to the reader that the options request. DuckDB's reader is loaded on demand.
 * @throws OptionError
 */
export function byEngine<O extends EngineOptions>(
  own: RowDecoder<O>,
  duckdb: () => Promise<RowDecoder<O>["rows"]>,
): RowDecoder<O> {
  return {
    ...own,
    async *rows(source, options, builder) {
      checkOneOf("read", "engine", options.engine, ["own", "duckdb"]);
      yield* options.engine === "duckdb" ? (await duckdb())(source, options, builder) : own.rows(source, options, builder);
    },
  };
}

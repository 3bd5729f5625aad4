/**
 * The package `@duckdb/node-api`, which is not a dependency. Exports do not mention the package's types, because users
 * without the package lack them.
 */
import { CapabilityError } from "ergodic/data";

export type DuckDbModule = typeof import("@duckdb/node-api");
export type DuckDbInstance = Awaited<ReturnType<DuckDbModule["DuckDBInstance"]["create"]>>;
export type DuckDbConnection = Awaited<ReturnType<DuckDbInstance["connect"]>>;

/**
 * Loads the package. `instead`: an alternative that does not need the package, for the error. @throws CapabilityError
 * [DUCKDB_MISSING]
 */
export async function loadDuckDb(where: string, instead: string): Promise<DuckDbModule> {
  try {
    // The name is assembled so that no page bundler looks for the package's machine code.
    const name = ["@duckdb", "node-api"].join("/");
    return (await import(/* @vite-ignore */ name)) as DuckDbModule;
  } catch (cause) {
    const message = `it needs the package @duckdb/node-api, which cannot be loaded; run npm install @duckdb/node-api, or ${instead}`;
    throw new CapabilityError(where, message, "DUCKDB_MISSING", { cause });
  }
}

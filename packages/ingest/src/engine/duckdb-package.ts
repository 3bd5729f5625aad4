/** The package @duckdb/node-api, which is not installed with this one. Nothing that is exported tells of its types, which users without it lack. */
import { CapabilityError } from "ergodic";

export type DuckDbModule = typeof import("@duckdb/node-api");
export type DuckDbInstance = Awaited<ReturnType<DuckDbModule["DuckDBInstance"]["create"]>>;
export type DuckDbConnection = Awaited<ReturnType<DuckDbInstance["connect"]>>;

/** The package. `instead`: what does without it. @throws CapabilityError [DUCKDB_MISSING] */
export async function loadDuckDb(where: string, instead: string): Promise<DuckDbModule> {
  try {
    // Not by name, so that no bundler of a page looks for its machine code.
    const name = ["@duckdb", "node-api"].join("/");
    return (await import(/* @vite-ignore */ name)) as DuckDbModule;
  } catch (cause) {
    const message = `it needs the package @duckdb/node-api, which cannot be loaded; run npm install @duckdb/node-api, or ${instead}`;
    throw new CapabilityError(where, message, "DUCKDB_MISSING", { cause });
  }
}

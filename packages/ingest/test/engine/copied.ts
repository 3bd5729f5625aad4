/** Files written by the database itself, for tests that read them with both engines. */
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll } from "vitest";
import { folder } from "./made.ts";

const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
const connection = await instance.connect();
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

let files = 0;
/**
 * Returns the path of a file with these rows. `format` is "parquet" or "csv", with the database's options after a
 * comma.
 */
export async function copied(query: string, format = "parquet"): Promise<string> {
  const path = join(folder, `q${files++}.${format.split(",")[0]}`);
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT ${format})`);
  return path;
}

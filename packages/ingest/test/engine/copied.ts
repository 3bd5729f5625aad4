/** Files that the database itself writes, for tests that read them by both engines. */
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
/** The path of a file of these rows. `format`: "parquet" or "csv", and options of the database's behind a comma. */
export async function copied(query: string, format = "parquet"): Promise<string> {
  const path = join(folder, `q${files++}.${format.split(",")[0]}`);
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT ${format})`);
  return path;
}

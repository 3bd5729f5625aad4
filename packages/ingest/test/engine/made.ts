/** Files of a test, and the tables that both engines make of them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Table } from "ergodic";
import { afterAll } from "vitest";
import { type BlockOptions, blocks, type ReadTableOptions, readTable } from "../../src/index.ts";

export const folder = mkdtempSync(join(tmpdir(), "duckdb-engine-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
/** Returns the path of a file with this content. */
export function written(content: string | Uint8Array, name = `t${files++}.csv`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

export const plain = ({ rowCount, columns }: Table) => ({
  rowCount,
  columns: columns.map((column) =>
    column.kind === "number"
      ? { name: column.name, values: Array.from(column.values, (value) => (Object.is(value, -0) ? "-0" : String(value))) }
      : { name: column.name, codes: [...column.codes], levels: column.levels },
  ),
});

/** Result, or the code of the error. */
async function made<T>(make: () => Promise<T>): Promise<T | string> {
  try {
    return await make();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return code;
  }
}

const table = (path: string, options: ReadTableOptions) => made(async () => plain(await readTable(path, options)));

/** Tables of DuckDB and of our own decoder. */
export const both = async (path: string, options: ReadTableOptions = {}) => [
  await table(path, { ...options, engine: "duckdb" }),
  await table(path, options),
];

const tables = (path: string, options: BlockOptions) =>
  made(async () => {
    const all = [];
    for await (const block of blocks(path, options)) all.push(plain(block));
    return all;
  });

export const bothBlocks = async (path: string, options: BlockOptions) => [
  await tables(path, { ...options, engine: "duckdb" }),
  await tables(path, options),
];

/** Error of a failed read. */
export async function refusal(reading: Promise<unknown>): Promise<Error & { code: string }> {
  return reading.then(
    () => {
      throw new Error("nothing was refused");
    },
    (error) => error,
  );
}

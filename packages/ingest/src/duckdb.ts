/**
 * A DuckDB database that joins the tables of a knowledge base, and reads Parquet, CSV and JSON files as relations.
 *
 *   const db = await duckdb();
 *   const claims = relation("claims", await db.columns("SELECT city, source FROM 'claims.parquet'"));
 *   const graph = await knowledgeBase(rules).groundBy(db);
 *   db.close();
 *
 * Values are sent as integer codes. Rows are returned in sorted order. The graph therefore equals the graph from
 * `ground()`, with its factors in the same order. Needs the package `@duckdb/node-api`, which is not a dependency because
 * it is a hundred times as large as this package. For Node.
 *
 * @throws CapabilityError [DUCKDB_MISSING] without that package; DataError [DUCKDB_QUERY] if the database refuses a
 * query
 */
import { DataError, OptionError } from "ergodic/data";
import type { JoinColumn, Joiner, JoinQuery, JoinSession } from "ergodic/graphs";
import { type DuckDbConnection, type DuckDbInstance, type DuckDbModule, loadDuckDb } from "./engine/duckdb-package.ts";

/** Options of `duckdb()`. */
export interface DuckDbOptions {
  /** Path of a database file. Default: in memory. */
  path?: string;
  /** Number of threads that the database uses, a whole number >= 1. Default: one per processor. */
  threads?: number;
  /**
   * Memory in GiB that the database can use before it writes to disk, > 0. Default: DuckDB's own default, which is 80 %
   * of the machine's memory.
   */
  memory?: number;
}

/** Rows of a relation, as values by column. */
export type DuckDbColumns = Record<string, (string | number | boolean | null)[]>;

/** An open database. */
export interface DuckDb extends Joiner {
  /** Returns the result of a query as columns, in the form that `relation()` accepts. */
  columns(query: string): Promise<DuckDbColumns>;
  /** Closes the database and frees its memory. */
  close(): void;
}

/** Number of rows per chunk, which is the size of a vector in DuckDB. */
const CHUNK = 2048;

/**
 * Opens a database. Needs the package `@duckdb/node-api`.
 * @throws CapabilityError [DUCKDB_MISSING], OptionError, DataError [DUCKDB_QUERY]
 */
export async function duckdb(options: DuckDbOptions = {}): Promise<DuckDb> {
  const { path = ":memory:", threads, memory } = options;
  const unknown = Object.keys(options).find((key) => !["path", "threads", "memory"].includes(key));
  if (unknown !== undefined)
    throw new OptionError("duckdb", `unknown option "${unknown}" (known: path, threads, memory)`, "OPTION_UNKNOWN");
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1))
    throw new OptionError("duckdb", `threads is ${threads}, but must be an integer >= 1`, "OPTION_RANGE");
  if (memory !== undefined && !(Number.isFinite(memory) && memory > 0))
    throw new OptionError("duckdb", `memory is ${memory}, but must be a number of GiB > 0`, "OPTION_RANGE");
  const module = await loadDuckDb("duckdb", "use ground(), which joins in memory");
  const settings = {
    ...(threads === undefined ? {} : { threads: String(threads) }),
    ...(memory === undefined ? {} : { memory_limit: `${Math.ceil(memory * 1024)}MiB` }),
  };
  const instance = await answered(() => module.DuckDBInstance.create(path, settings));
  return {
    begin: async () => new Session(module, await instance.connect()),
    columns: (query) => columnsOf(instance, query),
    close: () => instance.closeSync(),
  };
}

class Session implements JoinSession {
  private readonly module: DuckDbModule;
  private readonly connection: DuckDbConnection;

  constructor(module: DuckDbModule, connection: DuckDbConnection) {
    this.module = module;
    this.connection = connection;
  }

  async load(table: number, columns: readonly Int32Array[]): Promise<void> {
    const { DuckDBDataChunk, INTEGER } = this.module;
    const names = ["row", ...columns.map((_, k) => `c${k}`)];
    await this.connection.run(`CREATE TEMP TABLE facts_${table} (${names.map((name) => `${name} INTEGER`).join(", ")})`);
    const appender = await this.connection.createAppender(`facts_${table}`, "main", "temp");
    const [{ length }] = columns;
    for (let from = 0; from < length; from += CHUNK) {
      const to = Math.min(length, from + CHUNK);
      const chunk = DuckDBDataChunk.create(names.map(() => INTEGER));
      const rows = Array.from({ length: to - from }, (_, i) => from + i);
      chunk.setColumns([rows, ...columns.map((column) => Array.from(column.subarray(from, to)))]);
      appender.appendDataChunk(chunk);
    }
    appender.closeSync();
  }

  /**
   * Streams the rows of a join. If the database stops early, the stream of its package ends without an error. An
   * additional row, which is not part of the join, therefore marks the end of a complete stream.
   */
  async *join(query: JoinQuery): AsyncIterable<readonly number[][]> {
    const result = await answered(() => this.connection.stream(sqlOf(query)));
    for (;;) {
      const chunk = await answered(() => result.fetchChunk());
      if (chunk === null || chunk.rowCount === 0) break;
      const columns = chunk.getColumns() as number[][];
      const isLast = columns.pop()!.at(-1) === 1;
      if (isLast) for (const column of columns) column.pop();
      if (columns[0].length > 0) yield columns;
      if (isLast) return;
    }
    const problem = "the database stopped before the end of a join; give it more memory, or leave groundBy out";
    throw new DataError("duckdb", problem, "DUCKDB_QUERY");
  }

  async end(): Promise<void> {
    this.connection.closeSync();
  }
}

/**
 * SQL of a join. For each match, the query returns the row number of each atom, followed by 0. A final row of −1 and 1
 * marks the end.
 */
function sqlOf({ atoms, equal, values, present, order }: JoinQuery): string {
  const at = ({ atom, column }: JoinColumn): string => `a${atom}.c${column}`;
  const conditions = [
    ...atoms.map(({ from, to }, k) => `a${k}.row >= ${from} AND a${k}.row < ${to}`),
    ...equal.map(([one, other]) => `${at(one)} = ${at(other)}`),
    ...values.map((one) => `${at(one)} = ${one.value}`),
    ...present.map((one) => `${at(one)} <> -1`),
  ];
  const rows = atoms.map((_, k) => `a${k}.row AS r${k}`).join(", ");
  const end = atoms.map(() => "-1").join(", ");
  const tables = atoms.map(({ table }, k) => `facts_${table} a${k}`).join(", ");
  const sorted = ["past", ...order.map((k) => `r${k}`)].join(", ");
  return `SELECT ${rows}, 0 AS past FROM ${tables} WHERE ${conditions.join(" AND ")} UNION ALL SELECT ${end}, 1 ORDER BY ${sorted}`;
}

async function columnsOf(instance: DuckDbInstance, query: string): Promise<DuckDbColumns> {
  const connection = await instance.connect();
  try {
    const reader = await answered(() => connection.runAndReadAll(query));
    const columns: DuckDbColumns = {};
    for (const [name, list] of Object.entries(reader.getColumnsObject()))
      columns[name] = list.map((value, row) => cell(name, row, value));
    return columns;
  } finally {
    connection.closeSync();
  }
}

function cell(column: string, row: number, value: unknown): string | number | boolean | null {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  const number = typeof value === "bigint" ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new DataError(
    "duckdb.columns",
    `row ${row + 1}: column "${column}" is ${String(value).slice(0, 60)}, but must be a text, a number that float64 holds, or a Boolean; cast it in the query: CAST(${column} AS VARCHAR)`,
    "DATA_TYPE",
  );
}

/** Reports the database's error as a DataError. */
async function answered<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      "duckdb",
      `the database refused: ${reason.split("\n")[0]}; correct the query or the path`,
      "DUCKDB_QUERY",
      { cause },
    );
  }
}

/**
 * One local file with a DuckDB instance that reads it. The instance is in memory, uses one thread, and cannot access
 * other files, the network or extensions. A path is always taken literally. It is never treated as a pattern.
 *
 * @throws CapabilityError DUCKDB_MISSING; OptionError for anything but a regular file; DataError DATA_PARSE,
 * DATA_RAGGED, DATA_ENCODING if the database refuses the file
 */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { DataError, OptionError } from "ergodic/data";
import { fault, fileFault, show } from "../fault.ts";
import type { ByteSource } from "../source.ts";
import { type DuckDbConnection, type DuckDbInstance, loadDuckDb } from "./duckdb-package.ts";

/**
 * Largest number of columns. For wider tables, DuckDB needs more time for the dictionaries and the query than our own
 * decoder needs in total.
 */
const mostColumns = 1000;

export class DuckDbFile {
  readonly name: string;
  /** Path in SQL notation. */
  readonly path: string;
  readonly #file: string;
  readonly #instance: DuckDbInstance;
  readonly #connection: DuckDbConnection;
  readonly #signal: AbortSignal | undefined;
  /** State of the file when it was opened. */
  readonly #was: string;

  private constructor(
    { name, signal }: ByteSource,
    file: string,
    was: string,
    instance: DuckDbInstance,
    connection: DuckDbConnection,
  ) {
    this.name = name;
    this.#file = file;
    this.#was = was;
    // In a pattern, a class of one character matches only that character, so the pattern matches exactly one path.
    this.path = quoted(file.replace(/[*?[]/g, "[$&]"));
    this.#signal = signal;
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(source: ByteSource): Promise<DuckDbFile> {
    if (source.path === undefined)
      throw new OptionError(
        "read",
        `engine is "duckdb", which opens only regular files, by path, but ${source.name} is not one; give a file's path, or use engine: "own"`,
        "OPTION_CONFLICT",
      );
    source.signal?.throwIfAborted();
    const module = await loadDuckDb("read", 'use engine: "own"');
    const { resolve, sep } = process.getBuiltinModule("node:path");
    // The file system resolves the path, because ".." after a link does not lead to the folder that precedes it in the
    // path.
    const { realpath } = process.getBuiltinModule("node:fs/promises");
    const path = await realpath(source.path).catch(() => resolve(source.path!)); // the reader reports the reason
    // The brackets make the path a pattern, in which DuckDB takes a backslash as a separator. A zero byte would end
    // DuckDB's query.
    if (path.includes("\0") || (sep === "/" && path.includes("\\") && /[*?[]/.test(path)))
      throw new OptionError(
        source.name,
        `engine is "duckdb", which cannot open a path that contains a zero byte, or \\ together with *, ? or [, but this is ${show(path)}; rename it, or use engine: "own"`,
        "OPTION_CONFLICT",
      );
    await refusePacked(source.name, path);
    const was = await stateOf(path);
    const instance = await module.DuckDBInstance.create(":memory:", {
      threads: "1",
      temp_directory: "",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    try {
      const connection = await instance.connect();
      const file = new DuckDbFile(source, path, was, instance, connection);
      await file.run(`SET allowed_paths = [${file.path}, ${quoted(path)}]`);
      await file.run("SET enable_external_access = false");
      await file.run("SET lock_configuration = true");
      return file;
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  /** Refuses wide tables. @throws OptionError for more than `mostColumns` columns */
  refuseWide(columnCount: number): void {
    if (columnCount <= mostColumns) return;
    throw new OptionError(
      this.name,
      `engine is "duckdb", which reads files of up to ${mostColumns} columns, but this one has ${columnCount}; use engine: "own"`,
      "OPTION_CONFLICT",
    );
  }

  async run(sql: string): Promise<void> {
    await this.#answered(() => this.#connection.run(sql));
  }

  /** Returns the first column of a query with few rows. */
  async texts(sql: string): Promise<string[]> {
    const reader = await this.#answered(() => this.#connection.runAndReadAll(sql));
    return (reader.getColumns()[0] ?? []).map(String);
  }

  /**
   * Yields the rows of a query with `columnCount` columns, in chunks of about 2000, as the database stores them.
   *
   * A stream of the package ends without an error if the database stops early. A complete stream therefore ends with an
   * additional row that is not part of the query.
   */
  async *chunks(sql: string, columnCount: number): AsyncGenerator<{ chunk: DuckDBDataChunk; rowCount: number }> {
    const last = [...Array<string>(columnCount).fill("NULL"), "true"].join(", ");
    const result = await this.#answered(() =>
      this.#connection.stream(`SELECT *, false AS whole FROM (${sql}) UNION ALL SELECT ${last}`),
    );
    for (;;) {
      const chunk = await this.#answered(() => result.fetchChunk());
      if (chunk === null || chunk.rowCount === 0) break;
      const isLast = chunk.getColumnVector(columnCount).getItem(chunk.rowCount - 1) === true;
      if (isLast) await this.#refuseChanged();
      yield { chunk, rowCount: isLast ? chunk.rowCount - 1 : chunk.rowCount };
      if (isLast) return;
    }
    await this.run(`SELECT count(COLUMNS(*)) FROM (${sql})`);
    throw fileFault(this.name, 'DuckDB stopped before the end of the file; read it with engine: "own"', "DATA_PARSE");
  }

  /** Refuses a file that changed while it was read, because a replaced file can have other columns. */
  async #refuseChanged(): Promise<void> {
    if ((await stateOf(this.#file)) === this.#was) return;
    throw new DataError(this.name, "the file was changed or replaced while it was read; read it again", "DATA_FILE");
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  async #answered<T>(ask: () => Promise<T>): Promise<T> {
    const signal = this.#signal;
    signal?.throwIfAborted();
    const stop = () => this.#connection.interrupt();
    signal?.addEventListener("abort", stop);
    try {
      return await ask();
    } catch (error) {
      signal?.throwIfAborted();
      throw databaseFault(this.name, error);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}

/** Returns a string that identifies the file at a path and its state; "" if the file cannot be examined. */
async function stateOf(path: string): Promise<string> {
  const found = await process
    .getBuiltinModule("node:fs/promises")
    .stat(path)
    .catch(() => undefined);
  return found ? [found.dev, found.ino, found.size, found.mtimeMs].join(" ") : "";
}

/** Refuses gzip files, because DuckDB does not detect truncated gzip files. @throws OptionError */
async function refusePacked(name: string, path: string): Promise<void> {
  const handle = await process
    .getBuiltinModule("node:fs/promises")
    .open(path, "r")
    .catch(() => undefined);
  if (handle === undefined) return; // the reader reports the reason
  try {
    const buffer = new Uint8Array(2);
    await handle.read(buffer, 0, 2, 0).catch(() => undefined); // fails for a folder, for example; the reader reports it
    if (buffer[0] !== 0x1f || buffer[1] !== 0x8b) return;
  } finally {
    await handle.close();
  }
  throw new OptionError(
    name,
    'engine is "duckdb", which does not notice if a gzip file is cut short; unpack it, or use engine: "own"',
    "OPTION_CONFLICT",
  );
}

/** Quotes a string for SQL. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * Error for a numeric column that contains something other than numbers. The column is identified by its name in the
 * query.
 */
export class NotNumber extends Error {
  readonly column: string;

  constructor(column: string) {
    super(`${column} is not a column of numbers`);
    this.column = column;
  }
}

/** Returns the database's error without its advice, which concerns its own options. */
function databaseFault(file: string, cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  const column = /^Conversion Error: CSV Error on Line[\s\S]*Error when converting column "(c\d+)"/.exec(message)?.[1];
  if (column !== undefined) return new NotNumber(column);
  const [told] = message.split(/\nPossible /);
  const lines = told.split("\n").filter((line) => line.trim() !== "");
  // The row itself is in the middle of the message, and it can contain anything.
  const said = ((/^Original Line: /m.test(told) ? lines.at(-1) : lines[0]) ?? "").replace(/\p{Cc}/gu, " ").slice(0, 200);
  const line = Number(/CSV Error on Line: (\d+)/.exec(message)?.[1] ?? 0);
  const advice = 'correct the file, or read it with engine: "own", which may say more';
  const code = /Expected Number of Columns/.test(message)
    ? "DATA_RAGGED"
    : /unicode|not utf-8/i.test(message)
      ? "DATA_ENCODING"
      : "DATA_PARSE";
  if (line > 0) return fault(file, line, 1, `DuckDB refuses the row (${said}); ${advice}`, code);
  return fileFault(file, `DuckDB refuses the file (${said}); ${advice}`, code, cause);
}

/**
 * One local file, and DuckDB to read it: in memory, on one thread, with nothing else within its reach. No other file, no network, no extension; a path is a path,
 * whatever it looks like, never a pattern.
 *
 * @throws CapabilityError DUCKDB_MISSING; OptionError for what is no regular file; DataError DATA_PARSE, DATA_RAGGED, DATA_ENCODING for what the database refuses
 */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { DataError, OptionError } from "ergodic";
import { fault, fileFault, show } from "../fault.ts";
import type { ByteSource } from "../source.ts";
import { type DuckDbConnection, type DuckDbInstance, loadDuckDb } from "./duckdb-package.ts";

/** Of wider tables each column's dictionary, and the query itself, take the database longer than our decoder takes in all. */
const mostColumns = 1000;

export class DuckDbFile {
  readonly name: string;
  /** The path, as SQL has it. */
  readonly path: string;
  readonly #file: string;
  readonly #instance: DuckDbInstance;
  readonly #connection: DuckDbConnection;
  readonly #signal: AbortSignal | undefined;
  /** What the file was when it was opened. */
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
    // A class of one character is that character: of a pattern it leaves the path.
    this.path = quoted(file.replace(/[*?[]/g, "[$&]"));
    this.#signal = signal;
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(source: ByteSource): Promise<DuckDbFile> {
    if (source.path === undefined)
      throw new OptionError(
        "read",
        `engine is "duckdb", which opens regular files by their paths, but ${source.name} is none; give a file's path, or take engine: "own"`,
        "OPTION_CONFLICT",
      );
    source.signal?.throwIfAborted();
    const module = await loadDuckDb("read", 'take engine: "own"');
    const { resolve, sep } = process.getBuiltinModule("node:path");
    // As the system finds it: through a link, ".." is not the folder before it.
    const { realpath } = process.getBuiltinModule("node:fs/promises");
    const path = await realpath(source.path).catch(() => resolve(source.path!)); // who reads it says what is wrong
    // Of a pattern, which brackets make of the path, a backslash is a separator to the database; at a zero byte its query ends.
    if (path.includes("\0") || (sep === "/" && path.includes("\\") && /[*?[]/.test(path)))
      throw new OptionError(
        source.name,
        `engine is "duckdb", which opens no path with a zero byte, nor with both \\ and *, ? or [, but this is ${show(path)}; rename it, or take engine: "own"`,
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

  /** @throws OptionError for more columns than it is for */
  refuseWide(columnCount: number): void {
    if (columnCount <= mostColumns) return;
    throw new OptionError(
      this.name,
      `engine is "duckdb", which is for files of up to ${mostColumns} columns, but here are ${columnCount}; take engine: "own"`,
      "OPTION_CONFLICT",
    );
  }

  async run(sql: string): Promise<void> {
    await this.#answered(() => this.#connection.run(sql));
  }

  /** The first column of a query's few rows. */
  async texts(sql: string): Promise<string[]> {
    const reader = await this.#answered(() => this.#connection.runAndReadAll(sql));
    return (reader.getColumns()[0] ?? []).map(String);
  }

  /**
   * The rows of a query of so many columns, some 2000 at once, as the database has them in memory.
   *
   * A stream of the package's ends where the database stops, and does not say whether that was at a fault: a last row, which is no row of the query, tells.
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

  /** Names and kinds are of the file as it was: another one in its place may have other columns. */
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

/** Which file lies at a path, and in which state; "" = none that can be looked at. */
async function stateOf(path: string): Promise<string> {
  const found = await process
    .getBuiltinModule("node:fs/promises")
    .stat(path)
    .catch(() => undefined);
  return found ? [found.dev, found.ino, found.size, found.mtimeMs].join(" ") : "";
}

/** The database does not see whether what is within gzip is whole. @throws OptionError */
async function refusePacked(name: string, path: string): Promise<void> {
  const handle = await process
    .getBuiltinModule("node:fs/promises")
    .open(path, "r")
    .catch(() => undefined);
  if (handle === undefined) return; // who reads it says why
  try {
    const buffer = new Uint8Array(2);
    await handle.read(buffer, 0, 2, 0).catch(() => undefined); // a folder, say: who reads it says so
    if (buffer[0] !== 0x1f || buffer[1] !== 0x8b) return;
  } finally {
    await handle.close();
  }
  throw new OptionError(
    name,
    'engine is "duckdb", which does not see whether a file within gzip is whole; unpack it, or take engine: "own"',
    "OPTION_CONFLICT",
  );
}

/** A text as SQL has it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A column of numbers, by its name in the query, holds something else. */
export class NotNumber extends Error {
  readonly column: string;

  constructor(column: string) {
    super(`${column} is no column of numbers`);
    this.column = column;
  }
}

/** The database's words without its advice, which is about its own options. */
function databaseFault(file: string, cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  const column = /^Conversion Error: CSV Error on Line[\s\S]*Error when converting column "(c\d+)"/.exec(message)?.[1];
  if (column !== undefined) return new NotNumber(column);
  const [told] = message.split(/\nPossible /);
  const lines = told.split("\n").filter((line) => line.trim() !== "");
  // The row itself is in the middle, and may hold anything.
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

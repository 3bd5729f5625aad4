/**
 * Columns of a query → a `TableBuilder`. Numbers are read from DuckDB's own arrays. Strings are read as dictionary
 * codes, so that no string needs to be created for each cell.
 *
 * The dictionary of a column is an ENUM of the database with the strings of the first rows. Strings that are not in the
 * dictionary are transferred individually, which costs about 20 times as much. The rules for missing values, levels and
 * refusals are those of `ColumnBuilder`.
 */
import type { DuckDBDataChunk, DuckDBVector } from "@duckdb/node-api";
import { CapabilityError } from "ergodic/data";
import type { ColumnBuilder } from "../column.ts";
import type { TableBuilder } from "../table-builder.ts";
import { type DuckDbFile, NotNumber } from "./duckdb-file.ts";

/**
 * A column that is kept, and its expression in the query. The expression yields strings, float64, 64-bit integers, or
 * the integers in which the database stores dates and times.
 */
export type Pick = { column: ColumnBuilder; sql: string } & (
  | { kind: "text" | "number" }
  | { kind: "count"; put(item: number | bigint, line: number): void }
);

export interface Query {
  file: DuckDbFile;
  /** Text after FROM. */
  from: string;
  picks: readonly Pick[];
  /** Line of the first row. */
  line: number;
  /** Number of rows already added. If the file is queried again, the query starts after these rows. */
  done: number;
  /** Approximate number of rows. */
  expected: number;
  /** Converts a string from the database to the form in which our own reader would return the cell. */
  textOf(text: string): string;
  /**
   * Adds a number that is infinite or NaN, or an integer beyond 2^53. If this method is absent, a column with such a
   * value is read as strings.
   */
  putOdd?(column: ColumnBuilder, value: number | bigint, line: number): void;
}

/** Number of rows from which dictionaries are made. */
const headRows = 10_000;
/**
 * Largest number of distinct strings among these rows. A column with more distinct strings is not treated as a category
 * and gets no dictionary.
 */
const mostLevels = 2000;
const largest = Number.MAX_SAFE_INTEGER;

/**
 * Adds the rows of a query, and yields whenever a block of them is full.
 *
 * @throws NotNumber for a numeric column that has to be read as strings. Exactly `done` rows have then been added, and
 * no cell of the next row.
 */
export async function* putRows(query: Query, builder: TableBuilder): AsyncGenerator<void> {
  const { file, from, picks } = query;
  const dictionaries = await dictionariesOf(query);
  const inner = picks.map(({ sql }, k) => `${sql} AS v${k}${dictionaries[k] ? `, TRY_CAST(${sql} AS t${k}) AS e${k}` : ""}`);
  // Each pick returns two columns, so that the second column can be found by its position. nothing.
  const outer = picks.map((_, k) =>
    dictionaries[k] ? `e${k}, CASE WHEN e${k} IS NULL THEN v${k} END AS r${k}` : `v${k}, NULL AS r${k}`,
  );
  let left = query.done;
  const sql = `SELECT ${outer.join(", ")} FROM (SELECT ${inner.join(", ")} FROM ${from})`;
  for await (const { chunk, rowCount } of file.chunks(sql, 2 * picks.length)) {
    let start = Math.min(left, rowCount);
    left -= start;
    const readers = picks.map((pick, k) => {
      if (pick.kind === "count") return countsReader(pick, k, chunk);
      return pick.kind === "number" ? numbersReader(query, pick, k, chunk) : textsReader(query, pick, k, chunk, dictionaries[k]);
    });
    while (start < rowCount) {
      const end = Math.min(rowCount, start + builder.blockRows - builder.rowCount);
      for (const put of readers) put(start, end, query.line + query.done);
      query.done += end - start;
      let full = false;
      for (; start < end; start++) full = builder.endRow();
      if (builder.rowCount > 0) builder.expect(query.expected, builder.rowCount);
      if (full) yield;
    }
  }
}

/** Adds the rows [start, end) of a chunk. `line`: line of the first row. */
type Put = (start: number, end: number, line: number) => void;

function numbersReader({ putOdd }: Query, { column, sql }: Pick, k: number, chunk: DuckDBDataChunk): Put {
  const vector = chunk.getColumnVector(2 * k);
  const items = itemsOf(vector);
  const isNull = nullsOf(vector);
  const values = items instanceof Float64Array ? items : doubles(items as BigInt64Array | BigUint64Array);
  const isOdd = items instanceof Float64Array && putOdd ? isNotFinite : isBeyond;
  const odd = new Set<number>();
  for (let i = 0; i < values.length; i++) if (isOdd(values[i]) && !isNull?.(i)) odd.add(i);
  if (odd.size > 0 && putOdd === undefined) throw new NotNumber(sql);
  if (odd.size === 0 && isNull === undefined) return (start, end, line) => column.putNumbers(values.subarray(start, end), line);
  return (start, end, line) => {
    for (let i = start; i < end; i++, line++) {
      if (isNull?.(i)) column.putMissing(line, "null");
      else if (odd.has(i)) putOdd!(column, items[i], line);
      else column.putNumber(values[i], line);
    }
  };
}

function countsReader({ column, put }: Extract<Pick, { kind: "count" }>, k: number, chunk: DuckDBDataChunk): Put {
  const vector = chunk.getColumnVector(2 * k);
  const items = itemsOf(vector);
  const isNull = nullsOf(vector);
  return (start, end, line) => {
    for (let i = start; i < end; i++, line++) {
      if (isNull?.(i)) column.putMissing(line, "null");
      else put(items[i], line);
    }
  };
}

const isNotFinite = (value: number): boolean => value - value !== 0;
const isBeyond = (value: number): boolean => !(value <= largest && value >= -largest);

function textsReader({ textOf }: Query, { column }: Pick, k: number, chunk: DuckDBDataChunk, dictionary?: Dictionary): Put {
  // This is copied out of the database only on demand, because the strings are seldom needed.
  const texts = (): DuckDBVector => chunk.getColumnVector(dictionary ? 2 * k + 1 : 2 * k);
  const codes = dictionary && chunk.getColumnVector(2 * k);
  const items = codes && itemsOf(codes);
  const isNull = codes && nullsOf(codes);
  const { levels = [], known = [] } = dictionary ?? {};
  return (start, end, line) => {
    for (let i = start; i < end; i++, line++) {
      if (items === undefined || isNull?.(i)) {
        const text = texts().getItem(i) as string | null;
        if (text === null) column.putMissing(line, "null");
        else column.put(textOf(text), line);
        continue;
      }
      const item = items[i] as number;
      const code = known[item];
      if (code !== undefined) column.putCode(code);
      else {
        column.put(levels[item], line);
        known[item] = column.codeOf(levels[item]);
      }
    }
  };
}

/** Strings by their code in the database, with the column's code for each string that has occurred. */
interface Dictionary {
  levels: readonly string[];
  known: (number | undefined)[];
}

/**
 * Dictionary of each string column: the distinct strings of the first rows, unless there are too many. The types t0,
 * t1, … are their ENUMs.
 */
async function dictionariesOf({ file, from, picks, textOf }: Query): Promise<(Dictionary | undefined)[]> {
  const texts = picks.flatMap(({ kind, sql }, k) => (kind === "text" ? [`${sql} AS v${k}`] : []));
  if (texts.length === 0) return [];
  await file.run(
    `CREATE OR REPLACE TEMP TABLE head AS SELECT ${texts.join(", ")} FROM (SELECT * FROM ${from} LIMIT ${headRows})`,
  );
  const dictionaries: (Dictionary | undefined)[] = [];
  for (const [k, { kind }] of picks.entries()) {
    if (kind !== "text") continue;
    const found = await file.texts(`SELECT DISTINCT v${k} FROM head WHERE v${k} IS NOT NULL LIMIT ${mostLevels + 1}`);
    if (found.length === 0 || found.length > mostLevels) continue;
    await file.run(`CREATE OR REPLACE TEMP TYPE t${k} AS ENUM (SELECT DISTINCT v${k} FROM head WHERE v${k} IS NOT NULL)`);
    dictionaries[k] = { levels: (await file.texts(`SELECT unnest(enum_range(NULL::t${k}))`)).map(textOf), known: [] };
  }
  await file.run("DROP TABLE head");
  return dictionaries;
}

type Items = Float64Array | BigInt64Array | BigUint64Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

/** Returns a vector's array, which exists in the package but not in its types. */
function itemsOf(vector: DuckDBVector): Items {
  const { items } = vector as unknown as { items?: Items };
  if (ArrayBuffer.isView(items)) return items;
  throw new CapabilityError(
    "read",
    `this version of @duckdb/node-api stores columns differently from 1.5.6; install 1.5.6, or use engine: "own"`,
    "DUCKDB_MISSING",
  );
}

/**
 * Returns a test for null values, or undefined if there are none. Reading the package's bits one at a time through a
 * bigint would be 30 times slower.
 */
function nullsOf(vector: DuckDBVector): ((i: number) => boolean) | undefined {
  const { data } = (vector as unknown as { validity: { data: BigUint64Array | null } }).validity;
  if (data === null) return undefined;
  const bits = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return (i) => (bits[i >> 3] & (1 << (i & 7))) === 0;
}

/** Converts 64-bit integers from their halves, without bigints. Exact up to 2^53. */
function doubles(items: BigInt64Array | BigUint64Array): Float64Array {
  const low = new Uint32Array(items.buffer, items.byteOffset, 2 * items.length);
  const high = items instanceof BigInt64Array ? new Int32Array(low.buffer, low.byteOffset, low.length) : low;
  return Float64Array.from({ length: items.length }, (_, i) => high[2 * i + 1] * 2 ** 32 + low[2 * i]);
}

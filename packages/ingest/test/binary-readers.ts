/** Readers for the cases in cases/ that describe bytes: Parquet files, Arrow files, and traversals of their parts. */
import type { Table } from "ergodic";
import { readDrawsArrow } from "../src/draws.ts";
import { checkArrow } from "../src/guards/arrow-check.ts";
import { readFlatbuffer } from "../src/guards/flatbuffer.ts";
import { checkDeltas, checkDeltaTexts, checkRuns } from "../src/guards/parquet-runs.ts";
import { readThrift, readVarint } from "../src/guards/parquet-thrift.ts";
import { readTable } from "../src/index.ts";
import { arrowFile } from "./arrow-file.ts";
import { type ParquetFile, parquetFile } from "./parquet-file.ts";
import { bytesOf, type Part } from "./parts.ts";

/** Lists columns by name, kind, values (null is missing, "-0" the negative zero), and the levels of a category. */
export const dense = ({ columns }: Table): unknown =>
  columns.map((column) =>
    column.kind === "number"
      ? [column.name, column.kind, Array.from(column.values, (x) => (Object.is(x, -0) ? "-0" : x))]
      : [column.name, column.kind, Array.from(column.codes, (code) => column.levels[code] ?? null), column.levels],
  );

interface Walk {
  runs?: Part[];
  deltas?: Part[];
  texts?: Part[];
  thrift?: Part[];
  varint?: Part[];
  flat?: Part[];
  at?: number;
  end?: number;
  width?: number;
  values?: number;
  limit?: number;
  bits?: number;
  kind?: object;
}

/**
 * Result of a traversal. With the option `cuts`, lists the results for the first n bytes at each n where the result
 * changes.
 */
function walked(given: Walk, { cuts = false }: { cuts?: boolean }): unknown {
  const parts = given.runs ?? given.deltas ?? given.texts ?? given.thrift ?? given.varint ?? given.flat!;
  const bytes = Uint8Array.from(bytesOf(parts));
  if (!cuts) return walk(given, bytes);
  const found: unknown[] = [];
  let last = "";
  for (let n = 0; n <= bytes.length; n++) {
    const said = saidBy(() => walk(given, bytes.slice(0, n)));
    if (said !== last) found.push([n, said]);
    last = said;
  }
  return found;
}

function saidBy(work: () => unknown): string {
  try {
    return JSON.stringify(work());
  } catch (error) {
    return `! ${(error as Error).message}`;
  }
}

function walk(given: Walk, bytes: Uint8Array): unknown {
  const { at = 0, end = bytes.length, width = 1, values = 0, limit, bits = 32, kind = {} } = given;
  if (given.runs) return checkRuns(bytes, at, end, width, values, limit).ones;
  if (given.deltas) {
    const { numbers, end: stop } = checkDeltas(bytes, at, values);
    return [Array.from(numbers), stop];
  }
  if (given.texts) return checkDeltaTexts(bytes, at, values) ?? "right";
  if (given.varint) return readVarint(bytes, at, end, bits);
  if (given.flat) return plain(readFlatbuffer(bytes, kindOf(kind) as never, given.at));
  const { fields, end: stop } = readThrift(bytes, at);
  return [plain(fields), stop];
}

/** Converts from JSON: tables without functions, and "itself" or "list" for endlessly nested tables. */
function kindOf(given: object): object {
  const kind: Record<string, unknown> = {};
  for (const [id, field] of Object.entries(given)) {
    if (field === "itself") kind[id] = { table: kind };
    else if (field === "list") kind[id] = { tables: () => kind };
    else if (field.table) kind[id] = { table: kindOf(field.table) };
    else kind[id] = field.tables ? { tables: () => kindOf(field.tables) } : field;
  }
  return kind;
}

/** Converts maps to pairs and bytes to lists. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Array.from(value, ([id, one]) => [id, plain(one)]);
  if (value instanceof Uint8Array) return Array.from(value);
  if (value instanceof DataView) return Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  return Array.isArray(value) ? value.map(plain) : value;
}

const before = "a.parquet: the Parquet data is damaged or uses an unsupported feature (";
const after = "); write it again, for instance with pyarrow [DATA_PARSE]";

/**
 * Shortens the error, because most cases have the same words around the reason. If our own checks find nothing, the
 * messages of the decoder and the engine can change.
 */
function short({ message }: Error): never {
  if (!message.startsWith(before) || !message.endsWith(after)) throw new Error(message);
  const reason = message.slice(before.length, -after.length);
  const isTheirs = /^(Cannot |Invalid |Offset |parquet |missing |premature |incorrect |invalid |offset |number of )/.test(reason);
  throw new Error(`damaged: ${isTheirs ? "(their words)" : reason}`);
}

export const binaryReaders: Record<string, (content: never, options: object) => unknown> = {
  // Changes to the plain file. The option `checked` runs only the check.
  "arrow.txt": async (given: object, { checked = false }: { checked?: boolean }) => {
    const bytes = arrowFile(given);
    if (checked) return checkArrow(bytes) ?? "right";
    const { content } = await readDrawsArrow(bytes);
    return [content.chains, content.count, Object.entries(content.values).map(([name, list]) => [name, Array.from(list)])];
  },
  "parquet.txt": async (given: ParquetFile, options) => {
    const source = { content: parquetFile(given), name: "a.parquet" };
    return dense(await readTable(source, { format: "parquet", ...options } as never).catch(short));
  },
  "walks.txt": walked as never,
};

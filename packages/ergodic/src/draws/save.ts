import { checkChoice } from "../base/checks.ts";
import { CapabilityError, checkKeys, DataError } from "../base/errors.ts";
import { keptElsewhere, nameOf, readBlocks, readWhole, writeWhole } from "../base/files.ts";
import { Murmur3 } from "../base/murmur3.ts";
import { builtin, inNode } from "../base/node.ts";
import type { JsonObject } from "../contract.ts";
import type { DrawsContent } from "./content.ts";
import { csvBlocks } from "./csv.ts";
import { type ChainFile, ChainReader, fromChainFiles, fromCmdStanCsv } from "./csv-reader.ts";
import { Draws } from "./draws.ts";
import { headerToJson, jsonBlocks } from "./json.ts";
import { DrawsJsonReader } from "./json-reader.ts";

/** Options of `saveDraws`. */
export interface SaveDrawsOptions {
  /** "csv" (default): CmdStan's, a file a chain; "json": one file. */
  format?: "csv" | "json";
}

type DrawsFile = string | URL | Uint8Array | Blob;

/** What draws.json says of a CSV file beside it. */
interface Listed {
  readonly name: string;
  readonly bytes: number;
  readonly checksum: number;
}

const INDEX = "draws.json";
const SEED = 0;
/** Bytes that are read at a time. */
const READ_BYTES = 1 << 22;

/**
 * Draws in a folder, and back.
 *
 *   await saveDraws(posterior, "out");                      // out/chain_1.csv …, as CmdStan's, and out/draws.json
 *   await saveDraws(posterior, "out", { format: "json" });  // all in out/draws.json
 *   await loadDraws("out");                                 // either; or a folder of CmdStan's output
 *   await loadDraws(["output_1.csv", "output_2.csv"]);      // one file a chain
 *
 * Every file appears whole or not at all, and draws.json last: it names the CSV files with their checksums, so that a folder in which a second save
 * was cut short is refused, not read as a mixture. What an earlier save left beyond that is removed. What cannot be written is kept in the system's
 * temporary folder, and the error says where. Saving needs Node; loading takes URLs, Blobs and bytes too.
 *
 * @throws OptionError for an unknown format; DataError [FILE_READ], [FILE_WRITE], [DRAWS_FOLDER], and those of the formats;
 * CapabilityError [NO_FILES] for saving in a browser
 */
export async function saveDraws(draws: Draws, folder: string, options: SaveDrawsOptions = {}): Promise<void> {
  checkKeys("saveDraws", options, ["format"]);
  const { format = "csv" } = options;
  checkChoice("saveDraws", "format", format, ["csv", "json"]);
  if (!inNode())
    throw new CapabilityError(
      "saveDraws",
      `${folder} cannot be written, for a browser has no files; offer toCmdStanCsv or toJSON() as a download`,
      "NO_FILES",
    );
  const { content } = draws;
  // Before anything is written, as draws may be refused.
  if (format === "csv" && draws.chains > 0) csvBlocks(content, 0).next();
  const save = (into: string): Promise<void> => saveIn(into, content, format);
  try {
    await save(folder);
  } catch (error) {
    throw await keptElsewhere(error, folder, save);
  }
}

async function saveIn(folder: string, content: DrawsContent, format: "csv" | "json"): Promise<void> {
  await makeFolder(folder);
  const before = await earlier(folder);
  const files: Listed[] = [];
  for (let c = 0; format === "csv" && c < content.chains; c++) {
    const name = `chain_${c + 1}.csv`;
    const sum = new Murmur3(SEED);
    const size = { bytes: 0 };
    await writeWhole(`${folder}/${name}`, counted(csvBlocks(content, c), sum, size));
    files.push({ name, bytes: size.bytes, checksum: sum.value });
  }
  const index = format === "csv" ? [JSON.stringify({ ...headerToJson(content), files })] : jsonBlocks(content);
  await writeWhole(`${folder}/${INDEX}`, ended(index));
  const { rm } = builtin("node:fs/promises");
  for (const name of before) if (!files.some((file) => file.name === name)) await rm(`${folder}/${name}`, { force: true });
}

/** Blocks of text as bytes, on whose way they are summed up. */
function* counted(blocks: Iterable<string>, sum: Murmur3, size: { bytes: number }): Generator<Uint8Array> {
  for (const block of blocks) {
    const bytes = new TextEncoder().encode(block);
    sum.add(bytes);
    size.bytes += bytes.length;
    yield bytes;
  }
}

function* ended(blocks: Iterable<string>): Generator<string> {
  yield* blocks;
  yield "\n";
}

/** A folder, one file, or one CSV file a chain. */
export function loadDraws(from: DrawsFile | readonly DrawsFile[]): Promise<Draws> {
  return readDraws(from, READ_BYTES);
}

/** `blockBytes`: that are read at a time. */
export async function readDraws(from: DrawsFile | readonly DrawsFile[], blockBytes: number): Promise<Draws> {
  if (Array.isArray(from)) return fromFiles(from, blockBytes);
  const one = from as DrawsFile;
  if (typeof one !== "string") return fromFiles([one], blockBytes);
  const inside = await namesIn(one);
  if (!inside) return fromFiles([one], blockBytes);
  if (inside.includes(INDEX)) return fromFiles([`${one}/${INDEX}`], blockBytes);
  const tables = inside.filter((name) => name.endsWith(".csv")).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (tables.length > 0)
    return fromFiles(
      tables.map((name) => `${one}/${name}`),
      blockBytes,
    );
  throw new DataError(one, `there is neither ${INDEX} nor a CSV file in this folder; give the folder of a run`, "DRAWS_FOLDER");
}

async function fromFiles(from: readonly DrawsFile[], blockBytes: number): Promise<Draws> {
  const chains: ChainFile[] = [];
  for (const [c, file] of from.entries()) {
    const name = nameOf(file, `chain ${c + 1}`);
    const { content } = await contentOf(file, name, blockBytes);
    if (content instanceof ChainReader) {
      chains.push(content.end());
      continue;
    }
    if (from.length > 1) throw new DataError(name, "it is JSON, and holds all chains of a run; give it alone", "DRAWS_FOLDER");
    return fromIndex(file, name, content, blockBytes);
  }
  return chains.length === 0 ? fromCmdStanCsv([]) : fromChainFiles(chains);
}

async function fromIndex(from: DrawsFile, path: string, reader: DrawsJsonReader, blockBytes: number): Promise<Draws> {
  const json = inJson(path, () => reader.end()) as JsonObject;
  if (!Array.isArray(json?.files)) return Draws.fromJson(json);
  const chains: ChainFile[] = [];
  for (const { name, bytes, checksum } of json.files as unknown as Listed[]) {
    const file = beside(from, path, name);
    const { content, failure, size, sum } = await contentOf(file, String(file), blockBytes, true);
    if (size !== bytes || sum !== checksum) {
      const message = `it is not the file that ${INDEX} speaks of: it was changed, or a second save was cut short`;
      throw new DataError(String(file), `${message}; to read it as it is, load the CSV files by name`, "DRAWS_FOLDER");
    }
    if (failure) throw failure.error;
    if (content instanceof ChainReader) chains.push(content.end());
  }
  return chains.length === 0 ? fromCmdStanCsv([]) : fromChainFiles(chains);
}

function inJson<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new DataError(path, "it is not JSON: it may have been cut; save the draws anew", "DRAWS_JSON", { cause });
  }
}

interface Content {
  readonly content: ChainReader | DrawsJsonReader;
  /** What reading threw, where it was asked to go to the end all the same. */
  readonly failure: { error: unknown } | undefined;
  readonly size: number;
  readonly sum: number;
}

/** Reads a file to its end. `whole`: even where its first part fails, so that its checksum is known. */
async function contentOf(from: DrawsFile, name: string, blockBytes: number, whole = false): Promise<Content> {
  const decoder = new TextDecoder();
  const sum = new Murmur3(SEED);
  let [size, head] = [0, ""];
  let content: ChainReader | DrawsJsonReader | undefined;
  let failure: { error: unknown } | undefined;
  const add = (text: string, last = false): void => {
    if (content) {
      content.add(text);
      return;
    }
    head += text;
    // So much tells what it is.
    if (!last && (head.trim() === "" || head.length < ARROW.length)) return;
    content = readerOf(name, head);
    content.add(head);
  };
  const attempt = (text: string, last = false): void => {
    if (failure) return;
    try {
      inJson(name, () => add(text, last));
    } catch (error) {
      if (!whole) throw error;
      failure = { error };
    }
  };
  for await (const block of readBlocks(from, blockBytes)) {
    sum.add(block);
    size += block.length;
    attempt(decoder.decode(block, { stream: true }));
  }
  attempt(decoder.decode(), true);
  return { content: content ?? new ChainReader(name), failure, size, sum: sum.value };
}

const ARROW = "ARROW1";

/** By how the text begins. */
function readerOf(name: string, head: string): ChainReader | DrawsJsonReader {
  if (head.startsWith(ARROW))
    throw new DataError("loadDraws", "the file is Arrow's; read it with readDrawsArrow of @ergodic/ingest", "DRAWS_FORMAT");
  return /^\s*\{/.test(head) ? new DrawsJsonReader() : new ChainReader(name);
}

/** A file in the folder of draws.json, and nowhere else. */
function beside(from: DrawsFile, path: string, name: unknown): string | URL {
  if (typeof name !== "string" || !/^[\w-]+\.csv$/.test(name))
    throw new DataError(
      path,
      `it lists ${JSON.stringify(name)}, which is no CSV file beside it; save the draws anew`,
      "DRAWS_FOLDER",
    );
  if (from instanceof URL) return new URL(name, from);
  if (typeof from === "string") return path.replace(/[^/\\]*$/, name);
  throw new DataError(
    path,
    `it lists ${name} beside it, but was given as bytes; give its path, or the CSV files`,
    "DRAWS_FOLDER",
  );
}

async function makeFolder(folder: string): Promise<void> {
  const { mkdir } = builtin("node:fs/promises");
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new DataError(folder, `the folder cannot be made: ${(cause as Error).message}`, "FILE_WRITE", { cause });
  }
}

/** CSV files that an earlier save lists. */
async function earlier(folder: string): Promise<string[]> {
  try {
    const json = JSON.parse(new TextDecoder().decode(await readWhole(`${folder}/${INDEX}`)));
    return (json.files as Listed[]).map(({ name }) => name).filter((name) => /^chain_\d+\.csv$/.test(name));
  } catch {
    return []; // No earlier save, or none of ours: nothing to remove.
  }
}

/** Names in a folder; undefined for what is none, whose errors reading then tells. */
async function namesIn(path: string): Promise<string[] | undefined> {
  if (!inNode()) return undefined;
  const { readdir } = builtin("node:fs/promises");
  return readdir(path).catch(() => undefined);
}

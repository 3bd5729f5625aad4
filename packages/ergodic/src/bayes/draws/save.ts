import type { JsonObject } from "../../engine/contract/index.ts";
import { checkChoice, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, DataError, OptionError } from "../../engine/errors/errors.ts";
import {
  type FileHandleTarget,
  keptElsewhere,
  nameOf,
  pathOf,
  pendingFiles,
  readBlocks,
  readWhole,
  writeWhole,
} from "../../engine/files/files.ts";
import { inNode } from "../../engine/files/node.ts";
import { Murmur3 } from "../../engine/random/murmur3.ts";
import { type DrawsContent, contentOf as drawsContent } from "./content.ts";
import { csvBlocks } from "./csv.ts";
import { type ChainFile, ChainReader, fromChainFiles, fromCmdStanCsv } from "./csv-reader.ts";
import { Draws } from "./draws.ts";
import {
  type DrawsFolder,
  type FileHandleSource,
  type FolderHandle,
  fileOf,
  folderAt,
  folderOf,
  isFileHandle,
  isFolderHandle,
  isWritableHandle,
} from "./folder.ts";
import { headerToJson, jsonBlocks } from "./json.ts";
import { DrawsJsonReader } from "./json-reader.ts";

/** Options of `saveDraws`. */
export interface SaveDrawsOptions {
  /** File format. "csv" (default): CmdStan's format, a file per chain; "json": one file. */
  format?: "csv" | "json";
}

/** Destination of draws: a folder's path or file: URL (Node), or the handle of a folder or file (browsers). */
export type DrawsTarget = string | URL | FolderHandle | FileHandleTarget;

/** Source of draws: a folder, or one of its files. */
export type DrawsSourceFile = string | URL | Uint8Array | Blob | FileHandleSource;

type DrawsFile = Exclude<DrawsSourceFile, FileHandleSource>;

/** Entry in draws.json for a CSV file in the same folder. */
interface Listed {
  readonly name: string;
  readonly bytes: number;
  readonly checksum: number;
}

const INDEX = "draws.json";
const SEED = 0;
/** Number of bytes read per block. */
const READ_BYTES = 1 << 22;

/**
 * Saves draws to a folder, to a file or as bytes, and loads them again.
 *
 * Either all files of a folder are replaced, or none. After a full disk or a crash, the folder holds either the earlier
 * draws or the new draws.
 *
 * draws.json lists the CSV files with their checksums, so that files from two different saves are not loaded together.
 * Files of an earlier save that are no longer needed are removed.
 *
 * If a path cannot be written, the draws are stored in the system's temporary folder, and the error says where.
 *
 * A single file, or bytes, hold JSON. Loading also accepts URLs, Blobs, bytes and handles.
 *
 * @param draws draws to save, e.g. the result of `sample`
 * @param to path of a folder or file, or a handle. Without a target, the bytes are returned
 * @param options `format`: "csv" (default for a folder) writes a file per chain, "json" one file
 * @throws OptionError for an unknown format, or CSV in one file; DataError [FILE_READ], [FILE_WRITE], [DRAWS_FOLDER],
 *   and the errors of the formats; CapabilityError [NO_FILES] for a path in a browser
 *
 * @example
 * ```ts
 * await saveDraws(posterior, "out");                      // out/chain_1.csv …, as CmdStan's, and out/draws.json
 * await saveDraws(posterior, "out", { format: "json" });  // all in out/draws.json
 * await loadDraws("out");                                 // either; or a folder of CmdStan's output
 * await loadDraws(["output_1.csv", "output_2.csv"]);      // one file per chain
 * await saveDraws(posterior, await navigator.storage.getDirectory()); // a browser's folder
 * await saveDraws(posterior, fileHandle);                 // all in one file
 * const bytes = await saveDraws(posterior);               // the bytes of that file
 * ```
 */
export function saveDraws(draws: Draws): Promise<Uint8Array>;
export function saveDraws(draws: Draws, to: DrawsTarget, options?: SaveDrawsOptions): Promise<void>;
export async function saveDraws(draws: Draws, given?: DrawsTarget, options: SaveDrawsOptions = {}): Promise<unknown> {
  const to = isFileUrl(given) ? await pathOf(given) : given;
  checkKeys("saveDraws", options, ["format"]);
  const { format } = options;
  if (format !== undefined) checkChoice("saveDraws", "format", format, ["csv", "json"]);
  const content = drawsContent("saveDraws", draws);
  if (typeof to !== "string" && !isFolderHandle(to)) {
    if (format === "csv")
      throw new OptionError(
        "saveDraws",
        'format is "csv", which writes a file per chain, but a single file was given; give a folder, or omit format to save as JSON',
        "OPTION_CONFLICT",
      );
    if (to === undefined) return bytesOf(ended(jsonBlocks(content)));
    if (!isWritableHandle(to))
      refuse("saveDraws", "to", to, "a folder's path, or the handle of a folder or of a file", 'saveDraws(posterior, "out")');
    return writeWhole(to as FileHandleTarget, ended(jsonBlocks(content)));
  }
  if (typeof to === "string" && !inNode())
    throw new CapabilityError(
      "saveDraws",
      `${to} cannot be written, because a browser has no paths; give the handle of a folder or of a file, or offer the bytes of saveDraws(draws) as a download`,
      "NO_FILES",
    );
  // Generates the first block before anything is written, because the CSV format might refuse the draws.
  if (format !== "json" && draws.chains > 0) csvBlocks(content, 0).next();
  const save = (into: DrawsFolder): Promise<void> => saveIn(into, content, format ?? "csv");
  if (typeof to !== "string") return save(folderOf(to));
  try {
    await save(folderAt(to));
  } catch (error) {
    throw await keptElsewhere(error, to, (place) => save(folderAt(place)));
  }
}

async function saveIn(folder: DrawsFolder, content: DrawsContent, format: "csv" | "json"): Promise<void> {
  await folder.make();
  const before = await earlier(folder);
  const chains = Array.from({ length: format === "csv" ? content.chains : 0 }, (_, c) => ({
    name: `chain_${c + 1}.csv`,
    sum: new Murmur3(SEED),
    size: { bytes: 0 },
  }));
  // This function runs after the chains have been written, because it needs their checksums.
  const index = (): Iterable<string> => {
    const files = chains.map(({ name, sum, size }): Listed => ({ name, bytes: size.bytes, checksum: sum.value }));
    return format === "csv" ? [JSON.stringify({ ...headerToJson(content), files })] : jsonBlocks(content);
  };
  await folder.write([
    ...chains.map(({ name, sum, size }, c) => ({ name, content: () => counted(csvBlocks(content, c), sum, size) })),
    { name: INDEX, content: () => ended(index()) },
  ]);
  for (const name of before) if (!chains.some((chain) => chain.name === name)) await folder.remove(name);
}

function bytesOf(blocks: Iterable<string>): Uint8Array {
  const encoder = new TextEncoder();
  const parts = Array.from(blocks, (block) => encoder.encode(block));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Encodes blocks of text as bytes, and updates checksum and size. */
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

/**
 * Reads draws from a folder, a single file, or one CSV file per chain. `blockBytes`: number of bytes read per block.
 */
export async function readDraws(
  from: DrawsSourceFile | FolderHandle | readonly DrawsSourceFile[],
  blockBytes: number = READ_BYTES,
): Promise<Draws> {
  if (Array.isArray(from)) return fromFiles(await Promise.all(from.map(opened)), blockBytes);
  const one = from as Exclude<typeof from, readonly DrawsSourceFile[]>;
  const folder = isFolderHandle(one) ? folderOf(one) : await folderOnDisk(one);
  const inside = await folder?.names();
  if (!folder || !inside) return fromFile(one as DrawsSourceFile, blockBytes);
  if (inside.includes(INDEX)) return fromFiles([await folder.file(INDEX)], blockBytes, folder);
  const tables = inside.filter((name) => name.endsWith(".csv")).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (tables.length > 0) return fromFiles(await Promise.all(tables.map((name) => folder.file(name))), blockBytes);
  throw new DataError(
    folder.name,
    `there is neither ${INDEX} nor a CSV file in this folder; give the folder of a run`,
    "DRAWS_FOLDER",
  );
}

/** Reads one file. After an interrupted save, the file and the files that it lists might still have temporary names. */
async function fromFile(one: DrawsSourceFile, blockBytes: number): Promise<Draws> {
  const path = isFileUrl(one) ? await pathOf(one) : one;
  if (typeof path === "string" && inNode() && /(^|[/\\])draws\.json$/.test(path)) {
    const above = path.slice(0, -INDEX.length) || ".";
    if ((await pendingFiles(above)).size > 0) return readDraws(above, blockBytes);
  }
  return fromFiles([await opened(one)], blockBytes);
}

const isFileUrl = (value: unknown): value is URL => inNode() && value instanceof URL && value.protocol === "file:";

async function folderOnDisk(from: DrawsSourceFile): Promise<DrawsFolder | undefined> {
  if (isFileUrl(from)) return folderAt(await pathOf(from));
  return typeof from === "string" && inNode() ? folderAt(from) : undefined;
}

const opened = async (file: DrawsSourceFile): Promise<DrawsFile> => (isFileHandle(file) ? fileOf(file) : file);

/** Reads draws from files. `folder`: folder of the files that draws.json lists, if known. */
async function fromFiles(from: readonly DrawsFile[], blockBytes: number, folder?: DrawsFolder): Promise<Draws> {
  const chains: ChainFile[] = [];
  for (const [c, file] of from.entries()) {
    const name = nameOf(file, `chain ${c + 1}`);
    const { content } = await contentOf(file, name, blockBytes);
    if (content instanceof ChainReader) {
      chains.push(content.end());
      continue;
    }
    if (from.length > 1) throw new DataError(name, "it is JSON, and holds all chains of a run; give it alone", "DRAWS_FOLDER");
    return fromIndex(name, content, blockBytes, (listed) => beside(file, name, listed, folder));
  }
  return chains.length === 0 ? fromCmdStanCsv([]) : fromChainFiles(chains);
}

async function fromIndex(
  path: string,
  reader: DrawsJsonReader,
  blockBytes: number,
  open: (name: unknown) => Promise<DrawsFile>,
): Promise<Draws> {
  const json = inJson(path, () => reader.end()) as JsonObject;
  if (!Array.isArray(json?.files)) return Draws.fromJson(json);
  const chains: ChainFile[] = [];
  for (const listed of json.files as unknown as Listed[]) {
    const file = await open(listed.name);
    const name = nameOf(file, listed.name);
    const { content, failure, size, sum } = await contentOf(file, name, blockBytes, true);
    if (size !== listed.bytes || sum !== listed.checksum) {
      const message = `it is not the file that ${INDEX} describes: it was changed, or a second save was cut short`;
      throw new DataError(name, `${message}; to read it as it is, load the CSV files by name`, "DRAWS_FOLDER");
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
    throw new DataError(path, "it is not JSON: it may have been cut; save the draws again", "DRAWS_JSON", { cause });
  }
}

interface Content {
  readonly content: ChainReader | DrawsJsonReader;
  /** Parse error. The error is stored only if the caller asked to continue to the end of the file. */
  readonly failure: { error: unknown } | undefined;
  readonly size: number;
  readonly sum: number;
}

/** Reads a file to its end. `whole`: continue after a parse error, so that the checksum is known. */
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
    // The text must be at least this long before its format can be recognised.
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

/** Chooses the reader by file name and by the beginning of the text. */
function readerOf(name: string, head: string): ChainReader | DrawsJsonReader {
  if (head.startsWith(ARROW))
    throw new DataError(
      "loadDraws",
      "the file is in Arrow format; read it with readDrawsArrow of @ergodic/ingest",
      "DRAWS_FORMAT",
    );
  return /\.json$/i.test(name) || /^\s*[{[]/.test(head) ? new DrawsJsonReader() : new ChainReader(name);
}

/** Opens a listed file in the folder of draws.json. Other locations are refused. */
async function beside(from: DrawsFile, path: string, name: unknown, folder: DrawsFolder | undefined): Promise<DrawsFile> {
  if (typeof name !== "string" || !/^[\w-]+\.csv$/.test(name))
    throw new DataError(
      path,
      `it lists ${JSON.stringify(name)}, which is not a CSV file in the same folder; save the draws again`,
      "DRAWS_FOLDER",
    );
  if (folder) return folder.file(name);
  if (from instanceof URL) return new URL(name, from);
  if (typeof from === "string") return path.replace(/[^/\\]*$/, name);
  throw new DataError(
    path,
    `it lists ${name}, a file of its folder, but was given without the folder; give the folder's path or handle, or the CSV files`,
    "DRAWS_FOLDER",
  );
}

/** Names of the CSV files of an earlier save. */
async function earlier(folder: DrawsFolder): Promise<string[]> {
  try {
    const json = JSON.parse(new TextDecoder().decode(await readWhole(await folder.file(INDEX))));
    return (json.files as Listed[]).map(({ name }) => name).filter((name) => /^chain_\d+\.csv$/.test(name));
  } catch {
    return []; // No earlier save, or not one of ours: nothing to remove.
  }
}

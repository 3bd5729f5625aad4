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
  /** "csv" (default): CmdStan's, a file a chain; "json": one file. */
  format?: "csv" | "json";
}

/** Where draws are kept: a folder's path or file: URL (Node), or the handle of a folder or of a file (browsers). */
export type DrawsTarget = string | URL | FolderHandle | FileHandleTarget;

/** What draws are read from: a folder, or one of its files. */
export type DrawsSourceFile = string | URL | Uint8Array | Blob | FileHandleSource;

type DrawsFile = Exclude<DrawsSourceFile, FileHandleSource>;

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
 * Draws in a folder, in a file or as bytes, and back.
 *
 *   await saveDraws(posterior, "out");                      // out/chain_1.csv …, as CmdStan's, and out/draws.json
 *   await saveDraws(posterior, "out", { format: "json" });  // all in out/draws.json
 *   await loadDraws("out");                                 // either; or a folder of CmdStan's output
 *   await loadDraws(["output_1.csv", "output_2.csv"]);      // one file a chain
 *
 *   await saveDraws(posterior, await navigator.storage.getDirectory()); // a folder of a browser, of whose handle loadDraws reads as well
 *   await saveDraws(posterior, fileHandle);                 // all in one file
 *   const bytes = await saveDraws(posterior);               // the bytes of that file
 *
 * The files of a folder are all replaced, or none: a disk that is full, or a crash, leaves the draws of the earlier save or those of the new one.
 * draws.json names the CSV files with their checksums, so that a mixture of two saves is refused. What an earlier save left beyond the new files is
 * removed. What cannot be written to a path is kept in the
 * system's temporary folder, and the error says where. One file, and bytes, are JSON. Loading takes URLs, Blobs, bytes and handles too.
 *
 * @throws OptionError for an unknown format, or CSV in one file; DataError [FILE_READ], [FILE_WRITE], [DRAWS_FOLDER], and those of the formats;
 * CapabilityError [NO_FILES] for a path in a browser
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
        'format is "csv", which is a file a chain, but there is one file to write; give a folder, or omit format, for JSON',
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
      `${to} cannot be written, for a browser has no paths; give the handle of a folder or of a file, or offer the bytes of saveDraws(draws) as a download`,
      "NO_FILES",
    );
  // Before anything is written, as draws may be refused.
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
  // When its turn comes, the sums are known.
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

/** From a folder, one file, or one CSV file a chain. `blockBytes`: that are read at a time. */
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

/** One file; of a save that was cut short it may still have another name, and so may those that it lists. */
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

/** `folder`: that files which draws.json lists are in, where it is known. */
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
      const message = `it is not the file that ${INDEX} speaks of: it was changed, or a second save was cut short`;
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

/** By the name, and by how the text begins. */
function readerOf(name: string, head: string): ChainReader | DrawsJsonReader {
  if (head.startsWith(ARROW))
    throw new DataError("loadDraws", "the file is Arrow's; read it with readDrawsArrow of @ergodic/ingest", "DRAWS_FORMAT");
  return /\.json$/i.test(name) || /^\s*[{[]/.test(head) ? new DrawsJsonReader() : new ChainReader(name);
}

/** A file in the folder of draws.json, and nowhere else. */
async function beside(from: DrawsFile, path: string, name: unknown, folder: DrawsFolder | undefined): Promise<DrawsFile> {
  if (typeof name !== "string" || !/^[\w-]+\.csv$/.test(name))
    throw new DataError(
      path,
      `it lists ${JSON.stringify(name)}, which is no CSV file beside it; save the draws anew`,
      "DRAWS_FOLDER",
    );
  if (folder) return folder.file(name);
  if (from instanceof URL) return new URL(name, from);
  if (typeof from === "string") return path.replace(/[^/\\]*$/, name);
  throw new DataError(
    path,
    `it lists ${name} beside it, but was given without its folder; give the folder's path or handle, or the CSV files`,
    "DRAWS_FOLDER",
  );
}

/** CSV files that an earlier save lists. */
async function earlier(folder: DrawsFolder): Promise<string[]> {
  try {
    const json = JSON.parse(new TextDecoder().decode(await readWhole(await folder.file(INDEX))));
    return (json.files as Listed[]).map(({ name }) => name).filter((name) => /^chain_\d+\.csv$/.test(name));
  } catch {
    return []; // No earlier save, or none of ours: nothing to remove.
  }
}

import { checkChoice } from "../base/checks.ts";
import { CapabilityError, checkKeys, DataError } from "../base/errors.ts";
import { keptElsewhere, nameOf, readWhole, writeWhole } from "../base/files.ts";
import { Murmur3, murmur3 } from "../base/murmur3.ts";
import { builtin } from "../base/node.ts";
import type { JsonObject } from "../contract.ts";
import type { DrawsContent } from "./content.ts";
import { csvBlocks } from "./csv.ts";
import { fromCmdStanCsv } from "./csv-reader.ts";
import { Draws } from "./draws.ts";
import { headerToJson, jsonBlocks } from "./json.ts";

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
export async function loadDraws(from: DrawsFile | readonly DrawsFile[]): Promise<Draws> {
  if (Array.isArray(from)) return fromFiles(from);
  const one = from as DrawsFile;
  if (typeof one !== "string") return fromFiles([one]);
  const inside = await namesIn(one);
  if (!inside) return fromFiles([one]);
  if (inside.includes(INDEX)) return fromFiles([`${one}/${INDEX}`]);
  const tables = inside.filter((name) => name.endsWith(".csv")).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (tables.length > 0) return fromFiles(tables.map((name) => `${one}/${name}`));
  throw new DataError(one, `there is neither ${INDEX} nor a CSV file in this folder; give the folder of a run`, "DRAWS_FOLDER");
}

async function fromFiles(from: readonly DrawsFile[]): Promise<Draws> {
  const contents: { name: string; text: string }[] = [];
  for (const [c, file] of from.entries())
    contents.push({ name: nameOf(file, `chain ${c + 1}`), text: textOf(await readWhole(file)) });
  const json = contents.find(({ text }) => /^\s*\{/.test(text));
  if (!json)
    return fromCmdStanCsv(
      contents.map(({ text }) => text),
      contents.map(({ name }) => name),
    );
  if (contents.length > 1)
    throw new DataError(json.name, "it is JSON, and holds all chains of a run; give it alone", "DRAWS_FOLDER");
  return fromIndex(from[0], json.name, json.text);
}

async function fromIndex(from: DrawsFile, path: string, text: string): Promise<Draws> {
  let json: JsonObject;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError(path, "it is not JSON: it may have been cut; save the draws anew", "DRAWS_JSON", { cause });
  }
  if (!Array.isArray(json.files)) return Draws.fromJson(json);
  const texts: string[] = [];
  const names: string[] = [];
  for (const { name, bytes, checksum: sum } of json.files as unknown as Listed[]) {
    const file = beside(from, path, name);
    const read = await readWhole(file);
    names.push(String(file));
    texts.push(textOf(read));
    if (read.length === bytes && checksum(read) === sum) continue;
    const message = `it is not the file that ${INDEX} speaks of: it was changed, or a second save was cut short`;
    throw new DataError(String(file), `${message}; to read it as it is, load the CSV files by name`, "DRAWS_FOLDER");
  }
  return fromCmdStanCsv(texts, names);
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

const checksum = (bytes: Uint8Array): number => murmur3(bytes, 0, bytes.length, SEED);

function textOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  if (!text.startsWith("ARROW1")) return text;
  throw new DataError("loadDraws", "the file is Arrow's; read it with readDrawsArrow of @ergodic/ingest", "DRAWS_FORMAT");
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
    const json = JSON.parse(textOf(await readWhole(`${folder}/${INDEX}`)));
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

const inNode = (): boolean => typeof process !== "undefined" && typeof process.versions?.node === "string";

/**
 * Reads and writes draws in files. A folder of draws contains the library's CSV files (in CmdStan's format) or JSON
 * files, or the file draws.arrow. Any Arrow file can be read, whatever its name.
 *
 * Writing removes files in other formats that an earlier `sample` left in the folder, so that the folder holds one run.
 * A folder with more than one run is refused.
 *
 * @throws UsageError for an unknown format; CapabilityError [ARROW_MISSING] without the package apache-arrow; DataError
 * [FILE_WRITE], [DRAWS_FOLDER], and the errors of the formats
 */
import { open, readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readDrawsArrow, writeDrawsArrow } from "@ergodic/ingest/draws";
import { DataError, Draws, loadDraws, saveDraws } from "ergodic";
import { pendingFiles, writeWhole } from "ergodic/extend";
import { UsageError } from "./errors.ts";
import type { Place } from "./outputs.ts";

export type DrawsFormat = "csv" | "json" | "arrow";

const [INDEX, ARROW, MAGIC] = ["draws.json", "draws.arrow", "ARROW1"];

/** Checks before a run that its draws can be written at the end. */
export async function drawsFormat(given: string): Promise<DrawsFormat> {
  if (given !== "csv" && given !== "json" && given !== "arrow")
    throw new UsageError("--format", `"${given}" is not known; use csv, json or arrow`);
  if (given === "arrow") await writeDrawsArrow(noDraws());
  return given;
}

/** Lists the files to be written into a folder of draws, if their names are known in advance. */
export function drawsPlaces(folder: string | undefined): Place[] {
  const names = folder === undefined ? [] : [INDEX, ARROW, "chain_1.csv"];
  return names.map((name) => ({ flag: "--out", path: join(folder!, name), folders: true }));
}

export async function writeDraws(draws: Draws, folder: string, format: DrawsFormat): Promise<void> {
  if (format !== "arrow") {
    await saveDraws(draws, folder, { format });
    return rm(join(folder, ARROW), { force: true });
  }
  const bytes = await writeDrawsArrow(draws);
  const before = await earlier(folder);
  await writeWhole(join(folder, ARROW), bytes, { folders: true, keep: true });
  for (const name of before) await rm(join(folder, name), { force: true });
}

export async function readDraws(path: string): Promise<Draws> {
  const names = await readdir(path).catch(() => undefined);
  if (!names) return (await isArrow(path)) ? readArrow(path) : loadDraws(path);
  // A save was interrupted, so its files still have temporary names.
  if ((await pendingFiles(path)).size > 0) return loadDraws(path);
  const runs = names.filter((name) => name === INDEX || /\.(csv|arrow)$/.test(name));
  if (runs.length === 0)
    throw new DataError(path, `there is no ${INDEX}, CSV or Arrow file in this folder; give the folder of a run`, "DRAWS_FOLDER");
  if (!runs.some((name) => name.endsWith(".arrow"))) return loadDraws(path);
  if (runs.length === 1) return readArrow(join(path, runs[0]));
  throw new DataError(path, `the folder holds ${runs.sort().join(", ")}; give the file of one run`, "DRAWS_FOLDER");
}

/** Returns the folder to which paths in descriptions are relative. */
export async function folderOfDraws(path: string): Promise<string> {
  const names = await readdir(path).catch(() => undefined);
  return names ? path : dirname(path);
}

async function readArrow(path: string): Promise<Draws> {
  const found = await stat(path);
  // /dev/zero has no end.
  if (found.isCharacterDevice() || found.isBlockDevice())
    throw new DataError(path, "cannot be read: it is a device, but must be a file or a pipe", "FILE_READ");
  const bytes = await readFile(path);
  try {
    return await readDrawsArrow(bytes);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const said = error.message.slice(error.where.length + 2, -(error.code.length + 3));
    throw new DataError(path, said, error.code, { cause: error });
  }
}

/** Whether a path holds draws rather than a saved model. */
export async function isDraws(path: string): Promise<boolean> {
  const names = await readdir(path).catch(() => undefined);
  return names !== undefined || path.endsWith(".arrow") || basename(path) === INDEX || (await isChain(path));
}

/** In CmdStan's files, the header line follows comments and begins with the log density. */
async function isChain(path: string): Promise<boolean> {
  const head = await beginning(path, 65_536);
  return /^(#.*\r?\n)*lp__,/.test(head);
}

/** If the file cannot be read, the library reports it later. */
const isArrow = async (path: string): Promise<boolean> => (await beginning(path, MAGIC.length)) === MAGIC;

/** Returns the first bytes of a file as text, or "" if it does not exist. */
async function beginning(path: string, bytes: number): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (!file) return "";
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Lists the files that an earlier `saveDraws` wrote into the folder: draws.json and the CSV files that it names. */
async function earlier(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, INDEX), "utf8").catch(() => undefined);
  if (text === undefined) return [];
  let files: unknown;
  try {
    files = (JSON.parse(text) as { files?: unknown } | null)?.files;
  } catch {
    // Truncated JSON lists nothing.
  }
  const listed = Array.isArray(files) ? files.map(({ name }: { name: unknown }) => String(name)) : [];
  return [INDEX, ...listed.filter((name) => /^chain_\d+\.csv$/.test(name))];
}

const noDraws = (): Draws =>
  new Draws({
    chains: 1,
    count: 0,
    quantities: [],
    values: {},
    fields: [],
    transitions: new Float64Array(0),
    description: {},
    report: {},
  });

import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { DataError } from "ergodic";
import { modelEndings } from "../models/of-file.ts";

/** A file with a version of a model. */
export interface Candidate {
  readonly version: string;
  readonly path: string;
  /** Value that changes when the file does. */
  readonly stamp: string;
  /** A file of another kind in the version's folder. It is not served. */
  readonly other?: string;
}

/**
 * Location of models. A file is one model, and a folder contains NAME.safetensors and NAME/VERSION/model.safetensors.
 */
export interface Source {
  readonly path: string;
  /** Name of the model. Default: from its file name. */
  readonly name?: string;
}

/** Content of the sources, by model name. */
export interface Found {
  /** Versions, newest first. */
  readonly models: Map<string, Candidate[]>;
  /** Names of models that two files claim. Each name has the error to report. */
  readonly doubled: Map<string, DataError>;
}

/** Lists the models in the sources. @throws DataError if a source does not exist */
export async function candidatesOf(sources: readonly Source[]): Promise<Found> {
  const found: Found = { models: new Map(), doubled: new Map() };
  for (const { path, name } of sources) {
    const isFolder = (await statOf(path)).isDirectory();
    const models = isFolder ? await ofFolder(path) : [await ofFile(path)];
    if (isFolder && name !== undefined && models.length !== 1)
      throw new DataError(
        path,
        `holds ${models.length} models, but must be the one model called "${name}"; name a file`,
        "MODEL_NAME",
      );
    for (const [own, versions] of models) {
      const called = name ?? own;
      if (found.models.has(called))
        found.doubled.set(called, new DataError(path, `holds a second model "${called}"; rename one of the two`, "MODEL_NAME"));
      else found.models.set(called, versions);
    }
  }
  return found;
}

/** Returns a value that changes when the file changes. */
export async function stampOf(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await statOf(path);
  return `${mtimeMs}:${size}:${ino}`;
}

type Named = readonly [string, Candidate[]];

async function ofFile(path: string): Promise<Named> {
  return [stemOf(path), [await candidate("1", path)]];
}

async function ofFolder(folder: string): Promise<Named[]> {
  const found: Named[] = [];
  for (const entry of (await readdir(folder)).sort()) {
    if (entry.startsWith(".")) continue;
    const path = join(folder, entry);
    if (modelEndings.includes(extname(entry))) found.push(await ofFile(path));
    // Links to folders are followed, because some systems replace versions by changing a link.
    else if ((await stat(path).catch(() => undefined))?.isDirectory()) {
      const versions = await versionsOf(path);
      if (versions.length > 0) found.push([entry, versions]);
    }
  }
  return found;
}

async function versionsOf(folder: string): Promise<Candidate[]> {
  const versions = (await readdir(folder)).filter((entry) => /^[1-9]\d{0,14}$/.test(entry)).sort((a, b) => Number(b) - Number(a));
  const found: Candidate[] = [];
  for (const version of versions) {
    const files = await readdir(join(folder, version)).catch((): string[] => []);
    const [file, other] = modelEndings.map((ending) => `model${ending}`).filter((name) => files.includes(name));
    if (file) found.push({ ...(await candidate(version, join(folder, version, file))), ...(other && { other }) });
  }
  return found;
}

async function candidate(version: string, path: string): Promise<Candidate> {
  return { version, path, stamp: await stampOf(path).catch(() => "gone") };
}

async function statOf(path: string): Promise<Stats> {
  return stat(path).catch((cause) => {
    throw new DataError(path, `cannot be read (${(cause as Error).message}); name a model or a folder of models`, "FILE_READ", {
      cause,
    });
  });
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

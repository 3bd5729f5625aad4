/**
 * Folders, and files next to a file. Available only in Node, because browsers have no paths.
 *
 * @throws DataError DATA_FILE (a folder that cannot be read)
 */
import { DataError } from "ergodic/data";
import type { Source } from "./source.ts";

export interface Entry {
  name: string;
  path: string;
  folder: boolean;
}

/** Whether a source is the path of a folder. In browsers, this is always false. */
export async function isFolder(source: Source): Promise<boolean> {
  return (await statOf(source))?.isDirectory() ?? false;
}

/** Whether this is the name of a PNG or JPEG file. */
export const isImageName = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

/** Whether a source is read as images: a folder, or the path of one picture. */
export async function holdsImages(source: Source): Promise<boolean> {
  return typeof source === "string" && !/[\r\n]/.test(source) && (isImageName(source) || (await isFolder(source)));
}

/** Lists a folder, sorted by name. Names that begin with a dot are excluded. Links count as their targets. */
export async function entriesOf(path: string): Promise<Entry[]> {
  const { readdir, stat } = process.getBuiltinModule("node:fs/promises");
  const folder = path.replace(/(?<=.)[/\\]+$/, "");
  try {
    const entries: Entry[] = [];
    for (const name of (await readdir(path)).sort()) {
      if (name.startsWith(".")) continue;
      const inside = `${folder}/${name}`;
      entries.push({ name, path: inside, folder: (await stat(inside)).isDirectory() });
    }
    return entries;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(path, `the folder cannot be read (${reason}); check the path and its permissions`, "DATA_FILE", {
      cause: error,
    });
  }
}

/** Pairs of file names that belong to one data set: the file of images or rows, and the file of labels. */
const pairs: readonly [RegExp, string][] = [
  [/images([.-])idx\d+-ubyte$/, "labels$1idx1-ubyte"],
  [/(^|[/\\])x((?:[._-][^/\\]*)?\.npy)$/, "$1y$2"],
  [/(^|[/\\])X((?:[._-][^/\\]*)?\.npy)$/, "$1Y$2"],
  [/(^|[/\\])X((?:[._-][^/\\]*)?\.npy)$/, "$1y$2"],
];

/**
 * Returns the path of the labels that are next to a file: …-labels-idx1-ubyte for …-images-idx3-ubyte, y.npy for x.npy,
 * y_train.npy for x_train.npy, each with or without .gz.
 */
export async function labelsBeside(source: Source): Promise<string | undefined> {
  if (typeof source !== "string" || /[\r\n]/.test(source)) return undefined;
  const plain = source.replace(/\.gz$/i, "");
  for (const [name, other] of pairs) {
    if (!name.test(plain)) continue;
    const beside = plain.replace(name, other);
    for (const path of plain === source ? [beside, `${beside}.gz`] : [`${beside}.gz`, beside]) {
      if ((await statOf(path))?.isFile()) return path;
    }
  }
  return undefined;
}

async function statOf(source: unknown) {
  if (typeof source !== "string" || source === "-" || /[\r\n]/.test(source)) return undefined;
  if (typeof process === "undefined" || !process.versions?.node) return undefined;
  const { stat } = process.getBuiltinModule("node:fs/promises");
  // An inaccessible file is reported when it is opened.
  return stat(source).catch(() => undefined);
}

/**
 * Outputs are looked at before a command works: that each can be written, that none is an input, and that no two are one file.
 * No output is opened, and nothing is left behind.
 *
 * @throws UsageError for an output that is an input or another output; DataError [FILE_WRITE] for one that cannot be written
 */
import { fstat, readdir, readFile, realpath, stat } from "node:fs";
import { basename, dirname, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { checkWritable } from "ergodic/extend";
import { UsageError } from "./errors.ts";

/** `flag`: how the user knows it. Without a path there is none; "-" is standard input. */
export interface Place {
  readonly flag: string;
  readonly path: string | undefined;
  /** Of an input: `flag` says what imports it. */
  readonly isImported?: boolean;
  /** Of an output: missing folders above it would be made. */
  readonly folders?: boolean;
  /** Of an output: the flag of an input that it may be, as a checkpoint may be the one that is resumed from. */
  readonly continues?: string;
}

export async function checkOutputs(command: string, outputs: readonly Place[], inputs: readonly Place[]): Promise<void> {
  const given = outputs.filter(({ path }) => path !== undefined);
  const all = await Promise.all(inputs.map(async (input) => [input, ...(await importsOf(input))]));
  const read = await Promise.all(all.flat().map(identified));
  const seen: Identified[] = [];
  for (const output of given) {
    if (output.path === "") throw new UsageError(command, `${output.flag} is empty; give the name of a file, or leave it out`);
    if (output.path === "-")
      throw new UsageError(
        command,
        `${output.flag} - would be a file of that name, not standard output; give another name, or ./- if that one is meant`,
      );
    const own = await identified(output);
    const input = read.find(({ id, flag }) => id !== undefined && id === own.id && flag !== output.continues);
    if (input)
      throw new UsageError(
        command,
        `${output.flag} ${output.path} is ${input.flag}${input.path === output.path || input.isImported ? "" : ` ${input.path}`}, which it would take the place of; give ${output.flag} another name`,
      );
    const folder = read.find((place) => holds(place, own));
    if (folder)
      throw new UsageError(
        command,
        `${output.flag} ${output.path} is a file of ${folder.flag} ${folder.path}, which it would take the place of; give ${output.flag} another name`,
      );
    for (const place of read)
      if (await joinsPictures(place, output))
        throw new UsageError(
          command,
          `${output.flag} ${output.path} would lie among the pictures of ${place.flag} ${place.path}, where all files are read; give ${output.flag} another folder`,
        );
    const twin = seen.find(({ id }) => id !== undefined && id === own.id);
    if (twin)
      throw new UsageError(command, `${twin.flag} and ${output.flag} are one file, ${output.path}; give each a name of its own`);
    seen.push(own);
  }
  for (const { path, folders } of given) await checkWritable(path!, { folders });
}

const SOURCE = /\.[cm]?[jt]s$/i;
const RELATIVE = /["'`](\.{1,2}\/[^"'`\n]+)["'`]/g;

/** Files that a source file imports, and those that they do: whatever it names by a path from its own folder and is there. */
async function importsOf({ flag, path }: Place, seen = new Set<string>()): Promise<Place[]> {
  if (path === undefined || !SOURCE.test(path) || seen.has(resolve(path))) return [];
  seen.add(resolve(path));
  // A FIFO is read once.
  const isFile = await promisify(stat)(path).then(
    (found) => found.isFile(),
    () => false,
  );
  const text = isFile ? await promisify(readFile)(path, "utf8").catch(() => "") : "";
  const named = [...text.matchAll(RELATIVE)].map(([, found]) => resolve(dirname(path), found));
  const below = await Promise.all(named.map((own) => importsOf({ flag, path: own }, seen)));
  return [...named.map((own) => ({ flag: `a file that ${flag} ${path} imports`, path: own, isImported: true })), ...below.flat()];
}

interface Identified extends Place {
  /** The same for two names of one file. Undefined for what can be read and written at the same time, as a terminal is. */
  readonly id: string | undefined;
  /** Of a file or a folder that is there: its path without links. */
  readonly real?: string;
  readonly isFolder?: boolean;
}

const PICTURE = /\.(png|jpe?g)$/i;
/** What folders are read for besides: the files of draws. Whatever else lies in them may be written anew. */
const DRAWS = /(\.arrow|\d\.csv|^draws\.json)$/i;

/** Whether a file lies in a folder, at any depth, and is one that a reader of the folder takes. */
function holds(folder: Identified, { real, isFolder }: Identified): boolean {
  if (!folder.isFolder || real === undefined || isFolder) return false;
  return real.startsWith(folder.real + sep) && [PICTURE, DRAWS].some((names) => names.test(basename(real)));
}

/** Whether a file would lie in a folder of a class: one below a folder that is read, with pictures in it. */
async function joinsPictures({ isFolder, real }: Identified, { path }: Place): Promise<boolean> {
  if (!isFolder || path === "-") return false;
  const folder = await promisify(realpath)(dirname(resolve(path!))).catch(() => "");
  return folder.startsWith(`${real}${sep}`) && (await promisify(readdir)(folder)).some((name) => PICTURE.test(name));
}

async function identified(place: Place): Promise<Identified> {
  const { path } = place;
  if (path === undefined) return { ...place, id: undefined };
  try {
    const found = await (path === "-" ? promisify(fstat)(0, { bigint: true }) : promisify(stat)(path, { bigint: true }));
    const id = found.isFile() || found.isFIFO() ? `${found.dev}:${found.ino}` : undefined;
    const isFolder = found.isDirectory();
    return {
      ...place,
      id,
      ...(path !== "-" && (isFolder || found.isFile()) ? { real: await promisify(realpath)(path), isFolder } : {}),
    };
  } catch {
    // Not there: its name is all that it is.
    return { ...place, id: resolve(path) };
  }
}

/**
 * Checks outputs before a command does any work: each output can be written, no output is an input, and no two outputs
 * are the same file. No output is opened, and nothing is left behind.
 *
 * @throws UsageError for an output that is an input or another output; DataError [FILE_WRITE] for one that cannot be
 * written
 */
import { fstat, readdir, readFile, realpath, stat } from "node:fs";
import { basename, dirname, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { checkWritable } from "ergodic/extend";
import { UsageError } from "./errors.ts";

/**
 * An input or output. `flag`: name of the option that gives the file. `path` is undefined if it is not given; "-" is
 * standard input.
 */
export interface Place {
  readonly flag: string;
  readonly path: string | undefined;
  /** For an input: whether another input imports it. In that case `flag` names the other input. */
  readonly isImported?: boolean;
  /** For an output: whether missing parent folders will be created. */
  readonly folders?: boolean;
  /** For an output: flag of the input that it can equal, such as the checkpoint from which the run resumes. */
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
        `${output.flag} - would write a file named -, not standard output; give another name, or ./- to write that file`,
      );
    const own = await identified(output);
    const input = read.find(({ id, flag }) => id !== undefined && id === own.id && flag !== output.continues);
    if (input)
      throw new UsageError(
        command,
        `${output.flag} ${output.path} is ${input.flag}${input.path === output.path || input.isImported ? "" : ` ${input.path}`}, which it would overwrite; give ${output.flag} another name`,
      );
    const folder = read.find((place) => holds(place, own));
    if (folder)
      throw new UsageError(
        command,
        `${output.flag} ${output.path} is a file in ${folder.flag} ${folder.path}, which it would overwrite; give ${output.flag} another name`,
      );
    for (const place of read)
      if (await joinsPictures(place, output))
        throw new UsageError(
          command,
          `${output.flag} ${output.path} would be among the pictures in ${place.flag} ${place.path}, where all files are read; give ${output.flag} another folder`,
        );
    const twin = seen.find(({ id }) => id !== undefined && id === own.id);
    if (twin)
      throw new UsageError(
        command,
        `${twin.flag} and ${output.flag} are the same file, ${output.path}; give them different names`,
      );
    seen.push(own);
  }
  for (const { path, folders } of given) await checkWritable(path!, { folders });
}

const SOURCE = /\.[cm]?[jt]s$/i;
const RELATIVE = /["'`](\.{1,2}\/[^"'`\n]+)["'`]/g;

/**
 * Returns the files that a source file imports, directly or indirectly. An existing file counts as imported if the
 * source file mentions its relative path.
 */
async function importsOf({ flag, path }: Place, seen = new Set<string>()): Promise<Place[]> {
  if (path === undefined || !SOURCE.test(path) || seen.has(resolve(path))) return [];
  seen.add(resolve(path));
  // A FIFO can be read only once.
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
  /**
   * Identity of the file: two names of the same file have the same identity. Undefined for files that can be read and
   * written simultaneously, such as a terminal.
   */
  readonly id: string | undefined;
  /** Path without links, for a file or folder that exists. */
  readonly real?: string;
  readonly isFolder?: boolean;
}

const PICTURE = /\.(png|jpe?g)$/i;
/**
 * Matches names of draws files. In a folder, only draws files and pictures are read, so its other files can be
 * overwritten.
 */
const DRAWS = /(\.arrow|\d\.csv|^draws\.json)$/i;

/** Whether a file is in a folder, at any depth, and would be read with it. */
function holds(folder: Identified, { real, isFolder }: Identified): boolean {
  if (!folder.isFolder || real === undefined || isFolder) return false;
  return real.startsWith(folder.real + sep) && [PICTURE, DRAWS].some((names) => names.test(basename(real)));
}

/** Whether a file would be placed in a class folder, which is a folder of pictures below a folder that is read. */
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
    // The file does not exist, so its name identifies it.
    return { ...place, id: resolve(path) };
  }
}

/**
 * Writes several files into a folder, so that either all of them are replaced or none.
 *
 * Every file is first written under a temporary name, so that a full disk leaves the old files intact. After that, a
 * record of the names is written as a whole. The files are renamed only after the record. After a crash between two
 * renames, the record lists the paths of the remaining files. Readers follow these paths, and the next save completes
 * the renames. The folder itself is never replaced, because it might contain other files, or be a link or a mount
 * point.
 */
import { refuse } from "../errors/checks.ts";
import { destinationOf } from "./destination.ts";
import { builtin } from "./node.ts";
import { makeFolder, type Parts, said, stage, syncFolder, type WriteOptions, writeThrough, writeWhole } from "./write-files.ts";

/** One file of the set. `content` is called when the file is written. */
export interface FileTogether {
  /** Name within the folder. */
  readonly name: string;
  /** Returns the bytes or the text. */
  readonly content: () => Parts;
}

/** A file that has been written under a temporary name but not renamed yet. */
interface Staged {
  readonly name: string;
  readonly partial: string;
  readonly target: string;
  readonly folder: string;
}

/** File name of the record that remains until all files of a save are renamed. */
export const UNFINISHED_SAVE = "unfinished-save.json";

/** Writes the files into a folder, in order. @throws DataError [FILE_WRITE] with the system's reason */
export async function writeTogether(
  folder: string,
  files: readonly FileTogether[],
  { folders = false }: Pick<WriteOptions, "folders"> = {},
): Promise<void> {
  const { join } = builtin("node:path");
  if (folders) await makeFolder(join(folder, UNFINISHED_SAVE));
  await finish(folder);
  const record = join(folder, UNFINISHED_SAVE);
  const staged: Staged[] = [];
  let renamed = 0;
  try {
    for (const { name, content } of files) {
      const path = join(folder, name);
      const destination = await said(path, destinationOf(path));
      // Devices have no old content to preserve.
      if (destination.kind === "through") await writeThrough(path, destination, content());
      else
        staged.push({
          name,
          partial: await stage(path, destination, content()),
          target: destination.path,
          folder: destination.folder,
        });
    }
    if (staged.length > 1) await writeWhole(record, new TextEncoder().encode(recordOf(staged)));
    const { rename } = builtin("node:fs/promises");
    for (; renamed < staged.length; renamed++) {
      const { name, partial, target } = staged[renamed];
      await said(join(folder, name), rename(partial, target));
    }
  } catch (error) {
    // Once a file is renamed, the record is needed to find the other files.
    if (renamed === 0) await discard(record, staged);
    throw error;
  }
  for (const each of new Set(staged.map((one) => one.folder))) await said(folder, syncFolder(each));
  await said(record, remove(record));
}

/** Returns the current paths of files that a save has not renamed yet, by final name. */
export async function pendingFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  if (typeof folder !== "string") refuse("pendingFiles", "folder", folder, "the path of a folder", '"draws"');
  const { readFile, stat } = builtin("node:fs/promises");
  const { join } = builtin("node:path");
  const text = await readFile(join(folder, UNFINISHED_SAVE), "utf8").catch(() => undefined);
  const pending = new Map<string, string>();
  for (const [name, partial] of listedIn(text)) {
    const target = await destinationOf(join(folder, name)).catch(() => undefined);
    if (target?.kind !== "whole") continue;
    const path = join(target.folder, partial);
    if ((await stat(path).catch(() => undefined))?.isFile()) pending.set(name, path);
  }
  return pending;
}

async function finish(folder: string): Promise<void> {
  const { rename } = builtin("node:fs/promises");
  const { join } = builtin("node:path");
  for (const [name, partial] of await pendingFiles(folder)) {
    const path = join(folder, name);
    const destination = await said(path, destinationOf(path));
    await said(path, rename(partial, destination.path));
  }
  const record = join(folder, UNFINISHED_SAVE);
  await said(record, remove(record));
}

/** The record is removed before its files, because a record must not refer to missing files. */
async function discard(record: string, staged: readonly Staged[]): Promise<void> {
  // Errors are ignored here, so that the first error is the one reported.
  await remove(record).catch(() => undefined);
  for (const { partial } of staged) await remove(partial).catch(() => undefined);
}

const remove = (path: string): Promise<void> => builtin("node:fs/promises").rm(path, { force: true });

function recordOf(staged: readonly Staged[]): string {
  const { basename } = builtin("node:path");
  return JSON.stringify(Object.fromEntries(staged.map(({ name, partial }) => [name, basename(partial)])));
}

/** Only accepts plain names, so that a record can only refer to partial files inside the folder. */
function listedIn(text: string | undefined): [name: string, partial: string][] {
  try {
    const isName = (name: unknown): name is string => typeof name === "string" && /^[^/\\\0]+$/.test(name);
    return Object.entries(JSON.parse(text ?? "{}") as Record<string, unknown>).filter(
      (entry): entry is [string, string] => isName(entry[0]) && isName(entry[1]) && entry[1].endsWith(".partial"),
    );
  } catch {
    return []; // Damaged, so nothing can be recovered.
  }
}

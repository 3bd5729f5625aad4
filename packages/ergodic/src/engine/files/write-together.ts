/**
 * Files of one folder that belong together: all of them are replaced, or none.
 *
 * Every file is written under another name first, so that a disk that is full leaves the old files as they are. Then a record of the names appears,
 * whole, and only then are the files renamed. After a crash between two renames the record tells where the rest is: reading takes it from there, and the
 * next save finishes the renames. The folder itself is never replaced, as it may hold other files, or be a link or a mount point.
 */
import { destinationOf } from "./destination.ts";
import { builtin } from "./node.ts";
import { type Content, makeFolder, said, stage, syncFolder, type WriteOptions, writeThrough, writeWhole } from "./write-files.ts";

/** A file of several; `content` is called when its turn comes. */
export interface FileTogether {
  /** Name within the folder. */
  readonly name: string;
  /** Returns the bytes or the text. */
  readonly content: () => Content;
}

/** A file that is written, but not yet under its name. */
interface Staged {
  readonly name: string;
  readonly partial: string;
  readonly target: string;
  readonly folder: string;
}

/** The record of a save whose files are not all under their names. */
export const UNFINISHED_SAVE = "unfinished-save.json";

/** Writes the files, in their order, into a folder. @throws DataError [FILE_WRITE] with the system's reason */
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
      // A device has no old content to lose.
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
    // Once a file has its new name, the record is the way to the others.
    if (renamed === 0) await discard(record, staged);
    throw error;
  }
  for (const each of new Set(staged.map((one) => one.folder))) await said(folder, syncFolder(each));
  await said(record, remove(record));
}

/** Files of a folder that a save did not come to rename, by their names: the paths where they are. */
export async function pendingFiles(folder: string): Promise<ReadonlyMap<string, string>> {
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

/** The record first: without its files it says nothing. */
async function discard(record: string, staged: readonly Staged[]): Promise<void> {
  // The first error is the one to tell.
  await remove(record).catch(() => undefined);
  for (const { partial } of staged) await remove(partial).catch(() => undefined);
}

const remove = (path: string): Promise<void> => builtin("node:fs/promises").rm(path, { force: true });

function recordOf(staged: readonly Staged[]): string {
  const { basename } = builtin("node:path");
  return JSON.stringify(Object.fromEntries(staged.map(({ name, partial }) => [name, basename(partial)])));
}

/** Names alone: a record leads to nothing outside of the folder, and to no file that is not under way. */
function listedIn(text: string | undefined): [name: string, partial: string][] {
  try {
    const isName = (name: unknown): name is string => typeof name === "string" && /^[^/\\\0]+$/.test(name);
    return Object.entries(JSON.parse(text ?? "{}") as Record<string, unknown>).filter(
      (entry): entry is [string, string] => isName(entry[0]) && isName(entry[1]) && entry[1].endsWith(".partial"),
    );
  } catch {
    return []; // Damaged: there is nothing to go by.
  }
}

/** Folders that hold draws: a path in Node, or a handle in a browser. */
import { DataError } from "../../engine/errors/errors.ts";
import { reason } from "../../engine/errors/system-reason.ts";
import { type FileHandleTarget, type FileTogether, pendingFiles, writeTogether } from "../../engine/files/files.ts";
import { builtin } from "../../engine/files/node.ts";

/** The part of a browser's FileSystemFileHandle that is needed for reading. */
export interface FileHandleSource {
  /** Kind of the handle: a file. */
  readonly kind: "file";
  /** Name of the file, for error messages. */
  readonly name: string;
  /** Returns the current file. */
  getFile(): Promise<File>;
}

/** The part of a browser's FileSystemDirectoryHandle that is needed for draws. */
export interface FolderHandle {
  /** Kind of the handle: a folder. */
  readonly kind: "directory";
  /** Name of the folder, for error messages. */
  readonly name: string;
  /** Yields the names of the folder's entries. */
  keys(): AsyncIterable<string>;
  /** Returns the handle of a file in the folder. */
  getFileHandle(name: string, options?: { create?: boolean }): Promise<FileHandleSource & FileHandleTarget>;
  /** Removes a file. */
  removeEntry(name: string): Promise<void>;
}

/** A folder, independent of the platform. */
export interface DrawsFolder {
  /** Name for error messages. */
  readonly name: string;
  /**
   * Names of the entries; undefined if this is not a folder. If this is not a folder, the error is reported when the
   * folder is read.
   */
  names(): Promise<readonly string[] | undefined>;
  /** A file in the folder, for reading. */
  file(name: string): Promise<string | Blob>;
  /** Creates the folder if it does not exist. */
  make(): Promise<void>;
  /** Replaces all files together, or none if an error occurs. */
  write(files: readonly FileTogether[]): Promise<void>;
  remove(name: string): Promise<void>;
}

export function folderAt(path: string): DrawsFolder {
  const at = (name: string): string => `${path}/${name}`;
  return {
    name: path,
    async names() {
      const names = await builtin("node:fs/promises")
        .readdir(path)
        .catch(() => undefined);
      return names && [...new Set([...names, ...(await pendingFiles(path)).keys()])];
    },
    file: async (name) => (await pendingFiles(path)).get(name) ?? at(name),
    async make() {
      await builtin("node:fs/promises")
        .mkdir(path, { recursive: true })
        .catch(failed(path, "the folder cannot be made", "FILE_WRITE"));
    },
    write: (files) => writeTogether(path, files),
    remove: (name) => builtin("node:fs/promises").rm(at(name), { force: true }),
  };
}

export function folderOf(handle: FolderHandle): DrawsFolder {
  const at = (name: string): string => `${handle.name}/${name}`;
  return {
    name: handle.name,
    async names() {
      const names: string[] = [];
      for await (const name of handle.keys()) names.push(name);
      return names;
    },
    file: async (name) => {
      const unread = failed(at(name), "cannot be read", "FILE_READ");
      return fileOf(await handle.getFileHandle(name).catch(unread));
    },
    make: async () => {},
    write: (files) => writeInto(handle, files),
    remove: (name) => handle.removeEntry(name),
  };
}

/**
 * Writes files through browser handles. A file changes only when its stream is closed, so all streams are written
 * before the first one is closed. After a failure, the old files remain and there are no new files.
 */
async function writeInto(handle: FolderHandle, files: readonly FileTogether[]): Promise<void> {
  const there = new Set<string>();
  for await (const name of handle.keys()) there.add(name);
  const streams: { name: string; stream: Awaited<ReturnType<FileHandleTarget["createWritable"]>> }[] = [];
  let closed = 0;
  try {
    for (const { name, content } of files) {
      const unwritten = failed(name, "cannot be written", "FILE_WRITE");
      const file = await handle
        .getFileHandle(name, { create: true })
        .catch(failed(`${handle.name}/${name}`, "cannot be written", "FILE_WRITE"));
      const stream = await file.createWritable().catch(unwritten);
      streams.push({ name, stream });
      const given = content();
      for await (const part of given instanceof Uint8Array ? [given] : given)
        await stream.write(part as Uint8Array<ArrayBuffer> | string).catch(unwritten);
    }
    for (; closed < streams.length; closed++) {
      const { name, stream } = streams[closed];
      await stream.close().catch(failed(name, "cannot be written", "FILE_WRITE"));
    }
  } catch (error) {
    // Only the first error is reported.
    for (const { stream } of streams.slice(closed)) await stream.abort().catch(() => undefined);
    if (closed === 0) for (const { name } of files) if (!there.has(name)) await handle.removeEntry(name).catch(() => undefined);
    throw error;
  }
}

/** @throws DataError [FILE_READ] */
export function fileOf(handle: FileHandleSource): Promise<File> {
  return handle.getFile().catch(failed(handle.name, "cannot be read", "FILE_READ"));
}

const failed =
  (where: string, what: string, code: string) =>
  (cause: unknown): never => {
    throw new DataError(where, `${what}: ${reason(cause)}`, code, { cause });
  };

const kindOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null ? (value as { kind?: unknown }).kind : undefined;
export const isFolderHandle = (value: unknown): value is FolderHandle =>
  kindOf(value) === "directory" && typeof (value as FolderHandle).getFileHandle === "function";
export const isFileHandle = (value: unknown): value is FileHandleSource =>
  kindOf(value) === "file" && typeof (value as FileHandleSource).getFile === "function";
export const isWritableHandle = (value: unknown): value is FileHandleTarget =>
  typeof value === "object" && value !== null && typeof (value as FileHandleTarget).createWritable === "function";

/** A folder of files of draws: of Node, by its path; of a browser, by its handle. */
import { DataError } from "../base/errors.ts";
import { type Content, type FileHandleTarget, writeWhole } from "../base/files.ts";
import { builtin } from "../base/node.ts";
import { reason } from "../base/system-reason.ts";

/** The part of a browser's FileSystemFileHandle that reading needs. */
export interface FileHandleSource {
  /** That of a file. */
  readonly kind: "file";
  /** The file's name, for errors. */
  readonly name: string;
  /** The file as it is now. */
  getFile(): Promise<File>;
}

/** The part of a browser's FileSystemDirectoryHandle that draws need. */
export interface FolderHandle {
  /** That of a folder. */
  readonly kind: "directory";
  /** The folder's name, for errors. */
  readonly name: string;
  /** The names of what is in it. */
  keys(): AsyncIterable<string>;
  /** A file in it. */
  getFileHandle(name: string, options?: { create?: boolean }): Promise<FileHandleSource & FileHandleTarget>;
  /** Removes a file. */
  removeEntry(name: string): Promise<void>;
}

/** A folder, whatever it is part of. */
export interface DrawsFolder {
  /** For errors. */
  readonly name: string;
  /** What is in it; undefined for what is no folder, whose errors reading then tells. */
  names(): Promise<readonly string[] | undefined>;
  /** A file in it, to read. */
  file(name: string): Promise<string | Blob>;
  /** Makes it where it is not there. */
  make(): Promise<void>;
  /** A file in it, which appears whole. */
  write(name: string, content: Content): Promise<void>;
  remove(name: string): Promise<void>;
}

export function folderAt(path: string): DrawsFolder {
  const at = (name: string): string => `${path}/${name}`;
  return {
    name: path,
    names: () =>
      builtin("node:fs/promises")
        .readdir(path)
        .catch(() => undefined),
    file: async (name) => at(name),
    async make() {
      await builtin("node:fs/promises")
        .mkdir(path, { recursive: true })
        .catch(failed(path, "the folder cannot be made", "FILE_WRITE"));
    },
    write: (name, content) => writeWhole(at(name), content),
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
    async write(name, content) {
      const unwritten = failed(at(name), "cannot be written", "FILE_WRITE");
      await writeWhole(await handle.getFileHandle(name, { create: true }).catch(unwritten), content);
    },
    remove: (name) => handle.removeEntry(name),
  };
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

/**
 * Reads and writes whole files. A written file appears completely or not at all. The functions need Node, except that a
 * Blob or a fetched URL can also be read in browsers.
 */

import { refuse } from "../errors/checks.ts";
import { CapabilityError, DataError } from "../errors/errors.ts";
import { reason } from "../errors/system-reason.ts";
import { later } from "../threads/later.ts";
import { isBlob, isBytes, isUrl } from "./kinds.ts";
import { inNode } from "./node.ts";
import type { Content, FileHandleTarget, FileTarget, WriteOptions } from "./write-files.ts";
import type { FileTogether } from "./write-together.ts";

export type { Content, FileHandleTarget, FileTarget, FileTogether, WriteOptions };

/**
 * Writes a file. Writes a temporary file next to the target, flushes it, renames it to the target's name, and flushes
 * the folder. Links are followed, and a replaced file keeps its mode and owner. Targets that are not regular files
 * (devices, FIFOs) are opened and written directly. Removes partial copies of the same file that killed processes left
 * behind.
 *
 * If `content` throws, no partial file remains, and the error is thrown to the caller.
 *
 * @throws DataError [FILE_WRITE] with the system's reason; OptionError if the target is not a path, a file: URL or a
 * handle; CapabilityError [NO_FILES] outside Node
 */
export async function writeWhole(to: FileTarget, content: Content, options: WriteOptions = {}): Promise<void> {
  if (typeof to === "string") refuseOutsideNode("writeWhole", to);
  const writing = await import("./write-files.ts");
  return writing.writeTo(to, content, options);
}

/**
 * Writes several files into a folder, so that either all of them are replaced or none (write-together.ts). `folders`:
 * create missing folders.
 *
 * @throws DataError [FILE_WRITE] with the system's reason; CapabilityError [NO_FILES] outside Node
 */
export async function writeTogether(
  folder: string | URL,
  files: readonly FileTogether[],
  options: Pick<WriteOptions, "folders"> = {},
): Promise<void> {
  refuseOutsideNode("writeTogether", folder);
  const writing = await import("./write-together.ts");
  return writing.writeTogether(await pathOf(folder), files, options);
}

/**
 * Returns the path of a file: URL. A path is returned unchanged. @throws OptionError for anything else; DataError
 * [FILE_WRITE] for a URL that is not a path on this host
 */
export async function pathOf(to: unknown): Promise<string> {
  if (typeof to === "string") return to;
  const writing = await import("./write-files.ts");
  return writing.pathOf(to);
}

/** Returns the current paths of files that an interrupted save left under temporary names, by final name. */
export async function pendingFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const writing = await import("./write-together.ts");
  return writing.pendingFiles(folder);
}

/**
 * Checks in advance, as far as possible, whether `writeWhole` would succeed. The check opens no existing file and
 * leaves no new file behind. `folders`: assume that missing folders will be created.
 *
 * @throws DataError [FILE_WRITE]; CapabilityError [NO_FILES] outside Node
 */
export async function checkWritable(path: string | URL, options: Pick<WriteOptions, "folders"> = {}): Promise<void> {
  refuseOutsideNode("checkWritable", path);
  const writing = await import("./write-files.ts");
  return writing.checkWritable(writing.pathOf(path), options);
}

/**
 * Saves a result elsewhere after a failed save, and returns the error to throw. `write` saves the result at the given
 * place in the system's temporary folder, and the error names this place. Each path has its own place in this folder,
 * so that a checkpoint that fails repeatedly overwrites its previous copy. Other errors are returned unchanged.
 */
export async function keptElsewhere(error: unknown, path: string, write: (place: string) => Promise<void>): Promise<unknown> {
  if (!(error instanceof DataError) || error.code !== "FILE_WRITE") return error;
  const writing = await import("./write-files.ts");
  return writing.keptElsewhere(error, path, write);
}

/**
 * Returns the bytes of a path, a URL (file:, or others by fetch), a Blob or File, or a byte array. In a browser, a
 * string is a URL.
 *
 * @throws DataError [FILE_READ] with the system's reason, and for devices
 */
export async function readWhole(from: string | URL | Uint8Array | Blob): Promise<Uint8Array> {
  if (isBytes(from)) return plain(from);
  if (isBlob(from)) return new Uint8Array(await from.arrayBuffer());
  const { fetchWhole, readFile } = await later(() => import("./read-files.ts"));
  try {
    return plain(await (isOnDisk(from) ? readFile(from) : fetchWhole(from)));
  } catch (cause) {
    throw new DataError(String(from), `cannot be read: ${reason(cause)}`, "FILE_READ", { cause });
  }
}

/**
 * Reads the sources that `readWhole` accepts in blocks of `size` bytes, so that a file of any length can be read.
 * Blocks of a fetched source can have other sizes. A block is valid until the next block is requested.
 *
 * @throws DataError [FILE_READ] with the system's reason, and for devices
 */
export async function* readBlocks(from: string | URL | Uint8Array | Blob, size: number): AsyncGenerator<Uint8Array> {
  if (isBytes(from) || isBlob(from)) {
    const length = isBlob(from) ? from.size : from.length;
    for (let at = 0; at < length; at += size)
      yield isBlob(from) ? new Uint8Array(await from.slice(at, at + size).arrayBuffer()) : plain(from.subarray(at, at + size));
    return;
  }
  const { fetched, fileBlocks } = await later(() => import("./read-files.ts"));
  try {
    yield* isOnDisk(from) ? fileBlocks(from, size) : fetched(from);
  } catch (cause) {
    throw new DataError(String(from), `cannot be read: ${reason(cause)}`, "FILE_READ", { cause });
  }
}

const isOnDisk = (from: string | URL): boolean =>
  inNode() && (typeof from === "string" ? !/^https?:/.test(from) : from.protocol === "file:");

/** Returns the same bytes as a plain Uint8Array, because slice() of a Buffer would return a view. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Returns the name of a source in errors. Bytes, and a Blob without a name, are called `otherwise`. */
export function nameOf(from: string | URL | Uint8Array | Blob, otherwise: string): string {
  if (typeof from === "string" || isUrl(from)) return String(from);
  if (!(isBytes(from) || isBlob(from)))
    refuse(otherwise, "what to read", from, "a path, a URL, a Blob or the bytes", '"run.checkpoint" or "model.safetensors"');
  return (from as Partial<File>).name ?? otherwise;
}

function refuseOutsideNode(where: string, path: unknown): void {
  if (inNode()) return;
  throw new CapabilityError(
    where,
    `${String(path)} cannot be written, because a browser has no files; keep the bytes, or offer them as a download`,
    "NO_FILES",
  );
}

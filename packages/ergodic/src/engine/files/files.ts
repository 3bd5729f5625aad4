/** Whole files: a file appears whole or not at all, and is read whole. Node; reading a Blob or a fetched URL works in browsers too. */

import { refuse } from "../errors/checks.ts";
import { CapabilityError, DataError } from "../errors/errors.ts";
import { reason } from "../errors/system-reason.ts";
import { later } from "../threads/later.ts";
import { inNode } from "./node.ts";
import type { Content, FileHandleTarget, FileTarget, WriteOptions } from "./write-files.ts";
import type { FileTogether } from "./write-together.ts";

export type { Content, FileHandleTarget, FileTarget, FileTogether, WriteOptions };

/**
 * Writes next to the target under a temporary name, flushes, renames over it, and flushes the folder. Links are followed, and a
 * file that is replaced leaves its mode and owner. What is no regular file (a device, a FIFO) is written through. What killed
 * processes left half-written of the same file is removed.
 *
 * What `content` itself throws is thrown on, and nothing is left.
 *
 * @throws DataError [FILE_WRITE] with the system's reason; OptionError for what is neither a path, a file: URL nor a handle; CapabilityError
 * [NO_FILES] outside Node
 */
export async function writeWhole(to: FileTarget, content: Content, options: WriteOptions = {}): Promise<void> {
  if (typeof to === "string") refuseOutsideNode("writeWhole", to);
  const writing = await import("./write-files.ts");
  return writing.writeTo(to, content, options);
}

/**
 * Writes files that belong together into a folder: all of them are replaced, or none (write-together.ts). `folders`: missing ones are made.
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

/** The path of a file: URL; a path as it is. @throws OptionError for anything else; DataError [FILE_WRITE] for a URL that names no path here */
export async function pathOf(to: unknown): Promise<string> {
  if (typeof to === "string") return to;
  const writing = await import("./write-files.ts");
  return writing.pathOf(to);
}

/** Files that a save which was cut short left under other names, by their own: the paths where they are. */
export async function pendingFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const writing = await import("./write-together.ts");
  return writing.pendingFiles(folder);
}

/**
 * Throws what `writeWhole` would, as far as it can be known beforehand: nothing is opened that is there, and nothing is left.
 * `folders`: missing ones would be made.
 *
 * @throws DataError [FILE_WRITE]; CapabilityError [NO_FILES] outside Node
 */
export async function checkWritable(path: string | URL, options: Pick<WriteOptions, "folders"> = {}): Promise<void> {
  refuseOutsideNode("checkWritable", path);
  const writing = await import("./write-files.ts");
  return writing.checkWritable(writing.pathOf(path), options);
}

/**
 * The error to throw where saving failed: `write` saves what was computed in the system's temporary folder, at the place that
 * it is given, and the error says so. There is one place for each path, so that a checkpoint that fails again and again takes
 * the place of the one before. Errors of another kind come back as they are.
 */
export async function keptElsewhere(error: unknown, path: string, write: (place: string) => Promise<void>): Promise<unknown> {
  if (!(error instanceof DataError) || error.code !== "FILE_WRITE") return error;
  const writing = await import("./write-files.ts");
  return writing.keptElsewhere(error, path, write);
}

/**
 * The bytes of a path, a URL (file: and, by fetch, others), a Blob or File, or bytes as they are. In a browser text is a URL.
 *
 * @throws DataError [FILE_READ] with the system's reason, and for devices
 */
export async function readWhole(from: string | URL | Uint8Array | Blob): Promise<Uint8Array> {
  if (from instanceof Uint8Array) return plain(from);
  if (from instanceof Blob) return new Uint8Array(await from.arrayBuffer());
  const { fetchWhole, readFile } = await later(() => import("./read-files.ts"));
  try {
    return plain(await (isOnDisk(from) ? readFile(from) : fetchWhole(from)));
  } catch (cause) {
    throw new DataError(String(from), `cannot be read: ${reason(cause)}`, "FILE_READ", { cause });
  }
}

/**
 * The same bytes in blocks of `size`, or of other sizes where they are fetched, so that a file of any length can be read. A block holds until the next is asked for.
 *
 * @throws DataError [FILE_READ] with the system's reason, and for devices
 */
export async function* readBlocks(from: string | URL | Uint8Array | Blob, size: number): AsyncGenerator<Uint8Array> {
  if (from instanceof Uint8Array || from instanceof Blob) {
    const length = from instanceof Blob ? from.size : from.length;
    for (let at = 0; at < length; at += size)
      yield from instanceof Blob
        ? new Uint8Array(await from.slice(at, at + size).arrayBuffer())
        : plain(from.subarray(at, at + size));
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

/** The same bytes, not as a Buffer, whose slice() is a view. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What errors call it; `otherwise` for bytes and for a Blob without a name. */
export function nameOf(from: string | URL | Uint8Array | Blob, otherwise: string): string {
  if (typeof from === "string" || from instanceof URL) return String(from);
  if (!(from instanceof Uint8Array || from instanceof Blob))
    refuse(otherwise, "what to read", from, "a path, a URL, a Blob or the bytes", '"run.checkpoint" or "model.safetensors"');
  return (from as Partial<File>).name ?? otherwise;
}

function refuseOutsideNode(where: string, path: unknown): void {
  if (inNode()) return;
  throw new CapabilityError(
    where,
    `${String(path)} cannot be written, for a browser has no files; keep the bytes, or offer them as a download`,
    "NO_FILES",
  );
}

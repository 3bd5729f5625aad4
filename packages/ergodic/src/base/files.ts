/** Whole files: a file appears whole or not at all, and is read whole. Node; reading a Blob or a fetched URL works in browsers too. */

import { refuse } from "./checks.ts";
import { CapabilityError, DataError } from "./errors.ts";
import { later } from "./later.ts";
import { inNode } from "./node.ts";
import { reason } from "./system-reason.ts";
import type { Content, FileHandleTarget, FileTarget, WriteOptions } from "./write-files.ts";

export type { Content, FileHandleTarget, FileTarget, WriteOptions };

/**
 * Writes next to the target under a temporary name, flushes, renames over it, and flushes the folder. Links are followed, and a
 * file that is replaced leaves its mode and owner. What is no regular file (a device, a FIFO) is written through. What killed
 * processes left half-written of the same file is removed.
 *
 * What `content` itself throws is thrown on, and nothing is left.
 *
 * @throws DataError [FILE_WRITE] with the system's reason; CapabilityError [NO_FILES] outside Node
 */
export async function writeWhole(to: FileTarget, content: Content, options: WriteOptions = {}): Promise<void> {
  const writing = await import("./write-files.ts");
  if (typeof to === "object" && to !== null) return writing.writeByHandle(to, content);
  refuseOutsideNode("writeWhole", to);
  return writing.writeWhole(to, content, options);
}

/**
 * Throws what `writeWhole` would, as far as it can be known beforehand: nothing is opened that is there, and nothing is left.
 * `folders`: missing ones would be made.
 *
 * @throws DataError [FILE_WRITE]; CapabilityError [NO_FILES] outside Node
 */
export async function checkWritable(path: string, options: Pick<WriteOptions, "folders"> = {}): Promise<void> {
  refuseOutsideNode("checkWritable", path);
  const writing = await import("./write-files.ts");
  return writing.checkWritable(path, options);
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

function refuseOutsideNode(where: string, path: string): void {
  if (inNode()) return;
  throw new CapabilityError(
    where,
    `${path} cannot be written, for a browser has no files; keep the bytes, or offer them as a download`,
    "NO_FILES",
  );
}

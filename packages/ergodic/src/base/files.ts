/** Whole files: a file appears whole or not at all, and is read whole. Node; reading a Blob or a fetched URL works in browsers too. */

import { refuse } from "./checks.ts";
import { destinationOf, type Through, type WholeFile } from "./destination.ts";
import { CapabilityError, DataError } from "./errors.ts";
import { builtin } from "./node.ts";
import { clearAbandoned, partialName } from "./partial.ts";

/** Bytes, or parts of bytes and text, which need not be in memory at the same time. */
export type Content = Uint8Array | Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/** The part of a browser's FileSystemFileHandle that writing needs. */
export interface FileHandleTarget {
  /** The file's name, for errors. */
  readonly name: string;
  /** Opens the file to write: it is replaced when it is closed. */
  createWritable(): Promise<{
    write(part: Uint8Array<ArrayBuffer> | string): Promise<void>;
    close(): Promise<void>;
    abort(reason?: unknown): Promise<void>;
  }>;
}

/** Where a file is written: a path in Node, a handle in a browser. */
export type FileTarget = string | FileHandleTarget;

/** Options of `writeWhole`. */
export interface WriteOptions {
  /** Missing folders above the file are made. Default false. */
  folders?: boolean;
  /** Bytes that cannot be written are kept in the system's temporary folder, and the error says where. Default false. */
  keep?: boolean;
}

/** Longer writes are made in pieces, so that each ends in good time. */
const PIECE = 1 << 26;
const BUSY_MS = 5;

/**
 * Writes next to the target under a temporary name, flushes, renames over it, and flushes the folder. Links are followed, and a
 * file that is replaced leaves its mode and owner. What is no regular file (a device, a FIFO) is written through. What killed
 * processes left half-written of the same file is removed.
 *
 * What `content` itself throws is thrown on, and nothing is left.
 *
 * @throws DataError [FILE_WRITE] with the system's reason; CapabilityError [NO_FILES] outside Node
 */
export async function writeWhole(
  to: FileTarget,
  content: Content,
  { folders = false, keep = false }: WriteOptions = {},
): Promise<void> {
  if (typeof to === "object" && to !== null) return writeByHandle(to, content);
  const path = to;
  refuseOutsideNode("writeWhole", path);
  try {
    if (folders) await makeFolder(path);
    const destination = await said(path, destinationOf(path));
    if (destination.kind === "whole") await writeBeside(path, destination, content);
    else await writeThrough(path, destination, content);
  } catch (error) {
    if (!keep || !(content instanceof Uint8Array)) throw error;
    throw await keptElsewhere(error, path, (place) => writeWhole(place, content));
  }
}

/** The browser puts what was written in place of the file when it is closed, and not before. */
async function writeByHandle(handle: FileHandleTarget, content: Content): Promise<void> {
  const stream = await said(handle.name, handle.createWritable());
  try {
    for await (const part of content instanceof Uint8Array ? [content] : content)
      await said(handle.name, stream.write(part as Uint8Array<ArrayBuffer> | string));
    await said(handle.name, stream.close());
  } catch (error) {
    await stream.abort().catch(() => undefined); // The first error is the one to tell.
    throw error;
  }
}

/**
 * Throws what `writeWhole` would, as far as it can be known beforehand: nothing is opened that is there, and nothing is left.
 * `folders`: missing ones would be made.
 *
 * @throws DataError [FILE_WRITE]; CapabilityError [NO_FILES] outside Node
 */
export async function checkWritable(path: string, { folders = false }: Pick<WriteOptions, "folders"> = {}): Promise<void> {
  refuseOutsideNode("checkWritable", path);
  const { dirname, resolve } = builtin("node:path");
  const { stat } = builtin("node:fs/promises");
  let [tried, folder] = [path, dirname(resolve(path))];
  // In the nearest folder that is there.
  while (folders && !(await stat(folder).catch(() => undefined)) && folder !== dirname(folder))
    [tried, folder] = [folder, dirname(folder)];
  const destination = await said(path, destinationOf(tried));
  if (destination.kind === "through") return;
  const { open, unlink } = builtin("node:fs/promises");
  const trial = `${destination.folder}/${await partialName(destination.name)}`;
  await said(
    path,
    open(trial, "wx").then((file) => file.close()),
  );
  await said(path, unlink(trial));
}

async function writeBeside(path: string, { folder, name, path: target, before }: WholeFile, content: Content): Promise<void> {
  const { open, rename, unlink } = builtin("node:fs/promises");
  await clearAbandoned(folder, name);
  const temporary = `${folder}/${await partialName(name)}`;
  const file = await said(path, open(temporary, "wx", before === undefined ? 0o666 : before.mode & 0o777));
  try {
    try {
      if (before) await said(path, likeBefore(file, before));
      await writeParts(path, (bytes, offset, length) => file.write(bytes, offset, length, null), content);
      await said(path, file.sync());
    } finally {
      await said(path, file.close());
    }
    await said(path, rename(temporary, target));
  } catch (error) {
    await unlink(temporary).catch(() => undefined); // The first error is the one to tell.
    throw error;
  }
  await said(path, syncFolder(folder));
}

type FileHandle = Awaited<ReturnType<typeof import("node:fs/promises")["open"]>>;

async function likeBefore(file: FileHandle, { mode, uid, gid }: WholeFile["before"] & object): Promise<void> {
  const own = await file.stat();
  // Only root may give a file away; the mode is kept all the same.
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch(() => undefined);
  await file.chmod(mode);
}

/** So that the new name outlasts a failure of power. Hosts and file systems that cannot do so say it in several ways. */
async function syncFolder(folder: string): Promise<void> {
  const { open } = builtin("node:fs/promises");
  const opened = await open(folder, "r").catch(() => undefined);
  try {
    await opened?.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EIO") throw error;
  } finally {
    await opened?.close();
  }
}

async function writeThrough(path: string, { path: target, descriptor }: Through, content: Content): Promise<void> {
  if (descriptor !== undefined) {
    const { write } = builtin("node:fs");
    const { promisify } = builtin("node:util");
    const put = promisify(write);
    return writeParts(path, (bytes, offset, length) => put(descriptor, bytes, offset, length, null), content);
  }
  const { constants, open } = builtin("node:fs/promises");
  // Not to be made and not to be cut, as it is no file.
  const file = await said(path, open(target, constants.O_WRONLY));
  try {
    await writeParts(path, (bytes, offset, length) => file.write(bytes, offset, length, null), content);
  } finally {
    await said(path, file.close());
  }
}

type Write = (bytes: Uint8Array, offset: number, length: number) => Promise<{ bytesWritten: number }>;

async function writeParts(path: string, write: Write, content: Content): Promise<void> {
  const encoder = new TextEncoder();
  for await (const part of content instanceof Uint8Array ? [content] : content) {
    const bytes = typeof part === "string" ? encoder.encode(part) : part;
    for (let at = 0; at < bytes.length; ) at += await said(path, writeSome(write, bytes, at));
  }
}

async function writeSome(write: Write, bytes: Uint8Array, at: number): Promise<number> {
  try {
    return (await write(bytes, at, Math.min(PIECE, bytes.length - at))).bytesWritten;
  } catch (error) {
    // A pipe that does not wait for its reader.
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    return 0;
  }
}

async function makeFolder(path: string): Promise<void> {
  const { mkdir } = builtin("node:fs/promises");
  const { dirname } = builtin("node:path");
  await said(path, mkdir(dirname(path), { recursive: true }));
}

/** The system's error in words. */
function said<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((cause) => {
    throw new DataError(path, `cannot be written: ${reason(cause)}`, "FILE_WRITE", { cause });
  });
}

const keptIn = new Map<string, string>();

/**
 * The error to throw where saving failed: `write` saves what was computed in the system's temporary folder, at the place that
 * it is given, and the error says so. There is one place for each path, so that a checkpoint that fails again and again takes
 * the place of the one before. Errors of another kind come back as they are.
 */
export async function keptElsewhere(error: unknown, path: string, write: (place: string) => Promise<void>): Promise<unknown> {
  if (!(error instanceof DataError) || error.code !== "FILE_WRITE") return error;
  const { mkdtemp, stat } = builtin("node:fs/promises");
  const { tmpdir } = builtin("node:os");
  const { basename, join } = builtin("node:path");
  const told = (text: string): DataError =>
    new DataError(error.where, `${error.said}; ${text}`, "FILE_WRITE", { cause: error.cause });
  try {
    const before = keptIn.get(path);
    // It may have been moved away by now.
    const there = before !== undefined && (await stat(before).catch(() => undefined))?.uid === process.getuid?.();
    const folder = there ? before : await mkdtemp(join(tmpdir(), "ergodic-kept-"));
    keptIn.set(path, folder);
    const place = join(folder, basename(path) || "saved");
    await write(place);
    return told(`what was computed is kept in ${place}; move it to where it should be`);
  } catch (failed) {
    return told(`nor can it be kept in ${tmpdir()}: ${reason(failed instanceof DataError ? failed.cause : failed)}`);
  }
}

/**
 * The bytes of a path, a URL (file: and, by fetch, others), a Blob or File, or bytes as they are. In a browser text is a URL.
 *
 * @throws DataError [FILE_READ] with the system's reason
 */
export async function readWhole(from: string | URL | Uint8Array | Blob): Promise<Uint8Array> {
  if (from instanceof Uint8Array) return plain(from);
  if (from instanceof Blob) return new Uint8Array(await from.arrayBuffer());
  try {
    if (isOnDisk(from)) {
      const { readFile } = builtin("node:fs/promises");
      return plain(await readFile(from));
    }
    const response = await fetch(from);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new DataError(String(from), `cannot be read: ${reason(cause)}`, "FILE_READ", { cause });
  }
}

/**
 * The same bytes in blocks of `size`, or of other sizes where they are fetched, so that a file of any length can be read. A block holds until the next is asked for.
 *
 * @throws DataError [FILE_READ] with the system's reason
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
  const unread = (cause: unknown): DataError =>
    new DataError(String(from), `cannot be read: ${reason(cause)}`, "FILE_READ", { cause });
  const failed = (cause: unknown): never => {
    throw unread(cause);
  };
  if (!isOnDisk(from)) {
    yield* fetched(from, failed);
    return;
  }
  const { open } = builtin("node:fs/promises");
  const file = await open(from).catch(failed);
  try {
    const block = new Uint8Array(size);
    for (;;) {
      const { bytesRead } = await file.read(block, 0, size, null).catch(failed);
      if (bytesRead === 0) return;
      yield block.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function* fetched(from: string | URL, failed: (cause: unknown) => never): AsyncGenerator<Uint8Array> {
  const response = await fetch(from).catch(failed);
  if (!response.ok) failed(new Error(`the server answered ${response.status} ${response.statusText}`));
  const reader = response.body?.getReader();
  for (;;) {
    const part = await reader?.read().catch(failed);
    if (!part || part.done) return;
    yield part.value;
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

function inNode(): boolean {
  return typeof process !== "undefined" && typeof process.versions?.node === "string";
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is no folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  EEXIST: "a part of the path is no folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than the system allows",
  EROFS: "the disk is read-only",
  EPIPE: "nobody reads from it any more",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "the name is too long",
};

function reason(cause: unknown): string {
  const { code = "", message } = cause as { code?: string; message: string };
  return Object.hasOwn(reasons, code) ? reasons[code] : message;
}

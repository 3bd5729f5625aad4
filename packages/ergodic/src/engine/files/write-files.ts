/**
 * Writes whole files for files.ts. This module is loaded at the first write, so that pages that never write do not
 * download it.
 */

import { DataError, OptionError } from "../errors/errors.ts";
import { shown } from "../errors/shown.ts";
import { reason } from "../errors/system-reason.ts";
import { destinationOf, type Through, type WholeFile } from "./destination.ts";
import { builtin, inNode } from "./node.ts";
import { clearAbandoned, partialName } from "./partial.ts";

/**
 * Bytes, or a sequence of parts (bytes or text). A sequence can be generated while it is written, so its parts need not
 * all fit in memory. A function that makes the sequence lets `keep` write it a second time.
 */
export type Content = Parts | (() => Parts);
export type Parts = Uint8Array | Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/** Subset of a browser's FileSystemFileHandle that writing needs. */
export interface FileHandleTarget {
  /** Name of the file, for errors. */
  readonly name: string;
  /** Opens the file for writing. Closing it replaces the file. */
  createWritable(): Promise<{
    write(part: Uint8Array<ArrayBuffer> | string): Promise<void>;
    close(): Promise<void>;
    abort(reason?: unknown): Promise<void>;
  }>;
}

/** Target of a write: a path or a file: URL in Node, or a file handle in a browser. */
export type FileTarget = string | URL | FileHandleTarget;

/** Options of `writeWhole`. */
export interface WriteOptions {
  /** Whether to create missing folders above the file. Default false. */
  folders?: boolean;
  /**
   * Whether to save bytes, or what a function makes, in the system's temporary folder if writing to the target fails.
   * The error states the path of the saved file. Default false.
   */
  keep?: boolean;
}

/** Maximum number of bytes per write, so that no single write takes long. */
const PIECE = 1 << 26;
const BUSY_MS = 5;

const partsOf = (content: Content): Parts => (typeof content === "function" ? content() : content);

/** Writes to a path, URL or handle. @see writeWhole of files.ts */
export async function writeTo(to: FileTarget, content: Content, options: WriteOptions = {}): Promise<void> {
  const isHandle = typeof (to as Partial<FileHandleTarget> | null | undefined)?.createWritable === "function";
  if (isHandle) return writeByHandle(to as FileHandleTarget, partsOf(content));
  return writeWhole(pathOf(to), content, options);
}

/** @see pathOf of files.ts */
export function pathOf(to: unknown): string {
  if (typeof to === "string") return to;
  if (inNode() && Object.prototype.toString.call(to) === "[object URL]" && (to as URL).protocol === "file:") {
    const { fileURLToPath } = builtin("node:url");
    try {
      return fileURLToPath(to as URL);
    } catch (cause) {
      throw new DataError(String(to), `cannot be written: ${reason(cause)}`, "FILE_WRITE", { cause });
    }
  }
  const named = to instanceof URL ? `the URL ${to.href}` : shown(to);
  throw new OptionError(
    "save",
    `the file to write is ${named}, but must be a path, a file: URL or the handle of a file: write "model.safetensors"`,
    "OPTION_TYPE",
  );
}

/** @see writeWhole of files.ts */
export async function writeWhole(
  path: string,
  content: Content,
  { folders = false, keep = false }: WriteOptions = {},
): Promise<void> {
  try {
    if (folders) await makeFolder(path);
    const destination = await said(path, destinationOf(path));
    if (destination.kind === "whole") await writeBeside(path, destination, partsOf(content));
    else await writeThrough(path, destination, partsOf(content));
  } catch (error) {
    if (!keep || !(content instanceof Uint8Array || typeof content === "function")) throw error;
    throw await keptElsewhere(error, path, (place) => writeWhole(place, content));
  }
}

/** @see checkWritable of files.ts */
export async function checkWritable(path: string, { folders = false }: Pick<WriteOptions, "folders"> = {}): Promise<void> {
  const { dirname, resolve } = builtin("node:path");
  const { stat } = builtin("node:fs/promises");
  let [tried, folder] = [path, dirname(resolve(path))];
  // Check the nearest existing folder.
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

async function writeBeside(path: string, destination: WholeFile, content: Parts): Promise<void> {
  const { rename, unlink } = builtin("node:fs/promises");
  const temporary = await stage(path, destination, content);
  try {
    await said(path, rename(temporary, destination.path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined); // Report the first error, not this one.
    throw error;
  }
  await said(path, syncFolder(destination.folder));
}

/**
 * Writes a file under a temporary name in its folder. Returns the temporary path, which is ready to be renamed. Leaves
 * nothing behind on failure.
 */
export async function stage(path: string, { folder, name, before }: WholeFile, content: Parts): Promise<string> {
  const { open, unlink } = builtin("node:fs/promises");
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
    return temporary;
  } catch (error) {
    await unlink(temporary).catch(() => undefined); // Report the first error, not this one.
    throw error;
  }
}

type FileHandle = Awaited<ReturnType<typeof import("node:fs/promises")["open"]>>;

async function likeBefore(file: FileHandle, { mode, uid, gid }: WholeFile["before"] & object): Promise<void> {
  const own = await file.stat();
  // Only root can change the owner, so failures are ignored. The mode is always preserved.
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch(() => undefined);
  await file.chmod(mode);
}

/**
 * Flushes a folder, so that a new name survives a power failure. Hosts and file systems that cannot flush folders
 * report various errors, which are ignored.
 */
export async function syncFolder(folder: string): Promise<void> {
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

export async function writeThrough(path: string, { path: target, descriptor }: Through, content: Parts): Promise<void> {
  if (descriptor !== undefined) {
    const { write } = builtin("node:fs");
    const { promisify } = builtin("node:util");
    const put = promisify(write);
    return writeParts(path, (bytes, offset, length) => put(descriptor, bytes, offset, length, null), content);
  }
  const { constants, open } = builtin("node:fs/promises");
  // Opens the target without creating or truncating it, because it is not a regular file.
  const file = await said(path, open(target, constants.O_WRONLY));
  try {
    await writeParts(path, (bytes, offset, length) => file.write(bytes, offset, length, null), content);
  } finally {
    await said(path, file.close());
  }
}

type Write = (bytes: Uint8Array, offset: number, length: number) => Promise<{ bytesWritten: number }>;

async function writeParts(path: string, write: Write, content: Parts): Promise<void> {
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
    // A non-blocking pipe is full.
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    return 0;
  }
}

export async function makeFolder(path: string): Promise<void> {
  const { mkdir } = builtin("node:fs/promises");
  const { dirname } = builtin("node:path");
  await said(path, mkdir(dirname(path), { recursive: true }));
}

/** Replaces system errors with a DataError that states a readable reason. */
export function said<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch(async (cause) => {
    const folder = await missingFolder(cause);
    const why = folder === undefined ? reason(cause) : `the folder ${folder} does not exist${MAKE_IT}`;
    throw new DataError(path, `cannot be written: ${why}`, "FILE_WRITE", { cause });
  });
}

const MAKE_IT = "; make it first, or give another path";

/** If a file's folder, or the folder of a link's target, is missing, returns this folder. */
async function missingFolder({ code, syscall, path }: NodeJS.ErrnoException): Promise<string | undefined> {
  if (code !== "ENOENT" || !path) return undefined;
  const { dirname } = builtin("node:path");
  const { stat } = builtin("node:fs/promises");
  // If realpath failed, the path is the missing folder itself. After other calls, the path is a file in that folder.
  const folder = syscall === "realpath" ? path : dirname(path);
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error.code);
  return found === "ENOENT" ? folder : undefined;
}

const keptIn = new Map<string, string>();

/** @see keptElsewhere of files.ts */
export async function keptElsewhere(error: unknown, path: string, write: (place: string) => Promise<void>): Promise<unknown> {
  if (!(error instanceof DataError) || error.code !== "FILE_WRITE") return error;
  const { mkdtemp, stat } = builtin("node:fs/promises");
  const { tmpdir } = builtin("node:os");
  const { basename, join } = builtin("node:path");
  const told = (text: string): DataError =>
    new DataError(error.where, `${error.said.replace(MAKE_IT, "")}; ${text}`, "FILE_WRITE", { cause: error.cause });
  try {
    const before = keptIn.get(path);
    // The user might have moved the folder away.
    const there = before !== undefined && (await stat(before).catch(() => undefined))?.uid === globalThis.process.getuid?.();
    const folder = there ? before : await mkdtemp(join(tmpdir(), "ergodic-kept-"));
    keptIn.set(path, folder);
    const place = join(folder, basename(path) || "saved");
    await write(place);
    return told(`the result is kept in ${place}; move it to its intended place`);
  } catch (failed) {
    return told(
      `the result cannot be kept in ${tmpdir()} either: ${reason(failed instanceof DataError ? failed.cause : failed)}`,
    );
  }
}

/** Writes by a file handle. The browser replaces the file only when the stream is closed. */
export async function writeByHandle(handle: FileHandleTarget, content: Parts): Promise<void> {
  const stream = await said(handle.name, handle.createWritable());
  try {
    for await (const part of content instanceof Uint8Array ? [content] : content)
      await said(handle.name, stream.write(part as Uint8Array<ArrayBuffer> | string));
    await said(handle.name, stream.close());
  } catch (error) {
    await stream.abort().catch(() => undefined); // Report the first error, not this one.
    throw error;
  }
}

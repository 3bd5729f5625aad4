/** Whole files: a file appears whole or not at all, and is read whole. Node; reading a Blob or a fetched URL works in browsers too. */
import { CapabilityError, DataError } from "./errors.ts";

/**
 * Writes beside the target under a temporary name, flushes, and renames over it.
 *
 * @throws DataError [FILE_WRITE] with the system's reason; CapabilityError outside Node
 */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  if (!inNode()) {
    throw new CapabilityError(
      "writeWhole",
      `${path} cannot be written, for a browser has no files; keep the bytes, or offer them as a download`,
      "NO_FILES",
    );
  }
  const { open, rename, unlink } = await import("node:fs/promises");
  const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2, 10)}.partial`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined); // It may never have been made; the first error is the one to tell.
    throw new DataError(path, `cannot be written: ${reason(cause)}`, "FILE_WRITE", { cause });
  }
}

/**
 * The bytes of a path, a URL (file: and, by fetch, others), a Blob or File, or bytes as they are. In a browser text is a URL.
 *
 * @throws DataError [FILE_READ] with the system's reason
 */
export async function readWhole(from: string | URL | Uint8Array | Blob): Promise<Uint8Array> {
  if (from instanceof Uint8Array) return from;
  if (from instanceof Blob) return new Uint8Array(await from.arrayBuffer());
  const onDisk = inNode() && (typeof from === "string" ? !/^https?:/.test(from) : from.protocol === "file:");
  try {
    if (onDisk) {
      const { readFile } = await import("node:fs/promises");
      const bytes = await readFile(from);
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const response = await fetch(from);
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new DataError(String(from), `cannot be read: ${reason(cause)}`, "FILE_READ", { cause });
  }
}

/** What errors call it; `otherwise` for bytes and for a Blob without a name. */
export function nameOf(from: string | URL | Uint8Array | Blob, otherwise: string): string {
  if (typeof from === "string" || from instanceof URL) return String(from);
  return (from as Partial<File>).name ?? otherwise;
}

function inNode(): boolean {
  return typeof process !== "undefined" && typeof process.versions?.node === "string";
}

function reason(cause: unknown): string {
  const { code, message } = cause as { code?: string; message: string };
  const known: Record<string, string> = {
    ENOENT: "no such file or folder",
    EACCES: "permission denied",
    EISDIR: "it is a folder",
    ENOSPC: "the disk is full",
    EROFS: "the disk is read-only",
  };
  return (code && known[code]) || message;
}

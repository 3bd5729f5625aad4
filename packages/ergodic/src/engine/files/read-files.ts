/**
 * Reads files from disk, whole or in blocks (only in Node), and fetches URLs. Devices are refused, because some, such
 * as /dev/zero, are endless. Pipes are read.
 */
import type { FileHandle } from "node:fs/promises";
import { builtin } from "./node.ts";

export async function readFile(from: string | URL): Promise<Uint8Array> {
  const file = await opened(from);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Reads blocks of `size`. A block is valid until the next one is requested. */
export async function* fileBlocks(from: string | URL, size: number): AsyncGenerator<Uint8Array> {
  const file = await opened(from);
  try {
    const block = new Uint8Array(size);
    for (;;) {
      const { bytesRead } = await file.read(block, 0, size, null);
      if (bytesRead === 0) return;
      yield block.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

export async function fetchWhole(from: string | URL): Promise<Uint8Array> {
  const response = await fetch(from);
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  // Cancels the body, because an unread body would keep the connection open.
  await response.body?.cancel().catch(() => undefined);
  throw new Error(`the server answered ${response.status} ${response.statusText}`);
}

/** Yields blocks as the server sends them. The transfer ends when the caller stops reading. */
export async function* fetched(from: string | URL): AsyncGenerator<Uint8Array> {
  const response = await fetch(from);
  const reader = response.body?.getReader();
  try {
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    for (;;) {
      const part = await reader?.read();
      if (!part || part.done) return;
      yield part.value;
    }
  } finally {
    await reader?.cancel().catch(() => undefined); // a broken transfer cannot be cancelled
  }
}

async function opened(from: string | URL): Promise<FileHandle> {
  const { open, stat } = builtin("node:fs/promises");
  const found = await stat(from);
  if (found.isCharacterDevice() || found.isBlockDevice()) throw new Error("it is a device, but must be a file or a pipe");
  return open(from);
}

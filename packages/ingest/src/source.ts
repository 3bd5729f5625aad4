import { DataError, OptionError } from "ergodic/data";
import type { ByteSource, RandomAccess } from "./byte-source.ts";
import { told } from "./fault.ts";
import { fetched, responded } from "./fetched.ts";

export type { ByteSource, RandomAccess };

/**
 * Opens any origin of bytes as a `ByteSource`: a path, an address, a `Response`, standard input, a browser `File` or
 * `Blob`, content in memory, or a stream.
 *
 * Decoders see only the `ByteSource`, so no reader depends on the origin of its bytes. A gzip-compressed source is
 * unpacked. A string with a line end is content, "-" is standard input, and "https://…" is an address. Any other string
 * is a path, or an address if the program runs in a browser. `{ content, name }` is unambiguous. Addresses are fetched
 * again for each reading. `name` begins every error message.
 *
 * @throws DataError DATA_FILE_MISSING, DATA_FILE (cannot be read), DATA_GZIP (damaged); OptionError OPTION_TYPE (not a
 * source)
 */
export type Source =
  | string
  | URL
  | Response
  | Uint8Array
  | ArrayBuffer
  | Blob
  | AsyncIterable<Uint8Array>
  | ReadableStream<Uint8Array>
  | { content: string | Uint8Array; name?: string }
  | ByteSource;

const chunkBytes = 1 << 20;

/** Options for opening a source. */
export interface SourceOptions {
  /** Signal that aborts the reading. When it aborts, calls that wait for bytes throw the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Opens any source as one `ByteSource`: a path, an address, a Response, standard input, a File or Blob, content in
 * memory, or a stream. @throws OptionError for other values
 */
export function openSource(source: Source, options: SourceOptions = {}, where = "source"): ByteSource {
  if (typeof options !== "object" || options === null)
    throw new OptionError("source", `options is ${told(options)}, but must be an object: { signal }`, "OPTION_TYPE");
  const { signal } = options;
  if (signal !== undefined && typeof signal?.throwIfAborted !== "function")
    throw new OptionError(
      "source",
      `signal is ${told(signal)}, but must be an AbortSignal: write signal: controller.signal, or signal: AbortSignal.timeout(60_000)`,
      "OPTION_TYPE",
    );
  const opened = sourceOf(source, signal, where);
  return signal ? interruptible(opened, signal) : opened;
}

function interruptible(source: ByteSource, signal: AbortSignal): ByteSource {
  return {
    ...source,
    signal,
    async *chunks() {
      signal.throwIfAborted();
      for await (const chunk of source.chunks()) {
        signal.throwIfAborted();
        yield chunk;
      }
      signal.throwIfAborted();
    },
  };
}

function sourceOf(source: Source, signal: AbortSignal | undefined, where: string): ByteSource {
  if (typeof source === "string") {
    if (source === "-") return unpacked(standardInput());
    if (/[\r\n]/.test(source)) return memory(new TextEncoder().encode(source), "text");
    return unpacked(/^https?:\/\//i.test(source) || !inNode() ? fetched(source, signal) : file(source));
  }
  if (source instanceof URL) {
    if (source.protocol !== "file:" || !inNode()) return unpacked(fetched(source, signal));
    return unpacked(file(process.getBuiltinModule("node:url").fileURLToPath(source)));
  }
  if (typeof Response !== "undefined" && source instanceof Response) return unpacked(responded(source, signal));
  if (source instanceof Uint8Array) return unpacked(memory(source, "bytes"));
  if (source instanceof ArrayBuffer) return unpacked(memory(new Uint8Array(source), "bytes"));
  if (typeof Blob !== "undefined" && source instanceof Blob) return unpacked(blob(source));
  if (typeof source === "object" && source !== null) {
    if ("chunks" in source) return source;
    if ("content" in source) {
      const { content, name = "text" } = source;
      return unpacked(memory(typeof content === "string" ? new TextEncoder().encode(content) : content, name));
    }
    if ("getReader" in source) return unpacked(once(streamChunks(source), "stream"));
    if (Symbol.asyncIterator in source) return unpacked(once(source, "stream"));
  }
  throw new OptionError(
    where,
    `${told(source)} is not a source; give a path, a URL, a Response, "-", a File, bytes, or { content, name }`,
    "OPTION_TYPE",
  );
}

function memory(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    rereadable: true,
    byteLength: bytes.length,
    async *chunks() {
      for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
    },
    access: async () => ({
      byteLength: bytes.length,
      slice: async (start, end) => bytes.subarray(start, end),
      close: async () => {},
    }),
  };
}

function blob(source: Blob): ByteSource {
  const slice = async (start: number, end: number) => new Uint8Array(await source.slice(start, end).arrayBuffer());
  return {
    name: "name" in source && typeof source.name === "string" ? source.name : "blob",
    rereadable: true,
    byteLength: source.size,
    async *chunks() {
      for (let start = 0; start < source.size; start += chunkBytes) yield await slice(start, start + chunkBytes);
    },
    access: async () => ({ byteLength: source.size, slice, close: async () => {} }),
  };
}

function file(path: string): ByteSource {
  const name = path.replace(/^.*[/\\]/, "") || path;
  const stat = statOf(path);
  return {
    name,
    // A named pipe can be read only once and only in order, and so can the output of a command that the shell passes as
    // <(…).
    rereadable: !stat?.isFIFO(),
    byteLength: stat?.isFile() ? stat.size : undefined,
    path: stat === undefined || stat.isFile() ? path : undefined,
    async *chunks() {
      const opened = await openFile(path, true);
      try {
        // A file that is not regular (a pipe, /proc) has no length. It is read until no more bytes arrive.
        const length = opened.byteLength || Infinity;
        for (let start = 0; start < length; ) {
          const chunk = await opened.slice(start, Math.min(length, start + chunkBytes));
          if (chunk.length === 0) return;
          yield chunk;
          start += chunk.length;
        }
      } finally {
        await opened.close();
      }
    },
    access: () => openFile(path),
  };
}

const inNode = (): boolean => typeof process !== "undefined" && typeof process.versions?.node === "string";

function statOf(path: string) {
  if (!inNode()) return undefined;
  try {
    return process.getBuiltinModule("node:fs").statSync(path);
  } catch {
    return undefined; // opening it reports the reason
  }
}

/** `inOrder`: pieces are requested from first to last, as pipes require. */
async function openFile(path: string, inOrder = false): Promise<RandomAccess> {
  const { open } = process.getBuiltinModule("node:fs/promises");
  try {
    const handle = await open(path, "r");
    const stat = await handle.stat();
    const byteLength = stat.size;
    const onwards = inOrder && !stat.isFile();
    return {
      byteLength,
      async slice(start, end) {
        const buffer = new Uint8Array(end - start);
        let filled = 0;
        while (filled < buffer.length) {
          const { bytesRead } = await handle
            .read(buffer, filled, buffer.length - filled, onwards ? null : start + filled)
            .catch((e) => unreadable(path, e));
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return buffer.subarray(0, filled);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    return unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") {
    throw new DataError(
      path,
      "there is no such file; check the path, which starts from the current folder unless it is absolute",
      "DATA_FILE_MISSING",
      { cause: error },
    );
  }
  if (code === "EISDIR") throw new DataError(path, "this is a folder; name a file in it", "DATA_FILE", { cause: error });
  if (code === "EACCES")
    throw new DataError(path, "no permission to read this file; change its permissions", "DATA_FILE", { cause: error });
  throw new DataError(path, `the file cannot be read (${error instanceof Error ? error.message : String(error)})`, "DATA_FILE", {
    cause: error,
  });
}

function standardInput(): ByteSource {
  if (typeof process === "undefined" || !process.stdin) {
    throw new DataError("stdin", "there is no standard input here; pass a File or bytes", "DATA_FILE");
  }
  return once(process.stdin as AsyncIterable<Uint8Array>, "stdin");
}

function once(stream: AsyncIterable<Uint8Array>, name: string): ByteSource {
  let used = false;
  return {
    name,
    rereadable: false,
    async *chunks() {
      if (used)
        throw new DataError(
          name,
          "this stream was read already and cannot be read twice; pass a path, a File or bytes",
          "DATA_FILE",
        );
      used = true;
      yield* stream;
    },
  };
}

async function* streamChunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // an errored stream has nothing left to cancel
  }
}

/**
 * Returns the source without gzip compression. The compression is detected by the first bytes, not by the name. Random
 * access to a compressed source requires unpacking all of it.
 */
function unpacked(source: ByteSource): ByteSource {
  const opened: ByteSource = {
    name: source.name,
    rereadable: source.rereadable,
    byteLength: source.byteLength,
    path: source.path,
    access:
      source.access &&
      (async () => {
        const access = await source.access!();
        if (!isGzip(await access.slice(0, 2))) return access;
        await access.close();
        return memory(await allBytes(opened), source.name).access!();
      }),
    async *chunks() {
      const iterator = source.chunks()[Symbol.asyncIterator]();
      let head: Uint8Array = new Uint8Array(0);
      while (head.length < 2) {
        const { done, value } = await iterator.next();
        if (done) break;
        head = joined(head, value);
      }
      const all = (async function* () {
        try {
          if (head.length > 0) yield head;
          for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield step.value;
        } finally {
          await iterator.return?.();
        }
      })();
      yield* isGzip(head) ? gunzip(all, source.name) : all;
    },
  };
  return opened;
}

const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

async function* gunzip(packed: AsyncGenerator<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await packed.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void (await packed.return(undefined)),
  });
  const unzip = new DecompressionStream("gzip") as unknown as ReadableWritablePair<Uint8Array, Uint8Array>;
  try {
    yield* streamChunks(stream.pipeThrough(unzip));
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(name, "the gzip data is damaged or cut short; fetch the file again", "DATA_GZIP", { cause: error });
  }
}

/** Joins arrays of bytes. If there is only one array, it is returned itself. */
export function joined(...parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * Returns all bytes in one array. @throws DataError DATA_UNSUPPORTED beyond `most` bytes, which compressed sources can
 * reach quickly
 */
export async function allBytes(source: ByteSource, most = Infinity): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let count = 0;
  for await (const chunk of source.chunks()) {
    count += chunk.length;
    if (count > most) {
      const problem = `there are more than ${most} bytes; split the file, or pass one that is not packed`;
      throw new DataError(source.name, problem, "DATA_UNSUPPORTED");
    }
    chunks.push(chunk);
  }
  return joined(...chunks);
}

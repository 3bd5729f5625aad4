/** Bytes to read, from any origin. */
export interface ByteSource {
  /** Name that begins every error message. */
  readonly name: string;
  /**
   * Whether the bytes can be read more than once. If false, `chunks()` can be called only once (standard input,
   * streams).
   */
  readonly rereadable: boolean;
  /** Total number of bytes before decompression, if known in advance. Only a hint, because files change. */
  readonly byteLength?: number | undefined;
  /** Path of a regular file, for a reader that opens the file directly. */
  readonly path?: string | undefined;
  /** Signal that aborts reading, even if a reader has opened the path itself. */
  readonly signal?: AbortSignal | undefined;
  /** Yields the bytes as chunks. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Opens random access to the bytes. Absent if the source does not support it; uncompressed files and memory do. */
  access?(): Promise<RandomAccess>;
  /** Closes a stream that stayed open between two readings. */
  close?(): Promise<void>;
}

/** Random access to the bytes of a file. */
export interface RandomAccess {
  /** Total number of bytes. */
  readonly byteLength: number;
  /** Returns bytes [start, end). */
  slice(start: number, end: number): Promise<Uint8Array>;
  /** Closes the file. */
  close(): Promise<void>;
}

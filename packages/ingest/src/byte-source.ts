/** Bytes to read, whatever they come from. */
export interface ByteSource {
  /** Opens every error message. */
  readonly name: string;
  /** False: `chunks()` works once (standard input, streams). */
  readonly rereadable: boolean;
  /** Bytes in all, where that is known beforehand; before unpacking. A hint: files change. */
  readonly byteLength?: number | undefined;
  /** Of a regular file: where it is, for a reader that opens the file and takes no bytes. */
  readonly path?: string | undefined;
  /** Ends the reading, that of such a reader too. */
  readonly signal?: AbortSignal | undefined;
  /** The bytes, in pieces. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Any bytes by position, where the source has that: files and memory, not compressed. */
  access?(): Promise<RandomAccess>;
  /** Lets go of a stream that was kept open between readings. */
  close?(): Promise<void>;
}

/** Bytes of a file by their place. */
export interface RandomAccess {
  /** Bytes in all. */
  readonly byteLength: number;
  /** Bytes [start, end). */
  slice(start: number, end: number): Promise<Uint8Array>;
  /** Lets go of the file. */
  close(): Promise<void>;
}

import { type ByteSource, joined } from "./source.ts";

/** Reads exact numbers of bytes from chunks of any size. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource) {
    this.#chunks = source.chunks()[Symbol.asyncIterator]();
  }

  /** Returns `count` bytes, or fewer at the end. */
  async take(count: number): Promise<Uint8Array> {
    const parts = [this.#rest];
    let have = this.#rest.length;
    while (have < count) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      parts.push(value);
      have += value.length;
    }
    const bytes = joined(...parts);
    this.#rest = bytes.subarray(count);
    return bytes.subarray(0, count);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

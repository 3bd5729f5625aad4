/**
 * Layer between a Parquet file and its decoder. This module checks the footer, and the pages of every column, before
 * they are decoded. The decoder receives the pages that the check has unpacked, so that nothing is unpacked twice.
 */
import type { AsyncBuffer, Compressors, RowGroup, SchemaTree } from "hyparquet";
import type { RandomAccess } from "../source.ts";
import { checkPages, type PagedColumn } from "./parquet-pages.ts";
import { readThrift } from "./parquet-thrift.ts";

export class PageCheck {
  /** File for the decoder. While a column is open, every read of this file returns pages of that column. */
  readonly file: AsyncBuffer;
  /** Decompressors for the decoder. They return the pages in order, which have already been unpacked. */
  readonly unpack: Compressors;
  #column: PagedColumn | undefined;
  #pages: Uint8Array[] = [];

  constructor(access: RandomAccess, compressors: Compressors) {
    const { byteLength } = access;
    this.file = {
      byteLength,
      slice: (start, end = byteLength) => {
        const read = this.#slice(access, start, end, compressors);
        // The decoder reads ahead, and it might stop before it awaits a read. An unhandled rejection would end the
        // process.
        read.catch(() => {});
        return read;
      },
    };
    const next = (): Uint8Array => {
      const page = this.#pages.shift();
      if (page === undefined) throw new Error("it holds a page that was not checked");
      return page;
    };
    this.unpack = Object.fromEntries(Object.keys(compressors).map((codec) => [codec, next]));
  }

  async #slice(access: RandomAccess, start: number, end: number, compressors: Compressors): Promise<ArrayBuffer> {
    if (!(start >= 0 && start <= end && end <= access.byteLength))
      throw new Error(`bytes ${start} to ${end} are not in the file`);
    const bytes = new Uint8Array(await access.slice(start, end));
    if (this.#column) this.#pages = checkPages(bytes, this.#column, compressors);
    return bytes.buffer;
  }

  begin(group: RowGroup, { element }: SchemaTree, rows: number): void {
    const chunks = group.columns.filter(({ meta_data: data }) => data?.path_in_schema[0] === element.name);
    const data = chunks[0]?.meta_data;
    if (chunks.length !== 1 || data === undefined || data.path_in_schema.length !== 1 || data.type !== element.type)
      throw new Error(`a row group does not hold "${element.name}" once, as the schema has it`);
    this.#pages = [];
    this.#column = {
      type: data.type,
      typeLength: element.type_length ?? 0,
      optional: element.repetition_type !== "REQUIRED",
      codec: data.codec,
      rows,
    };
  }
}

/** Checks that the lists and nested structures of the footer stay within its bytes. */
export async function checkFooter({ byteLength, slice }: RandomAccess): Promise<void> {
  if (byteLength < 12) throw new Error(`the file has ${byteLength} bytes`);
  const end = byteLength - 8;
  const tail = await slice(end, byteLength);
  const size = new DataView(tail.buffer, tail.byteOffset, tail.byteLength).getUint32(0, true);
  if (size > end - 4) throw new Error(`its footer of ${size} bytes goes beyond the file`);
  readThrift(await slice(end - size, end), 0);
}

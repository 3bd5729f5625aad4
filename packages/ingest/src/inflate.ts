/**
 * zlib data → bytes, up to a limit. If a gigabyte was compressed into a megabyte, it is therefore never unpacked in
 * full.
 *
 * Deflate yields at most 1032 bytes per packed byte, so a claimed size can be checked against the packed bytes before
 * anything is allocated.
 * Source: RFC 1950, RFC 1951; the bound is zlib's, because a copy of 258 bytes takes at least two codes of one bit.
 */

/** Largest number of unpacked bytes per packed byte. */
export const deflateRatio = 1032;

/**
 * Unpacks the bytes. Returns undefined if there are more than `most` unpacked bytes. @throws the platform's error for
 * damaged data
 */
export async function inflated(packed: Uint8Array, most: number): Promise<Uint8Array | undefined> {
  if (typeof process !== "undefined" && process.versions?.node) {
    const { inflateSync } = process.getBuiltinModule("node:zlib");
    try {
      const { buffer, byteOffset, length } = inflateSync(packed, { maxOutputLength: most });
      return new Uint8Array(buffer, byteOffset, length);
    } catch (error) {
      if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") return undefined;
      throw error;
    }
  }
  return inflatedByStream(packed, most);
}

/** Unpacks on hosts other than Node. */
export async function inflatedByStream(packed: Uint8Array, most: number): Promise<Uint8Array | undefined> {
  const unzip = new DecompressionStream("deflate");
  const writer = unzip.writable.getWriter();
  // If writing stops early or the data are damaged, the reading side reports it.
  const written = writer.write(packed as Uint8Array<ArrayBuffer>).then(() => writer.close());
  written.catch(() => {});
  const reader = unzip.readable.getReader();
  const all = new Uint8Array(most);
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return all.subarray(0, at);
    if (at + value.length > most) {
      await reader.cancel();
      return undefined;
    }
    all.set(value, at);
    at += value.length;
  }
}

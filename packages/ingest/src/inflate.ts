/**
 * zlib data → bytes, no more than are wanted: what packs a gigabyte into a megabyte is told before it is unpacked.
 *
 * Deflate gives at most 1032 bytes for one, so that a claim can be held to the packed bytes before anything is allocated.
 * Source: RFC 1950, RFC 1951; the bound is zlib's, a copy of 258 bytes by two codes of one bit.
 */

/** Bytes that one packed byte may stand for. */
export const deflateRatio = 1032;

/** Undefined: there are more than `most`. @throws whatever the platform says of damaged data */
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

/** The same where there is no Node. */
export async function inflatedByStream(packed: Uint8Array, most: number): Promise<Uint8Array | undefined> {
  const unzip = new DecompressionStream("deflate");
  const writer = unzip.writable.getWriter();
  // A reader that stops early, and damaged data, are told by the reading side.
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

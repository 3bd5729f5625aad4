/**
 * Returns the unpacked length of a compressed page, as stated in the page's own bytes. Decoders fill an array of the
 * size in the page's header. They leave missing bytes 0 and drop surplus bytes. Returns undefined if the length can be
 * found only by unpacking (Brotli: see ../formats/parquet-brotli.ts). Also returns undefined for Zstandard, because its
 * decoder checks the size.
 *
 * Sources: format_description.txt of Snappy; RFC 1952; lz4_Block_format.md; Hadoop's BlockCompressorStream.
 */
export function unpackedLength(codec: string, bytes: Uint8Array): number | undefined {
  if (codec === "SNAPPY") return varint(bytes);
  if (codec === "GZIP") return gzipLength(bytes);
  if (codec === "LZ4_RAW") return blockLength(bytes, 0, bytes.length);
  if (codec === "LZ4") return framesLength(bytes) ?? blockLength(bytes, 0, bytes.length);
  return undefined;
}

function varint(bytes: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    length += (bytes[i] & 127) * 2 ** (7 * i);
    if (!(bytes[i] & 128)) break;
  }
  return length;
}

const wordsOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * In gzip data, the last word is the length of the last member. The result is undefined if there might be more than one
 * member.
 */
function gzipLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < 18) return undefined;
  for (let at = 18; at + 2 < bytes.length; at++)
    if (bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8) return undefined;
  return wordsOf(bytes).getUint32(bytes.length - 4, true);
}

/** Length of sequences of literals and matches. If a sequence is damaged, the decoder reports the fault. */
function blockLength(bytes: Uint8Array, from: number, to: number): number {
  let length = 0;
  for (let at = from; at < to; ) {
    const token = bytes[at++];
    let literals = token >> 4;
    if (literals === 15) for (let more = 255; more === 255 && at < to; literals += more) more = bytes[at++];
    at += literals;
    length += literals;
    if (at >= to) break;
    at += 2;
    let match = (token & 15) + 4;
    if (match === 19) for (let more = 255; more === 255 && at < to; match += more) more = bytes[at++];
    length += match;
  }
  return length;
}

/**
 * Length of Hadoop's frames. Each frame begins with its unpacked size and the number of bytes that follow. Undefined if
 * they are inconsistent.
 */
function framesLength(bytes: Uint8Array): number | undefined {
  const words = wordsOf(bytes);
  let length = 0;
  let at = 0;
  while (at + 8 <= bytes.length) {
    const [unpacked, packed] = [words.getUint32(at), words.getUint32(at + 4)];
    at += 8;
    if (at + packed > bytes.length || blockLength(bytes, at, at + packed) !== unpacked) return undefined;
    length += unpacked;
    at += packed;
  }
  return at === bytes.length ? length : undefined;
}

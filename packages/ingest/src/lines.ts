/**
 * Splits bytes into blocks of whole lines, for every text format.
 *
 * Each block except the last ends after a line feed. A UTF-8 byte order mark is removed. UTF-16 and binary files are
 * refused here, for all formats. A block contains about a megabyte, or a single line if the line is longer.
 *
 * @throws DataError DATA_ENCODING, DATA_FORMAT
 */
import { fault, fileFault } from "./fault.ts";
import { allBytes, type ByteSource, joined } from "./source.ts";

const lineFeed = 10;
const longestLine = 1 << 28;
/** Largest size in bytes of a text that is read in one piece. */
const longestText = 2 ** 32;

const signatures: [name: string, bytes: number[]][] = [
  ["Parquet", [0x50, 0x41, 0x52, 0x31]],
  ["NumPy .npy", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]],
  ["ZIP (.xlsx, .npz)", [0x50, 0x4b, 0x03, 0x04]],
  ["PNG", [0x89, 0x50, 0x4e, 0x47]],
  ["HDF5", [0x89, 0x48, 0x44, 0x46]],
  ["Arrow", [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31]],
  ["SQLite", [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65]],
];

export async function* lineBlocks(source: ByteSource): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = []; // a line that has not ended
  let restBytes = 0;
  let check = opened;
  for await (const chunk of source.chunks()) {
    const cut = chunk.lastIndexOf(lineFeed) + 1;
    if (cut > 0) {
      yield check(source.name, joined(...rest, chunk.subarray(0, cut)));
      check = checked;
      rest = [];
      restBytes = 0;
    }
    if (cut === chunk.length) continue;
    rest.push(chunk.subarray(cut));
    restBytes += chunk.length - cut;
    if (restBytes > longestLine)
      throw fileFault(source.name, `no line end within ${longestLine} bytes; is this a text file?`, "DATA_FORMAT");
  }
  if (restBytes > 0) yield check(source.name, joined(...rest));
}

/** Checks the first block by its signature. */
function opened(name: string, block: Uint8Array): Uint8Array {
  if ((block[0] === 0xff && block[1] === 0xfe) || (block[0] === 0xfe && block[1] === 0xff)) {
    throw fileFault(
      name,
      `the file is UTF-16 (byte order mark ${block[0] === 0xff ? "FF FE" : "FE FF"}), but must be UTF-8; convert it: iconv -f UTF-16 -t UTF-8`,
      "DATA_ENCODING",
    );
  }
  return checked(name, withoutMark(block));
}

/** Removes a UTF-8 byte order mark. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/**
 * Reads a text in one piece, with the same checks as for blocks. A file that is not text is refused when its first
 * piece is read, regardless of its length.
 */
export async function wholeText(source: ByteSource): Promise<Uint8Array> {
  let check = opened;
  const pieces = async function* () {
    for await (const piece of source.chunks()) {
      check(source.name, piece);
      check = checked;
      yield piece;
    }
  };
  try {
    return withoutMark(await allBytes({ name: source.name, rereadable: false, chunks: pieces }, longestText));
  } finally {
    await source.close?.();
  }
}

function checked(name: string, block: Uint8Array): Uint8Array {
  const zero = block.indexOf(0);
  if (zero < 0) return block;
  const known = signatures.find(([, bytes]) => bytes.every((byte, i) => block[i] === byte));
  throw fileFault(
    name,
    `a zero byte shows that this is not a text file${known ? `; it looks like ${known[0]}` : ""}; pass its actual format, or export it as text`,
    "DATA_FORMAT",
  );
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes whole lines. `line` is the number of the first line. */
export function decoded(file: string, bytes: Uint8Array, line: number): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw encodingFault(file, bytes, line);
  }
}

/** Whether these bytes are UTF-8. */
export function isText(bytes: Uint8Array): boolean {
  const node = typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:buffer");
  if (node?.isUtf8) return node.isUtf8(bytes);
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function encodingFault(file: string, bytes: Uint8Array, line: number): Error {
  // The bytes are invalid if the lenient decoder's output contains a U+FFFD that the bytes themselves do not contain.
  for (let start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found;
    const text = bytes.subarray(start, end);
    for (let i = 0; i < text.length; ) {
      const length = sequenceLength(text, i);
      if (length === 0) {
        const hex = text[i].toString(16).toUpperCase().padStart(2, "0");
        return fault(
          file,
          line,
          i + 1,
          `byte 0x${hex} is not UTF-8; if the file is Latin-1, convert it: iconv -f LATIN1 -t UTF-8`,
          "DATA_ENCODING",
        );
      }
      i += length;
    }
    start = end + 1;
  }
  return fileFault(file, "the text is not UTF-8; convert the file with iconv", "DATA_ENCODING");
}

/** Number of bytes of the UTF-8 sequence at `i`; 0 = none. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i];
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  try {
    strict.decode(bytes.subarray(i, i + length));
    return length;
  } catch {
    return 0;
  }
}

/** Decodes text for a message. Invalid bytes do not matter there. */
export function shown(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}

export function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) count++;
  return count;
}

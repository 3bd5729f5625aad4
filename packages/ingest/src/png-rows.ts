/**
 * Prepares a PNG for its decoder. Keeps only the chunks that define the picture, and unpacks only as many bytes as the
 * rows need.
 *
 * Chunks of text, colour profiles and animation are dropped, because some are compressed too. Up to 64 KiB of surplus
 * bytes after the rows are ignored, as in image viewers. Source: PNG specification (third edition), sections 5, 7, 8
 * and 10.
 *
 * @throws Error with a description of the fault
 */
import { deflateRatio, inflated } from "./inflate.ts";
import { joined } from "./source.ts";

const needed = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];
const surplus = 1 << 16;
const signatureBytes = 8;

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly interlaced: boolean;
}

/** Reads the IHDR chunk, which must come first. */
export function pngHeader(bytes: Uint8Array): PngHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(8) !== 13 || view.getUint32(12) !== 0x49484452) return undefined;
  const [depth, colour, , , interlaced] = bytes.subarray(24, 29);
  return { width: view.getUint32(16), height: view.getUint32(20), depth, colour, interlaced: interlaced !== 0 };
}

/** Returns the same picture as a PNG whose data are not compressed. */
export async function plainPng(bytes: Uint8Array, header: PngHeader): Promise<Uint8Array> {
  const chunks = chunksOf(bytes);
  const packed = joined(...chunks.filter(({ type }) => type === "IDAT").map(({ content }) => content));
  const most = rowBytes(header);
  if (most > packed.length * deflateRatio)
    throw new Error(`${packed.length} packed bytes cannot hold the ${most} of ${header.height} × ${header.width} pixels`);
  const raw = await inflated(packed, most + surplus);
  if (raw === undefined)
    throw new Error(`its data unpack to more than the ${most} bytes of ${header.height} × ${header.width} pixels`);
  if (raw.length < most) throw new Error(`its data unpack to ${raw.length} bytes, but its rows need ${most}`);
  const last = chunks.findLastIndex(({ type }) => type === "IDAT");
  const parts = chunks.flatMap(({ type, content }, k) => {
    if (type !== "IDAT") return needed.includes(type) ? [chunk(type, content)] : [];
    return k === last ? [chunk("IDAT", stored(raw.subarray(0, most)))] : [];
  });
  return joined(bytes.subarray(0, signatureBytes), ...parts);
}

/** Returns the number of bytes in all rows, including one filter byte per row. */
function rowBytes({ width, height, depth, colour, interlaced }: PngHeader): number {
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colour];
  if (channels === undefined) throw new Error(`there is no colour type ${colour}`);
  const bytes = (columns: number, rows: number) => (columns === 0 ? 0 : rows * (1 + Math.ceil((columns * channels * depth) / 8)));
  if (!interlaced) return bytes(width, height);
  return passes.reduce((sum, [x, y, dx, dy]) => {
    return sum + bytes(Math.max(0, Math.ceil((width - x) / dx)), Math.max(0, Math.ceil((height - y) / dy)));
  }, 0);
}

/** Adam7: first column and row, steps. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

interface Chunk {
  readonly type: string;
  readonly content: Uint8Array;
}

/** Reads the chunks up to IEND. */
function chunksOf(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = signatureBytes; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const end = at + 8 + length;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (end + 4 > bytes.length) throw new Error(`the chunk ${JSON.stringify(type)} goes beyond the end`);
    const [wanted, found] = [view.getUint32(end), crc32(bytes, at + 4, end)];
    if (wanted !== found) throw new Error(`CRC mismatch for chunk ${type}. Expected ${wanted}, found ${found}`);
    chunks.push({ type, content: bytes.subarray(at + 8, end) });
    if (type === "IEND") return chunks;
    at = end + 4;
  }
  throw new Error("there is no end");
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(content, 8);
  return bytes; // The decoder ignores the checksum.
}

/** Makes zlib data of stored blocks. The decoder ignores the checksum that follows these blocks. */
function stored(raw: Uint8Array): Uint8Array {
  const block = 0xffff;
  const count = Math.max(1, Math.ceil(raw.length / block));
  const bytes = new Uint8Array(2 + 5 * count + raw.length + 4);
  bytes.set([0x78, 0x01]);
  let to = 2;
  for (let k = 0; k < count; k++) {
    const part = raw.subarray(k * block, (k + 1) * block);
    const { length } = part;
    bytes.set([k === count - 1 ? 1 : 0, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255], to);
    bytes.set(part, to + 5);
    to += 5 + length;
  }
  return bytes;
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

/** PNG and JPEG files built by hand from the formats' specifications, for the readers' tests. */
import { deflateSync } from "node:zlib";

export interface PngContent {
  width: number;
  height: number;
  depth: number;
  /** 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha. */
  colour: number;
  /** Rows of bytes before compression, without filters. */
  rows: number[][];
  palette?: number[];
  transparency?: number[];
  interlaced?: boolean;
}

export function pngBytes({ width, height, depth, colour, rows, palette, transparency, interlaced }: PngContent): Uint8Array {
  const header = [...big(width), ...big(height), depth, colour, 0, 0, interlaced ? 1 : 0];
  const packed = deflateSync(Uint8Array.from(rows.flatMap((row) => [0, ...row])));
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", header),
    ...(palette ? chunk("PLTE", palette) : []),
    ...(transparency ? chunk("tRNS", transparency) : []),
    ...chunk("IDAT", [...packed]),
    ...chunk("IEND", []),
  ]);
}

/** Chunks between header and end, valid or not. */
export function pngFile(
  { width, height, depth, colour }: Pick<PngContent, "width" | "height" | "depth" | "colour">,
  chunks: [type: string, content: Uint8Array][],
): Uint8Array {
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", [...big(width), ...big(height), depth, colour, 0, 0, 0]),
    ...chunks.flatMap(([type, content]) => chunk(type, [...content])),
    ...chunk("IEND", []),
  ]);
}

/** Makes an 8-bit PNG from an array of bytes per row: grey, colour or colour with alpha by `channels`. */
export function plainPng(rows: number[][], channels: 1 | 3 | 4): Uint8Array {
  return pngBytes({
    width: rows[0].length / channels,
    height: rows.length,
    depth: 8,
    colour: { 1: 0, 3: 2, 4: 6 }[channels],
    rows,
  });
}

/**
 * An 8 × 8 grey baseline JPEG of the one value 128 + d, 16 ≤ d < 32: all quantisers are 8, so that the block's only
 * coefficient d is d in every pixel. Codes: DC category 5 = "0", AC end of block = "0"; the scan is 0, d in five bits,
 * 0, and a one to fill up.
 */
export function flatGreyJpeg(d: number): Uint8Array {
  const none = Array.from({ length: 15 }, () => 0);
  return Uint8Array.from([
    ...[0xff, 0xd8, 0xff, 0xdb, 0, 67, 0, ...Array.from({ length: 64 }, () => 8)],
    ...[0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0],
    ...[0xff, 0xc4, 0, 20, 0x00, 1, ...none, 5],
    ...[0xff, 0xc4, 0, 20, 0x10, 1, ...none, 0],
    ...[0xff, 0xda, 0, 8, 1, 1, 0x00, 0, 63, 0, (d << 2) | 1, 0xff, 0xd9],
  ]);
}

function chunk(type: string, content: number[]): number[] {
  const body = [...Buffer.from(type, "latin1"), ...content];
  return [...big(content.length), ...body, ...big(crc32(body))];
}

function big(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function crc32(bytes: number[]): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** Corrects the checksums of a PNG's chunks as far as they can be followed. */
export function resealed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32([...bytes.subarray(at + 4, end)]));
  }
  return bytes;
}

/** A PNG with the given 13 bytes of header and uncompressed rows. */
export function unpackedPng(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", [...bytes.subarray(0, 13)]),
    ...chunk("IDAT", [...deflateSync(bytes.subarray(13), { level: 1 })]),
    ...chunk("IEND", []),
  ]);
}

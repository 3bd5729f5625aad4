import type { DecodedPng } from "fast-png";
import { fileFault, show } from "./fault.ts";
import { type JpegFrame, jpegEnds, jpegFrame, jpegMisclaim } from "./guards/jpeg-claims.ts";
import { plainPng, pngHeader } from "./png-rows.ts";

/**
 * Converts the bytes of PNG and JPEG images to pixels: rows from the top, channels last, whole numbers 0 … 255.
 *
 * 1 channel if the file is grey, else 3 (red, green, blue). 16-bit samples are divided by 257, and 1- to 4-bit samples
 * are scaled to 0 … 255. The results are rounded to nearest. Palettes are looked up. Transparency is composited on the
 * background, c·α + background·(1 − α). Grey is Rec. 601's luma of the stored samples, 0.299 R + 0.587 G + 0.114 B.
 * Colour profiles, gamma and the orientation from EXIF are not applied. If a PNG is animated, its first picture is
 * returned.
 *
 * @throws DataError DATA_FORMAT (neither), DATA_TRUNCATED, DATA_PARSE (damaged), DATA_UNSUPPORTED
 */
export interface Image {
  height: number;
  width: number;
  channels: 1 | 3;
  pixels: Uint8Array;
}

/**
 * Samples before transparency is removed. There are 1 to 4 channels, for grey or colour; if their number is even, the
 * last channel is alpha.
 */
interface Samples {
  height: number;
  width: number;
  channels: number;
  samples: Uint8Array;
}

const pixelLimit = 1e8;

export async function decodeImage(bytes: Uint8Array, file: string, background: "white" | "black"): Promise<Image> {
  if (begins(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return opaque(await png(bytes, file), background);
  if (begins(bytes, [0xff, 0xd8, 0xff])) return jpeg(bytes, file);
  if (bytes.length === 0) throw fileFault(file, "the file is empty; write or fetch it again", "DATA_EMPTY");
  const text = String.fromCharCode(...bytes.subarray(0, 8));
  throw fileFault(
    file,
    `the file begins with ${show(text)}, which is neither PNG nor JPEG; convert it, or move it elsewhere`,
    "DATA_FORMAT",
  );
}

export function greyed({ height, width, channels, pixels }: Image): Image {
  if (channels === 1) return { height, width, channels, pixels };
  const grey = new Uint8Array(height * width);
  for (let i = 0, at = 0; i < grey.length; i++, at += 3) {
    grey[i] = Math.floor((299 * pixels[at] + 587 * pixels[at + 1] + 114 * pixels[at + 2] + 500) / 1000);
  }
  return { height, width, channels: 1, pixels: grey };
}

export function coloured({ height, width, channels, pixels }: Image): Image {
  if (channels === 3) return { height, width, channels, pixels };
  return {
    height,
    width,
    channels: 3,
    pixels: Uint8Array.from({ length: 3 * pixels.length }, (_, k) => pixels[Math.floor(k / 3)]),
  };
}

async function png(bytes: Uint8Array, file: string): Promise<Samples> {
  const cut = "the PNG stops too early; write or fetch it again";
  if (!pngEnds(bytes)) throw fileFault(file, cut, "DATA_TRUNCATED");
  const header = pngHeader(bytes);
  if (header === undefined) throw damaged(file, "PNG", new Error("it does not begin with a header"));
  refuseSize(file, header.height, header.width);
  const { depth, colour, interlaced } = header;
  if (interlaced && depth < 8)
    throw fileFault(file, `the PNG is interlaced with ${depth}-bit samples; save it without interlacing`, "DATA_UNSUPPORTED");
  const { convertIndexedToRgb, decode } = await import("fast-png");
  try {
    const image = decode(await plainPng(bytes, header));
    const { height, width, palette } = image;
    // Colour type 3 uses the palette, whereas a true-colour file can contain a palette as a mere suggestion.
    if (colour === 3) {
      if (palette === undefined) throw new Error("it has no palette");
      return { height, width, channels: palette[0].length, samples: convertIndexedToRgb(image) };
    }
    return keyed(image, spread(image));
  } catch (error) {
    throw damaged(file, "PNG", error);
  }
}

/** Converts samples to bytes. */
function spread({ height, width, channels, depth, data }: DecodedPng): Uint8Array {
  if (depth === 8) return Uint8Array.from(data);
  if (depth === 16) return Uint8Array.from(data, (sample) => Math.round(sample / 257));
  // Only grey images have fewer bits per sample. Each row begins with a whole byte.
  const rowBytes = Math.ceil((width * channels * depth) / 8);
  const most = 2 ** depth - 1;
  return Uint8Array.from({ length: height * width }, (_, i) => (255 / most) * packed(data, rowBytes, depth, width, i));
}

function packed(data: ArrayLike<number>, rowBytes: number, depth: number, width: number, i: number): number {
  const bit = (i % width) * depth;
  const byte = data[Math.floor(i / width) * rowBytes + (bit >> 3)];
  return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}

/** Adds an alpha channel if one grey level or colour is marked as transparent. */
function keyed({ height, width, channels, depth, data, transparency }: DecodedPng, samples: Uint8Array): Samples {
  if (transparency === undefined || transparency.length !== channels) return { height, width, channels, samples };
  const rowBytes = Math.ceil((width * channels * depth) / 8);
  const raw = (i: number, c: number) => (depth < 8 ? packed(data, rowBytes, depth, width, i) : data[i * channels + c]);
  const out = new Uint8Array(height * width * (channels + 1));
  for (let i = 0; i < height * width; i++) {
    let clear = true;
    for (let c = 0; c < channels; c++) {
      out[i * (channels + 1) + c] = samples[i * channels + c];
      clear &&= raw(i, c) === transparency[c];
    }
    out[i * (channels + 1) + channels] = clear ? 0 : 255;
  }
  return { height, width, channels: channels + 1, samples: out };
}

function opaque({ height, width, channels, samples }: Samples, background: "white" | "black"): Image {
  if (channels === 1 || channels === 3) return { height, width, channels, pixels: samples };
  const kept = channels === 2 ? 1 : 3;
  const behind = background === "white" ? 255 : 0;
  const pixels = new Uint8Array(height * width * kept);
  for (let i = 0; i < height * width; i++) {
    const alpha = samples[i * channels + kept];
    for (let c = 0; c < kept; c++) {
      pixels[i * kept + c] = Math.round((samples[i * channels + c] * alpha + behind * (255 - alpha)) / 255);
    }
  }
  return { height, width, channels: kept, pixels };
}

async function jpeg(bytes: Uint8Array, file: string): Promise<Image> {
  const frame = jpegFrame(bytes);
  if (!jpegEnds(bytes, frame?.scanStart ?? 2))
    throw fileFault(file, "the JPEG stops too early; write or fetch it again", "DATA_TRUNCATED");
  if (frame === undefined) throw damaged(file, "JPEG", new Error("it does not have exactly one frame before its scans"));
  refuseSize(file, frame.height, frame.width);
  const misclaim = jpegMisclaim(bytes, frame);
  if (misclaim !== undefined) throw damaged(file, "JPEG", new Error(misclaim));
  const { decode } = await import("jpeg-js");
  try {
    const { height, width, data } = decode(bytes, strict(frame));
    const image: Image = { height, width, channels: 3, pixels: data };
    return frame.components === 1 ? greyed(image) : image;
  } catch (error) {
    throw damaged(file, "JPEG", error);
  }
}

/** Limits the decoder's memory to what this frame needs, because the decoder might find a different frame. */
function strict({ blocks, height, width, components }: JpegFrame) {
  const needed = blocks * (256 + 64) + height * width * (components + 4);
  const maxMemoryUsageInMB = 2 + Math.ceil(needed / (1 << 20));
  return { useTArray: true, formatAsRGBA: false, tolerantDecoding: false, maxMemoryUsageInMB } as const;
}

/** Whether following the chunks leads to the last chunk, IEND. */
function pngEnds(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === 0x49454e44) return at > 32;
  }
  return false;
}

function refuseSize(file: string, height: number, width: number): void {
  if (height * width === 0)
    throw fileFault(file, `the image is ${height} × ${width}, so it has no pixels; write or fetch it again`, "DATA_PARSE");
  if (height * width <= pixelLimit) return;
  throw fileFault(file, `the image is ${height} × ${width}, over 100 million pixels; make it smaller`, "DATA_UNSUPPORTED");
}

function damaged(file: string, format: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return fileFault(file, `the ${format} is damaged (${reason}); write or fetch it again`, "DATA_PARSE", error);
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

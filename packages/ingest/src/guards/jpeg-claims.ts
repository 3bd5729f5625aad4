/**
 * Checks a JPEG's claimed size against its bytes before it is decoded. Every block of 8 × 8 samples takes at least one
 * bit in the scan that contains its first coefficient. In a baseline JPEG, every block takes a second bit to mark its
 * end. A file that claims more blocks than it has bits is therefore damaged.
 *
 * The decoder visits all blocks for every scan, whatever the scan contains, so more scans than any encoder makes are
 * refused. Source: ITU-T T.81, annexes B, F, G.
 */
export interface JpegFrame {
  readonly height: number;
  readonly width: number;
  readonly components: number;
  /** Number of blocks in all components, including blocks that pad the last row and column. */
  readonly blocks: number;
  readonly progressive: boolean;
  /** Position of the first scan. */
  readonly scanStart: number;
}

/**
 * Largest number of scans. For each scan, the decoder passes over the whole picture. Progressive encoders make about
 * ten scans, and at most a thousand are possible.
 */
export const mostScans = 256;

/** Returns the frame before the first scan. Returns undefined if there is no frame or more than one. */
export function jpegFrame(bytes: Uint8Array): JpegFrame | undefined {
  let frame: Omit<JpegFrame, "scanStart"> | undefined;
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    if (isFrame(marker)) {
      if (frame !== undefined) return undefined;
      frame = frameAt(bytes, at, marker);
    }
    if (marker === 0xda) return frame === undefined ? undefined : { ...frame, scanStart: at };
    // FF can be repeated before a marker.
    at += marker === 0xff ? 1 : 2 + bytes[at + 2] * 256 + bytes[at + 3];
  }
  return undefined;
}

/**
 * Whether the image has an end marker. After the start of the first scan, FF D9 cannot be data, because FF in data is
 * followed by 00 or a restart.
 */
export function jpegEnds(bytes: Uint8Array, from: number): boolean {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) if (bytes[at + 1] === 0xd9) return true;
  return false;
}

/** Returns a description of the fault if the claimed size is wrong, and undefined otherwise. */
export function jpegMisclaim(bytes: Uint8Array, frame: JpegFrame): string | undefined {
  const bits = 8 * (bytes.length - frame.scanStart);
  const least = frame.blocks * (frame.progressive ? 1 : 2);
  if (least > bits) {
    const claim = `${frame.height} × ${frame.width} pixels in ${frame.components} components`;
    return `its ${bytes.length} bytes cannot hold ${claim}`;
  }
  const scans = markers(bytes, frame.scanStart, (marker, at) => marker === 0xda && bytes[at + 4] >= 1 && bytes[at + 4] <= 4);
  return scans > mostScans ? `it has ${scans} scans, over ${mostScans}` : undefined;
}

/** Counts markers at all positions, so that a false length cannot hide a marker. */
function markers(bytes: Uint8Array, from: number, is: (marker: number, at: number) => boolean): number {
  let count = 0;
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) if (is(bytes[at + 1], at)) count++;
  return count;
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function frameAt(bytes: Uint8Array, at: number, marker: number): Omit<JpegFrame, "scanStart"> {
  const height = bytes[at + 5] * 256 + bytes[at + 6];
  const width = bytes[at + 7] * 256 + bytes[at + 8];
  const components = bytes[at + 9] ?? 0;
  const factors = Array.from({ length: components }, (_, c) => {
    const both = bytes[at + 11 + 3 * c] ?? 0;
    return { h: both >> 4, v: both & 15 };
  });
  const across = Math.ceil(width / 8 / Math.max(1, ...factors.map(({ h }) => h)));
  const down = Math.ceil(height / 8 / Math.max(1, ...factors.map(({ v }) => v)));
  const blocks = factors.reduce((sum, { h, v }) => sum + across * h * down * v, 0);
  return { height, width, components, blocks, progressive: marker === 0xc2 };
}

/** Small grey pictures as text: two characters per pixel, because characters are about twice as high as wide. */

const SHADES = [" ", "░", "▒", "▓", "█"];

/** Returns one string per line, each of 2 × width characters. `pixels`: row-major, 0 (blank) … `darkest`. */
export function picture(pixels: ArrayLike<number>, width: number, darkest: number): string[] {
  return Array.from({ length: pixels.length / width }, (_, i) =>
    Array.from({ length: width }, (_, j) => {
      const share = Math.min(1, Math.max(0, pixels[i * width + j] / darkest));
      return SHADES[Math.round(share * (SHADES.length - 1))].repeat(2);
    }).join(""),
  );
}

/** Places blocks of lines next to each other, each padded to `width`. */
export function beside(blocks: readonly (readonly string[])[], width: number, gap: string): string[] {
  const height = Math.max(...blocks.map((block) => block.length));
  return Array.from({ length: height }, (_, i) =>
    blocks
      .map((block) => (block[i] ?? "").padEnd(width))
      .join(gap)
      .trimEnd(),
  );
}

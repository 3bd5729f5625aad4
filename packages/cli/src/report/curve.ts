import { picture } from "./picture.ts";

export interface Curve {
  values: ArrayLike<number>;
  /** Half the width of the band. */
  spread: ArrayLike<number>;
}

export interface Mark {
  /** Index of a value. */
  at: number;
  sign: string;
  name: string;
}

const [BAND, LINE] = [1, 4];

/**
 * Draws a curve with its band as text. The curve is dark and the band is light. Signs below the picture mark values.
 *
 * Values are at even distances and are thinned out if there are more than `width`. Lines have 2 × width characters
 * after the labels; marks come last.
 */
export function curve(
  { values, spread }: Curve,
  marks: readonly Mark[],
  label: (value: number) => string,
  size = { width: 30, height: 8 },
): string[] {
  const width = Math.min(size.width, values.length);
  const { height } = size;
  const last = values.length - 1;
  const at = Array.from({ length: width }, (_, x) => (width === 1 ? 0 : Math.round((x * last) / (width - 1))));
  const low = Math.min(...at.map((k) => values[k] - spread[k]));
  const high = Math.max(...at.map((k) => values[k] + spread[k]));
  const row = (value: number): number => Math.min(height - 1, Math.floor(((high - value) / (high - low || 1)) * height));
  const pixels = new Uint8Array(width * height);
  for (const [x, k] of at.entries()) {
    for (let y = row(values[k] + spread[k]); y <= row(values[k] - spread[k]); y++) pixels[y * width + x] = BAND;
    pixels[row(values[k]) * width + x] = LINE;
  }
  const labels = picture(pixels, width, LINE).map((_, y) => (y === 0 ? label(high) : y === height - 1 ? label(low) : ""));
  const margin = Math.max(...labels.map(({ length }) => length));
  const below = Array.from({ length: 2 * width }, () => " ");
  for (const { at: k, sign } of [...marks].reverse()) below[last === 0 ? 0 : 2 * Math.round((k * (width - 1)) / last)] = sign;
  return [
    ...picture(pixels, width, LINE).map((line, y) => `${labels[y].padStart(margin)} │${line}`.trimEnd()),
    `${" ".repeat(margin)}  ${below.join("")}`.trimEnd(),
    `${" ".repeat(margin)}  ${marks.map(({ sign, name }) => `${sign} ${name}`).join("   ")}`,
  ];
}

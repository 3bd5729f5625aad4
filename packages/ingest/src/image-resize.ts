/**
 * Resizes an image by stretching its height and width independently.
 *
 * Shrinking averages the area that a new pixel covers, with fractions of the pixels at its edges. Enlarging is
 * bilinear. The centre of pixel i is at i + ½, and the pixels at the edge are repeated. Height and width are resized in
 * two passes, both in float64. The result is rounded once, to nearest.
 */
import type { Image } from "./image.ts";

/** Computes new pixel i as Σ_k weights[k] · old pixel (first + k). */
interface Mixture {
  first: number;
  weights: readonly number[];
}

export function resized(image: Image, height: number, width: number): Image {
  if (image.height === height && image.width === width) return image;
  const { channels, pixels } = image;
  const across = mixtures(image.width, width);
  const down = mixtures(image.height, height);
  const rows = new Float64Array(image.height * width * channels);
  mix(pixels, rows, across, {
    lines: image.height,
    from: image.width * channels,
    to: width * channels,
    step: channels,
    inner: channels,
  });
  const out = new Float64Array(height * width * channels);
  mix(rows, out, down, { lines: 1, from: 0, to: 0, step: width * channels, inner: width * channels });
  return { height, width, channels, pixels: Uint8Array.from(out, (value) => Math.round(value)) };
}

interface Strides {
  lines: number;
  /** Distance between lines in the old and in the new image. */
  from: number;
  to: number;
  /** Distance between the values that are averaged. */
  step: number;
  /** Number of values per pixel. */
  inner: number;
}

function mix(from: ArrayLike<number>, to: Float64Array, mixed: readonly Mixture[], strides: Strides): void {
  const { lines, step, inner } = strides;
  for (let line = 0; line < lines; line++) {
    mixed.forEach(({ first, weights }, i) => {
      const target = line * strides.to + i * step;
      for (let k = 0; k < weights.length; k++) {
        const source = line * strides.from + (first + k) * step;
        for (let c = 0; c < inner; c++) to[target + c] += weights[k] * from[source + c];
      }
    });
  }
}

/** Positions are whole numbers in units of 1/`to`, so that a pixel on an exact boundary gets an exact weight. */
function mixtures(from: number, to: number): Mixture[] {
  return Array.from({ length: to }, (_, i) => {
    if (to <= from) {
      const first = Math.floor((i * from) / to);
      const end = Math.ceil(((i + 1) * from) / to);
      const weights = Array.from({ length: end - first }, (_, k) => {
        const covered = Math.min((i + 1) * from, (first + k + 1) * to) - Math.max(i * from, (first + k) * to);
        return covered / from;
      });
      return { first, weights };
    }
    const place = Math.min(Math.max(((2 * i + 1) * from) / (2 * to) - 0.5, 0), from - 1);
    const first = Math.floor(place);
    return first === place ? { first, weights: [1] } : { first, weights: [1 - (place - first), place - first] };
  });
}

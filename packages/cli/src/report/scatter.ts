/** Point of a picture, with the word that is written there. */
export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly word: string;
}

/** The scale spans at least a factor of 2, so that small differences do not look large. */
const LEAST_SPAN = Math.LN2;

/** Returns a function that maps values to positions from 0 to 1 on a logarithmic scale. */
export function logScale(values: readonly number[]): (value: number) => number {
  const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  const span = Math.max(high - low, LEAST_SPAN);
  return (value) => 0.5 + (Math.log(value) - (low + high) / 2) / span;
}

/**
 * Draws points as words, with both scales logarithmic. A word that would overlap another is replaced by a dot.
 *
 * Lines have `width` characters after the labels of the smallest and largest y; the labels of x are below.
 */
export function scatter(
  spots: readonly Spot[],
  names: { readonly x: string; readonly y: string },
  label: { x(value: number): string; y(value: number): string },
  { width, height } = { width: 60, height: 10 },
): string[] {
  const [xs, ys] = [spots.map(({ x }) => x), spots.map(({ y }) => y)];
  const [scaleX, scaleY] = [logScale(xs), logScale(ys)];
  const row = (y: number): number => Math.round((1 - scaleY(y)) * (height - 1));
  const grid = Array.from({ length: height }, () => new Array<string>(width).fill(" "));
  for (const { x, y, word } of spots) {
    const line = grid[row(y)];
    const at = Math.min(Math.round(scaleX(x) * (width - 1)), width - word.length);
    const isFree = line.slice(Math.max(0, at - 1), at + word.length + 1).every((sign) => sign === " ");
    if (isFree) line.splice(at, word.length, ...word);
    else if (line[at] === " ") line[at] = "·";
  }
  const sides = [label.y(Math.max(...ys)), label.y(Math.min(...ys))];
  const margin = Math.max(names.y.length, ...sides.map(({ length }) => length));
  const side = (i: number): string => (i === row(Math.max(...ys)) ? sides[0] : i === row(Math.min(...ys)) ? sides[1] : "");
  const below = new Array<string>(width).fill(" ");
  for (const x of [Math.max(...xs), Math.min(...xs)]) {
    const word = label.x(x);
    below.splice(Math.min(Math.round(scaleX(x) * (width - 1)), width - word.length), word.length, ...word);
  }
  return [
    names.y.padStart(margin),
    ...grid.map((line, i) => `${side(i).padStart(margin)} │${line.join("")}`.trimEnd()),
    `${" ".repeat(margin)} └${"─".repeat(width)}`,
    `${" ".repeat(margin)}  ${below.join("")} ${names.x}`,
  ];
}

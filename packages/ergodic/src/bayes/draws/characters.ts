/** Plain-text drawing: bars of eighth blocks, Braille dots, label margins, axes and aligned tables. */

const EIGHTHS = " ▁▂▃▄▅▆▇█";

/**
 * Draws bars of heights 0 … 1. Returns `height` lines, from top to bottom. Each bar is `wide` characters wide. A height
 * above 0 shows at least one eighth block.
 */
export function bars(heights: readonly number[], height: number, wide: number): string[] {
  const eighths = heights.map((h) => (h > 0 ? Math.max(1, Math.round(Math.min(1, h) * 8 * height)) : 0));
  return Array.from({ length: height }, (_, y) => {
    const below = 8 * (height - 1 - y);
    return eighths.map((count) => EIGHTHS[Math.min(8, Math.max(0, count - below))].repeat(wide)).join("");
  });
}

/** Bits of a Braille character's dots, two per row. */
const BRAILLE = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/**
 * Draws a vertical stroke from `low` to `high` (both 0 … 1) in each column of dots. If `low` and `high` are undefined,
 * the column stays empty. A character has two columns and four rows of dots.
 */
export function strokes(columns: readonly ({ low: number; high: number } | undefined)[], height: number): string[] {
  const rows = 4 * height;
  const rowOf = (at: number): number => Math.min(rows - 1, Math.floor((1 - at) * rows));
  const cells = Array.from({ length: height }, () => new Uint8Array(Math.ceil(columns.length / 2)));
  for (const [x, stroke] of columns.entries()) {
    if (!stroke) continue;
    for (let y = rowOf(stroke.high); y <= rowOf(stroke.low); y++) cells[y >> 2][x >> 1] |= BRAILLE[y & 3][x & 1];
  }
  return cells.map((line) => Array.from(line, (bits) => (bits === 0 ? " " : String.fromCodePoint(0x2800 + bits))).join(""));
}

/** Puts a right-aligned margin of labels before the lines, one label per line. */
export function withMargin(lines: readonly string[], labels: readonly string[], margin: number): string[] {
  return lines.map((line, y) => `${(labels[y] ?? "").padStart(margin)} │${line}`.trimEnd());
}

/** Draws a horizontal axis, indented by the margin: a line with the rule, then a line with the labels of both ends. */
export function axis(margin: number, wide: number, low: string, high: string): string[] {
  const space = Math.max(1, wide - low.length - high.length);
  return [`${" ".repeat(margin)} └${"─".repeat(wide)}`, `${" ".repeat(margin + 2)}${low}${" ".repeat(space)}${high}`];
}

/** Formats a number with three significant digits and no trailing zeros. */
export const short = (value: number): string => String(Number(value.toPrecision(3)));

/**
 * Formats rows as an aligned table. Columns listed in `left` (default: the first) are left-aligned, all others
 * right-aligned.
 */
export function aligned(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths = rows[0].map((_, j) => rows.reduce((most, row) => Math.max(most, row[j].length), 0));
  const cell = (text: string, j: number): string => (left.includes(j) ? text.padEnd(widths[j]) : text.padStart(widths[j]));
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}

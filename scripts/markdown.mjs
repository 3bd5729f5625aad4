/**
 * @param {readonly string[]} header
 * @param {readonly string[][]} rows
 */
export function markdownTable(header, rows) {
  const text = [header, ...rows.map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")))];
  const widths = header.map((_, j) => Math.max(...text.map((cells) => cells[j].length)));
  const rule = widths.map((width) => "-".repeat(width));
  const [first, ...rest] = text.map((cells) => cells.map((cell, j) => cell.padEnd(widths[j])));
  return [first, rule, ...rest].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

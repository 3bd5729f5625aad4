import type { Paint } from "../terminal.ts";
import { largest } from "./largest.ts";

export interface TableOptions {
  /** Columns that are aligned left; other columns hold numbers and are aligned right. Default: the first. */
  left?: readonly number[];
  indent?: number;
  paint?: Paint;
}

/** Formats text in columns. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { left = [0], indent = 2, paint } = options;
  const widths = header.map((name, j) => largest([name.length, ...rows.map((row) => row[j].length)]));
  const line = (cells: readonly string[]): string => {
    const set = cells.map((cell, j) => (left.includes(j) ? cell.padEnd(widths[j]) : cell.padStart(widths[j])));
    return `${" ".repeat(indent)}${set.join("  ")}`.trimEnd();
  };
  const head = line(header);
  return [paint ? paint.dim(head) : head, ...rows.map(line)].map((text) => `${text}\n`).join("");
}

/** Formats names on the left with their values on the right. */
export function pairs(rows: readonly (readonly [string, string])[], paint?: Paint): string {
  const width = largest(rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${paint ? paint.dim(name.padEnd(width)) : name.padEnd(width)}  ${value}\n`).join("");
}

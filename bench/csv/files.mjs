/**
 * CSV files like those that people use: 41 numeric columns (whole numbers, two digits, six digits, or printed doubles),
 * 17 categorical columns with 2 to 50 levels, and a target, "yes" or "no", from a logistic model of all columns.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { randomNumbers } from "../data.mjs";

const NUMBERS = 41;
const LEVELS = [2, 3, 5, 7, 8, 10, 12, 14, 16, 18, 20, 22, 25, 30, 35, 42, 50];
const ROWS_AT_ONCE = 5000;

const written = [(x) => String(Math.round(100 * x)), (x) => (10 * x).toFixed(2), (x) => x.toFixed(6), (x) => String(x)];

/** Writes one file per entry of `rowCounts` with that many rows, consecutively from the same random source. */
export function writeTables(paths, rowCounts) {
  const random = randomNumbers(1);
  const weights = Array.from({ length: NUMBERS }, () => 0.2 * random.normal());
  const effects = LEVELS.map((count) => Array.from({ length: count }, () => 0.3 * random.normal()));
  const names = [...weights.map((_, j) => `n${j}`), ...LEVELS.map((_, j) => `c${j}`), "y"];
  const line = () => {
    let margin = 0;
    const cells = weights.map((weight, j) => {
      const x = random.normal();
      margin += weight * x;
      return written[j % written.length](x);
    });
    for (const [j, effect] of effects.entries()) {
      const k = Math.floor(random.uniform() * effect.length);
      margin += effect[k];
      cells.push(`level ${j}-${k}`);
    }
    cells.push(random.uniform() < 1 / (1 + Math.exp(-margin)) ? "yes" : "no");
    return `${cells.join(",")}\n`;
  };
  for (const [k, path] of paths.entries()) {
    const file = openSync(path, "w");
    writeSync(file, `${names.join(",")}\n`);
    for (let row = 0; row < rowCounts[k]; row += ROWS_AT_ONCE)
      writeSync(file, Array.from({ length: Math.min(ROWS_AT_ONCE, rowCounts[k] - row) }, line).join(""));
    closeSync(file);
  }
}

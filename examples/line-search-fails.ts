/**
 * Why a line search fails for SGD, in three facts about a least-squares problem with noise, f = mean of f_i = (aᵢᵀx − bᵢ)²/2:
 *
 *   1. The direction −∇f_i of one row need not descend f. The nearer the optimum, the more rows point uphill: in the end half of them.
 *      There the best step along the line is 0.
 *   2. To learn that, each search over f reads all rows. In ten passes over the data it makes five updates; plain SGD makes 5000.
 *   3. A search over the row's own loss is cheap, but fits each row in turn, noise and all: the iterates never settle.
 *
 * Run: ergodic example line-search-fails
 */
import { fileURLToPath } from "node:url";
import { stream } from "ergodic";

const ROWS = 500;
const COLUMNS = 5;

/** Columns are standard normal, so that f has curvature near 1 in every direction; noise has standard deviation 1. */
const rows = Array.from({ length: ROWS }, (_, i) => {
  const draws = stream(1, "rows").at(i);
  const a = Array.from({ length: COLUMNS }, () => draws.normal());
  return { a, b: a.reduce((s, v) => s + v, 0) + draws.normal() };
});

const dot = (u: number[], v: number[]): number => u.reduce((s, x, i) => s + x * v[i], 0);
const value = (x: number[]): number => rows.reduce((f, { a, b }) => f + 0.5 * (dot(a, x) - b) ** 2, 0) / ROWS;
const rowGradient = (x: number[], i: number): number[] => rows[i].a.map((v) => v * (dot(rows[i].a, x) - rows[i].b));

function fullGradient(x: number[]): number[] {
  const sum = new Array<number>(COLUMNS).fill(0);
  for (let i = 0; i < ROWS; i++) {
    for (const [j, v] of rowGradient(x, i).entries()) sum[j] += v / ROWS;
  }
  return sum;
}

/** By full gradient descent, far past what is compared. */
function optimum(): number[] {
  let x = new Array<number>(COLUMNS).fill(0);
  for (let t = 0; t < 500; t++) {
    const g = fullGradient(x);
    x = x.map((v, j) => v - 0.5 * g[j]);
  }
  return x;
}

const PASSES = 10;

export interface Contender {
  updates: number;
  /** f − f* after ten passes over the data. */
  gap: number;
}
export interface Answer {
  /** Share of rows whose −∇f_i does not descend f, by distance from the optimum. */
  uphill: { distance: number; share: number }[];
  searchOfAll: Contender;
  searchOfRow: Contender;
  decreasing: Contender;
}

export function main(print: (line: string) => void = console.log): Answer {
  const best = optimum();
  const lowest = value(best);
  const uphill = [10, 1, 0.1, 0.01, 0.001].map((distance) => {
    const x = best.map((v, j) => v + (distance * (j % 2 ? 1 : -1)) / Math.sqrt(COLUMNS));
    const g = fullGradient(x);
    return { distance, share: rows.filter((_, i) => dot(rowGradient(x, i), g) <= 0).length / ROWS };
  });
  print("distance from the optimum   rows whose direction does not descend the mean loss");
  for (const { distance, share } of uphill) print(`${String(distance).padStart(25)}   ${(100 * share).toFixed(0)} %`);

  const from = (updates: number, stepSize: (x: number[], i: number, t: number) => number): Contender => ({
    updates,
    gap: value(descend(updates, stepSize)) - lowest,
  });
  const answer: Answer = {
    uphill,
    // one pass for the slope of f along the line, one for its curvature
    searchOfAll: from(PASSES / 2, lowestOnLine),
    searchOfRow: from(PASSES * ROWS, (_, i) => 1 / dot(rows[i].a, rows[i].a)),
    decreasing: from(PASSES * ROWS, (_, __, t) => 1 / (10 + t)),
  };
  print(`after ${PASSES} passes over the data       updates    f − f*`);
  const line = (name: string, { updates, gap }: Contender) =>
    print(`${name.padEnd(30)}${String(updates).padStart(9)}${gap.toExponential(1).padStart(10)}`);
  line("search over f", answer.searchOfAll);
  line("search over the row's loss", answer.searchOfRow);
  line("no search, rate 1/(10 + t)", answer.decreasing);
  return answer;
}

/** SGD on rows drawn at random; the same rows for every contender. */
function descend(updates: number, stepSize: (x: number[], i: number, t: number) => number): number[] {
  let x = new Array<number>(COLUMNS).fill(0);
  for (let t = 0; t < updates; t++) {
    const i = stream(2, "order").at(t).integer(ROWS);
    const g = rowGradient(x, i);
    const eta = stepSize(x, i, t);
    x = x.map((v, j) => v - eta * g[j]);
  }
  return x;
}

/** The lowest point of f along −∇f_i: f is a parabola there. 0 where the direction does not descend. */
function lowestOnLine(x: number[], i: number): number {
  const d = rowGradient(x, i);
  const curvature = rows.reduce((s, { a }) => s + dot(a, d) ** 2, 0) / ROWS;
  return Math.max(0, dot(fullGradient(x), d) / curvature);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

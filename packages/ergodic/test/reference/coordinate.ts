/**
 * Plain twins for coordinate descent: planted least squares, its closed form, Gauss–Seidel, proximal gradient descent,
 * and APPROX as published.
 */
import { stream } from "../../src/engine/random/stream.ts";

export interface LeastSquares {
  rows: number;
  columns: number;
  X: number[][];
  y: number[];
  /** f(x) = ½ xᵀAx − bᵀx + c = ‖Xx − y‖²/2n. */
  A: number[][];
  b: number[];
  c: number;
}

/** Normal columns. Column j is scaled by `scale`(j), and neighbouring columns are correlated. */
export function leastSquares(rows: number, columns: number, scale: (j: number) => number = () => 1): LeastSquares {
  const draws = stream(3, "least squares", rows, columns).at(0);
  const X = Array.from({ length: rows }, () => {
    const z = Array.from({ length: columns }, () => draws.normal());
    return z.map((v, j) => scale(j) * (j === 0 ? v : 0.8 * v + 0.6 * z[j - 1]));
  });
  const y = X.map((x) => x.reduce((s, v, j) => s + (j % 2 ? v : -v / 2) / scale(j), 0) + draws.normal());
  const A = X[0].map((_, i) => X[0].map((_, j) => X.reduce((s, x) => s + x[i] * x[j], 0) / rows));
  const b = X[0].map((_, j) => X.reduce((s, x, i) => s + x[j] * y[i], 0) / rows);
  return { rows, columns, X, y, A, b, c: y.reduce((s, v) => s + v * v, 0) / (2 * rows) };
}

export function valueAt({ A, b, c }: LeastSquares, x: ArrayLike<number>): number {
  return A.reduce((s, row, i) => s + x[i] * (0.5 * row.reduce((t, a, j) => t + a * x[j], 0) - b[i]), c);
}

export function gradientAt({ A, b }: LeastSquares, x: ArrayLike<number>): number[] {
  return A.map((row, i) => row.reduce((s, a, j) => s + a * x[j], 0) - b[i]);
}

/** Solves A x = b by elimination with pivots. */
export function solve(A: number[][], b: number[]): number[] {
  const m = A.map((row, i) => [...row, b[i]]);
  for (let k = 0; k < m.length; k++) {
    const pivot = m.reduce((best, row, i) => (i >= k && Math.abs(row[k]) > Math.abs(m[best][k]) ? i : best), k);
    [m[k], m[pivot]] = [m[pivot], m[k]];
    for (let i = 0; i < m.length; i++) {
      if (i === k) continue;
      const factor = m[i][k] / m[k][k];
      for (let j = k; j <= m.length; j++) m[i][j] -= factor * m[k][j];
    }
  }
  return m.map((row, i) => row[m.length] / row[i]);
}

/** One pass in place, as in textbooks. */
export function gaussSeidel(A: number[][], b: number[], x: number[]): void {
  for (let i = 0; i < x.length; i++) x[i] = (b[i] - A[i].reduce((s, a, j) => (j === i ? s : s + a * x[j]), 0)) / A[i][i];
}

export interface Pieces {
  l1: number;
  l2: number;
  lower: number;
  upper: number;
}

function prox(there: number, step: number, { l1, l2, lower, upper }: Pieces): number {
  const shrunk = (Math.sign(there) * Math.max(0, Math.abs(there) - step * l1)) / (1 + step * l2);
  return Math.min(Math.max(shrunk, lower), upper);
}

/** Proximal gradient descent until no coordinate moves by more than 1e-15. */
export function ista(problem: LeastSquares, pieces: Pieces): number[] {
  const L = problem.A.reduce((s, row, i) => s + row[i], 0);
  let x = new Array<number>(problem.columns).fill(0);
  for (let k = 0; k < 2_000_000; k++) {
    const gradient = gradientAt(problem, x);
    const next = x.map((v, j) => prox(v - gradient[j] / L, 1 / L, pieces));
    const moved = next.reduce((most, v, j) => Math.max(most, Math.abs(v - x[j])), 0);
    x = next;
    if (moved < 1e-15) return x;
  }
  throw new Error("proximal gradient descent did not converge");
}

/** Fercoq, Richtárik 2015, algorithm 2 with one block per move, and full vectors x, y and z. */
export function approx(problem: LeastSquares, pieces: Pieces, picks: Iterable<number>): number[] {
  const n = problem.columns;
  let x = new Array<number>(n).fill(0);
  let z = x.slice();
  let theta = 1 / n;
  for (const j of picks) {
    const y = x.map((v, i) => (1 - theta) * v + theta * z[i]);
    const step = 1 / (n * theta * problem.A[j][j]);
    const to = prox(z[j] - step * gradientAt(problem, y)[j], step, pieces);
    const moved = to - z[j];
    z = z.with(j, to);
    x = y.with(j, y[j] + n * theta * moved);
    theta = (Math.sqrt(theta ** 4 + 4 * theta ** 2) - theta ** 2) / 2;
  }
  return x;
}

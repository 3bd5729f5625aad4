/**
 * Coordinate descent on ½ Σ_i v_i²/h_i + Σ_j w_j (l1|β_j| + l2/2 β_j²), v = u − h∘(Xβ + b), in plain numbers. Columns
 * are centred under the weights h, which keeps b at its minimum. Each β_j moves to its minimum, until a pass makes no
 * significant change. Rows with h = 0 have u = 0 and do not count.
 */
export interface Quadratic {
  /** Rows. */
  x: number[][];
  u: number[];
  h: number[];
  l1: number;
  l2: number;
  penaltyWeights: number[];
  intercept: boolean;
  nonNegative: boolean;
}

const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);

/** v at a point. */
export function residual({ x, u, h }: Quadratic, beta: ArrayLike<number>, b: number): number[] {
  return x.map((row, i) => u[i] - h[i] * (b + row.reduce((sum, value, j) => sum + value * beta[j], 0)));
}

export function quadraticValue(problem: Quadratic, beta: ArrayLike<number>, b: number): number {
  const { h, l1, l2, penaltyWeights } = problem;
  const fit = residual(problem, beta, b).map((v, i) => (h[i] > 0 ? (v * v) / (2 * h[i]) : 0));
  return total(fit) + total(penaltyWeights.map((w, j) => w * (l1 * Math.abs(beta[j]) + (l2 / 2) * beta[j] ** 2)));
}

export function quadraticMinimum(problem: Quadratic): { beta: number[]; b: number } {
  const { x, u, h, l1, l2, penaltyWeights, intercept, nonNegative } = problem;
  const mean = (values: number[]): number => (intercept ? total(values) / total(h) : 0);
  const means = x[0].map((_, j) => mean(x.map((row, i) => h[i] * row[j])));
  const columns = means.map((m, j) => x.map((row) => row[j] - m));
  const curvatures = columns.map((column) => total(column.map((v, i) => h[i] * v * v)));
  const start = u.map((value, i) => value - mean(u) * h[i]);
  const beta = x[0].map(() => 0);
  for (let pass = 0; pass < 100_000; pass++) {
    // Recomputed in each pass, so that rounding errors do not accumulate.
    const v = start.map((value, i) => value - h[i] * total(columns.map((column, j) => beta[j] * column[i])));
    let most = 0;
    for (const [j, column] of columns.entries()) {
      const target = total(column.map((value, i) => value * v[i])) + curvatures[j] * beta[j];
      const shrunk = Math.max(0, Math.abs(target) - l1 * penaltyWeights[j]);
      const stays = shrunk === 0 || (nonNegative && target < 0);
      const d = (stays ? 0 : (Math.sign(target) * shrunk) / (curvatures[j] + l2 * penaltyWeights[j])) - beta[j];
      beta[j] += d;
      for (let i = 0; i < v.length; i++) v[i] -= d * h[i] * column[i];
      most = Math.max(most, Math.abs(d));
    }
    if (most < 1e-14) break;
  }
  return { beta, b: mean(u) - total(means.map((m, j) => m * beta[j])) };
}

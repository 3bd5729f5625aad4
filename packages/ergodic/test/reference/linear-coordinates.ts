/**
 * Plain twin of a linear model's coordinates: F, its partial derivatives, and moves by bisection or by the proximal
 * formula, all computed from scratch.
 */

export type LossName = "squared" | "logistic" | "poisson" | "multinomial";

/** ℓ and ∂ℓ/∂z of one row. Binary losses with several outputs are one against the rest. */
const losses: Record<LossName, (z: number[], y: number) => { value: number; slopes: number[] }> = {
  squared: ([z], y) => ({ value: (z - y) ** 2 / 2, slopes: [z - y] }),
  logistic(z, y) {
    const signs = z.map((_, k) => (z.length === 1 ? y : Number(y === k)) * 2 - 1);
    return {
      value: z.reduce((sum, v, k) => sum + Math.log1p(Math.exp(-Math.abs(v))) + Math.max(0, -signs[k] * v), 0),
      slopes: z.map((v, k) => -signs[k] / (1 + Math.exp(signs[k] * v))),
    };
  },
  poisson: ([z], y) => ({ value: Math.exp(z) - y * z, slopes: [Math.exp(z) - y] }),
  multinomial(z, y) {
    const top = Math.max(...z);
    const e = z.map((v) => Math.exp(v - top));
    const total = e.reduce((a, b) => a + b, 0);
    return { value: top + Math.log(total) - z[y], slopes: e.map((v, k) => v / total - Number(k === y)) };
  },
};

export interface PlainLinear {
  loss: LossName;
  /** Rows, without the intercept. */
  x: number[][];
  y: ArrayLike<number>;
  /** Weights in the mean. Default: 1/n. */
  c?: ArrayLike<number>;
  outputs: number;
  /** Multiplier of the intercept. Absent: no intercept. */
  one?: number;
  l1?: number;
  l2?: number;
  group?: number;
  groups?: number[][];
  nonNegative?: boolean;
}

export class PlainCoordinates {
  readonly width: number;
  readonly columns: number;
  private readonly model: PlainLinear;
  private readonly rows: number[][];

  constructor(model: PlainLinear) {
    this.model = model;
    this.columns = model.x[0].length;
    this.rows = model.x.map((row) => (model.one === undefined ? row : [...row, model.one]));
    this.width = this.rows[0].length;
  }

  value(x: ArrayLike<number>): number {
    const { l1 = 0, l2 = 0, group = 0, groups = [], outputs } = this.model;
    let total = this.rows.reduce((sum, _, i) => sum + this.weight(i) * this.lossAt(x, i).value, 0);
    for (let i = 0; i < x.length; i++) if (this.penalised(i)) total += l1 * Math.abs(x[i]) + (l2 / 2) * x[i] ** 2;
    for (const columns of groups) {
      const members = Array.from({ length: outputs }, (_, k) => columns.map((j) => x[k * this.width + j])).flat();
      total += group * Math.sqrt(columns.length) * Math.hypot(...members);
    }
    return total;
  }

  /** Derivatives of the loss and of l2, on the listed rows (default: all rows once). */
  partial(x: ArrayLike<number>, i: number, listed: readonly number[] = this.rows.map((_, row) => row)): number {
    const sum = listed.reduce(
      (total, row) => total + this.weight(row) * this.entry(row, i) * this.lossAt(x, row).slopes[this.output(i)],
      0,
    );
    return (sum * this.rows.length) / listed.length + this.l2(i) * x[i];
  }

  /** Point at which the one-sided slopes of x_i change sign, by bisection. `limit` bounds |x_i|. */
  exact(x: Float64Array, i: number, limit = 1e3): void {
    const l1 = this.penalised(i) ? (this.model.l1 ?? 0) : 0;
    const floor = this.model.nonNegative && this.penalised(i) ? 0 : -limit;
    const slope = (at: number): number => {
      x[i] = at;
      return this.partial(x, i);
    };
    let [low, high] = [floor, limit];
    const atZero = slope(0);
    if (atZero + l1 >= 0 && (floor === 0 || atZero - l1 <= 0)) {
      x[i] = 0;
      return;
    }
    if (atZero + l1 < 0) low = 0;
    else high = 0;
    // Ends when no number lies between the bounds, or when 10⁻¹⁸ is left.
    for (let n = 0; n < 70; n++) {
      const middle = (low + high) / 2;
      if (middle === low || middle === high) break;
      if (slope(middle) + (low === 0 || low > 0 ? l1 : -l1) < 0) low = middle;
      else high = middle;
    }
    x[i] = (low + high) / 2;
  }

  /** x_b after a proximal step of 1/L along the slopes g. */
  step(x: Float64Array, members: readonly number[], g: readonly number[], L: number, shrink = 0): void {
    const { l1 = 0, nonNegative } = this.model;
    const to = members.map((i, e) => {
      const there = x[i] - g[e] / L;
      const soft = this.penalised(i) ? Math.sign(there) * Math.max(0, Math.abs(there) - l1 / L) : there;
      return nonNegative && this.penalised(i) ? Math.max(0, soft) : soft;
    });
    const factor = shrink === 0 ? 1 : Math.max(0, 1 - shrink / L / Math.hypot(...to));
    for (const [e, i] of members.entries()) x[i] = factor === 0 ? 0 : factor * to[e];
  }

  l2(i: number): number {
    return this.penalised(i) ? (this.model.l2 ?? 0) : 0;
  }

  /** Σ c x_j². */
  square(i: number): number {
    return this.rows.reduce((sum, _, row) => sum + this.weight(row) * this.entry(row, i) ** 2, 0);
  }

  penalised(i: number): boolean {
    return i % this.width < this.columns;
  }

  private weight(row: number): number {
    return this.model.c?.[row] ?? 1 / this.rows.length;
  }

  private output(i: number): number {
    return Math.floor(i / this.width);
  }

  private entry(row: number, i: number): number {
    return this.rows[row][i % this.width];
  }

  private lossAt(x: ArrayLike<number>, row: number): { value: number; slopes: number[] } {
    const z = Array.from({ length: this.model.outputs }, (_, k) =>
      this.rows[row].reduce((sum, v, j) => sum + v * x[k * this.width + j], 0),
    );
    return losses[this.model.loss](z, this.model.y[row]);
  }
}

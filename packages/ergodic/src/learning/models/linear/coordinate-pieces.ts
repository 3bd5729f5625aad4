import type { ColumnTarget } from "../../../engine/contract/index.ts";

/** Maximum number of bisection steps in the search for the largest feasible multiple of a block. */
const HALVINGS = 100;

/**
 * Coordinates of a linear model, and its objective without the loss: Σ l1_i|x_i| + l2_i x_i²/2 + Σ_b group_b ‖x_b‖, x ≥
 * floors.
 *
 * Coordinates: each output's columns and then its intercept, one output after another. Without a group penalty, every
 * coordinate is a block. With a group penalty, each group (over all outputs) and each intercept is a block. If a group
 * has only one coordinate, the l1 of that coordinate includes the group penalty. h_b: terms of the objective on block
 * b, except the loss and l2.
 */
export class CoordinatePieces {
  /** Number of coordinates per output. */
  readonly width: number;
  readonly count: number;
  readonly blocks: readonly (readonly number[])[];
  readonly grouped: boolean;
  readonly l1: Float64Array;
  readonly l2: Float64Array;
  readonly floors: Float64Array;
  readonly group: Float64Array;
  private readonly columnCount: number;

  constructor({ columnCount, outputs, intercept, nonNegative, penalty }: ColumnTarget) {
    const width = columnCount + (intercept ? 1 : 0);
    const count = outputs * width;
    this.columnCount = columnCount;
    this.width = width;
    this.count = count;
    this.grouped = penalty.group > 0;
    const perCoordinate = (value: (column: number) => number, atIntercept: number): Float64Array =>
      Float64Array.from({ length: count }, (_, i) => (i % width < columnCount ? value(i % width) : atIntercept));
    this.l1 = perCoordinate((j) => penalty.l1 * penalty.weights[j], 0);
    this.l2 = perCoordinate((j) => penalty.l2 * penalty.weights[j], 0);
    this.floors = perCoordinate(() => (nonNegative ? 0 : -Infinity), -Infinity);
    const each = Array.from({ length: outputs }, (_, k) => k * width);
    this.blocks = this.grouped
      ? [
          ...penalty.groups
            .filter((columns) => columns.length > 0)
            .map((columns) => each.flatMap((at) => columns.map((j) => at + j))),
          ...(intercept ? each.map((at) => [at + columnCount]) : []),
        ]
      : Array.from({ length: count }, (_, i) => [i]);
    this.group = Float64Array.from(this.blocks, (members) =>
      this.grouped && !this.isIntercept(members[0]) ? penalty.group * Math.sqrt(members.length / outputs) : 0,
    );
    for (const [b, members] of this.blocks.entries()) {
      if (members.length > 1) continue;
      this.l1[members[0]] += this.group[b];
      this.group[b] = 0;
    }
  }

  isIntercept(i: number): boolean {
    return i % this.width >= this.columnCount;
  }

  /** Value of the penalty; Infinity if a coordinate is below its floor. */
  value(x: Float64Array): number {
    let sum = 0;
    for (const [i, v] of x.entries()) {
      if (!(v >= this.floors[i])) return Infinity;
      sum += this.l1[i] * Math.abs(v) + (this.l2[i] / 2) * v * v;
    }
    for (const [b, members] of this.blocks.entries())
      if (this.group[b] > 0) sum += this.group[b] * norm(members.map((i) => x[i]));
    return sum;
  }

  /** Distance of 0 from the subdifferential along block b. g: partial derivatives, including l2. */
  violation(b: number, x: Float64Array, g: Float64Array): number {
    const members = this.blocks[b];
    const size = norm(members.map((i) => x[i]));
    const rest = norm(
      members.map((i) => {
        if (x[i] === 0) return this.beyond(i, -g[i]);
        return g[i] + Math.sign(x[i]) * this.l1[i] + (size > 0 ? (this.group[b] * x[i]) / size : 0);
      }),
    );
    return size > 0 ? rest : Math.max(0, rest - this.group[b]);
  }

  /**
   * Whether every q has a positive multiple that satisfies the dual constraint of block b. A feasible dual point then
   * exists.
   */
  bounded(b: number): boolean {
    return this.group[b] > 0 || this.blocks[b].every((i) => this.l1[i] > 0);
  }

  /** Returns the largest α ≤ 1 with h_b*(α q) = 0: ‖soft(α q_b, l1)‖ ≤ group. */
  largestMultiple(b: number, q: Float64Array): number {
    if (this.excess(b, q, 1) === 0) return 1;
    const members = this.blocks[b];
    if (members.length === 1) return this.l1[members[0]] / Math.abs(q[members[0]]);
    let low = 0;
    let high = 1;
    for (let n = 0; n < HALVINGS && high - low > 2 ** -53 * high; n++) {
      const middle = (low + high) / 2;
      if (this.excess(b, q, middle) > 0) high = middle;
      else low = middle;
    }
    return low;
  }

  /**
   * Returns the amount by which ‖soft(α q_b, l1)‖ exceeds `group`, or 0 if it does not. h* is the square of this excess
   * ÷ 2 l2.
   */
  excess(b: number, q: Float64Array, alpha: number): number {
    return Math.max(0, norm(this.blocks[b].map((i) => this.beyond(i, alpha * q[i]))) - this.group[b]);
  }

  /** Returns the part of a pull that remains after l1 and a floor at 0 have been applied. */
  private beyond(i: number, pull: number): number {
    const towards = this.floors[i] === 0 ? pull : Math.abs(pull);
    return Math.max(0, towards - this.l1[i]);
  }
}

function norm(values: readonly number[]): number {
  if (values.length === 1) return Math.abs(values[0]);
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
}

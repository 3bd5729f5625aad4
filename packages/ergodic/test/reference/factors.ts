/**
 * Plain twin of kernels/learning/factors.ts and of the objective, from the definitions: dense loops, a feature vector
 * per cell, elimination instead of Cholesky, and visits to every cell if every cell counts. Rows are [factors…, bias].
 */
export interface FactorTwin {
  /** Rows of users and of items. */
  rows: [number[][], number[][]];
  /** Value by user, then by item, or undefined for an empty cell. */
  values: (number | undefined)[][];
  rank: number;
  biases: boolean;
  mean: number;
  alpha: number | null;
  l2: number;
  weighted: boolean;
  /** Multiplier of the factors' penalty. The penalty of biases has no multiplier. */
  scale: number;
}

interface Cell {
  /** The other side's row with 1 in place of the bias. */
  z: number[];
  /** Target minus the part that does not depend on the row. */
  target: number;
  weight: number;
}

const valueAt = ({ values }: FactorTwin, side: number, row: number, other: number): number | undefined =>
  side === 0 ? values[row][other] : values[other][row];

export function cellsOf(twin: FactorTwin, side: number, row: number): Cell[] {
  const { rank, biases, mean, alpha } = twin;
  return twin.rows[1 - side].flatMap((other, o) => {
    const value = valueAt(twin, side, row, o);
    const z = [...other.slice(0, rank), ...(biases ? [1] : [])];
    if (alpha !== null) return [{ z, target: value !== undefined && value > 0 ? 1 : 0, weight: 1 + alpha * (value ?? 0) }];
    return value === undefined ? [] : [{ z, target: value - mean - (biases ? other[rank] : 0), weight: 1 }];
  });
}

export function ratingsOf(twin: FactorTwin, side: number, row: number): number {
  return twin.rows[1 - side].filter((_, o) => valueAt(twin, side, row, o) !== undefined).length;
}

/** Multiplier for number `k` of a row. */
export function lambdaOf(twin: FactorTwin, side: number, row: number, k: number): number {
  const l2 = k < twin.rank ? twin.l2 * twin.scale : twin.l2;
  return twin.weighted ? l2 * ratingsOf(twin, side, row) : l2;
}

const product = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, k) => sum + x * b[k], 0);

/** Half the gradient of F with respect to one row's numbers. */
export function halfGradient(twin: FactorTwin, side: number, row: number): number[] {
  const x = twin.rows[side][row];
  const cells = cellsOf(twin, side, row);
  return x.map((own, k) =>
    cells.reduce(
      (sum, { z, target, weight }) => sum + weight * (product(z, x) - target) * z[k],
      lambdaOf(twin, side, row, k) * own,
    ),
  );
}

export function solveSide(twin: FactorTwin, side: number): void {
  twin.rows[side] = twin.rows[side].map((x, row) => {
    if (ratingsOf(twin, side, row) === 0) return x.map(() => 0);
    const cells = cellsOf(twin, side, row);
    const matrix = x.map((_, j) =>
      x.map((_, k) =>
        cells.reduce((sum, { z, weight }) => sum + weight * z[j] * z[k], j === k ? lambdaOf(twin, side, row, k) : 0),
      ),
    );
    return eliminate(
      matrix,
      x.map((_, k) => cells.reduce((sum, { z, target, weight }) => sum + weight * target * z[k], 0)),
    );
  });
}

export function sweepSide(twin: FactorTwin, side: number, inner: number): void {
  for (const [row, x] of twin.rows[side].entries()) {
    if (ratingsOf(twin, side, row) === 0) x.fill(0);
    for (let round = 0; round < inner; round++) for (let k = 0; k < x.length; k++) toMinimum(twin, side, row, k);
  }
}

/** CCD++: for each component, `inner` rounds of users and then items. */
export function componentEpoch(twin: FactorTwin, inner: number): void {
  for (let k = 0; k < twin.rows[0][0].length; k++) {
    for (let round = 0; round < inner; round++) {
      for (const side of [0, 1]) for (let row = 0; row < twin.rows[side].length; row++) toMinimum(twin, side, row, k);
    }
  }
}

export function objective(twin: FactorTwin): number {
  let sum = 0;
  for (const [row, x] of twin.rows[0].entries()) {
    for (const { z, target, weight } of cellsOf(twin, 0, row)) sum += weight * (target - product(z, x)) ** 2;
  }
  for (const side of [0, 1]) {
    for (const [row, x] of twin.rows[side].entries())
      for (const [k, own] of x.entries()) sum += lambdaOf(twin, side, row, k) * own * own;
  }
  return sum;
}

function toMinimum(twin: FactorTwin, side: number, row: number, k: number): void {
  const x = twin.rows[side][row];
  const cells = cellsOf(twin, side, row);
  const curvature = cells.reduce((sum, { z, weight }) => sum + weight * z[k] * z[k], lambdaOf(twin, side, row, k));
  if (curvature > 0) x[k] -= halfGradient(twin, side, row)[k] / curvature;
  else x[k] = 0;
}

/** Gaussian elimination with partial pivoting. */
export function eliminate(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  const a = matrix.map((row, i) => [...row, right[i]]);
  for (let j = 0; j < n; j++) {
    let best = j;
    for (let i = j + 1; i < n; i++) if (Math.abs(a[i][j]) > Math.abs(a[best][j])) best = i;
    [a[j], a[best]] = [a[best], a[j]];
    for (let i = j + 1; i < n; i++) {
      const factor = a[i][j] / a[j][j];
      for (let k = j; k <= n; k++) a[i][k] -= factor * a[j][k];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let j = n - 1; j >= 0; j--) {
    let left = a[j][n];
    for (let k = j + 1; k < n; k++) left -= a[j][k] * x[k];
    x[j] = left / a[j][j];
  }
  return x;
}

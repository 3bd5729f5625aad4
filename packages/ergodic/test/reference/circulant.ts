/** Plain twins of kernels/engine/images/circulant.ts, in float64, term by term. Arrays are row-major. */

export interface CirculantShape {
  readonly rows: number;
  readonly p: number;
  readonly q: number;
  readonly k: number;
}

/** Visits every pair of blocks that meet in W, with the starts of their blocks of x, y and w. */
function eachBlock({ rows, p, q, k }: CirculantShape, visit: (x: number, y: number, w: number) => void): void {
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < p; i++) for (let j = 0; j < q; j++) visit((r * q + j) * k, (r * p + i) * k, (i * q + j) * k);
}

/** y[a] += w[c] x[b], c = (a − b) mod k. */
export function circulant(shape: CirculantShape, x: readonly number[], w: readonly number[]): number[] {
  const { k } = shape;
  const y = new Float64Array(shape.rows * shape.p * k);
  eachBlock(shape, (atX, atY, atW) => {
    for (let c = 0; c < k; c++) for (let b = 0; b < k; b++) y[atY + ((b + c) % k)] += w[atW + c] * x[atX + b];
  });
  return Array.from(y);
}

export function circulantInput(shape: CirculantShape, dy: readonly number[], w: readonly number[]): number[] {
  const { k } = shape;
  const dx = new Float64Array(shape.rows * shape.q * k);
  eachBlock(shape, (atX, atY, atW) => {
    for (let c = 0; c < k; c++) for (let b = 0; b < k; b++) dx[atX + b] += w[atW + c] * dy[atY + ((b + c) % k)];
  });
  return Array.from(dx);
}

export function circulantWeight(shape: CirculantShape, x: readonly number[], dy: readonly number[]): number[] {
  const { k } = shape;
  const dw = new Float64Array(shape.p * shape.q * k);
  eachBlock(shape, (atX, atY, atW) => {
    for (let c = 0; c < k; c++) for (let b = 0; b < k; b++) dw[atW + c] += dy[atY + ((b + c) % k)] * x[atX + b];
  });
  return Array.from(dw);
}

/** The plain twins of kernels/engine/images/circulant.ts, in float64, term by term. Arrays are row-major. */

export interface CirculantShape {
  readonly rows: number;
  readonly p: number;
  readonly q: number;
  readonly k: number;
}

/** Visits every term: W[i k + a, j k + b] = w[i, j, c], c = (a − b) mod k. */
function eachTerm({ rows, p, q, k }: CirculantShape, visit: (x: number, y: number, w: number) => void): void {
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < p; i++)
      for (let j = 0; j < q; j++)
        for (let c = 0; c < k; c++)
          for (let b = 0; b < k; b++) visit((r * q + j) * k + b, (r * p + i) * k + ((b + c) % k), (i * q + j) * k + c);
}

export function circulant(shape: CirculantShape, x: readonly number[], w: readonly number[]): number[] {
  const y = new Array<number>(shape.rows * shape.p * shape.k).fill(0);
  eachTerm(shape, (atX, atY, atW) => {
    y[atY] += w[atW] * x[atX];
  });
  return y;
}

export function circulantInput(shape: CirculantShape, dy: readonly number[], w: readonly number[]): number[] {
  const dx = new Array<number>(shape.rows * shape.q * shape.k).fill(0);
  eachTerm(shape, (atX, atY, atW) => {
    dx[atX] += w[atW] * dy[atY];
  });
  return dx;
}

export function circulantWeight(shape: CirculantShape, x: readonly number[], dy: readonly number[]): number[] {
  const dw = new Array<number>(shape.p * shape.q * shape.k).fill(0);
  eachTerm(shape, (atX, atY, atW) => {
    dw[atW] += dy[atY] * x[atX];
  });
  return dw;
}

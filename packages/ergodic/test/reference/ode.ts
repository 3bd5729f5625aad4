/**
 * Plain twin of ode() by the Dormand–Prince method: the same steps in plain numbers, and the lengths of accepted steps.
 */

export type PlainSlope = (t: number, y: readonly number[]) => number[];

export interface PlainOptions {
  readonly from?: number;
  readonly tolerance?: number;
  readonly absoluteTolerance?: number;
}

export interface PlainSolution {
  readonly states: number[][];
  /** Lengths of the steps between consecutive times. */
  readonly lengths: number[][];
}

const A = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
const FOURTH = [5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40];
const sumOf = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

/** One step: its result, and the result of the method of order 4. */
export function plainStep(f: PlainSlope, t: number, h: number, y: readonly number[]): { fifth: number[]; fourth: number[] } {
  const slopes: number[][] = [];
  const along = (row: readonly number[]): number[] => y.map((x, i) => x + h * sumOf(row.map((a, j) => a * slopes[j][i])));
  for (const row of A) slopes.push(f(t + h * sumOf(row), along(row)));
  return { fifth: along(A[6]), fourth: along(FOURTH) };
}

export function plainSolution(
  f: PlainSlope,
  start: readonly number[],
  times: readonly number[],
  options: PlainOptions = {},
): PlainSolution {
  const { from = 0, tolerance = 1e-6, absoluteTolerance = tolerance } = options;
  const size = (x: readonly number[], y: readonly number[], z: readonly number[]): number =>
    Math.max(...x.map((e, i) => Math.abs(e) / (absoluteTolerance + tolerance * Math.max(Math.abs(y[i]), Math.abs(z[i])))));
  let [t, y] = [from, [...start]];
  const slope = f(t, y);
  const [d0, d1] = [size(y, y, y), size(slope, y, y)];
  const h0 = d0 > 1e-5 && d1 > 1e-5 ? (0.01 * d0) / d1 : 1e-6;
  const there = f(
    t + h0,
    y.map((x, i) => x + h0 * slope[i]),
  );
  const d2 =
    size(
      there.map((x, i) => x - slope[i]),
      y,
      y,
    ) / h0;
  const steepest = Math.max(d1, d2);
  let h = Math.min(100 * h0, steepest <= 1e-15 ? Math.max(1e-6, 1e-3 * h0) : (0.01 / steepest) ** 0.2);
  const [states, lengths]: [number[][], number[][]] = [[], []];
  for (const end of times) {
    const taken: number[] = [];
    while (t < end) {
      const lands = end - t <= 1.01 * h;
      const length = lands ? end - t : h;
      const { fifth, fourth } = plainStep(f, t, length, y);
      const error = size(
        fifth.map((x, i) => x - fourth[i]),
        y,
        fifth,
      );
      const proposed = length * (error < Infinity ? Math.min(10, Math.max(0.2, 0.9 * error ** -0.2)) : 0.2);
      if (error <= 1) {
        [t, y] = [lands ? end : t + length, fifth];
        taken.push(length);
        h = lands ? Math.max(h, proposed) : proposed;
      } else h = proposed;
    }
    states.push(y);
    lengths.push(taken);
  }
  return { states, lengths };
}

/** States after steps of these lengths. */
export function plainReplay(
  f: PlainSlope,
  start: readonly number[],
  lengths: readonly (readonly number[])[],
  from = 0,
): number[][] {
  let [t, y] = [from, [...start]];
  return lengths.map((own) => {
    for (const h of own) {
      y = plainStep(f, t, h, y).fifth;
      t += h;
    }
    return y;
  });
}

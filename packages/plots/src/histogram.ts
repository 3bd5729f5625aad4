/** Bars and curves that show the distribution of values. */
import { bin } from "d3-array";
import { curveMonotoneX, line } from "d3-shape";
import { boundsOf, isShown, LEAST, type Panel } from "./figure.ts";
import { short } from "./svg.ts";

export interface Bars {
  readonly edges: readonly number[];
  /**
   * Height of each bar, which is the share of values in the bar divided by the width of the bar. The bars integrate to
   * 1.
   */
  readonly density: readonly number[];
}

/** Computes `count` bars of equal width for the finite values within `bounds` (default: their own range). */
export function barsOf(values: Float64Array, count: number, bounds = boundsOf(values)): Bars {
  const [low, high] = bounds;
  if (low > high) return { edges: [0, 1], density: [0] };
  if (high - low <= LEAST) return { edges: [low - 0.5, low + 0.5], density: [1] };
  const width = (high - low) / count;
  const edges = Array.from({ length: count + 1 }, (_, k) => (k === count ? high : low + k * width));
  const within = bin().domain([low, high]).thresholds(edges.slice(1, -1))(
    values.filter((value) => value >= low && value <= high),
  );
  const total = within.reduce((sum, { length }) => sum + length, 0);
  return { edges, density: within.map(({ length }) => length / total / width) };
}

/** Returns the filled outline of bars. */
export const outline = ({ edges, density }: Bars, { x, y }: Pick<Panel, "x" | "y">): string =>
  `M${short(x(edges[0]))},${short(y(0))}${density
    .map((height, k) => `V${short(y(height))}H${short(x(edges[k + 1]))}`)
    .join("")}V${short(y(0))}Z`;

const round = (value: number): number => Number(short(value));

/** Returns a curve through points of a density. */
export const curve = (points: readonly (readonly [number, number])[], { x, y }: Pick<Panel, "x" | "y">): string =>
  line<readonly [number, number]>()
    .x(([at]) => round(x(at)))
    .y(([, height]) => round(y(height)))
    .curve(curveMonotoneX)(points) ?? "";

/**
 * Returns a Gaussian kernel density on a grid: (1/nh) Σ φ((t − xᵢ)/h), h = 0.9 min(sd, IQR/1.34) n^(−1/5). For speed,
 * the values are first counted in the cells of the grid. `reflected`: density below the grid is mirrored at the grid's
 * lower end. The support of the values ends there.
 *
 * Source: Silverman 1986, equation 3.31, and 2.10 on reflection.
 */
export function kernelDensity(
  values: Float64Array,
  [low, high]: readonly [number, number],
  { points = 128, reflected = false }: { readonly points?: number; readonly reflected?: boolean } = {},
): [number, number][] {
  const sorted = values.filter(isShown).sort();
  const n = sorted.length;
  const step = (high - low) / (points - 1);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  const sd = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, n - 1));
  const quartiles = (sorted[Math.floor(0.75 * (n - 1))] - sorted[Math.floor(0.25 * (n - 1))]) / 1.34;
  const h = Math.max(0.9 * Math.min(sd, quartiles || sd) * n ** -0.2, step / 2) || 1;
  const cells = new Float64Array(points);
  for (const value of sorted) {
    const k = Math.round((value - low) / step);
    if (k >= 0 && k < points) cells[k]++;
  }
  const reach = Math.ceil((5 * h) / step);
  const weights = Array.from(
    { length: reach + 1 },
    (_, d) => Math.exp(-0.5 * ((d * step) / h) ** 2) / (h * n * Math.sqrt(2 * Math.PI)),
  );
  return Array.from({ length: points }, (_, k) => {
    let sum = 0;
    for (let j = Math.max(0, k - reach); j <= Math.min(points - 1, k + reach); j++) sum += cells[j] * weights[Math.abs(k - j)];
    if (reflected) for (let j = 0; j <= reach - k && j < points; j++) sum += cells[j] * weights[k + j];
    return [low + k * step, sum];
  });
}

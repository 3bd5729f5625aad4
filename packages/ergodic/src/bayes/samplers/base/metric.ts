import { assert } from "../../../engine/errors/errors.ts";

/**
 * Kind of inverse mass matrix: "diagonal" (variances), "dense" (covariance), "fisher" (diagonal, from draws and
 * gradients) or "lowRank".
 */
export type MetricKind = "diagonal" | "dense" | "fisher" | "lowRank";
export const metricKinds: readonly MetricKind[] = ["diagonal", "dense", "fisher", "lowRank"];

const SHRINK_COUNT = 5;
const SHRINK_TO = 1e-3;
const LIMIT = 1e20;
const MOST_DIRECTIONS = 64;

/**
 * Metrics M⁻¹ of Hamiltonian Monte Carlo, estimated from the draws in a window.
 *
 * "diagonal": variances of the draws; "dense": their covariance C. Variances and covariances are shrunk to n/(n + 5) C
 * + 10⁻³ · 5/(n + 5) I (C has divisor n − 1).
 *
 * "fisher": √(Var xᵢ / Var gᵢ) from non-divergent draws, where g is the gradient of the log density. The result is the
 * diagonal metric closest to the target in Fisher divergence. "lowRank": hamiltonian/low-rank.ts.
 *
 * The previous metric is kept if an element of the new metric is not finite or outside [10⁻²⁰, 10²⁰]. This happens if a
 * coordinate or its gradient did not change, or if a chain has not reached the posterior yet.
 *
 * Moments use Welford's method: a single pass, in the order of the draws. Sources: Stan (shrinkage); arXiv:2603.18845
 * (Fisher).
 *
 * `inverse`: M⁻¹; `factor`: scales the momenta, √M for each coordinate or the lower Cholesky factor of M⁻¹. The
 * low-rank layout is defined at CHAIN_RANK_F64 (bayes/fields.ts).
 */
export interface Metric {
  readonly inverse: Float64Array;
  readonly factor: Float64Array;
  /** Number of directions of a low-rank metric; absent otherwise. */
  readonly rank?: number;
}

/** Accumulates the data of a metric. `state` holds all of it. */
export interface Estimator {
  readonly state: Float64Array;
  /** Number of draws added. */
  readonly count: number;
  add(draw: Float64Array, gradient: Float64Array, divergent: boolean): void;
  reset(): void;
  /** Returns the metric; undefined for fewer than two draws, or if the metric is not numerically valid. */
  metric(): Metric | undefined;
}

/** Maximum number of directions of a low-rank metric. */
export function mostDirections(dimension: number): number {
  return Math.min(dimension, MOST_DIRECTIONS);
}

/** Maximum number of values in M⁻¹ and in its factor. */
export function metricSize(kind: MetricKind, dimension: number): number {
  if (kind === "lowRank") return dimension + mostDirections(dimension) * (dimension + 1);
  return kind === "dense" ? dimension * dimension : dimension;
}

/** Returns √(squares of draws / squares of gradients), or NaN if this is not finite or outside the limits. */
export function fisherScale(draws: number, gradients: number): number {
  const ratio = Math.sqrt(draws / gradients);
  return ratio >= 1 / LIMIT && ratio <= LIMIT ? ratio : Number.NaN;
}

/** Returns the metric; undefined if one of its numbers is not finite or too large. */
export function finiteMetric(metric: Metric): Metric | undefined {
  const usable = (x: Float64Array): boolean => x.every((value) => Math.abs(value) <= LIMIT);
  return usable(metric.inverse) && usable(metric.factor) ? metric : undefined;
}

/** Makes a diagonal metric from variances. */
export const diagonalOf = (inverse: Float64Array): Metric | undefined =>
  finiteMetric({ inverse, factor: inverse.map((value) => 1 / Math.sqrt(value)) });

/** Whether a kind of metric uses gradients as well as draws. */
export const usesGradients = (kind: MetricKind): boolean => kind === "fisher" || kind === "lowRank";

/** Returns M = I. */
export function unitMetric(kind: MetricKind, dimension: number): Metric {
  const inverse = new Float64Array(kind === "dense" ? dimension * dimension : dimension).fill(kind === "dense" ? 0 : 1);
  if (kind === "dense") for (let i = 0; i < dimension; i++) inverse[i * (dimension + 1)] = 1;
  return { inverse, factor: inverse.slice() };
}

/**
 * Running moments of draws, and of gradients if the metric needs them. `state` holds all numbers: n, means, sums of
 * squares.
 */
export class MetricEstimator implements Estimator {
  readonly kind: MetricKind;
  readonly dimension: number;
  readonly state: Float64Array;

  constructor(kind: MetricKind, dimension: number) {
    this.kind = kind;
    this.dimension = dimension;
    const vectors = kind === "fisher" ? 4 : 2;
    this.state = new Float64Array(1 + (kind === "dense" ? dimension * (1 + dimension) : vectors * dimension));
  }

  get count(): number {
    return this.state[0];
  }

  add(draw: Float64Array, gradient: Float64Array, divergent: boolean): void {
    const { kind, state, dimension } = this;
    if (kind === "fisher" && divergent) return;
    state[0]++;
    if (kind === "dense") this.addProducts(draw);
    else this.addSquares(draw, 1);
    if (kind === "fisher") this.addSquares(gradient, 1 + 2 * dimension);
  }

  reset(): void {
    this.state.fill(0);
  }

  metric(): Metric | undefined {
    if (this.count < 2) return undefined;
    return this.kind === "dense" ? this.dense() : this.diagonal();
  }

  private addSquares(x: Float64Array, means: number): void {
    const { state, dimension } = this;
    const squares = means + dimension;
    for (let i = 0; i < dimension; i++) {
      const before = x[i] - state[means + i];
      state[means + i] += before / state[0];
      state[squares + i] += before * (x[i] - state[means + i]);
    }
  }

  private addProducts(x: Float64Array): void {
    const { state, dimension } = this;
    const before = x.map((value, i) => value - state[1 + i]);
    for (let i = 0; i < dimension; i++) state[1 + i] += before[i] / state[0];
    for (let i = 0; i < dimension; i++) {
      const row = 1 + dimension + i * dimension;
      const after = x[i] - state[1 + i];
      for (let j = 0; j <= i; j++) state[row + j] += after * before[j];
    }
  }

  private diagonal(): Metric | undefined {
    const { state, dimension, count, kind } = this;
    const inverse = new Float64Array(dimension);
    for (let i = 0; i < dimension; i++) {
      const squares = state[1 + dimension + i];
      if (kind === "fisher") inverse[i] = fisherScale(squares, state[1 + 3 * dimension + i]);
      else inverse[i] = shrunk(squares / (count - 1), count, true);
    }
    return diagonalOf(inverse);
  }

  private dense(): Metric | undefined {
    const { state, dimension: d, count } = this;
    const inverse = new Float64Array(d * d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        const value = shrunk(state[1 + d + i * d + j] / (count - 1), count, i === j);
        inverse[i * d + j] = value;
        inverse[j * d + i] = value;
      }
    }
    const factor = lowerFactor(inverse, d);
    return factor && finiteMetric({ inverse, factor });
  }
}

/** Shrinks towards 10⁻³ I with the weight of five draws, as Stan does. */
export function shrunk(value: number, count: number, onDiagonal: boolean): number {
  const share = count / (count + SHRINK_COUNT);
  return share * value + (onDiagonal ? (SHRINK_TO * SHRINK_COUNT) / (count + SHRINK_COUNT) : 0);
}

/** Returns L of A = L Lᵀ, row-major with zeros above the diagonal; undefined if a pivot is not positive and finite. */
export function lowerFactor(a: Float64Array, d: number): Float64Array | undefined {
  assert(a.length === d * d, "the matrix is square");
  const l = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * d + j];
      for (let k = 0; k < j; k++) sum -= l[i * d + k] * l[j * d + k];
      if (i === j && !(sum > 0 && sum < Infinity)) return undefined;
      l[i * d + j] = i === j ? Math.sqrt(sum) : sum / l[j * d + j];
    }
  }
  return l;
}

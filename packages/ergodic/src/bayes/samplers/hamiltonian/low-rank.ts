/**
 * A low-rank metric, M⁻¹ = D^½ (I + U (Λ − I) Uᵀ) D^½, estimated from draws x and the gradients g of the log density at
 * these draws.
 *
 * Let F = √(Var xᵢ / Var gᵢ), as for metric "fisher", x̃ = F^−½ (x − x̄) and g̃ = F^½ (g − ḡ). In the subspace spanned
 * by draws and gradients, A is the matrix closest to the target in Fisher divergence. A is the geometric mean of S = Σ
 * x̃x̃ᵀ + κI and (Σ g̃g̃ᵀ + κI)⁻¹, which solves A (Σ g̃g̃ᵀ + κI) A = S.
 *
 * Let c be the median eigenvalue of A. Then D = cF. Λ are the eigenvalues of A / c outside [1/`CUTOFF`, `CUTOFF`], in
 * order of decreasing distance from 1, and U are their eigenvectors. In all other directions, and outside the subspace,
 * the metric is D.
 *
 * For a Gaussian, g = −P (x − μ). If κ is neglected, d + 1 draws then determine A. With at most `WHOLE` coordinates,
 * the subspace is the whole space. With more coordinates, it is spanned by the last WHOLE / 2 draws and gradients.
 *
 * Source: arXiv:2603.18845. There are two differences. Division by c turns one strong correlation among many
 * coordinates into a single direction. The numbers of draws, subspace dimensions and directions are limited.
 */
import { log } from "../../../engine/numbers/log.ts";
import { symmetricEigen } from "../../../engine/numbers/symmetric-eigen.ts";
import {
  diagonalOf,
  type Estimator,
  finiteMetric,
  fisherScale,
  lowerFactor,
  type Metric,
  mostDirections,
  shrunk,
} from "../base/metric.ts";

const CUTOFF = 2;
/** κ, as a share of what a single draw with the scale of D contributes. */
const REGULARISE = 1e-5;
const WHOLE = 64;
const MOST_DRAWS = 512;
const MOST_BYTES = 1 << 23;

/**
 * The last draws and gradients. `state` holds everything: the number of draws added, then ring buffers of draws and of
 * gradients.
 */
export class LowRankEstimator implements Estimator {
  readonly state: Float64Array;
  private readonly dimension: number;
  private readonly capacity: number;

  constructor(dimension: number) {
    this.dimension = dimension;
    this.capacity = Math.max(16, Math.min(MOST_DRAWS, Math.floor(MOST_BYTES / (16 * dimension))));
    this.state = new Float64Array(1 + 2 * this.capacity * dimension);
  }

  get count(): number {
    return this.state[0];
  }

  add(draw: Float64Array, gradient: Float64Array, divergent: boolean): void {
    if (divergent) return;
    const { state, dimension: d, capacity } = this;
    const row = state[0] % capacity;
    state.set(draw, 1 + row * d);
    state.set(gradient, 1 + (capacity + row) * d);
    state[0]++;
  }

  reset(): void {
    this.state[0] = 0;
  }

  /** Draws in order of arrival: [n, d]. */
  get rows(): Float64Array {
    const { dimension: d, capacity, state, count } = this;
    const n = Math.min(count, capacity);
    const first = count > capacity ? count % capacity : 0;
    const rows = new Float64Array(n * d);
    for (let k = 0; k < n; k++) rows.set(state.subarray(1 + ((first + k) % n) * d, 1 + ((first + k) % n) * d + d), k * d);
    return rows;
  }

  /** The metric "diagonal", estimated from the same draws as the low-rank metric. */
  diagonal(): Metric | undefined {
    const { dimension: d, count, capacity } = this;
    const n = Math.min(count, capacity);
    if (n < 2) return undefined;
    const x = centred(this.rows, n, d);
    return diagonalOf(Float64Array.from({ length: d }, (_, i) => shrunk(squares(x, n, d, i) / (n - 1), n, true)));
  }

  metric(): Metric | undefined {
    if (this.count < 2) return undefined;
    const { dimension: d, capacity, state } = this;
    const n = Math.min(this.count, capacity);
    const x = centred(state.slice(1, 1 + n * d), n, d);
    const g = centred(state.slice(1 + capacity * d, 1 + (capacity + n) * d), n, d);
    const scale = Float64Array.from({ length: d }, (_, i) => fisherScale(squares(x, n, d, i), squares(g, n, d, i)));
    if (!scale.every(Number.isFinite)) return undefined;
    const root = scale.map(Math.sqrt);
    for (let k = 0; k < n * d; k++) {
      x[k] /= root[k % d];
      g[k] *= root[k % d];
    }
    const basis = d <= Math.min(WHOLE, 2 * n) ? undefined : spanOf(x, g, n, d, this.count);
    const size = basis ? basis.length / d : d;
    const inside = (rows: Float64Array) => gram(basis ? project(rows, basis, n, d) : rows, n, size);
    const [values, vectors] = geometricMean(inside(x), inside(g), size);
    const c = values.length > 0 ? values[(values.length - 1) >> 1] : 1;
    if (!(c > 0)) return undefined;
    for (let i = 0; i < d; i++) scale[i] *= c;
    for (let k = 0; k < values.length; k++) values[k] /= c;
    return assembled(scale, chosen(values, mostDirections(d)), values, (k) => {
      const v = vectors.subarray(k * size, (k + 1) * size);
      return basis ? combine(v, basis, d) : v;
    });
  }
}

function centred(rows: Float64Array, n: number, d: number): Float64Array {
  for (let i = 0; i < d; i++) {
    let mean = 0;
    for (let k = 0; k < n; k++) mean += rows[k * d + i] / n;
    for (let k = 0; k < n; k++) rows[k * d + i] -= mean;
  }
  return rows;
}

/** Sum of squares of column i of centred rows. */
function squares(rows: Float64Array, n: number, d: number, i: number): number {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += rows[k * d + i] * rows[k * d + i];
  return sum;
}

/** Returns Σ rows rowᵀ + κI. */
function gram(rows: Float64Array, n: number, d: number): Float64Array {
  const sums = new Float64Array(d * d);
  for (let k = 0; k < n; k++)
    for (let i = 0; i < d; i++) {
      const a = rows[k * d + i];
      for (let j = 0; j <= i; j++) sums[i * d + j] += a * rows[k * d + j];
    }
  for (let i = 0; i < d; i++) {
    sums[i * d + i] += REGULARISE;
    for (let j = 0; j < i; j++) sums[j * d + i] = sums[i * d + j];
  }
  return sums;
}

/** Orthonormal rows that span the last draws and gradients, by Gram-Schmidt with two passes. */
function spanOf(x: Float64Array, g: Float64Array, n: number, d: number, count: number): Float64Array {
  const each = Math.min(n, WHOLE / 2);
  const basis = new Float64Array(2 * each * d);
  let rank = 0;
  for (let k = 0; k < 2 * each; k++) {
    const row = (count - 1 - (k >> 1)) % n;
    const v = (k % 2 ? g : x).slice(row * d, (row + 1) * d);
    const before = Math.sqrt(dot(v, v));
    for (let pass = 0; pass < 2; pass++)
      for (let j = 0; j < rank; j++) {
        const q = basis.subarray(j * d, (j + 1) * d);
        const along = dot(q, v);
        for (let i = 0; i < d; i++) v[i] -= along * q[i];
      }
    const length = Math.sqrt(dot(v, v));
    if (!(length > 1e-8 * before)) continue;
    for (let i = 0; i < d; i++) basis[rank * d + i] = v[i] / length;
    rank++;
  }
  return basis.slice(0, rank * d);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function project(rows: Float64Array, basis: Float64Array, n: number, d: number): Float64Array {
  const size = basis.length / d;
  const projected = new Float64Array(n * size);
  for (let k = 0; k < n; k++)
    for (let j = 0; j < size; j++)
      projected[k * size + j] = dot(rows.subarray(k * d, (k + 1) * d), basis.subarray(j * d, (j + 1) * d));
  return projected;
}

function combine(v: Float64Array, basis: Float64Array, d: number): Float64Array {
  const sum = new Float64Array(d);
  for (let j = 0; j < v.length; j++) for (let i = 0; i < d; i++) sum[i] += v[j] * basis[j * d + i];
  return sum;
}

/**
 * Eigenvalues, ascending, and eigenvectors (as rows) of the matrix A that solves A G A = S; empty if they cannot be
 * computed numerically.
 */
export function geometricMean(s: Float64Array, g: Float64Array, d: number): [Float64Array, Float64Array] {
  const none: [Float64Array, Float64Array] = [new Float64Array(0), new Float64Array(0)];
  const l = lowerFactor(g, d);
  if (!l) return none;
  // With G = LLᵀ, LᵀAL is the square root of LᵀSL.
  const inner = new Float64Array(d * d);
  const half = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let k = i; k < d; k++) for (let j = 0; j < d; j++) half[i * d + j] += l[k * d + i] * s[k * d + j];
  for (let i = 0; i < d; i++)
    for (let k = 0; k < d; k++) for (let j = 0; j <= Math.min(i, k); j++) inner[i * d + j] += half[i * d + k] * l[k * d + j];
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) inner[j * d + i] = inner[i * d + j];
  const values = new Float64Array(d);
  const vectors = new Float64Array(d * d);
  if (!symmetricEigen(d, inner, values, vectors)) return none;
  // A = Σ √value w wᵀ, w = L⁻ᵀ v.
  const a = new Float64Array(d * d);
  for (let k = 0; k < d; k++) {
    const w = vectors.subarray(k * d, (k + 1) * d);
    for (let i = d - 1; i >= 0; i--) {
      w[i] /= l[i * d + i];
      for (let j = 0; j < i; j++) w[j] -= l[i * d + j] * w[i];
    }
    const weight = Math.sqrt(Math.max(values[k], 0));
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) a[i * d + j] += weight * w[i] * w[j];
  }
  return symmetricEigen(d, a, values, vectors) ? [values, vectors] : none;
}

/** Selects the eigenvalues beyond the cutoff, in order of decreasing distance from 1. */
function chosen(values: Float64Array, most: number): number[] {
  const far = (k: number) => Math.abs(log(values[k]));
  const kept = Array.from(values, (_, k) => k).filter((k) => values[k] > 0 && values[k] < Infinity && far(k) > log(CUTOFF));
  return kept.sort((a, b) => far(b) - far(a) || a - b).slice(0, most);
}

/** Assembles the metric in the layout of CHAIN_RANK_F64 (bayes/fields.ts). */
function assembled(
  scale: Float64Array,
  kept: number[],
  values: Float64Array,
  direction: (k: number) => Float64Array,
): Metric | undefined {
  const d = scale.length;
  const root = scale.map(Math.sqrt);
  const rank = kept.length;
  const inverse = new Float64Array(d + rank * (d + 1));
  const factor = inverse.slice();
  inverse.set(scale);
  factor.set(root.map((value) => 1 / value));
  kept.forEach((k, at) => {
    const u = direction(k);
    factor.set(u, d + at * d);
    inverse.set(
      u.map((value, i) => value * root[i]),
      d + at * d,
    );
    inverse[d + rank * d + at] = values[k] - 1;
    factor[d + rank * d + at] = 1 / Math.sqrt(values[k]) - 1;
  });
  return finiteMetric({ inverse, factor, rank });
}

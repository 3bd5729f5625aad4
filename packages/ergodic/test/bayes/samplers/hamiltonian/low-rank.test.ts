/** Low-rank metrics: the geometric mean that defines them, and the metrics of Gaussians with known covariance. */
import { describe, expect, it } from "vitest";
import { type Metric, MetricEstimator, metricSize } from "../../../../src/bayes/samplers/base/metric.ts";
import { geometricMean, LowRankEstimator } from "../../../../src/bayes/samplers/hamiltonian/low-rank.ts";
import { symmetricEigen } from "../../../../src/engine/numbers/symmetric-eigen.ts";
import { stream } from "../../../../src/engine/random/stream.ts";

type Matrix = Float64Array[];

const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
const transposed = (a: Matrix): Matrix => Array.from(a[0], (_, j) => Float64Array.from(a, (row) => row[j]));
const random = (rows: number, columns: number, ...name: (string | number)[]): Matrix => {
  const draws = stream(11, ...name, rows, columns).at(0);
  return Array.from({ length: rows }, () => Float64Array.from({ length: columns }, () => draws.normal()));
};
const flat = (a: Matrix) => Float64Array.from(a.flatMap((row) => [...row]));

function eigen(a: Matrix): { values: Float64Array; vectors: Matrix } {
  const d = a.length;
  const [values, vectors] = [new Float64Array(d), new Float64Array(d * d)];
  symmetricEigen(d, flat(a), values, vectors);
  return { values, vectors: Array.from({ length: d }, (_, k) => vectors.slice(k * d, k * d + d)) };
}

/** Σ f(λ) v vᵀ. */
function ofEigen({ values, vectors }: ReturnType<typeof eigen>, f: (x: number) => number): Matrix {
  return product(
    transposed(vectors),
    vectors.map((v, k) => v.map((x) => f(values[k]) * x)),
  );
}

/** M⁻¹ as a matrix. */
function whole({ inverse, rank = 0 }: Metric, d: number): Matrix {
  return Array.from({ length: d }, (_, i) =>
    Float64Array.from({ length: d }, (_, j) => {
      let sum = i === j ? inverse[i] : 0;
      for (let k = 0; k < rank; k++) sum += inverse[d + rank * d + k] * inverse[d + k * d + i] * inverse[d + k * d + j];
      return sum;
    }),
  );
}

/** An estimator after n draws of N(μ, C) with gradients −C⁻¹(x − μ). */
function seen<E extends { add(x: Float64Array, g: Float64Array, divergent: boolean): void }>(
  estimator: E,
  c: Matrix,
  n: number,
  known?: { root: Matrix; precision: Matrix },
): E {
  const spectrum = known ? undefined : eigen(c);
  const root = known?.root ?? ofEigen(spectrum!, Math.sqrt);
  const precision = known?.precision ?? ofEigen(spectrum!, (x) => 1 / x);
  for (const z of random(n, c.length, "draws")) {
    const x = product([z], root)[0];
    const g = product([x], precision)[0].map((value) => -value);
    estimator.add(
      x.map((value) => value + 3),
      g,
      false,
    );
  }
  return estimator;
}

/** Eigenvalues of C^−½ M⁻¹ C^−½. All are 1 if M⁻¹ = C. */
function relative(metric: Metric, c: Matrix): Float64Array {
  const root = ofEigen(eigen(c), (x) => 1 / Math.sqrt(x));
  return eigen(product(product(root, whole(metric, c.length)), root)).values;
}

/** All pairs of coordinates have correlation ρ, with different scales. */
const equicorrelated = (d: number, rho: number): Matrix =>
  Array.from({ length: d }, (_, i) =>
    Float64Array.from({ length: d }, (_, j) => (i === j ? 1 : rho) * 2 ** ((i % 3) + (j % 3) - 2)),
  );

describe("the geometric mean", () => {
  it("solves A G A = S for 1 to 12 rows", () => {
    for (let d = 1; d <= 12; d++) {
      const [s, g] = ["s", "g"].map((name) => {
        const root = random(d, d + 1, name);
        return product(root, transposed(root));
      });
      const [values, vectors] = geometricMean(flat(s), flat(g), d);
      const a = ofEigen({ values, vectors: Array.from({ length: d }, (_, k) => vectors.subarray(k * d, k * d + d)) }, (x) => x);
      const found = product(product(a, g), a);
      const size = Math.max(...s.map((row) => Math.max(...row.map(Math.abs))));
      for (const [i, row] of found.entries())
        for (const [j, x] of row.entries()) expect(Math.abs(x - s[i][j])).toBeLessThan(1e-8 * size);
      expect(Math.min(...values)).toBeGreaterThan(0);
    }
  });

  it("has no values if it does not exist", () => {
    expect(geometricMean(Float64Array.of(1), Float64Array.of(-1), 1)[0]).toHaveLength(0);
    expect(geometricMean(Float64Array.of(Number.NaN), Float64Array.of(1), 1)[0]).toHaveLength(0);
  });
});

describe("the metric of a Gaussian", () => {
  it("equals the covariance from d + 2 draws if no eigenvalue is within the cutoff", () => {
    for (const rho of [0.9, 0.999]) {
      const c = equicorrelated(2, rho);
      const metric = seen(new LowRankEstimator(2), c, 4).metric()!;
      expect(metric.rank).toBe(1);
      for (const x of relative(metric, c)) expect(Math.abs(x - 1)).toBeLessThan(1e-3);
    }
  });

  it("is within the cutoff in every direction, unlike a diagonal metric", () => {
    for (const d of [3, 8, 20]) {
      const c = equicorrelated(d, 0.9999);
      const found = relative(seen(new LowRankEstimator(d), c, 2 * d).metric()!, c);
      expect(found[0]).toBeGreaterThan(0.499);
      expect(found[d - 1]).toBeLessThan(2.01);
      const diagonal = relative(seen(new MetricEstimator("fisher", d), c, 2 * d).metric()!, c);
      expect(diagonal[d - 1] / diagonal[0]).toBeGreaterThan(1000);
    }
  });

  it("has no directions for independent coordinates", () => {
    const c = Array.from({ length: 6 }, (_, i) => Float64Array.from({ length: 6 }, (_, j) => (i === j ? 10 ** i : 0)));
    const { rank, inverse } = seen(new LowRankEstimator(6), c, 40).metric()!;
    expect(rank).toBe(0);
    for (let i = 0; i < 6; i++) expect(Math.abs(inverse[i] / 10 ** i - 1)).toBeLessThan(1e-9);
  });

  it("finds a planted direction among 200 coordinates", () => {
    const d = 200;
    const [u] = random(1, d, "direction");
    const length = Math.sqrt(u.reduce((sum, x) => sum + x * x, 0));
    // Variance 1e4 along u and 1 in all other directions.
    const varying = (along: number): Matrix =>
      Array.from({ length: d }, (_, i) =>
        Float64Array.from({ length: d }, (_, j) => (i === j ? 1 : 0) + ((along - 1) * u[i] * u[j]) / length ** 2),
      );
    const [root, precision] = [varying(100), varying(1e-4)];
    const metric = seen(new LowRankEstimator(d), varying(1e4), 60, { root, precision }).metric()!;
    const along = (m: Matrix) => product(product([u], m), transposed([u]))[0][0] / length ** 2;
    const m = whole(metric, d);
    expect(along(m) / 1e4).toBeGreaterThan(0.5);
    expect(along(m) / 1e4).toBeLessThan(2);
    // trace(M⁻¹ P) is d for the exact metric.
    const trace = product(m, precision).reduce((sum, row, i) => sum + row[i], 0) / d;
    expect(trace).toBeGreaterThan(0.3);
    expect(trace).toBeLessThan(3);
  });
});

describe("the low-rank estimator", () => {
  it("requires two draws, omits divergent ones and discards draws before a reset", () => {
    const estimator = new LowRankEstimator(2);
    estimator.add(Float64Array.of(1, 2), Float64Array.of(1, 1), false);
    estimator.add(Float64Array.of(1e9, 2), Float64Array.of(1, 1), true);
    expect([estimator.count, estimator.metric()]).toEqual([1, undefined]);
    estimator.reset();
    const c = equicorrelated(2, 0.5);
    expect(seen(estimator, c, 5).metric()).toEqual(seen(new LowRankEstimator(2), c, 5).metric());
  });

  it("keeps only the last draws and directions that fit into memory", () => {
    const d = 33_000;
    const estimator = new LowRankEstimator(d);
    const draws = stream(3, "ring").at(0);
    const capacity = (estimator.state.length - 1) / 2 / d;
    expect(capacity).toBe(16);
    for (let k = 0; k < 20; k++) {
      const x = Float64Array.from({ length: d }, (_, i) => (k < 4 ? 1e9 : 1) * (i < 10 ? draws.normal() : Math.sin(i * (k + 1))));
      estimator.add(
        x,
        x.map((value) => -value),
        false,
      );
    }
    const { rank = 0, inverse, factor } = estimator.metric()!;
    expect(Math.abs(inverse[0] - 1)).toBeLessThan(1e-9);
    expect([inverse.length, factor.length]).toEqual([d + rank * (d + 1), d + rank * (d + 1)]);
    expect(inverse.length).toBeLessThanOrEqual(metricSize("lowRank", d));
  });

  it("returns no metric if a coordinate does not move", () => {
    const estimator = new LowRankEstimator(3);
    for (const x of [1, 2, 4]) estimator.add(Float64Array.of(7, x, x), Float64Array.of(x, -x, -x), false);
    expect(estimator.metric()).toBeUndefined();
  });

  it("uses the lower of the two middle eigenvalues as the scale", () => {
    const c = [Float64Array.of(1, 0.3), Float64Array.of(0.3, 1)];
    const fisher = seen(new MetricEstimator("fisher", 2), c, 50).metric()!;
    const { inverse, rank } = seen(new LowRankEstimator(2), c, 50).metric()!;
    // 0.7 and 1.3 are within the cutoff of each other, so no direction is kept.
    expect(rank).toBe(0);
    for (const i of [0, 1]) expect(inverse[i] / fisher.inverse[i]).toBeCloseTo(Math.sqrt(0.7 / 1.3), 1);
  });
});

/**
 * Exact tests of the parts of variational algorithms: curvature from pairs, quasi-Newton steps, ELBO gradients, fixed
 * draws and resampling by weight.
 */
import { describe, expect, it } from "vitest";
import { Ascent } from "../../../src/bayes/approximate/ascent.ts";
import { fixedLoss, whitenedPairs } from "../../../src/bayes/approximate/fixed-draws.ts";
import { InverseCurvature, nextDiagonal } from "../../../src/bayes/approximate/inverse-curvature.ts";
import { judge, logMixture, systematic } from "../../../src/bayes/approximate/judgement.ts";
import { NormalFamily } from "../../../src/bayes/approximate/normal-family.ts";
import { QuasiNewton, quasiNewtonDefaults } from "../../../src/bayes/approximate/quasi-newton.ts";
import { type Draws, stream } from "../../../src/engine/random/stream.ts";

const random = (seed: number, count: number): Float64Array => {
  const draws = stream(seed, "parts").at(0);
  return Float64Array.from({ length: count }, () => draws.normal());
};
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, i) => sum + v * b[i], 0);
const unit = (d: number, i: number): Float64Array => Float64Array.from({ length: d }, (_, j) => (i === j ? 1 : 0));

/** Pairs with y = A s for a positive definite A, so that yᵀs > 0. */
function pairs(d: number, count: number) {
  const s = Array.from({ length: count }, (_, j) => random(10 + j, d));
  const y = s.map((one) => one.map((v, i) => v * (1 + i) + 0.3 * (one[(i + 1) % d] + one[(i + d - 1) % d])));
  return { alpha: random(5, d).map((v) => Math.exp(v)), s, y };
}

/** The BFGS formula on a dense matrix. */
function denseBfgs({ alpha, s, y }: ReturnType<typeof pairs>): number[][] {
  const d = alpha.length;
  let h = Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => (i === j ? alpha[i] : 0)));
  s.forEach((one, k) => {
    const rho = 1 / dot(y[k], one);
    const v = (i: number, j: number): number => (i === j ? 1 : 0) - rho * one[i] * y[k][j];
    const next = h.map((row) => row.map(() => 0));
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++) {
        for (let a = 0; a < d; a++) for (let b = 0; b < d; b++) next[i][j] += v(i, a) * h[a][b] * v(j, b);
        next[i][j] += rho * one[i] * one[j];
      }
    h = next;
  });
  return h;
}

function determinant(matrix: number[][]): number {
  const a = matrix.map((row) => row.slice());
  let product = 1;
  for (let k = 0; k < a.length; k++) {
    product *= a[k][k];
    for (let i = k + 1; i < a.length; i++) for (let j = a.length - 1; j >= k; j--) a[i][j] -= (a[i][k] / a[k][k]) * a[k][j];
  }
  return product;
}

describe("inverse curvature", () => {
  const given = pairs(4, 3);
  const h = denseBfgs(given);
  const curvature = new InverseCurvature(given.alpha, given.s, given.y);

  it("equals the BFGS matrix, with its inverse and determinant", () => {
    for (let i = 0; i < 4; i++) {
      const column = curvature.times(unit(4, i));
      for (let j = 0; j < 4; j++) expect(column[j]).toBeCloseTo(h[j][i], 12);
      const back = curvature.inverseTimes(column);
      for (let j = 0; j < 4; j++) expect(back[j]).toBeCloseTo(i === j ? 1 : 0, 12);
    }
    expect(curvature.logDeterminant).toBeCloseTo(Math.log(determinant(h)), 12);
    const v = random(3, 4);
    expect(curvature.quadratic(v)).toBeCloseTo(dot(v, curvature.inverseTimes(v)), 12);
    expect(curvature.logNormal(v)).toBeCloseTo(
      -0.5 * (curvature.quadratic(v) + Math.log(determinant(h)) + 4 * Math.log(2 * Math.PI)),
      12,
    );
  });

  it("draws with exactly the covariance of the BFGS matrix", () => {
    const columns = Array.from({ length: 4 + 3 }, (_, k) => {
      let i = 0;
      const out = new Float64Array(4);
      curvature.draw({ normal: () => (i++ === k ? 1 : 0) } as Draws, out);
      expect(i).toBe(7);
      return out;
    });
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) expect(columns.reduce((sum, c) => sum + c[i] * c[j], 0)).toBeCloseTo(h[i][j], 12);
  });

  it("keeps its pairs if the caller changes the lists", () => {
    const lists = { s: given.s.slice(), y: given.y.slice() };
    const made = new InverseCurvature(given.alpha, lists.s, lists.y);
    lists.s.shift();
    lists.y.shift();
    expect(made.times(unit(4, 0))).toEqual(curvature.times(unit(4, 0)));
  });

  it("updates the diagonal as BFGS does for diag(1/alpha), scaled so that y'Hy = y's", () => {
    const [s, y] = [given.s[0], given.y[0]];
    const scale = dot(s, y) / y.reduce((sum, v, i) => sum + v * v * given.alpha[i], 0);
    const scaled = given.alpha.map((a) => a * scale);
    const updated = new InverseCurvature(scaled, [s], [y]);
    const next = nextDiagonal(given.alpha, s, y);
    for (let i = 0; i < 4; i++) expect(1 / next[i]).toBeCloseTo(updated.inverseTimes(unit(4, i))[i], 12);
  });
});

describe("quasi-Newton", () => {
  const run = (f: (x: Float64Array, g: Float64Array | null) => number, start: number[], history = 10) => {
    const search = new QuasiNewton(f, { ...quasiNewtonDefaults, history });
    search.start(Float64Array.from(start));
    let steps = 0;
    while (!search.step()) expect(++steps).toBeLessThan(500);
    return search;
  };

  it("finds the minimum of a curved valley", () => {
    const search = run(
      ([a, b], g) => {
        g?.set([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)]);
        return (1 - a) ** 2 + 100 * (b - a * a) ** 2;
      },
      [-1.2, 1],
    );
    expect(Math.hypot(search.x[0] - 1, search.x[1] - 1)).toBeLessThan(1e-6);
  });

  it("learns a quadratic's Hessian and follows valleys a million times longer than wide", () => {
    const scales = [1e6, 1, 1e-6];
    const search = run(
      (x, g) => {
        g?.set(x.map((v, i) => (v - 1) / scales[i]));
        return x.reduce((sum, v, i) => sum + (v - 1) ** 2 / scales[i] / 2, 0);
      },
      [300, -2, 1.5],
    );
    for (let i = 0; i < 3; i++) {
      expect(Math.abs(search.x[i] - 1)).toBeLessThan(1e-3 * Math.sqrt(scales[i]));
      expect(search.curvature.times(unit(3, i))[i] / scales[i]).toBeCloseTo(1, 1);
    }
  });

  it("turns back at the edge of the support and after an excessive step", () => {
    const edge = run(
      ([x], g) => {
        g?.fill(1 - 2 / x);
        return x > 0 ? x - 2 * Math.log(x) : Infinity;
      },
      [1e-12],
    );
    expect(edge.x[0]).toBeCloseTo(2, 5);
  });

  it("ends immediately if the slope is zero or not finite", () => {
    expect(run(() => 1, [3]).state.numbers.iterations).toBe(0);
    const broken = run(
      (_, g) => {
        g?.fill(Number.NaN);
        return 1;
      },
      [3],
    );
    expect([broken.x[0], broken.state.numbers.iterations]).toEqual([3, 0]);
  });
});

describe.each([{ full: false }, { full: true }])("a normal family, full: $full", ({ full }) => {
  const d = 3;
  const family = new NormalFamily(d, full);
  const origin = Float64Array.of(1, -1, 0.5);
  const scale = full ? Float64Array.of(2, 0, 0, 0.3, 0.5, 0, -1, 0.2, 4) : Float64Array.of(2, 0.5, 4);
  family.place(origin, scale);
  const theta = random(8, family.size).map((v) => v / 3);
  /** A smooth density that is not quadratic. */
  const density = (x: Float64Array, g: Float64Array | null): number => {
    const value = -Math.cosh(x[0] / 3) - 0.5 * (x[1] - x[0]) ** 2 - 0.1 * (x[2] - x[1] * x[0]) ** 2;
    g?.set([
      -Math.sinh(x[0] / 3) / 3 + (x[1] - x[0]) + 0.2 * (x[2] - x[1] * x[0]) * x[1],
      -(x[1] - x[0]) + 0.2 * (x[2] - x[1] * x[0]) * x[0],
      -0.2 * (x[2] - x[1] * x[0]),
    ]);
    return value;
  };

  it("computes log densities of its points: that of z minus the log determinant", () => {
    const [z, between, x] = [random(9, d), new Float64Array(d), new Float64Array(d)];
    family.point(theta, z, between, x);
    const determinant = [0, 1, 2].reduce((sum, i) => sum + Math.log(scale[full ? i * d + i : i]), family.entropy(theta));
    const wanted = -0.5 * dot(z, z) - 1.5 * Math.log(2 * Math.PI) - determinant;
    const widths = [1, 1.5].map((scale) => ({ scale, oneWay: false }));
    const [one, wide, oneWay] = family.logDensities(theta, x, [...widths, { scale: 3, oneWay: true }]);
    expect(one).toBeCloseTo(wanted, 12);
    expect(wide).toBeCloseTo(wanted + 0.5 * dot(z, z) * (1 - 1 / 2.25) - 3 * Math.log(1.5), 12);
    const widened = (i: number): number => Math.exp(wanted + 0.5 * z[i] ** 2 - z[i] ** 2 / 18) / 3;
    expect(oneWay).toBeCloseTo(Math.log((widened(0) + widened(1) + widened(2)) / 3), 12);
    // E[log q] = −entropy. `constant` holds its constants.
    expect(family.constant + family.entropy(theta)).toBeCloseTo(determinant + 1.5 * (1 + Math.log(2 * Math.PI)), 12);
  });

  it("has an ELBO gradient that agrees with finite differences", () => {
    const loss = fixedLoss(family, whitenedPairs(20, d, stream(1, "z").at(0)), density);
    const gradient = new Float64Array(family.size);
    loss(theta, gradient);
    for (let i = 0; i < family.size; i++) {
      const at = (by: number): number =>
        loss(
          theta.map((v, j) => (i === j ? v + by : v)),
          null,
        );
      expect(Math.abs(gradient[i] - (at(1e-5) - at(-1e-5)) / 2e-5)).toBeLessThan(1e-7);
    }
    expect(fixedLoss(family, random(1, d), () => -Infinity)(theta, null)).toBe(Infinity);
  });

  it("steps by the published update", () => {
    const evaluate = (x: Float64Array, g: Float64Array | null): number => density(x, g);
    const options = { gradientDraws: 2, elboDraws: 10, maxIterations: 5, tolerance: 0, evaluateEvery: 100, adaptIterations: 5 };
    const ascent = new Ascent(family, evaluate, 3, { ...options, rate: 0.2 });
    const own = new Float64Array(family.size);
    let squares = new Float64Array(family.size);
    for (let t = 1; t <= 2; t++) {
      const draws = stream(3, "advi", "gradient").at(5 * 2 ** 32 + t - 1);
      const g = new Float64Array(family.size);
      const [between, x, slope] = [new Float64Array(d), new Float64Array(d), new Float64Array(d)];
      for (let k = 0; k < 2; k++) {
        const z = Float64Array.from({ length: d }, () => draws.normal());
        family.point(own, z, between, x);
        density(x, slope);
        family.addGradient(own, z, slope, between, g);
      }
      for (let i = 0; i < g.length; i++) g[i] = g[i] / 2 + (i >= d && i < 2 * d ? 1 : 0);
      squares = squares.map((old, i) => (t === 1 ? g[i] ** 2 : 0.9 * old + 0.1 * g[i] ** 2));
      for (let i = 0; i < g.length; i++) own[i] += (0.2 / Math.sqrt(t)) * (g[i] / (1 + Math.sqrt(squares[i])));
      ascent.step();
    }
    for (let i = 0; i < own.length; i++) expect(ascent.theta[i]).toBeCloseTo(own[i], 12);
  });
});

describe("fixed draws", () => {
  it("have the second moments of a standard normal up to rounding, or only the variances if there are few", () => {
    for (const [pairCount, d] of [
      [50, 3],
      [5, 4],
    ]) {
      const z = whitenedPairs(pairCount, d, stream(2, "z").at(0));
      const moment = (i: number, j: number): number => {
        let sum = 0;
        for (let k = 0; k < pairCount; k++) sum += (z[k * d + i] * z[k * d + j]) / pairCount;
        return sum;
      };
      for (let i = 0; i < d; i++) {
        expect(moment(i, i)).toBeCloseTo(1, 12);
        for (let j = 0; j < i && pairCount >= 2 * d; j++) expect(moment(i, j)).toBeCloseTo(0, 12);
      }
    }
  });
});

describe("picking", () => {
  it("picks each draw in proportion to its weight, rounded up or down and unbiased", () => {
    const weights = [0.001, 0.5, 0.0007, 0.3, 0.1983];
    const logWeights = Float64Array.from(weights, Math.log);
    const times = new Float64Array(5);
    for (let r = 0; r < 1000; r++) {
      const picked = systematic(logWeights, 100, (r + 0.5) / 1000);
      const counts = weights.map((_, i) => picked.filter((p) => p === i).length);
      for (const [i, count] of counts.entries()) {
        expect(count).toBeGreaterThanOrEqual(Math.floor(100 * weights[i] - 1e-9));
        expect(count).toBeLessThanOrEqual(Math.ceil(100 * weights[i] + 1e-9));
        times[i] += count / 1000;
      }
    }
    for (const [i, weight] of weights.entries()) expect(times[i]).toBeCloseTo(100 * weight, 1);
  });

  it("averages the densities of a mixture even if they underflow", () => {
    expect(logMixture([0, Math.log(3)])).toBeCloseTo(Math.log(2), 14);
    expect(logMixture([-2000, -2000])).toBeCloseTo(-2000, 10);
  });
});

describe("judging draws", () => {
  const draws = stream(6, "judged").at(0);
  const [d, n] = [4, 4000];
  /** Judges draws from N(0, sd²) in each direction, weighted for a standard normal target. */
  function judged(sds: readonly number[]) {
    const [p, q, stein] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
    for (let k = 0; k < n; k++)
      for (const sd of sds) {
        const z = draws.normal();
        p[k] -= 0.5 * (sd * z) ** 2;
        q[k] -= 0.5 * z * z + Math.log(sd);
        stein[k] -= (sd * z) ** 2;
      }
    return judge("test", p, q, stein, d);
  }

  it("trusts an exact normal and one that is slightly too wide or too narrow", () => {
    expect(judged([1, 1, 1, 1])).toMatchObject({ paretoK: 0 });
    expect(judged([1.2, 1.1, 1, 1.1]).paretoK).toBeLessThan(0.7);
    expect(judged([0.9, 1, 0.95, 1]).paretoK).toBeLessThan(0.7);
  });

  it("flags a direction that is too narrow even if the weights look harmless", () => {
    expect(judged([1e-4, 1, 1, 1]).paretoK).toBeGreaterThan(0.7);
    const [p, q, stein] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
    for (let k = 0; k < n; k++) {
      // A wide normal in three directions and a point in the fourth, as after a line search in a valley.
      for (let i = 0; i < 3; i++) {
        const z = draws.normal();
        p[k] -= 0.5 * 1.44 * z * z;
        q[k] -= 0.5 * z * z;
        stein[k] -= 1.44 * z * z;
      }
    }
    expect(judge("test", p, q, stein, 4).paretoK).toBe(Infinity);
    expect(judge("test", p, q, stein, 3).paretoK).toBeLessThan(0.7);
  });

  it("computes the ELBO from unwidened draws if one has a density, and the mass from all draws", () => {
    const [q, stein] = [new Float64Array(4), new Float64Array(4).fill(-1)];
    // The unwidened parts have three times the density of q there.
    const even = (k: number) => (k % 2 === 0 ? Math.log(3) : undefined);
    const of = (p: number[], logPlain?: typeof even) => judge("test", Float64Array.from(p), q, stein, 1, logPlain);
    expect(of([1, 5, 3, 7], even).elbo).toBeCloseTo(2 - Math.log(3), 14);
    expect(of([1, 5, 3, 7]).elbo).toBe(4);
    expect(of([1, 5, -Infinity, 7], even).elbo).toBeCloseTo(1 - Math.log(3), 14);
    expect(of([-Infinity, 5, Number.NaN, 7], even).elbo).toBe(6);
    expect(of([1, 5, 3, 7], even).logMeanWeight).toBeCloseTo(
      Math.log((Math.E + Math.E ** 5 + Math.E ** 3 + Math.E ** 7) / 4),
      12,
    );
    expect(of([-Infinity, 5, Number.NaN, 7], even).logMeanWeight).toBeCloseTo(Math.log((Math.E ** 5 + Math.E ** 7) / 4), 12);
  });

  it("gives no weight to draws without density, and throws if no draw has one", () => {
    const none = new Float64Array(100).fill(-Infinity);
    expect(() => judge("test", none, new Float64Array(100), new Float64Array(100), 1)).toThrow("SAMPLE_APPROXIMATION");
    const half = none.map((v, k) => (k < 50 ? v : -k / 100));
    const { logWeights, elbo } = judge("test", half, new Float64Array(100), new Float64Array(100).fill(-1), 1);
    expect(logWeights.subarray(0, 50).every((w) => w === -Infinity)).toBe(true);
    expect(Number.isFinite(elbo)).toBe(true);
  });
});

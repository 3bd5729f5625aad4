/**
 * Coordinate ascent for mixtures: the ELBO never falls, equals the exact evidence if q is the posterior and bounds it
 * otherwise, and planted clusters are recovered.
 */
import { describe, expect, it } from "vitest";
import { coordinateAscent } from "../../../src/bayes/approximate/coordinate-ascent.ts";
import { gaussianMixture } from "../../../src/bayes/approximate/gaussian-mixture.ts";
import { lgamma } from "../../../src/engine/numbers/gamma.ts";
import { logSumExp } from "../../../src/engine/numbers/log-sum-exp.ts";
import { stream } from "../../../src/engine/random/stream.ts";

const determinant = (a: number[][]): number =>
  a.length === 1 ? a[0][0] : a.length === 2 ? a[0][0] * a[1][1] - a[0][1] * a[1][0] : Number.NaN;

/** log p(x) of rows with a common N(μ, Λ⁻¹) under the Normal–Wishart prior: a ratio of normalising constants. */
function logEvidence(rows: number[][], m0: number[], beta0: number, nu0: number, v0: number[][]): number {
  const [n, d] = [rows.length, m0.length];
  const mean = m0.map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / Math.max(1, n));
  const v = v0.map((line, i) =>
    line.map((entry, j) => {
      const scatter = rows.reduce((sum, row) => sum + (row[i] - mean[i]) * (row[j] - mean[j]), 0);
      return entry + scatter + ((beta0 * n) / (beta0 + n)) * (mean[i] - m0[i]) * (mean[j] - m0[j]);
    }),
  );
  const logGamma = (nu: number): number => m0.reduce((sum, _, i) => sum + lgamma((nu - i) / 2), 0);
  return (
    -0.5 * n * d * Math.log(Math.PI) +
    logGamma(nu0 + n) -
    logGamma(nu0) +
    0.5 * nu0 * Math.log(determinant(v0)) -
    0.5 * (nu0 + n) * Math.log(determinant(v)) +
    0.5 * d * Math.log(beta0 / (beta0 + n))
  );
}

/** Default prior of gaussianMixture. */
function priorOf(rows: number[][], nu: number) {
  const m0 = rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
  const v0 = m0.map((m, i) =>
    m0.map((_, j) => (i === j ? (nu * rows.reduce((sum, row) => sum + (row[i] - m) ** 2, 0)) / rows.length : 0)),
  );
  return { m0, v0 };
}

const rising = (elbo: Float64Array): boolean => elbo.every((v, i) => i === 0 || v >= elbo[i - 1] - 1e-9 * Math.abs(v));

/** Three clusters in the plane with 60 %, 30 % and 10 % of the rows. */
function planted(count: number, seed: number): { rows: number[][]; of: number[] } {
  const draws = stream(seed, "planted").at(0);
  const of: number[] = [];
  const rows = Array.from({ length: count }, () => {
    const u = draws.uniform();
    const k = u < 0.6 ? 0 : u < 0.9 ? 1 : 2;
    of.push(k);
    const [a, b] = [draws.normal(), draws.normal()];
    return [
      [a, 0.8 * a + 0.6 * b],
      [8 + 0.5 * a, 0.5 * b],
      [0.3 * a, 15 + 2 * b],
    ][k];
  });
  return { rows, of };
}

describe("coordinateAscent", () => {
  /** Model x ~ N(mu, 1/tau), mu ~ N(0, 1/(0.1 tau)), tau ~ Gamma(2, 3), with factors N(m, 1/l) and Gamma(a, b). */
  const x = [1.2, 0.4, 2.2, 1.9, 0.7];
  const n = x.length;
  const total = x.reduce((sum, v) => sum + v, 0);
  const squares = x.reduce((sum, v) => sum + v * v, 0);
  const logs = Math.log;
  const digamma = (z: number): number => (lgamma(z + 1e-5) - lgamma(z - 1e-5)) / 2e-5;
  const expected = ([m, l]: Float64Array): number => squares - 2 * total * m + n * (m * m + 1 / l) + 0.1 * (m * m + 1 / l);
  const problem = {
    start: { mean: Float64Array.of(0, 1), precision: Float64Array.of(1, 1) },
    factors: {
      mean: ({ precision: [a, b] }: { precision: Float64Array }) => Float64Array.of(total / (n + 0.1), (n + 0.1) * (a / b)),
      precision: ({ mean }: { mean: Float64Array }) => Float64Array.of(2 + (n + 1) / 2, 3 + expected(mean) / 2),
    },
    elbo: ({ mean, precision: [a, b] }: { mean: Float64Array; precision: Float64Array }) => {
      const logTau = digamma(a) - logs(b);
      const joint = ((n + 1) / 2) * (logTau - logs(2 * Math.PI)) + 0.5 * logs(0.1) - (a / b) * (expected(mean) / 2);
      const gamma = 2 * logs(3) - lgamma(2) + logTau - 3 * (a / b);
      const entropies = 0.5 * (1 + logs(2 * Math.PI) - logs(mean[1])) + a - logs(b) + lgamma(a) + (1 - a) * digamma(a);
      return joint + gamma + entropies;
    },
  };

  it("climbs to a fixed point below the evidence by quadrature", () => {
    const { parameters, elbo, converged, iterations } = coordinateAscent({ ...problem, tolerance: 1e-12 });
    expect(converged).toBe(true);
    expect(elbo.length).toBe(iterations + 1);
    expect(rising(elbo)).toBe(true);
    const again = problem.factors.mean(parameters);
    again.forEach((v, i) => {
      expect(v).toBeCloseTo(parameters.mean[i], 5);
    });
    // Closed form for the Normal–Gamma prior: Gamma(2, 3) is a Wishart distribution with 4 degrees and V = 6.
    const evidence = logEvidence(
      x.map((v) => [v]),
      [0],
      0.1,
      4,
      [[6]],
    );
    expect(elbo[iterations]).toBeLessThan(evidence);
    expect(elbo[iterations]).toBeGreaterThan(evidence - 0.2);
  });

  it("refuses an update that lowers the ELBO", () => {
    const wrong = {
      ...problem.factors,
      mean: ({ precision: [a, b] }: { precision: Float64Array }) => Float64Array.of(total / n + 3, a / b),
    };
    expect(() => coordinateAscent({ ...problem, factors: wrong })).toThrow(/lowers the ELBO.*VARIATIONAL_ELBO/);
    expect(() => coordinateAscent({ ...problem, elbo: () => Number.NaN })).toThrow(
      /the start makes the ELBO NaN.*VARIATIONAL_ELBO/,
    );
    expect(() => coordinateAscent({ ...problem, start: { mean: Float64Array.of(0, 1) } as typeof problem.start })).toThrow(
      /"precision" has no start.*OPTION_CONFLICT/,
    );
  });

  it("stops after the given number of sweeps", () => {
    const { iterations, converged } = coordinateAscent({ ...problem, iterations: 1, tolerance: 0 });
    expect([iterations, converged]).toEqual([1, false]);
  });
});

describe("gaussianMixture", () => {
  it("equals the log evidence for one component, in one and two dimensions", () => {
    for (const rows of [[[1.5], [0.2], [-0.7], [2.1]], planted(30, 3).rows.map(([a, b]) => [a, b / 10])]) {
      const d = rows[0].length;
      const { m0, v0 } = priorOf(rows, d + 1);
      const { elbo, iterations, weights, means } = gaussianMixture(rows, { components: 1 });
      const wanted = logEvidence(rows, m0, 0.01, d + 1, v0);
      expect(Math.abs(elbo[iterations] - wanted)).toBeLessThan(1e-9 * Math.abs(wanted));
      expect(weights[0]).toBe(1);
      expect(means[0]).toBeCloseTo(m0[0], 12);
    }
  });

  describe("two components", () => {
    const rows = [[-2.1], [-1.8], [-2.4], [2.0], [2.3], [1.7], [1.9]];

    /** log p(x), summed over all assignments. */
    function evidenceOf(given: number[][], spread: number): number {
      const { m0, v0 } = priorOf(given, 2);
      const terms = Array.from({ length: 2 ** given.length }, (_, mask) => {
        const parts = [0, 1].map((k) => given.filter((_, n) => ((mask >> n) & 1) === k));
        const weights = parts.reduce((sum, part) => sum + lgamma(part.length + 0.5) - lgamma(0.5), -lgamma(1 + given.length));
        return weights + parts.reduce((sum, part) => sum + logEvidence(part, m0, 0.01, 2, [[v0[0][0] * spread]]), 0);
      });
      return logSumExp(terms);
    }

    it("the ELBO is below the evidence", () => {
      for (const spread of [1, 0.5, 0.1]) {
        const { elbo, iterations } = gaussianMixture(rows, { components: 2, spread });
        expect(elbo[iterations]).toBeLessThan(evidenceOf(rows, spread));
        expect(elbo[iterations]).toBeGreaterThan(evidenceOf(rows, spread) - 4);
      }
    });

    it("the ELBO is log 2 below the evidence if assignments are certain, because labels can be swapped", () => {
      const far = rows.map(([v]) => [v + 1000 * Math.sign(v)]);
      const spread = 1e-7;
      const { elbo, iterations } = gaussianMixture(far, { components: 2, spread });
      expect(evidenceOf(far, spread) - elbo[iterations]).toBeCloseTo(Math.log(2), 4);
    });
  });

  it.each([1, 2, 3])("finds planted clusters and empties unneeded components: seed %d", (seed) => {
    const { rows, of } = planted(400, seed);
    const { elbo, weights, means, covariances, responsibilities, converged } = gaussianMixture(rows, { components: 6, seed });
    expect(converged).toBe(true);
    expect(rising(elbo)).toBe(true);
    const used = [...weights.keys()].filter((k) => weights[k] > 0.02).sort((a, b) => weights[b] - weights[a]);
    expect(used.length).toBe(3);
    [
      [0, 0],
      [8, 0],
      [0, 15],
    ].forEach(([a, b], k) => {
      const own = of.filter((o) => o === k).length;
      expect(Math.abs(weights[used[k]] - own / 400)).toBeLessThan(0.01);
      // Four standard errors of a cluster's mean.
      expect(Math.abs(means[2 * used[k]] - a)).toBeLessThan((4 * [1, 0.5, 0.3][k]) / Math.sqrt(own));
      expect(Math.abs(means[2 * used[k] + 1] - b)).toBeLessThan((4 * [1, 0.5, 2][k]) / Math.sqrt(own));
    });
    const correlation = covariances[4 * used[0] + 1] / Math.sqrt(covariances[4 * used[0]] * covariances[4 * used[0] + 3]);
    expect(Math.abs(correlation - 0.8)).toBeLessThan(0.1);
    const right = of.filter((k, n) => responsibilities[n * 6 + used[k]] > 0.5).length;
    expect(right).toBe(400);
  });

  it("accepts identical rows and refuses invalid input", () => {
    const { elbo, iterations } = gaussianMixture([[3], [3], [3]], { components: 2 });
    expect(Number.isFinite(elbo[iterations])).toBe(true);
    expect(() => gaussianMixture([], { components: 2 })).toThrow("DATA_EMPTY");
    expect(() => gaussianMixture([[1], [1, 2]], { components: 2 })).toThrow(/row 1 must have 1 finite numbers.*DATA_SHAPE/);
    expect(() => gaussianMixture([[1], [Number.NaN]], { components: 2 })).toThrow("DATA_SHAPE");
    expect(() => gaussianMixture([[1]], { components: 0 })).toThrow("OPTION_RANGE");
    expect(() => gaussianMixture([[1]], { components: 1, degrees: 0 })).toThrow("OPTION_RANGE");
  });
});

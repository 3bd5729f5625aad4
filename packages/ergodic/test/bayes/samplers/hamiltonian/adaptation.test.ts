/** Warm-up windows, metrics from draws, and adaptation options. */
import { describe, expect, it } from "vitest";
import { dualAveraging, startAveraging } from "../../../../src/bayes/samplers/base/dual-averaging.ts";
import { lowerFactor, MetricEstimator, type MetricKind, unitMetric } from "../../../../src/bayes/samplers/base/metric.ts";
import { LowRankEstimator } from "../../../../src/bayes/samplers/hamiltonian/low-rank.ts";
import { hmc, nuts, warmupWindows } from "../../../../src/bayes/samplers/index.ts";
import { stream } from "../../../../src/engine/random/stream.ts";

describe("windows", () => {
  // Window ends by the rule of Stan's windowed_adaptation.hpp, worked out by hand.
  it.each([
    [1000, 75, 950, [100, 150, 250, 450, 950]],
    [500, 75, 450, [100, 150, 250, 450]],
    // The window to 150 would fit, but the next one to 250 would not, so the first is extended.
    [275, 75, 225, [100, 225]],
    [299, 75, 249, [100, 249]],
    [300, 75, 250, [100, 150, 250]],
    [200, 75, 150, [100, 150]],
    [175, 75, 125, [100, 125]],
    [160, 75, 110, [100, 110]],
    [150, 75, 100, [100]],
    [149, 22, 135, [135]],
    [100, 15, 90, [90]],
    [20, 3, 18, [18]],
    [19, 0, 0, []],
    [0, 0, 0, []],
  ])("have the ends of Stan's schedule for %i transitions", (warmup, start, stop, ends) => {
    expect(warmupWindows(warmup)).toEqual({ start, stop, ends });
  });

  it("accept other lengths and refuse invalid ones", () => {
    expect(warmupWindows(100, { initial: 10, first: 10, final: 20 })).toEqual({ start: 10, stop: 80, ends: [20, 40, 80] });
    expect(() => nuts({ windows: { first: 0 } })).toThrow(/first is 0, but must be an integer >= 1.*OPTION_RANGE/);
    expect(() => nuts({ windows: { initial: 1.5 } })).toThrow("OPTION_RANGE");
    expect(() => nuts({ windows: { final: -1 } })).toThrow("OPTION_RANGE");
  });
});

/** n draws of d coordinates with correlated neighbours. */
function sample(n: number, d: number) {
  const draws = stream(1, "metric", n, d).at(0);
  return Array.from({ length: n }, () => {
    const z = Float64Array.from({ length: d }, () => draws.normal());
    return z.map((x, i) => 100 + (i + 1) * x + (i > 0 ? 0.5 * z[i - 1] : 0));
  });
}

function estimated(kind: MetricKind, rows: Float64Array[], gradient: (x: Float64Array) => Float64Array) {
  const estimator = new MetricEstimator(kind, rows[0].length);
  for (const x of rows) estimator.add(x, gradient(x), false);
  return estimator;
}

const covariance = (rows: Float64Array[], i: number, j: number): number => {
  const mean = (k: number) => rows.reduce((sum, x) => sum + x[k], 0) / rows.length;
  const [a, b] = [mean(i), mean(j)];
  return rows.reduce((sum, x) => sum + (x[i] - a) * (x[j] - b), 0) / (rows.length - 1);
};

describe("metrics", () => {
  const precision = [4, 0.25, 1, 1e6, 1e-6];
  const gradient = (x: Float64Array) => x.map((value, i) => -precision[i % 5] * value);

  it("diagonal and dense metrics are shrunk covariances in 1 to 9 dimensions", () => {
    for (let d = 1; d <= 9; d++) {
      for (const n of [2, 3, 40]) {
        const rows = sample(n, d);
        const diagonal = estimated("diagonal", rows, gradient).metric()!;
        const dense = estimated("dense", rows, gradient).metric()!;
        for (let i = 0; i < d; i++) {
          const wanted = (j: number) => (n * covariance(rows, i, j) + (i === j ? 5e-3 : 0)) / (n + 5);
          expect(Math.abs(diagonal.inverse[i] / wanted(i) - 1)).toBeLessThan(1e-11);
          expect(diagonal.factor[i] ** 2 * diagonal.inverse[i]).toBeCloseTo(1, 12);
          for (let j = 0; j < d; j++) {
            const scale = Math.sqrt(wanted(i)) * d;
            expect(Math.abs(dense.inverse[i * d + j] - wanted(j))).toBeLessThan(1e-10 * scale * d);
            let product = 0;
            for (let k = 0; k < d; k++) product += dense.factor[i * d + k] * dense.factor[j * d + k];
            expect(Math.abs(product - dense.inverse[i * d + j])).toBeLessThan(1e-11 * d * d);
            if (j > i) expect(dense.factor[i * d + j]).toBe(0);
          }
        }
      }
    }
  });

  it("the fisher metric is exact on an independent Gaussian from few draws, without divergent ones", () => {
    const rows = sample(5, 5);
    const estimator = estimated("fisher", rows, gradient);
    estimator.add(new Float64Array(5).fill(1e9), new Float64Array(5), true);
    expect(estimator.count).toBe(5);
    const { inverse, factor } = estimator.metric()!;
    for (let i = 0; i < 5; i++) {
      expect(Math.abs(inverse[i] * precision[i] - 1)).toBeLessThan(1e-10);
      expect(factor[i] ** 2 * inverse[i]).toBeCloseTo(1, 12);
    }
  });

  it("no metric results if a coordinate is fixed, out of range or not finite", () => {
    const of = (kind: "fisher" | "lowRank", draw: (x: number) => number, gradient: (x: number) => number) => {
      const estimator = kind === "lowRank" ? new LowRankEstimator(2) : new MetricEstimator(kind, 2);
      for (const x of [1, 2, 4, 3]) estimator.add(Float64Array.of(x, draw(x)), Float64Array.of(-x, gradient(x)), false);
      return estimator.metric();
    };
    for (const kind of ["fisher", "lowRank"] as const) {
      expect(
        of(
          kind,
          (x) => x,
          (x) => -x,
        ),
      ).toBeDefined();
      expect(
        of(
          kind,
          () => 7,
          (x) => x,
        ),
      ).toBeUndefined();
      expect(
        of(
          kind,
          (x) => x,
          () => 0,
        ),
      ).toBeUndefined();
      expect(
        of(
          kind,
          (x) => 1e-12 * x,
          (x) => 1e30 * x,
        ),
      ).toBeUndefined();
      expect(
        of(
          kind,
          (x) => x,
          (x) => 1e300 * x,
        ),
      ).toBeUndefined();
    }
    const dense = new MetricEstimator("dense", 2);
    for (const x of [1e160, 2e160, -1e160]) dense.add(Float64Array.of(x, -x), Float64Array.of(0, 0), false);
    expect(dense.metric()).toBeUndefined();
  });

  it("metrics require two draws and discard draws before a reset", () => {
    for (const kind of ["diagonal", "dense", "fisher"] as const) {
      const [first, second, third] = sample(3, 2);
      const estimator = estimated(kind, [first], gradient);
      expect(estimator.metric()).toBeUndefined();
      estimator.reset();
      for (const x of [second, third]) estimator.add(x, gradient(x), false);
      expect(estimator.metric()).toEqual(estimated(kind, [second, third], gradient).metric());
    }
    expect(lowerFactor(Float64Array.of(1, 2, 2, 1), 2)).toBeUndefined();
    expect([...unitMetric("dense", 2).inverse]).toEqual([1, 0, 0, 1]);
  });
});

describe("adaptation options", () => {
  it("default to Stan's for dual averaging", () => {
    expect([...startAveraging(dualAveraging(), 0.1)]).toEqual([0.8, 0.05, 0.75, 10, 0, 0, 0, 0]);
  });

  it("are refused by name if they are out of range", () => {
    expect(() => nuts({ targetAcceptance: 1 })).toThrow(/nuts: targetAcceptance is 1.*OPTION_RANGE/);
    expect(() => nuts({ maxTreeDepth: 0 })).toThrow("OPTION_RANGE");
    expect(() => nuts({ jitter: 1 })).toThrow("OPTION_RANGE");
    expect(() => nuts({ stepSize: 0 })).toThrow("OPTION_RANGE");
    expect(() => nuts({ metric: "full" as "dense" })).toThrow(
      /metric is "full", but must be one of "auto", "diagonal", "dense", "fisher"/,
    );
    expect(() => nuts({ target: 0.9 } as object)).toThrow(/did you mean "targetAcceptance"/);
    expect(() => hmc({ time: 1, leapfrogs: 3 })).toThrow("OPTION_CONFLICT");
    expect(() => hmc({ leapfrogs: 0 })).toThrow("OPTION_RANGE");
  });

  it("are named in JSON", () => {
    expect(nuts({ metric: "dense" }).toJSON()).toMatchObject({
      algorithm: "nuts",
      metric: "dense",
      maxTreeDepth: 10,
      targetAcceptance: 0.8,
    });
    expect(hmc({ leapfrogs: 3 }).toJSON()).toMatchObject({ algorithm: "hmc", leapfrogs: 3, jitter: 0.3 });
    expect(hmc().toJSON()).toMatchObject({ time: 2, jitter: 0.3 });
    expect(hmc({ jitter: 0 }).toJSON()).toMatchObject({ time: 2, jitter: 0 });
  });
});

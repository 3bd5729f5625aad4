/**
 * Censored distributions: compares their terms with distribution functions in plain numbers, and tests their draws and
 * refusals.
 */
import { describe, expect, it } from "vitest";
import * as d from "../../../src/bayes/distributions/index.ts";
import { interpret, isArray, toArray } from "../../../src/engine/compiler/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { type Draws, distribution, model, sample, vector } from "../../../src/entries/everything.ts";

const terms = (of: d.Distribution, x: readonly number[]): number[] => [...interpret([of.logDensity(toArray(x))], {})[0]];
const logDensity = (of: d.Distribution, x: number): number => terms(of, [x])[0];

describe("log density terms", () => {
  const base = d.normal(1, 2);

  it("are probabilities at limits and densities between them", () => {
    const found = terms(d.censored(base, { lower: -1, upper: 3 }), [-2, -1, -0.999, 0, 2.999, 3, 4]);
    const [low, high] = [Math.log(base.cdf(-1)), Math.log(1 - base.cdf(3))];
    const wanted = [low, low, logDensity(base, -0.999), logDensity(base, 0), logDensity(base, 2.999), high, high];
    found.forEach((term, i) => void expect(term).toBeCloseTo(wanted[i], 12));
  });

  it("follow the flags and interval ends of each value", () => {
    const right = terms(d.censored(base, { right: [0, 1, 0] }), [0, 0, 2]);
    const left = terms(d.censored(base, { left: [0, 1, 1] }), [0, 0, 2]);
    const within = terms(d.censored(base, { until: [1, 0, 9] }), [0, 0, 8.5]);
    [logDensity(base, 0), Math.log(1 - base.cdf(0)), logDensity(base, 2)].forEach(
      (w, i) => void expect(right[i]).toBeCloseTo(w, 12),
    );
    [logDensity(base, 0), Math.log(base.cdf(0)), Math.log(base.cdf(2))].forEach(
      (w, i) => void expect(left[i]).toBeCloseTo(w, 12),
    );
    [Math.log(base.cdf(1) - base.cdf(0)), logDensity(base, 0)].forEach((w, i) => void expect(within[i]).toBeCloseTo(w, 12));
    // Far out, 1 − P is 0 in float64, so the tail function is required.
    const far = terms(d.censored(d.normal(0, 1), { until: [40, 41], right: [0, 1] }), [39, 39]);
    // scipy.stats.norm.logsf(39)
    expect(far[0]).toBeCloseTo(-765.0831565643775, 9);
    expect(far[0] - far[1]).toBeCloseTo(0, 10);
    const all = terms(d.censored(base, { right: [1, 0, 0], left: [0, 1, 0], until: [5, 5, 5] }), [0, 0, 0]);
    [Math.log(1 - base.cdf(0)), Math.log(base.cdf(0)), Math.log(base.cdf(5) - base.cdf(0))].forEach(
      (w, i) => void expect(all[i]).toBeCloseTo(w, 12),
    );
  });

  it("include the bound itself for whole numbers", () => {
    // A geometric distribution with its distribution functions: P(X > x) = (1 − p)^(x + 1).
    const log1m = Math.log(0.7);
    const counts = distribution(
      "testGeometric",
      { p: "probability" },
      {
        kind: "discrete",
        support: () => ({ kind: "integers", low: toArray(0) }),
        logDensity: (x) => x.mul(log1m).add(Math.log(0.3)),
        logSurvival: (x) => x.add(1).mul(log1m),
        logCdf: (x) => x.add(1).mul(log1m).exp().neg().log1p(),
        sample: (draws) => Math.floor(Math.log(draws.uniform()) / log1m),
      },
    );
    const mass = (x: number): number => 0.3 * 0.7 ** x;
    const found = terms(d.censored(counts(0.3), { lower: 1, upper: 4 }), [1, 2, 4]);
    expect(Math.exp(found[0])).toBeCloseTo(mass(0) + mass(1), 12);
    expect(Math.exp(found[1])).toBeCloseTo(mass(2), 12);
    expect(Math.exp(found[2])).toBeCloseTo(1 - mass(0) - mass(1) - mass(2) - mass(3), 12);
    const within = terms(d.censored(counts(0.3), { until: [3] }), [2]);
    expect(Math.exp(within[0])).toBeCloseTo(mass(2) + mass(3), 12);
  });
});

describe("draws", () => {
  it("stay within limits, and lie at a limit with the probability beyond it", () => {
    const of = d.censored(d.normal(0, 1), { lower: -0.5, upper: 1 });
    const values = of.sample(stream(1, "censored").at(0), { batch: [20_000] });
    expect([Math.min(...values), Math.max(...values)]).toEqual([-0.5, 1]);
    for (const [limit, p] of [
      [-0.5, d.normal(0, 1).cdf(-0.5)],
      [1, 1 - d.normal(0, 1).cdf(1)],
    ])
      expect(Math.abs(values.filter((x) => x === limit).length / 20_000 - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / 20_000));
    const draws = (): ReturnType<ReturnType<typeof stream>["at"]> => stream(2, "censored").at(0);
    const own = d.weibull(1.5, 2);
    expect(d.censored(own, { right: [1, 1, 1] }).sample(draws(), { batch: [3] })).toEqual(own.sample(draws(), { batch: [3] }));
    expect(d.censored(own, { right: 1 }).mean()).toBe(own.mean());
    expect(d.censored(own, { until: 1 }).variance()).toBe(own.variance());
    expect(() => d.censored(own, { upper: 1 }).mean()).toThrow(/its mean was requested/);
    expect(() => d.censored(own, { upper: 1 }).variance()).toThrow(/its variance was requested/);
    const { support } = d.censored(own, { upper: 1 });
    expect(support.kind === "interval" && isArray(support.high)).toBe(true);
  });

  it("are limited values or complete lifetimes if a model predicts them", async () => {
    const lives = [0.4, 1.2, 2, 2, 0.9, 2, 1.7, 0.3];
    const seen = model(({ data, param, observe, generated }) => {
      const { t } = data({ t: vector("N") });
      const scale = param("scale", d.lognormal(0, 1));
      observe(t, d.censored(d.exponential(scale), { upper: 2 }));
      generated("next", d.censored(d.exponential(scale), { upper: 2 }));
    });
    const flagged = model(({ data, param, observe }) => {
      const { t, running } = data({ t: vector("N"), running: vector("N") });
      observe(t, d.censored(d.exponential(param("scale", d.lognormal(0, 1))), { right: running }));
    });
    const options = { chains: 2, warmup: 200, draws: 400, seed: 1, deterministic: true } as const;
    const a: Draws = await sample(seen, { t: lives }, options);
    const b: Draws = await sample(flagged, { t: lives, running: lives.map((t) => Number(t === 2)) }, options);
    // Both models have the same density.
    expect(a.mean("scale")[0]).toBeCloseTo(b.mean("scale")[0], 10);
    expect(Math.max(...a.predict().draws("t"))).toBe(2);
    expect(Math.max(...a.draws("next"))).toBe(2);
    expect(Math.max(...b.predict().draws("t"))).toBeGreaterThan(2);
    expect(a.loo().pointwise.elpd).toHaveLength(8);
    using predictor = await b.predictor();
    expect(predictor.columns).toEqual([]);
  });
});

describe("refusals", () => {
  it.each<[string, () => unknown, RegExp]>([
    ["nothing to censor", () => d.censored(d.normal(0, 1), {}), /the base is normal, and nothing is given/],
    [
      "vectors",
      () => d.censored(d.dirichlet([1, 2]), { upper: 1 }),
      /the base is dirichlet, and upper is given, but it needs a distribution of single numbers/,
    ],
    [
      "limits in the other order",
      () => d.censored(d.normal(0, 1), { lower: 2, upper: 1 }),
      /lower is 2 and upper is 1.*exchange them/,
    ],
    ["equal limits", () => d.censored(d.normal(0, 1), { lower: 1, upper: 1 }), /lower is 1 and upper is 1/],
    [
      "no distribution function",
      () => d.censored(d.gamma(1, 2), { right: 1 }),
      /the probability of gamma beyond a bound is not known/,
    ],
    ["no upper tail", () => d.censored(d.poisson(2), { upper: 3 }), /DISTRIBUTION_LACKS/],
    ["options of another name", () => d.censored(d.normal(0, 1), { max: 3 } as never), /censored: unknown option "max"/],
  ])("%s", (_, make, message) => void expect(make).toThrow(message));

  it("a censored prior is refused", async () => {
    const prior = model(({ param }) => void param("x", d.censored(d.normal(0, 1), { upper: 1 })));
    await expect(prior.condition({})).rejects.toThrow(
      /param "x": censored\(\) describes how values are observed and cannot be a prior/,
    );
  });
});

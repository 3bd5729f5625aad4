import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { essBulk, essTail, mcseMean, mcseSd, paretoKhat, quantile, rhat, summary } from "../../../src/engine/statistics/index.ts";
import { mean, variance } from "../../../src/engine/statistics/moments.ts";
import { type Figures, finiteRow } from "../../../src/engine/statistics/summary-row.ts";
import { autoregressive } from "./draws.ts";

const mu = autoregressive(4, 60, 0.5, 13);
const tau = mu.map((x) => Math.exp(x / 2));

it("contains the result of each function for every variable", () => {
  const table = summary({ mu, "tau[0]": tau }, { chainCount: 4 });
  expect(Object.keys(table)).toEqual(["mu", "tau[0]"]);
  const row = table["tau[0]"];
  expect(row).toEqual({
    mean: row.mean,
    sd: row.sd,
    mcseMean: mcseMean(tau, 4),
    mcseSd: mcseSd(tau, 4),
    quantiles: { q5: quantile(tau, 0.05), q50: quantile(tau, 0.5), q95: quantile(tau, 0.95) },
    essBulk: essBulk(tau, 4),
    essTail: essTail(tau, 4),
    rhat: rhat(tau, 4),
    paretoK: paretoKhat(tau, 4),
  });
  const mean = tau.reduce((total, x) => total + x, 0) / 240;
  expect(row.mean).toBeCloseTo(mean, 13);
  expect(row.sd).toBeCloseTo(Math.sqrt(tau.reduce((total, x) => total + (x - mean) ** 2, 0) / 239), 13);
});

describe("summary from one sort, compared with separate functions", () => {
  const probabilities = [0, 0.05, 0.5, 0.77, 0.95, 1];

  function together(draws: Float64Array, chains: number): Figures {
    const stages = finiteRow(draws, chains, probabilities);
    for (;;) {
      const { done, value } = stages.next();
      if (done) return value;
    }
  }

  function each(draws: Float64Array, chains: number): Figures {
    return {
      mean: mean(draws),
      sd: Math.sqrt(variance(draws)),
      mcseMean: mcseMean(draws, chains),
      mcseSd: mcseSd(draws, chains),
      quantiles: Float64Array.from(probabilities, (p) => quantile(draws, p)),
      essBulk: essBulk(draws, chains),
      essTail: essTail(draws, chains),
      rhat: rhat(draws, chains),
      paretoK: paretoKhat(draws, chains),
    };
  }

  const kinds: Record<string, (x: number, t: number) => number> = {
    usual: (x) => x,
    heavy: (x) => 1 / x,
    skewed: (x) => Math.exp(5 * x),
    far: (x) => 1e6 + x,
    ties: (x) => Math.round(2 * x),
    binary: (x) => Number(x > 0.4),
    drifting: (x, t) => x + t / 50,
    symmetric: (x, t) => (t % 2 === 0 ? 1 : -1) * Math.round(Math.abs(x)),
    constant: () => 0.1,
  };

  it.each(Object.entries(kinds))("agrees for %s draws", (_, of) => {
    for (const chains of [1, 2, 3, 4])
      for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 60, 61, 250, 501]) {
        const draws = autoregressive(chains, n, 0.5, n).map((x, i) => of(x, i % n));
        expect(together(draws, chains), `${chains} chains of ${n}`).toEqual(each(draws, chains));
      }
  });

  it("agrees for any finite draws", () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e150, max: 1e150 });
    const given = fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.oneof(finite, fc.integer()), { minLength: 4, maxLength: 80 }),
    );
    fc.assert(
      fc.property(given, ([chains, numbers]) => {
        const draws = Float64Array.from(numbers.slice(0, numbers.length - (numbers.length % chains)), (x) => x + 0);
        expect(together(draws, chains)).toEqual(each(draws, chains));
      }),
    );
  });
});

it("names the requested quantiles", () => {
  expect(Object.keys(summary({ mu }, { chainCount: 4, probabilities: [0.025, 0.07, 0.5, 0.975] }).mu.quantiles)).toEqual([
    "q2.5",
    "q7",
    "q50",
    "q97.5",
  ]);
});

it("reports only the mean of a constant", () => {
  const { c } = summary({ c: new Float64Array(20).fill(0.1) }, { chainCount: 2 });
  expect(c).toMatchObject({ mean: 0.1, sd: 0, quantiles: { q5: 0.1, q50: 0.1, q95: 0.1 } });
  expect([c.mcseMean, c.mcseSd, c.essBulk, c.essTail, c.rhat, c.paretoK].every(Number.isNaN)).toBe(true);
});

it("omits the error of an undefined mean, and of a spread without variance", () => {
  // Every quantile once, shuffled, so that the tails are those of the distribution instead of a sample.
  const places = Float64Array.from({ length: 4000 }, (_, i) => (i + 0.5) / 4000);
  const noise = stream(3, "heavy").at(0);
  for (let i = places.length - 1; i > 0; i--) {
    const other = noise.integer(i + 1);
    [places[i], places[other]] = [places[other], places[i]];
  }
  const independent = (of: (u: number) => number): Float64Array => places.map(of);
  const table = summary(
    {
      cauchy: independent((u) => Math.tan(Math.PI * (u - 0.5))),
      left: independent((u) => -1 / u),
      // The k of a Pareto distribution is the power.
      noVariance: independent((u) => u ** -0.6),
      light: independent((u) => -Math.log(u)),
      // Most draws of the tail are 0, its start, so nothing can be fitted or concluded.
      counts: independent((u) => (u < 0.99 ? 0 : 1 + Math.floor(3 * u))),
    },
    { chainCount: 4 },
  );
  const errors = Object.entries(table).map(([name, { mcseMean, mcseSd }]) => [name, mcseMean > 0, mcseSd > 0]);
  expect(errors).toEqual([
    ["cauchy", false, false],
    ["left", false, false],
    ["noVariance", true, false],
    ["light", true, true],
    ["counts", true, true],
  ]);
  expect(table.cauchy.mcseMean).toBeNaN();
  expect(table.counts.paretoK).toBe(Infinity);
});

it("the summary is empty without variables", () => expect(summary({}, { chainCount: 4 })).toEqual({}));

it("names the variable that does not fit", () => {
  expect(() => summary({ mu, short: mu.slice(0, 40) }, { chainCount: 4 })).toThrow(
    'summary: short: 40 draws, but "mu" has 240; give every variable the same draws [DRAWS_SHAPE]',
  );
  expect(() => summary({ odd: mu.slice(0, 41) }, { chainCount: 4 })).toThrow(
    /summary: odd: 41 draws are not a multiple of 4 chains/,
  );
  expect(() => summary({ mu }, { chainCount: 4, probs: [0.5] } as never)).toThrow(/unknown option "probs"/);
  expect(() => summary({ mu }, { chainCount: 4, probabilities: [2] })).toThrow(/probability is 2/);
});

/**
 * Simulation-based calibration accepts correct models and samplers and detects planted mistakes. By definition, each
 * verdict on a correct one is a false alarm with probability 1 %. Seeds are fixed.
 */
import { describe, expect, it } from "vitest";
import { mul } from "../../src/engine/compiler/index.ts";
import {
  beta,
  binomial,
  Calibration,
  calibrate,
  halfNormal,
  integer,
  model,
  normal,
  nuts,
  type Sampler,
  type Tick,
  vector,
} from "../../src/entries/everything.ts";

const coin = model(({ data, param, observe }) => {
  const { heads, flips } = data({ heads: integer(), flips: integer() });
  observe(heads, binomial(flips, param("p", beta(2, 2))), "heads");
});
/** With this many flips, the posterior is far narrower than the prior, so data of another draw give extreme ranks. */
const flipped = { heads: 0, flips: 200 };
const level = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  observe(y, normal(param("mu", normal(0, 2)), param("sigma", halfNormal(1))));
});
const options = { simulations: 50, draws: 19, bins: 5, warmup: 100, thin: 3, seed: 1 } as const;

describe("the rank test", () => {
  it("is Pearson's test with one degree of freedom fewer than bins", () => {
    // 10 ranks in 5 bins with counts 4, 1, 2, 1, 2: χ² = (4 + 1 + 0 + 1 + 0)/2 = 3. The upper tail of χ² with 4 degrees
    // is e^(−x/2)(1 + x/2).
    const ranks = [0, 0, 1, 1, 2, 4, 5, 6, 8, 9];
    const calibration = new Calibration(9, 5, new Map([["mu", ranks]]));
    const { counts, pValue } = calibration.numbers.mu;
    expect([...counts]).toEqual([4, 1, 2, 1, 2]);
    expect(pValue).toBeCloseTo(Math.exp(-1.5) * (1 + 1.5), 12);
    // Three bins: the upper tail of χ² with 2 degrees is e^(−x/2).
    const thirds = new Calibration(8, 3, new Map([["mu", [0, 1, 2, 2, 3, 6]]])).numbers.mu;
    expect([...thirds.counts]).toEqual([4, 1, 1]);
    expect(thirds.pValue).toBeCloseTo(Math.exp(-3 / 2), 12);
  });
});

describe("calibrate", () => {
  it("accepts a correct model and sampler", async () => {
    const ticks: Tick[] = [];
    const run = calibrate(coin, flipped, options);
    for await (const tick of run) ticks.push(tick);
    const calibration = await run;
    expect(ticks.at(-1)).toMatchObject({ simulations: 50 });
    expect(calibration.verdict()).toBe("Calibrated: in 50 simulations the ranks of the one number look uniform.");
    expect(calibration.numbers.p.counts.reduce((a, b) => a + b)).toBe(50);
  });

  it("counts ranks of every number", async () => {
    const { simulations, numbers } = await calibrate(level, { y: [0, 0, 0, 0, 0] }, { ...options, simulations: 10 });
    expect([simulations, Object.keys(numbers)]).toEqual([10, ["mu", "sigma"]]);
    for (const { counts } of Object.values(numbers)) expect(counts.reduce((a, b) => a + b)).toBe(10);
  });

  it("returns the same ranks for the same seed and others for another", async () => {
    const short = { ...options, simulations: 4 };
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => calibrate(coin, flipped, { ...short, seed })));
    expect(a.numbers.p.ranks).toEqual(b.numbers.p.ranks);
    expect(a.numbers.p.ranks).not.toEqual(c.numbers.p.ranks);
  });

  it("detects draws that are too narrow or shifted", async () => {
    for (const [change, words] of [
      [(x: number, mean: number) => mean + 0.3 * (x - mean), /too narrow/],
      [(x: number) => x + 0.7, /too large/],
    ] as const) {
      const found = await calibrate(level, { y: [0, 0, 0, 0, 0] }, { ...options, algorithm: changed(nuts(), change) });
      expect(found.calibrated).toBe(false);
      expect(found.verdict()).toMatch(words);
    }
  });

  it("refuses a likelihood in target() that the simulator ignores", async () => {
    // The data have scale σ, but the model assumes 3σ.
    const wrong = model(({ data, param, observe, target }) => {
      const { y } = data({ y: vector("N") });
      const mu = param("mu", normal(0, 2));
      observe(y, normal(mu, 1));
      target(mul(-0.9, normal(mu, 1).logDensity(y)));
    });
    await expect(calibrate(wrong, { y: [0, 0, 0] }, options)).rejects.toThrow(/target\(\)/);
  });

  it("refuses a model that cannot be simulated", async () => {
    const logged = model(({ data, param, observe }) => {
      const { y } = data({ y: vector("N") });
      observe(mul(2, y), normal(param("mu", normal(0, 1)), 1));
    });
    await expect(calibrate(logged, { y: [1, 2] }, options)).rejects.toThrow(/observe a field of the data unchanged/);
    expect(() => calibrate(coin, flipped, { draws: 50, bins: 20 })).toThrow(/use draws: 59/);
  });
});

/** The sampler with changed draws. */
function changed(sampler: Sampler, change: (x: number, mean: number) => number): Sampler {
  return {
    ...sampler,
    start(density, plan, engine) {
      const run = sampler.start(density, plan, engine);
      const draws = run.draws.bind(run);
      run.draws = () => {
        const made = draws();
        const d = made.dimension;
        const n = made.values.length / d;
        const mean = Array.from({ length: d }, (_, i) => made.values.reduce((sum, x, at) => sum + (at % d === i ? x / n : 0), 0));
        made.values.forEach((x, at) => {
          made.values[at] = change(x, mean[at % d]);
        });
        return made;
      };
      return run;
    },
  };
}

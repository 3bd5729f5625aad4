/** No option of a run is silently ignored, and an error of an inner sampler names the requested sampler. */
import { describe, expect, it } from "vitest";
import {
  calibrate,
  gibbs,
  hmc,
  meanField,
  model,
  normal,
  nuts,
  parallelTempering,
  pathfinder,
  psgld,
  randomWalk,
  sample,
  sgld,
  slice,
  svgd,
  vector,
} from "../../../src/entries/everything.ts";

const mean = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  observe(y, normal(param("mu", normal(0, 1)), 1));
});
const data = { y: [1, 2, 3, 2, 1, 0] };
const short = { warmup: 5, draws: 5, chains: 1, workers: 1 };

describe("rows", () => {
  it.each([nuts(), hmc(), slice(), randomWalk(), pathfinder(), meanField(), svgd(), parallelTempering({ count: 2 })])(
    "are refused by $name, which would ignore them",
    async (algorithm) => {
      await expect(sample(mean, data, { ...short, rows: "N", algorithm })).rejects.toThrow(
        new RegExp(
          `^sample: rows is "N", but ${algorithm.name}\\(\\) with these options does not draw rows; leave rows out, or .*OPTION_MEANING`,
        ),
      );
    },
  );

  it("are accepted by samplers that draw them", async () => {
    for (const algorithm of [sgld({ stepSize: 1e-3, batch: 2 }), psgld({ stepSize: 1e-3, batch: 2 }), meanField({ batch: 2 })])
      expect((await sample(mean, data, { ...short, rows: "N", algorithm })).count).toBe(5);
    const particles = await sample(mean, data, { rows: "N", algorithm: svgd({ batch: 2, particles: 10, iterations: 5 }) });
    expect(particles.count).toBe(10);
  });

  it("are refused by the default sampler too", async () => {
    await expect(sample(mean, data, { rows: "N" })).rejects.toThrow(/rows is "N", but nuts\(\)/);
  });
});

describe("chains and draws of particles", () => {
  const algorithm = svgd({ particles: 10, iterations: 3 });

  it("are refused if they differ from the particles", async () => {
    await expect(sample(mean, data, { algorithm, draws: 500 })).rejects.toThrow(
      /^sample: draws is 500, but the draws of svgd\(\) are its 10 particles, in one chain; leave draws out, or use svgd\(\{ particles: 500 \}\) \[OPTION_MEANING\]$/,
    );
    await expect(sample(mean, data, { algorithm, chains: 4 })).rejects.toThrow(/chains is 4, but .*; leave chains out/);
    expect(() => calibrate(mean, data, { algorithm, simulations: 1 })).toThrow(
      /^calibrate: with thin 5: draws is 495, but .*10 particles/,
    );
  });

  it("are accepted if they match the particles or are absent", async () => {
    for (const given of [{}, { draws: 10 }, { chains: 1 }, { chains: 1, draws: 10 }]) {
      const { chains, count } = await sample(mean, data, { algorithm, ...given });
      expect([chains, count]).toEqual([1, 10]);
    }
  });
});

describe("an error of a sampler within another", () => {
  const nowhere = { dimension: 1, gradient: () => [0] };
  it("begins with the requested sampler", async () => {
    for (const inner of [nuts(), hmc()])
      await expect(
        sample(() => -Infinity, nowhere, { ...short, algorithm: parallelTempering({ inner, count: 2 }) }),
      ).rejects.toThrow(new RegExp(`^parallelTempering: inner ${inner.name}\\(\\): 100 random points .*SAMPLE_START`));
    await expect(sample(() => 0, { dimension: 1 }, { ...short, algorithm: parallelTempering({ count: 2 }) })).rejects.toThrow(
      /^parallelTempering: inner nuts\(\): it follows gradients, but .*SAMPLE_GRADIENT/,
    );
    await expect(sample(() => 0, { dimension: 1, names: ["a"] }, { ...short, algorithm: gibbs({ a: nuts() }) })).rejects.toThrow(
      /^gibbs: inner nuts\(\): it follows gradients/,
    );
    await expect(sample(() => 0, { dimension: 1 }, { ...short, algorithm: nuts() })).rejects.toThrow(
      /^nuts: it follows gradients/,
    );
  });
});

/**
 * Simulation-based calibration of a model with continuous data in 1000 simulations.
 * statistical/calibration.slow.test.ts runs 100 simulations of the same model with every sampler. By definition, the
 * verdict is a false alarm with probability 1 %.
 */
import { expect, it } from "vitest";
import { calibrate, halfNormal, model, normal, vector } from "../../src/entries/everything.ts";

it("calibrate() accepts a correct model and sampler for continuous data", async () => {
  const level = model(({ data, param, observe }) => {
    const { y } = data({ y: vector("N") });
    observe(y, normal(param("mu", normal(0, 2)), param("sigma", halfNormal(1))));
  });
  const options = { simulations: 1000, draws: 49, bins: 10, warmup: 200, thin: 4, seed: 1 } as const;
  const { calibrated, numbers } = await calibrate(level, { y: [0, 0, 0, 0, 0] }, options);
  expect([calibrated, Object.keys(numbers)]).toEqual([true, ["mu", "sigma"]]);
});

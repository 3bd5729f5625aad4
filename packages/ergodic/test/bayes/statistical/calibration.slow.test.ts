/**
 * Simulation-based calibration of every sampler that preserves the target: ranks of prior draws among posterior draws
 * are uniform.
 *
 * Each case has 100 simulations and a χ² test of the ranks of 49 thinned draws in 10 bins. The file has 9 samplers × 2
 * parameters at 10⁻³ / 18 each, so one run in 1,000 with other seeds would fail by chance. The mutant, posterior draws
 * half as wide, must be detected. geweke.test.ts tests samplers of a similar model in `npm test` and finds smaller
 * faults. Source: Talts et al. 2018.
 */
import { describe, expect, it } from "vitest";
import {
  type Calibration,
  calibrate,
  ellipticalSlice,
  gibbs,
  halfNormal,
  hmc,
  mala,
  metropolisWithinGibbs,
  model,
  normal,
  nuts,
  randomWalk,
  type Sampler,
  slice,
  vector,
} from "../../../src/entries/everything.ts";

const level = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  observe(y, normal(param("mu", normal(0, 2)), param("sigma", halfNormal(1))));
});
const FALSE_ALARMS = 1e-3 / 18;

const calibrated = (algorithm: Sampler, thin: number): PromiseLike<Calibration> =>
  calibrate(level, { y: [0, 0, 0, 0, 0] }, { algorithm, simulations: 100, draws: 49, bins: 10, warmup: 300, thin, seed: 2 });

const leastP = ({ numbers }: Calibration): number => Math.min(...Object.values(numbers).map(({ pValue }) => pValue));

/** Samplers with the number of transitions between ranked draws. */
const samplers: [string, Sampler, number][] = [
  ["nuts", nuts(), 4],
  ["nuts, dense", nuts({ metric: "dense" }), 4],
  ["hmc", hmc(), 4],
  ["random walk", randomWalk(), 40],
  ["Metropolis within Gibbs", metropolisWithinGibbs(), 20],
  ["MALA", mala(), 20],
  ["slice", slice(), 10],
  ["elliptical slice", ellipticalSlice(), 20],
  ["Gibbs", gibbs({ mu: nuts(), sigma: slice() }), 10],
];

describe("ranks", () => {
  it.each(samplers)("are uniform for %s", async (_, sampler, thin) => {
    expect(leastP(await calibrated(sampler, thin))).toBeGreaterThan(FALSE_ALARMS);
  });

  it("are not uniform for draws half as wide", async () => {
    expect(leastP(await calibrated(narrowed(nuts()), 4))).toBeLessThan(FALSE_ALARMS);
  });
});

function narrowed(sampler: Sampler): Sampler {
  return {
    ...sampler,
    start(density, plan, engine) {
      const run = sampler.start(density, plan, engine);
      const draws = run.draws.bind(run);
      run.draws = () => {
        const made = draws();
        const { dimension: d, values } = made;
        const mean = Array.from({ length: d }, (_, i) => values.reduce((sum, x, at) => sum + (at % d === i ? x : 0), 0));
        values.forEach((x, at) => {
          const centre = (mean[at % d] * d) / values.length;
          values[at] = centre + 0.5 * (x - centre);
        });
        return made;
      };
      return run;
    },
  };
}

/** Chains that warm-up moves: those in a mode with next to nothing of the posterior, and no others. */
import { describe, expect, it } from "vitest";
import { LowRankEstimator } from "../../../../src/algorithms/mcmc/hamiltonian/low-rank.ts";
import { lowerFactor, unitMetric } from "../../../../src/algorithms/mcmc/hamiltonian/metric.ts";
import { inPlace, logVolume } from "../../../../src/algorithms/mcmc/hamiltonian/regroup.ts";
import { gibbs, nuts, type Sampler, type SamplingPlan } from "../../../../src/algorithms/sampling/index.ts";
import { stream } from "../../../../src/base/stream.ts";
import { openEngine } from "../../../../src/host/engine.ts";
import { functionDensity } from "../../../../src/models/functional/index.ts";

const engine = await openEngine();
const plan: SamplingPlan = { chains: 4, warmup: 300, draws: 60, seed: 2, workers: 1, deterministic: true };
const AWAY = 40;

/** N(0, I) in three dimensions, and beside it N((AWAY, 0, 0), sd² I) with e^logMass of its mass. */
function twoModes(sd: number, logMass: number) {
  const terms = (x: Float64Array): number[] => {
    const squares = (at: number) => (x[0] - at) ** 2 + x[1] ** 2 + x[2] ** 2;
    return [-squares(0) / 2, logMass - 3 * Math.log(sd) - squares(AWAY) / (2 * sd * sd)];
  };
  return functionDensity({
    dimension: 3,
    names: ["a", "b", "c"],
    logDensity(x) {
      const [main, other] = terms(x);
      return Math.max(main, other) + Math.log1p(Math.exp(-Math.abs(main - other)));
    },
    gradient(x) {
      const [main, other] = terms(x);
      const share = 1 / (1 + Math.exp(main - other));
      return x.map((value, i) => -(1 - share) * value - (share * (value - (i === 0 ? AWAY : 0))) / (sd * sd));
    },
  });
}

/** Chain 1 starts in the other mode. */
const start = [0, AWAY, 0, 0].map((at) => Float64Array.of(at, 1e-7, 0));

async function finished(sampler: Sampler, density: ReturnType<typeof twoModes>, pause?: number) {
  let run = sampler.start(density, { ...plan, start }, engine);
  if (pause !== undefined) {
    await run.advance(pause);
    const snapshot = structuredClone(run.snapshot());
    run.dispose();
    run = sampler.start(density, { ...plan, start }, engine);
    run.restore(snapshot);
  }
  while (run.converged === false) await run.advance(1000);
  const found = { draws: run.draws(), report: run.report() };
  run.dispose();
  return found;
}

/** Where the chains end, by the first coordinate. */
const ends = ({ draws }: Awaited<ReturnType<typeof finished>>) =>
  start.map((_, c) => (Math.abs(draws.values[(c * plan.draws + plan.draws - 1) * 3] - AWAY) < AWAY / 2 ? "away" : "main"));

describe("warm-up moves", () => {
  const minor = twoModes(0.5, -60);

  it.each([
    ["a mode with e^-60 of the mass", minor],
    ["a narrow one, though the density there is higher than anywhere else", twoModes(1e-6, -35)],
  ])("a chain out of %s", async (_, density) => {
    const found = await finished(nuts(), density);
    expect(found.report.moved).toBe(1);
    expect(ends(found)).toEqual(["main", "main", "main", "main"]);
    expect(new Set(start.map((_, c) => found.draws.values[c * plan.draws * 3])).size).toBe(4);
  });

  it.each([
    ["of the same mass", twoModes(1, 0)],
    ["of the same mass, narrow", twoModes(0.01, 0)],
    ["of e^-8 of the mass", twoModes(0.5, -8)],
  ])("none out of a mode %s", async (_, density) => {
    const found = await finished(nuts(), density);
    expect(found.report.moved).toBeUndefined();
    expect(ends(found)).toEqual(["main", "away", "main", "main"]);
  });

  it("none where it is not asked to, or within another sampler", async () => {
    expect(ends(await finished(nuts({ regroup: false }), minor))).toEqual(["main", "away", "main", "main"]);
    expect(ends(await finished(gibbs({ a: nuts(), b: nuts(), c: nuts() }), minor))).toEqual(["main", "away", "main", "main"]);
  });

  it("bit for bit the same, wherever the run was interrupted", async () => {
    const whole = await finished(nuts(), minor);
    for (const pause of [10, 100, 150, 155, 200]) expect(await finished(nuts(), minor, pause)).toEqual(whole);
  });
});

describe("mass", () => {
  it("½ log det M⁻¹, of each kind of metric", () => {
    for (const kind of ["diagonal", "dense", "fisher", "lowRank"] as const)
      expect(logVolume(kind, 3, unitMetric(kind, 3))).toBe(0);
    expect(logVolume("fisher", 2, { factor: Float64Array.of(1 / 3, 1 / 5) })).toBeCloseTo(Math.log(15), 14);
    const factor = lowerFactor(Float64Array.of(4, 3, 3, 9), 2)!;
    expect(logVolume("dense", 2, { factor })).toBeCloseTo(Math.log(27) / 2, 14);
    // A Gaussian of precision P: M⁻¹ is its inverse, but for directions within the cutoff; here there are none.
    const estimator = new LowRankEstimator(2);
    const draws = stream(1, "regroup").at(0);
    for (let k = 0; k < 40; k++) {
      const u = 100 * draws.normal();
      const v = 0.01 * draws.normal();
      estimator.add(Float64Array.of(u + v, u - v), Float64Array.of(-u / 2e4 - v / 2e-4, -u / 2e4 + v / 2e-4), false);
    }
    const metric = estimator.metric()!;
    expect(metric.rank).toBeGreaterThan(0);
    expect(Math.abs(logVolume("lowRank", 2, metric) - Math.log(2))).toBeLessThan(0.01);
  });

  it("is compared by a bound that grows with the dimension", () => {
    expect(inPlace([0, -19, -17.9, 1], 9)).toEqual([true, false, true, true]);
    expect(inPlace([0, -39, -41, -1e9], 100)).toEqual([true, true, false, false]);
    expect(inPlace([0, Number.NaN], 4)).toEqual([true, true]);
    expect(inPlace([-5], 4)).toEqual([true]);
  });
});

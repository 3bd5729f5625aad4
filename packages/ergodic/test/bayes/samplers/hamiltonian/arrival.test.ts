/** Chains that descend keep the unit metric. Tests when they count as arrived, and that they arrive. */
import { describe, expect, it } from "vitest";
import { functionDensity } from "../../../../src/bayes/model/functional/index.ts";
import { hasArrived, hasRisen, isLost } from "../../../../src/bayes/samplers/hamiltonian/arrival.ts";
import type { Chain } from "../../../../src/bayes/samplers/hamiltonian/hamiltonian-chain.ts";
import { nuts, type Sampler, type SamplingPlan } from "../../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { arma, armaData } from "../../../arma.ts";
import { power } from "../../../power.ts";

const engine = await openEngine();
const levels = (f: (k: number) => number) => Array.from({ length: 12 }, (_, k) => f(k));

describe("a chain has arrived", () => {
  it.each([
    ["where its density varies about a level", (k: number) => -50 + (k % 3), true],
    ["where it climbs within the spread that a density has", (k: number) => 2 * k, true],
    ["not while it climbs by more", (k: number) => 10 * k, false],
    ["where it leaps, and is back once", (k: number) => (k < 7 ? 0 : k === 9 ? -1 : 1e3), true],
    ["not while it falls by orders of magnitude", (k: number) => -(10 ** (40 - k)), false],
    ["not where it stays", () => -1e3, false],
    ["not where it moves by rounding alone", (k: number) => -3e29 - 1e13 * (k % 5), false],
    ["not where its density is of an order that rounding spoils", (k: number) => -1e15 - 1e14 * (k % 3), false],
    ["not after a leap, though it stays there", (k: number) => (k < 7 ? -1e9 : k < 8 ? -1e6 : -1e5), false],
    ["not after leaps that end where others begin", (k: number) => (k < 4 ? -1e9 : k < 8 ? -1e6 : -1e5), false],
    ["not after a single move", (k: number) => (k < 6 ? -9 : -8), false],
    ["not where a density is not finite", (k: number) => (k === 8 ? Number.NaN : k % 3), false],
  ])("%s", (_, f, wanted) => {
    expect(hasArrived(levels(f), 1)).toBe(wanted);
  });

  it("the bound grows with the root of the dimension and requires ten transitions", () => {
    const climb = levels((k) => 10 * k);
    expect([1, 25, 49].map((d) => hasArrived(climb, d))).toEqual([false, false, true]);
    expect(hasArrived(levels((k) => k % 3).slice(0, 9), 1)).toBe(false);
  });

  it("draws of Gaussians nearly always count as arrived at the first look", () => {
    // The level is −χ²/2 with d degrees. A monotone rise by five standard deviations of a mean of five has probability
    // below 1e-5.
    for (const d of [1, 10, 100]) {
      const draws = stream(5, "arrival", d).at(0);
      const level = () => Array.from({ length: d }, () => -0.5 * draws.normal() ** 2).reduce((a, b) => a + b, 0);
      for (let run = 0; run < 300; run++) expect(hasArrived(levels(level), d)).toBe(true);
    }
  });
});

describe("a chain is lost", () => {
  it.each([
    ["where it stays", () => -1e3, true],
    ["where it moves by rounding alone", (k: number) => -3e12 - (k % 5), true],
    ["where its density is of an order that rounding spoils", (k: number) => -1e15 - 1e14 * (k % 3), true],
    ["where a density is not finite", (k: number) => (k === 8 ? Number.NaN : k % 3), true],
    ["by its last ten transitions", (k: number) => (k < 2 ? -1e20 : -50 + (k % 3)), false],
    ["not while it climbs", (k: number) => 10 * k, false],
    ["not where its density varies about a level", (k: number) => -50 + (k % 3), false],
    ["not where it moves twice", (k: number) => (k < 4 ? -9 : k < 8 ? -8 : -7), false],
  ])("%s", (_, f, wanted) => {
    expect(isLost(Float64Array.from(levels(f)))).toBe(wanted);
  });
});

describe("a chain has left one place for another", () => {
  const recorded = (f: (k: number) => number) => Float64Array.from({ length: 60 }, (_, k) => f(k));
  it.each([
    ["where its last densities are higher by more than a fall is told by", (k: number) => (k < 52 ? -177 : -137) + (k % 3), true],
    ["from the first of those recorded on", (k: number) => (k < 10 ? -177 : -137), true],
    ["not where it fell back", (k: number) => (k > 20 && k < 50 ? -137 : -177), false],
    ["not where they are lower", (k: number) => (k < 30 ? -137 : -177), false],
    ["not where they differ as densities do", (k: number) => -137 + 12 * Math.sin(k / 9), false],
  ])("%s", (_, f, wanted) => {
    expect(hasRisen(recorded(f), 8)).toBe(wanted);
  });

  it("the bound grows with the root of the dimension and requires fifteen densities", () => {
    const rise = recorded((k) => (k < 30 ? 0 : 50));
    expect([1, 25, 49].map((d) => hasRisen(rise, d))).toEqual([true, true, false]);
    expect(hasRisen(rise.slice(20, 34), 1)).toBe(false);
  });
});

/**
 * A moving-average model y_t = φ y_{t−1} + ε_t + θ ε_{t−1}, written out. Far from the true θ the errors explode, and
 * the log density falls below −10⁴⁰, as at far starts of such models.
 */
function exploding() {
  const draws = stream(3, "moving average").at(0);
  const y = [0];
  for (let t = 1, before = 0; t < 200; t++) {
    const now = 0.15 * draws.normal();
    y.push(0.9 * y[t - 1] + now + 0.4 * before);
    before = now;
  }
  return functionDensity({
    dimension: 3,
    names: ["phi", "theta", "logSigma"],
    logDensity: (x) => evaluated(y, x)[0],
    gradient: (x) => Float64Array.from(evaluated(y, x).slice(1)),
  });
}

function evaluated(y: readonly number[], [phi, theta, logSigma]: Float64Array): number[] {
  const precision = Math.exp(-2 * logSigma);
  let [value, byPhi, byTheta, bySigma] = [-0.5 * (phi * phi + theta * theta + logSigma * logSigma), -phi, -theta, -logSigma];
  for (let t = 1, error = 0, ePhi = 0, eTheta = 0; t < y.length; t++) {
    [eTheta, ePhi, error] = [-error - theta * eTheta, -y[t - 1] - theta * ePhi, y[t] - phi * y[t - 1] - theta * error];
    value -= 0.5 * precision * error * error + logSigma;
    byPhi -= precision * error * ePhi;
    byTheta -= precision * error * eTheta;
    bySigma += precision * error * error - 1;
  }
  return [value, byPhi, byTheta, bySigma];
}

describe("warm-up", () => {
  const plan: SamplingPlan = { chains: 1, warmup: 600, draws: 50, seed: 0, workers: 1, deterministic: true };

  it("descends from far starts wherever windows with a diagonal metric do", async () => {
    // Neither sampler leaves a canyon that is narrower than the spacing of doubles. Metrics from gradients during the
    // descent lose six more of the first thirty seeds, and five of these sixteen.
    const SEEDS = power(8, 16);
    const density = exploding();
    const lost = async (sampler: Sampler): Promise<number[]> => {
      const seeds: number[] = [];
      for (let seed = 1; seed <= SEEDS; seed++) {
        // Without scouts and restarts, only the schedule can help.
        const run = sampler.start(density, { ...plan, seed }, engine);
        while (run.converged === false) await run.advance(1000);
        const ends = run.draws().transition("logDensity");
        if (!(ends[ends.length - 1] > 100)) seeds.push(seed);
        run.dispose();
      }
      return seeds;
    };
    const ours = await lost(nuts({ scouts: 0, restarts: 0 }));
    const windows = await lost(nuts({ metric: "diagonal", scouts: 0, restarts: 0 }));
    expect(ours.filter((seed) => !windows.includes(seed))).toEqual([]);
    expect(windows.length).toBeLessThan(SEEDS / 2);
    // Lost chains restart. Without scouts, they learn of no better place.
    expect(await lost(nuts({ scouts: 0 }))).toEqual([]);
    expect(await lost(nuts({ scouts: 0, restarts: 0, metric: "lowRank" }))).not.toEqual([]);
  });

  it("brings single chains to the posterior of an ARMA process from every seed", async () => {
    using density = await arma.condition(armaData(), {});
    const SEEDS = power(3, 30);
    const found = async (sampler: Sampler) => {
      let [leapfrogs, lost] = [0, [] as number[]];
      for (let seed = 1; seed <= SEEDS; seed++) {
        const run = sampler.start(density, { ...plan, seed, warmup: 1000 }, engine);
        while (run.converged === false) await run.advance(2000);
        const levels = run.draws().transition("logDensity");
        leapfrogs += run.report().leapfrogs;
        // The mode is at 85. Lost chains lie 600 to 10^43 nats below.
        if (!levels.every((level) => level > 50)) lost.push(seed);
        run.dispose();
      }
      return { lost, leapfrogs };
    };
    const ours = await found(nuts());
    expect(ours.lost).toEqual([]);
    const windows = await found(nuts({ metric: "diagonal", scouts: 0, restarts: 0 }));
    expect(windows.lost.length).toBeLessThan(SEEDS / 6);
    // This includes three restarted chains.
    expect(ours.leapfrogs).toBeLessThan(1.1 * windows.leapfrogs);
  });

  it("restarts only lost chains, no more often than `restarts`", async () => {
    const restarted = async (level: number, restarts: number) => {
      const logDensity = ([x]: Float64Array) => level - 0.5 * x * x;
      const density = functionDensity({ dimension: 1, logDensity, gradient: ([x]) => Float64Array.of(-x) });
      const run = nuts({ scouts: 0, restarts }).start(density, { ...plan, chains: 2 }, engine);
      while (run.converged === false) await run.advance(1000);
      const { restarts: count } = run.report();
      run.dispose();
      return count;
    };
    // Doubles near 1e20 are 16384 apart, so every chain is lost.
    expect([await restarted(-1e20, 2), await restarted(-1e20, 0), await restarted(0, 2)]).toEqual([4, undefined, undefined]);
  });

  it("does not restart a chain that had arrived before it stuck", async () => {
    const density = functionDensity({ dimension: 1, logDensity: ([x]) => -0.5 * x * x, gradient: ([x]) => Float64Array.of(-x) });
    const restarts = async (late: boolean) => {
      const run = nuts({ scouts: 0, restarts: 2 }).start(density, { ...plan, chains: 2 }, engine);
      await run.advance(plan.warmup - 1);
      const inner = run as unknown as { recorder: { levels(c: number): Float64Array }; late: boolean[] };
      inner.recorder.levels = (c) => new Float64Array(180).fill(c === 1 ? -1e20 : -1).map((level, k) => level - (k % 3));
      inner.late = [late, late];
      while (run.converged === false) await run.advance(1000);
      const { restarts, late: count } = run.report();
      run.dispose();
      return [restarts, count];
    };
    // A chain that restarts and arrives no longer counts as late.
    expect([await restarts(false), await restarts(true)]).toEqual([
      [undefined, undefined],
      [1, 1],
    ]);
  });

  it("discards what a chain recorded while it descended", async () => {
    const density = functionDensity({ dimension: 1, logDensity: ([x]) => -0.5 * x * x, gradient: ([x]) => Float64Array.of(-x) });
    const run = nuts({ scouts: 0 }).start(density, { ...plan, start: Float64Array.of(1e9) }, engine);
    const seen = () => (run as unknown as { chains: { estimators: { count: number }[] }[] }).chains[0].estimators[1].count;
    await run.advance(20);
    expect(seen()).toBe(0);
    await run.advance(5);
    // Divergent transitions are not recorded.
    expect(seen()).toBeLessThanOrEqual(5);
    expect(seen()).toBeGreaterThan(0);
    run.dispose();
  });

  it("keeps the unit metric until a chain has arrived, for at most half of warm-up", async () => {
    // Doubles near 1e20 are 16384 apart, so this chain never counts as arrived. With 3000 transitions, renewals occur
    // between looks.
    const density = functionDensity({
      dimension: 2,
      logDensity: ([x, y]) => -1e20 - 0.5 * (x * x + y * y),
      gradient: (x) => x.map((value) => -value),
    });
    const run = nuts({ scouts: 0, restarts: 0 }).start(density, { ...plan, warmup: 3000 }, engine);
    const inverse = () => [...(run as unknown as { chains: Chain[] }).chains[0].views().inverse.subarray(0, 2)];
    for (let made = 0; made < 1499; made += (await run.advance(1)).updates) expect(inverse(), `${made}`).toEqual([1, 1]);
    await run.advance(200);
    expect(inverse()).not.toEqual([1, 1]);
    run.dispose();
  });

  it("reports densities that still rise at half of warm-up, only for chains that have not arrived", async () => {
    const density = functionDensity({ dimension: 1, logDensity: ([x]) => -0.5 * x * x, gradient: ([x]) => Float64Array.of(-x) });
    const start = [Float64Array.of(1e9), Float64Array.of(0.5)];
    const run = nuts({ scouts: 0 }).start(density, { ...plan, chains: 2, warmup: 40, start }, engine);
    while (run.converged === false) await run.advance(1000);
    expect(run.report().late).toBe(1);
    run.dispose();
  });
});

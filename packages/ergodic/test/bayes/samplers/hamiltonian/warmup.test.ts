/** Warm-up schedules and runs of overlapping estimates, which resume bit for bit and fit better than windows. */
import { describe, expect, it } from "vitest";
import type { Chain } from "../../../../src/bayes/samplers/hamiltonian/hamiltonian-chain.ts";
import { warmupSchedule } from "../../../../src/bayes/samplers/hamiltonian/warmup.ts";
import { hmc, nuts, type Sampler, type SamplingPlan, warmupWindows } from "../../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { gaussian } from "../densities.ts";

const engine = await openEngine();
const plan: SamplingPlan = { chains: 2, warmup: 150, draws: 50, seed: 4, workers: 1, deterministic: true };

/** A target with correlation 0.999 between the first two of three coordinates. */
const target = () =>
  gaussian(
    engine,
    [1, -2, 3],
    [
      [1 / 0.001999, -0.999 / 0.001999, 0],
      [-0.999 / 0.001999, 1 / 0.001999, 0],
      [0, 0, 4],
    ],
  );

async function finished(sampler: Sampler, given: SamplingPlan) {
  const run = sampler.start(await target(), given, engine);
  while (run.converged === false) await run.advance(37);
  const found = { draws: run.draws(), report: run.report() };
  run.dispose();
  return found;
}

it("no metric is estimated from transitions after the last renewal", async () => {
  for (const sampler of [nuts(), nuts({ metric: "diagonal" }), hmc({ metric: "fisher" })]) {
    const { stop } = warmupSchedule(sampler.toJSON().adaptation as "windows", plan.warmup, {});
    const run = sampler.start(await target(), plan, engine);
    const moments = () => Object.entries(run.snapshot().tensors).filter(([name]) => /moments/i.test(name));
    await run.advance(stop - 1);
    const before = moments();
    await run.advance(1);
    const at = moments();
    expect(at).not.toEqual(before);
    await run.advance(1);
    expect(moments()).toEqual(at);
    await run.advance(plan.warmup - stop);
    expect(moments()).toEqual(at);
    run.dispose();
  }
});

describe("a schedule", () => {
  it("renews the metric at the end of each window, discards all draws and restarts the step size", () => {
    const { start, stop, renewals } = warmupSchedule("windows", 1000, {});
    const windows = warmupWindows(1000);
    expect([start, stop]).toEqual([windows.start, windows.stop]);
    expect(renewals).toEqual(windows.ends.map((at) => ({ at, forget: "all", restart: true })));
  });

  // Worked out by hand: switches at 20 and every 10 up to 30 %, then after 80, 120 and 180. Renewals are halfway and at
  // 85 %. "*" marks a switch.
  it.each([
    [1000, 850, "340 380* 440 500* 590 680* 815 850"],
    [150, 127, "90 127"],
    [20, 17, "17"],
  ])("has the stated renewals of overlapping estimates for %i transitions", (warmup, stop, late) => {
    const found = warmupSchedule("overlapping", warmup, {});
    expect([found.start, found.stop]).toEqual([0, stop]);
    const early = warmup > 20 ? Array.from({ length: Math.ceil(0.03 * warmup) - 1 }, (_, i) => `${10 * (i + 2)}*`) : [];
    const wanted = [...early, late].join(" ");
    const written = found.renewals.map(({ at, forget }) => `${at}${forget === "older" ? "*" : ""}`);
    expect(written.join(" ")).toBe(wanted);
    expect(found.renewals.map(({ restart }) => restart)).toEqual(found.renewals.map((_, i) => i === 0));
  });

  it("ascends and reserves its last part for the step size with overlapping estimates", () => {
    expect(warmupSchedule("overlapping", 19, {}).renewals).toEqual([]);
    for (let warmup = 20; warmup < 3000; warmup += 23) {
      const { stop, renewals } = warmupSchedule("overlapping", warmup, {});
      expect(stop).toBe(warmup - Math.ceil(0.15 * warmup));
      expect(renewals[renewals.length - 1].at).toBe(stop);
      for (let i = 1; i < renewals.length; i++) expect(renewals[i].at).toBeGreaterThan(renewals[i - 1].at);
    }
  });
});

describe("looks at descending chains and trials of another metric", () => {
  it("occur every ten transitions in the first half, with a trial after the first switch past 45 %", () => {
    const { looks, trial } = warmupSchedule("overlapping", 1000, {});
    expect([looks[0], looks[1], looks[looks.length - 1]]).toEqual([20, 30, 500]);
    expect(trial).toEqual([500, 502, 505, 508, 518, 528, 540]);
    expect(warmupSchedule("windows", 1000, {})).toMatchObject({ looks: [], trial: [] });
  });

  it("leave enough transitions to estimate a metric", () => {
    for (let warmup = 20; warmup < 3000; warmup += 23) {
      const { looks, trial, stop, renewals } = warmupSchedule("overlapping", warmup, {});
      for (const at of looks) expect(at).toBeLessThanOrEqual(warmup / 2);
      if (trial.length === 0) continue;
      expect(trial[trial.length - 1]).toBeLessThanOrEqual(stop - 60);
      expect(renewals.some(({ at, forget }) => at === trial[0] && forget === "older")).toBe(true);
    }
    expect(warmupSchedule("overlapping", 500, {}).trial).not.toEqual([]);
  });
});

describe("a run of overlapping estimates", () => {
  it.each([
    nuts(),
    nuts({ metric: "fisher", jitter: 0.1 }),
    nuts({ metric: "dense", adaptation: "overlapping" }),
    hmc({ leapfrogs: 4 }),
  ])("resumes from a snapshot bit for bit before, at and after switches: %o", async (sampler) => {
    const whole = await finished(sampler, plan);
    for (const at of [10, 90, 127, 150]) {
      const run = sampler.start(await target(), plan, engine);
      await run.advance(at);
      const snapshot = structuredClone(run.snapshot());
      run.dispose();
      const again = sampler.start(await target(), plan, engine);
      again.restore(snapshot);
      while (again.converged === false) await again.advance(1000);
      expect(again.draws()).toEqual(whole.draws);
      expect(again.report()).toEqual(whole.report);
      again.dispose();
    }
  });

  it("keeps its metric if the recorded draws yield none", async () => {
    for (const sampler of [nuts(), nuts({ metric: "fisher" }), nuts({ metric: "dense" })]) {
      const run = sampler.start(await target(), plan, engine);
      await run.advance(140);
      const [chain] = (run as unknown as { chains: Chain[] }).chains;
      const metric = () => [chain.views().inverse, chain.views().factor].map((numbers) => [...(numbers as Float64Array)]);
      const before = metric();
      // The metric differs from the initial unit metric.
      expect(Math.abs(before[0][1] - 1)).toBeGreaterThan(0.05);
      // First far beyond the limits of a metric, then no draws at all.
      const [wild, still] = [Float64Array.of(1e200, -1e200, 1e200), new Float64Array(3)];
      for (const estimator of chain.estimators) {
        estimator.reset();
        for (const draw of [wild, still, wild]) estimator.add(draw, draw, false);
      }
      chain.renewMetric("nothing");
      expect(metric()).toEqual(before);
      for (const estimator of chain.estimators) estimator.reset();
      chain.renewMetric("nothing");
      expect(metric()).toEqual(before);
      run.dispose();
    }
  });

  it("needs few leapfrogs for correlated coordinates and counts them", async () => {
    const long = { ...plan, warmup: 300, draws: 200 };
    const [lowRank, fisher] = [await finished(nuts(), long), await finished(nuts({ metric: "fisher" }), long)];
    const drawn = (found: typeof lowRank) => found.draws.transition("leapfrogs").reduce((sum, x) => sum + x, 0);
    expect(drawn(lowRank)).toBeLessThan(8 * 400);
    expect(drawn(fisher)).toBeGreaterThan(2 * drawn(lowRank));
    expect(lowRank.report.leapfrogs).toBeGreaterThan(drawn(lowRank) + 600);
  });

  it("is refused under an unknown name and named in JSON", () => {
    expect(() => nuts({ adaptation: "late" as "windows" })).toThrow(
      /adaptation is "late", but must be "windows" or "overlapping"/,
    );
    expect(nuts().toJSON()).toMatchObject({ metric: "auto", adaptation: "overlapping", scouts: 24, restarts: 10 });
    expect(nuts({ metric: "diagonal", scouts: 0 }).toJSON()).toMatchObject({ adaptation: "windows", scouts: 0 });
    expect(() => nuts({ scouts: -1 })).toThrow(/scouts is -1.*OPTION_RANGE/);
    expect(() => nuts({ restarts: 0.5 })).toThrow(/restarts is 0.5/);
    expect(hmc({ metric: "fisher" }).toJSON()).toMatchObject({ adaptation: "overlapping" });
  });
});

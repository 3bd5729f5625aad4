/** Runs of several chains are reproducible, resume bit for bit and report problems. */
import { describe, expect, it } from "vitest";
import { innerSampling } from "../../../src/bayes/samplers/base/sampler.ts";
import { hmc, nuts, type Sampler, type Sampling, type SamplingPlan } from "../../../src/bayes/samplers/index.ts";
import type { LogDensity } from "../../../src/engine/contract/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { basicRhat } from "../../../src/engine/statistics/index.ts";
import { broken, funnel, gaussian } from "./densities.ts";

const engine = await openEngine();
const target = await gaussian(
  engine,
  [1, -2, 3],
  [
    [2, 0.5, 0],
    [0.5, 1, 0.2],
    [0, 0.2, 3],
  ],
);
const plan: SamplingPlan = { chains: 3, warmup: 200, draws: 100, seed: 4, workers: 1, deterministic: true };
const samplers = [nuts(), nuts({ metric: "dense", jitter: 0.2 }), nuts({ metric: "fisher" }), hmc({ time: 2, jitter: 0.3 })];

async function finish(run: Sampling, stretch = 1e9): Promise<Sampling> {
  while (run.converged === false) await run.advance(stretch);
  return run;
}

async function drawn(sampler: Sampler, given: SamplingPlan, density: LogDensity = target, stretch?: number) {
  const run = await finish(sampler.start(density, given, engine), stretch);
  const draws = run.draws();
  const report = run.report();
  run.dispose();
  return { draws, report };
}

describe.each(samplers.map((sampler) => ({ name: JSON.stringify(sampler.toJSON()), sampler })))("$name", ({ sampler }) => {
  it("draws the same with any number of workers and any calls of advance", async () => {
    const { draws } = await drawn(sampler, plan);
    expect(draws.values.length).toBe(3 * 100 * 3);
    expect(new Set(draws.coordinate(0)).size).toBeGreaterThan(200);
    expect((await drawn(sampler, { ...plan, workers: 2 })).draws).toEqual(draws);
    expect((await drawn(sampler, plan, target, 7)).draws).toEqual(draws);
    expect((await drawn(sampler, { ...plan, seed: 5 })).draws).not.toEqual(draws);
  });

  it("resumes from a snapshot bit for bit, also with more draws", async () => {
    const { draws } = await drawn(sampler, plan);
    for (const at of [0, 100, 150, 200, 250]) {
      const run = sampler.start(target, { ...plan, draws: 60 }, engine);
      // Looks after warm-up take separate steps.
      while (run.step < at) await run.advance(at - run.step);
      expect(run.step).toBe(at);
      const snapshot = structuredClone(run.snapshot());
      run.dispose();
      const again = sampler.start(target, plan, engine);
      again.restore(snapshot);
      await finish(again);
      expect(again.draws()).toEqual(draws);
      again.dispose();
    }
  });
});

describe("a run", () => {
  it("reaches the target acceptance", async () => {
    for (const targetAcceptance of [0.7, 0.95]) {
      const { draws } = await drawn(nuts({ targetAcceptance }), { ...plan, warmup: 1000, draws: 500 });
      const acceptance = draws.transition("acceptance");
      // The averaged step tends to accept slightly more than the target.
      expect(acceptance.reduce((sum, a) => sum + a, 0) / acceptance.length).toBeGreaterThan(targetAcceptance - 0.05);
      expect(acceptance.reduce((sum, a) => sum + a, 0) / acceptance.length).toBeLessThan((1 + targetAcceptance) / 2 + 0.05);
    }
  });

  it("counts its steps, updates and draws", async () => {
    const run = nuts().start(target, plan, engine);
    const made = await run.advance(10);
    expect(made).toMatchObject({ updates: 30, rows: 30 });
    expect(made.lossSum).toBeGreaterThan(0);
    expect([run.step, run.updates, run.converged, run.draws().count]).toEqual([10, 30, false, 0]);
    await finish(run);
    expect(run.converged).toBe("all draws are made");
    const draws = run.draws();
    const mean = draws.coordinate(1).reduce((sum, x) => sum + x, 0) / 300;
    expect(run.parameters()[1]).toBeCloseTo(mean, 10);
    expect(run.report()).toMatchObject({ draws: 100, divergences: 0 });
    expect([...draws.draw(1, 5)][2]).toBe(draws.coordinate(2)[105]);
    expect(draws.transition("stepSize")[0]).toBeGreaterThan(0);
    run.dispose();
  });

  it("reports the largest R-hat of all coordinates", async () => {
    // The run is so short that it still depends on its three starting points.
    const apart = [-9, 0, 9].map((x) => Float64Array.of(0, 0, x));
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      // biome-ignore format: orders
      const start = apart.map((point) => point.map((_, i) => point[order[i]]));
      const { draws, report } = await drawn(nuts({ stepSize: 0.01, maxTreeDepth: 2 }), { ...plan, warmup: 0, draws: 6, start });
      const each = [0, 1, 2].map((i) => basicRhat(draws.coordinate(i), 3));
      expect(Math.max(...each)).toBeGreaterThan(2 * Math.min(...each));
      expect(report.rhat).toBe(Math.max(...each));
    }
  });

  it("reports the last transition of each chain for any stretch length", async () => {
    for (const stretch of [1, 7, 100]) {
      const run = innerSampling("test", nuts(), nuts().start(target, plan, engine));
      while (run.step < plan.warmup) await run.advance(plan.warmup - run.step);
      while (run.step < plan.warmup + stretch) await run.advance(plan.warmup + stretch - run.step);
      const draws = run.draws();
      for (const c of [0, 1, 2])
        expect([...run.lastTransition(c)]).toEqual(draws.fields.map((field) => draws.transition(field)[(c + 1) * stretch - 1]));
      run.dispose();
    }
  });

  it("reports the divergences of a funnel", async () => {
    const given = { ...plan, warmup: 0, draws: 500, start: new Float64Array(10).fill(0.1) };
    const { draws, report } = await drawn(nuts({ stepSize: 0.8 }), given, await funnel(engine, 10));
    expect(draws.divergences).toBeGreaterThan(0);
    expect(report.divergences).toBe(draws.divergences);
    const energies = draws.transition("energy");
    expect(energies.every(Number.isFinite)).toBe(true);
  });

  it("frees its memory", async () => {
    await drawn(nuts(), plan);
    const before = engine.memory.usedBytes;
    await drawn(nuts(), plan);
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
  });

  it("starts at given points, or where the density is finite", async () => {
    const still = { ...plan, warmup: 0, draws: 1 };
    const points = [0, 1, 2].map((x) => new Float64Array(3).fill(x));
    const { draws } = await drawn(nuts({ stepSize: 1e-9 }), { ...still, start: points });
    for (const [c, point] of points.entries())
      for (const x of draws.draw(c, 0)) expect(Math.abs(x - point[0])).toBeLessThan(1e-5);
    const half = await drawn(nuts({ stepSize: 1e-9 }), { ...still, chains: 16 }, await broken(engine));
    for (const x of half.draws.coordinate(0)) expect(x).toBeGreaterThan(-1e-5);
  });
});

describe("errors", () => {
  it("state which starting points were tried", async () => {
    const nowhere = await gaussian(engine, [0], [[Number.NaN]]);
    await expect(drawn(nuts(), plan, nowhere)).rejects.toThrow(/nuts: 100 random points .* for chain 0.*SAMPLE_START/);
    await expect(drawn(nuts(), { ...plan, start: Float64Array.of(1) }, nowhere)).rejects.toThrow(
      /the given starting point.*SAMPLE_START/,
    );
    await expect(drawn(nuts(), { ...plan, start: new Float64Array(2) })).rejects.toThrow(/start has 2 numbers.*OPTION_SHAPE/);
    await expect(drawn(hmc(), { ...plan, start: [new Float64Array(3)] })).rejects.toThrow(
      /hmc: start has 1 points.*OPTION_SHAPE/,
    );
  });

  it("name the cause for flat densities and invalid plans", async () => {
    await expect(drawn(nuts(), plan, await gaussian(engine, [0], [[0]]))).rejects.toThrow(/no step size.*SAMPLE_STEP/);
    await expect(drawn(nuts(), { ...plan, chains: 0 })).rejects.toThrow("OPTION_RANGE");
    const run = nuts().start(target, plan, engine);
    await run.advance(10);
    const other = nuts().start(target, { ...plan, warmup: 100 }, engine);
    expect(() => other.restore(run.snapshot())).toThrow(/200 warm-up transitions.*SAMPLE_PLAN/);
    run.dispose();
    other.dispose();
  });
});

it.each(samplers.slice(0, 3))("progress counts are the same for a run and its snapshot: $name", async (sampler) => {
  const run = sampler.start(target, plan, engine);
  while (run.step < plan.warmup + 40) await run.advance(plan.warmup + 40 - run.step);
  const snapshot = structuredClone(run.snapshot());
  const resumed = sampler.start(target, plan, engine);
  resumed.restore(snapshot);
  for (const each of [run, resumed]) {
    const before = each.report();
    await finish(each);
    const total = (field: string): number =>
      each
        .draws()
        .transition(field)
        .reduce((sum, one) => sum + one, 0);
    const exact = { leapfrogs: total("leapfrogs"), divergences: total("divergent") };
    // A tick must not read the draws, because there can be millions.
    each.draws = () => expect.fail("a report copies the draws");
    const { leapfrogs, divergences } = each.report();
    expect(divergences).toBe(exact.divergences);
    expect(leapfrogs - before.leapfrogs).toBeLessThan(exact.leapfrogs);
    expect(leapfrogs).toBeGreaterThan(exact.leapfrogs);
  }
  expect(resumed.report()).toEqual(run.report());
  run.dispose();
  resumed.dispose();
  // Without warm-up, all leapfrogs belong to the draws.
  const bare = await finish(sampler.start(target, { ...plan, warmup: 0 }, engine));
  expect(bare.report().leapfrogs).toBe(
    bare
      .draws()
      .transition("leapfrogs")
      .reduce((sum, one) => sum + one, 0),
  );
  bare.dispose();
});

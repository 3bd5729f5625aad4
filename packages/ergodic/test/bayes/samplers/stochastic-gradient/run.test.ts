/**
 * Stochastic-gradient samplers equal a plain twin bit for bit and resume. Control variates remove all noise. Also tests
 * errors.
 */
import { afterAll, describe, expect, it } from "vitest";
import { bernoulliLogitGlm, type ModelContext, matrix, model, normal, vector } from "../../../../src/bayes/model/index.ts";
import { sample } from "../../../../src/bayes/sample.ts";
import type { InnerSampling } from "../../../../src/bayes/samplers/base/sampler.ts";
import {
  psgld,
  type Sampler,
  type Sampling,
  type SamplingPlan,
  samplerFromJson,
  sghmc,
  sgld,
  sgnht,
} from "../../../../src/bayes/samplers/index.ts";
import { stepSchedule } from "../../../../src/bayes/samplers/stochastic-gradient/step-schedule.ts";
import type { LogDensity } from "../../../../src/engine/contract/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { StochasticTwin, type TwinOptions } from "../../../reference/stochastic-gradient.ts";
import { gaussian } from "../densities.ts";

const engine = await openEngine();
const N = 50;
const numbers = stream(7, "rows").at(0);
const x = Array.from({ length: N }, () => [numbers.normal(), numbers.normal()]);
const y = x.map(([a, b]) => (numbers.uniform() < 1 / (1 + Math.exp(-a + 0.5 * b)) ? 1 : 0));

const logistic = ({ data, param, observe }: ModelContext) => {
  const given = data({ x: matrix("N", "K"), y: vector("N") });
  const alpha = param("alpha", normal(0, 2));
  observe(given.y, bernoulliLogitGlm(given.x, alpha, param("beta", normal(0, 1), { shape: "K" })));
};
/** The noise of its gradients is the same everywhere. */
const means = ({ data, param, observe }: ModelContext) => {
  const given = data({ y: matrix("N", "K") });
  observe(given.y, normal(param("theta", normal(0, 3), { shape: "K" }), 1.5));
};

const regression = await model(logistic).condition({ x, y }, { rows: "N", deterministic: true });
const averages = await model(means).condition({ y: x }, { rows: "N", deterministic: true });
const plain = await gaussian(
  engine,
  [1, -2, 3],
  [
    [2, 0.5, 0],
    [0.5, 1, 0.2],
    [0, 0.2, 3],
  ],
);
afterAll(() => {
  regression.dispose();
  averages.dispose();
});

const plan: SamplingPlan = { chains: 2, warmup: 30, draws: 40, seed: 4, workers: 1, deterministic: true };
const start = Float64Array.of(0.3, -0.2, 0.5);

async function finish(run: Sampling, stretch = 1e9): Promise<Sampling> {
  while (run.converged === false) await run.advance(stretch);
  return run;
}

async function drawn(sampler: Sampler, given: SamplingPlan, density: LogDensity, stretch?: number) {
  const run = await finish(sampler.start(density, given, engine), stretch);
  const [draws, report] = [run.draws(), run.report()];
  run.dispose();
  return { draws, report };
}

/** ∇ℓ, or ∇ℓ_B for the rows that a chain draws, computed by the engine. */
function gradients(density: LogDensity, batch: number, chain: number) {
  const d = density.dimension;
  const options = { lane: 9, purpose: "twin" };
  const estimate = batch > 0 ? density.minibatches!.bind({ ...options, batch }) : undefined;
  const binding = estimate ?? density.bind(options);
  const evaluate = engine.atSlot(binding.slot);
  const memory = engine.memory.allocate(16 * d, "twin");
  const rows = stream(plan.seed, "chain", chain, "rows");
  return {
    at(point: Float64Array, update: number): Float64Array {
      if (estimate) {
        const first = rows.at(update).integer(N);
        for (let i = 0; i < batch; i++) engine.memory.u32(estimate.rows, batch)[i] = (first + i) % N;
        engine.atSlot(estimate.gatherSlot)(estimate.gatherBlock);
      }
      engine.memory.f64(memory.pointer, d).set(point);
      evaluate(binding.model, memory.pointer, memory.pointer + 8 * d);
      return engine.memory.f64(memory.pointer + 8 * d, d).slice();
    },
    dispose() {
      binding.dispose();
      memory.dispose();
    },
  };
}

interface TwinCase {
  sampler: Sampler;
  twin: Pick<TwinOptions, "kind" | "friction" | "noiseEstimate" | "resetEvery">;
  /** Rows per batch, or 0 for all rows. */
  batch: number;
  svrg?: number;
}

const langevin = { kind: "sgld", friction: 0, noiseEstimate: 0, resetEvery: 0 } as const;
const decay = { initial: 0.02, offset: 10, power: 0.6 };
const twins: TwinCase[] = [
  { sampler: sgld({ stepSize: 0.01, batch: "all" }), twin: langevin, batch: 0 },
  { sampler: sgld({ stepSize: 0.01, batch: 7, thin: 3 }), twin: langevin, batch: 7 },
  { sampler: sgld({ stepSize: decay, batch: 20 }), twin: langevin, batch: 20 },
  { sampler: sgld({ stepSize: 0.02, batch: 5, cycle: { length: 13, draws: 2, exploration: 0.5 } }), twin: langevin, batch: 5 },
  { sampler: sgld({ stepSize: 0.01, batch: 6, svrg: { every: 9 } }), twin: langevin, batch: 6, svrg: 9 },
  {
    sampler: psgld({ stepSize: 0.025, batch: 8, smoothing: 0.9 }),
    twin: { kind: "psgld", friction: 0.9, noiseEstimate: 1e-5, resetEvery: 0 },
    batch: 8,
  },
  {
    sampler: sghmc({ stepSize: 0.001, batch: 8, friction: 0.1, noiseEstimate: 0.04, resetEvery: 11 }),
    twin: { kind: "sghmc", friction: 0.1, noiseEstimate: 0.04, resetEvery: 11 },
    batch: 8,
  },
  {
    sampler: sghmc({ stepSize: 0.001, batch: 8, cycle: { length: 10, draws: 3, exploration: 0.4 } }),
    twin: { kind: "sghmc", friction: 0.01, noiseEstimate: 0, resetEvery: 0 },
    batch: 8,
  },
  {
    sampler: sgnht({ stepSize: 0.001, batch: 8, friction: 0.05, thin: 2 }),
    twin: { kind: "sgnht", friction: 0.05, noiseEstimate: 0, resetEvery: 0 },
    batch: 8,
  },
];

describe.each(twins.map((one) => ({ ...one, name: JSON.stringify(one.sampler.toJSON()) })))("$name", (one) => {
  const { sampler, twin, batch, svrg } = one;

  it("equals its twin bit for bit", async () => {
    const { draws } = await drawn(sampler, { ...plan, start }, regression);
    const schedule = stepSchedule("twin", sampler.toJSON() as never);
    for (let c = 0; c < plan.chains; c++) {
      const estimate = gradients(regression, batch, c);
      const whole = gradients(regression, 0, c);
      let [centre, there]: Float64Array[] = [start, start];
      const path = new StochasticTwin(start, {
        ...twin,
        noise: stream(plan.seed, "chain", c, "noise"),
        stepSize: schedule.stepSize,
        temperature: schedule.temperature,
        gradient(point, update) {
          const g = estimate.at(point, update);
          if (!svrg) return g;
          if (update % svrg === 0) [centre, there] = [point.slice(), whole.at(point, 0)];
          const own = estimate.at(centre, update);
          return g.map((value, i) => there[i] + (value - own[i]));
        },
      });
      let update = 0;
      for (let t = 0; t < plan.warmup + plan.draws; t++) {
        for (; update < schedule.updatesBefore(t + 1); update++) path.step(update);
        if (t < plan.warmup) continue;
        const k = t - plan.warmup;
        expect([...draws.draw(c, k)]).toEqual([...path.x]);
        expect(draws.transition("thermostat")[c * plan.draws + k]).toBe(path.alpha);
        expect(draws.transition("stepSize")[c * plan.draws + k]).toBe(schedule.stepSize(update - 1));
      }
      estimate.dispose();
      whole.dispose();
    }
  });

  it("draws the same with any number of workers and any calls of advance", async () => {
    const { draws } = await drawn(sampler, plan, regression);
    expect(new Set(draws.coordinate(0)).size).toBe(80);
    expect((await drawn(sampler, { ...plan, workers: 2 }, regression)).draws).toEqual(draws);
    expect((await drawn(sampler, plan, regression, 7)).draws).toEqual(draws);
    expect((await drawn(sampler, { ...plan, seed: 5 }, regression)).draws).not.toEqual(draws);
    expect((await drawn(samplerFromJson(JSON.parse(JSON.stringify(sampler.toJSON()))), plan, regression)).draws).toEqual(draws);
  });

  it("resumes from a snapshot bit for bit, also with more draws", async () => {
    const { draws, report } = await drawn(sampler, plan, regression);
    for (const at of [0, 11, 30, 47]) {
      const run = sampler.start(regression, { ...plan, draws: 20 }, engine);
      await run.advance(at);
      const snapshot = structuredClone(run.snapshot());
      run.dispose();
      const again = sampler.start(regression, plan, engine);
      again.restore(snapshot);
      await finish(again);
      expect(again.draws()).toEqual(draws);
      expect(again.report()).toEqual(report);
      again.dispose();
    }
  });
});

describe("control variates", () => {
  /** If the gradients of rows differ by the same amount at every x, control variates make an estimate exact. */
  it.each([
    sgld({ stepSize: 0.01, batch: 3, controlVariate: "mode" }),
    sgld({ stepSize: 0.01, batch: 3, svrg: { every: 10 } }),
    sghmc({ stepSize: 0.002, friction: 0.1, batch: 3, controlVariate: "mode" }),
    sgnht({ stepSize: 0.002, friction: 0.1, batch: 3, svrg: { every: 10 } }),
  ])("remove all noise from a mean: %o", async (sampler) => {
    const { batch, controlVariate, svrg, ...rest } = sampler.toJSON() as Record<string, never>;
    const exact = samplerFromJson({ ...rest, batch: "all" });
    const noisy = samplerFromJson({ ...rest, batch });
    const lambda = 1 / 9 + N / 2.25;
    const mode = Float64Array.from([0, 1], (k) => x.reduce((sum, row) => sum + row[k], 0) / 2.25 / lambda);
    const { draws } = await drawn(sampler, { ...plan, start: mode }, averages);
    const wanted = await drawn(exact, { ...plan, start: mode }, averages);
    const without = await drawn(noisy, { ...plan, start: mode }, averages);
    const off = (other: Float64Array) => Math.max(...other.map((value, i) => Math.abs(value - draws.values[i])));
    expect(off(wanted.draws.values)).toBeLessThan(1e-7);
    expect(off(without.draws.values)).toBeGreaterThan(1e-2);
  });

  it("start at the mode, which is found once for all chains, and resume bit for bit", async () => {
    const sampler = sgld({ stepSize: 1e-12, batch: 5, controlVariate: "mode" });
    const { draws, report } = await drawn(sampler, plan, regression);
    const { gradient } = regression.evaluate(draws.draw(1, 39));
    for (const g of gradient) expect(Math.abs(g)).toBeLessThan(1e-3);
    // 70 updates of 2 × 5 rows in 2 chains.
    expect(report.dataPasses - (70 * 2 * 5 * 2) / N).toBeGreaterThan(5);
    expect(report.dataPasses - (70 * 2 * 5 * 2) / N).toBeLessThan(40);
    const longer = sgld({ stepSize: 0.01, batch: 5, controlVariate: "mode" });
    const whole = await drawn(longer, plan, regression);
    const run = longer.start(regression, { ...plan, draws: 1 }, engine);
    await run.advance(20);
    const again = longer.start(regression, plan, engine);
    again.restore(structuredClone(run.snapshot()));
    await finish(again);
    expect(again.draws()).toEqual(whole.draws);
    expect(again.report()).toEqual(whole.report);
    run.dispose();
    again.dispose();
  });

  it("return the exact density and gradient at x* = x", async () => {
    const given = { ...plan, start };
    const { draws } = await drawn(sgld({ stepSize: 0.01, batch: 5, svrg: { every: 1 } }), given, regression);
    const whole = await drawn(sgld({ stepSize: 0.01, batch: "all" }), given, regression);
    expect(draws).toEqual(whole.draws);
    const logDensity = draws.transition("logDensity");
    for (let k = 1; k < 40; k++) expect(logDensity[k]).toBe(regression.evaluate(draws.draw(0, k - 1)).value);
  });

  it("read the stated number of rows", async () => {
    const passes = async (sampler: Sampler) => (await drawn(sampler, { ...plan, start }, regression)).report.dataPasses;
    // Two chains with one initial evaluation each, and 70 transitions.
    expect(await passes(sgld({ stepSize: 0.01, batch: 5 }))).toBeCloseTo(2 + (2 * 70 * 5) / N, 10);
    expect(await passes(sgld({ stepSize: 0.01, batch: "all", thin: 3 }))).toBe(2 + 2 * 70 * 3);
    expect(await passes(sgld({ stepSize: 0.01, batch: 5, svrg: { every: 16 } }))).toBeCloseTo(2 + (2 * 70 * 10) / N + 2 * 5, 10);
    expect((await drawn(sgld({ stepSize: 0.01 }), { ...plan, start }, plain)).report.dataPasses).toBe(2 + 2 * 70);
  });
});

it("sample() returns draws by name for a model conditioned by rows", async () => {
  const algorithm = sghmc({ stepSize: 1e-3, friction: 0.1, batch: 10 });
  const options = { algorithm, chains: 2, warmup: 30, draws: 40, seed: 4, workers: 1, deterministic: true };
  const draws = await sample(regression, {}, options);
  expect(draws.draws("beta").length).toBe(2 * 40 * 2);
});

describe("errors", () => {
  it("name the cause for estimates", async () => {
    expect(() => sgld({ stepSize: 1, controlVariate: "mode", svrg: { every: 2 } })).toThrow("OPTION_CONFLICT");
    expect(() => sgld({ stepSize: 1, controlVariate: "mode", batch: "all" })).toThrow("OPTION_CONFLICT");
    expect(() => sgld({ stepSize: 1, controlVariate: true as never })).toThrow(/controlVariate is true.*OPTION_RANGE/);
    await expect(drawn(sgld({ stepSize: 1, batch: 5 }), plan, plain)).rejects.toThrow(/no rows to draw.*SAMPLE_ROWS/);
    await expect(drawn(sgld({ stepSize: 1, svrg: { every: 2 } }), plan, plain)).rejects.toThrow("SAMPLE_ROWS");
    await expect(drawn(sgld({ stepSize: 1, batch: 51 }), plan, regression)).rejects.toThrow(/batch is 51.*50 rows.*OPTION_RANGE/);
  });

  it("report steps that are too large and densities without a mode", async () => {
    await expect(drawn(sgld({ stepSize: 10 }), { ...plan, draws: 3000 }, plain)).rejects.toThrow(
      /chain 0 became infinite or NaN between transitions.*SAMPLE_DIVERGED/,
    );
    const improper = await model(({ data, param, observe }) => {
      const given = data({ y: vector("N") });
      observe(given.y, normal(0, param("sigma", "positive")));
    }).condition({ y: [0, 0, 0] }, { rows: "N" });
    await expect(
      drawn(sgld({ stepSize: 1e-3, controlVariate: "mode" }), { ...plan, deterministic: false }, improper),
    ).rejects.toThrow("SAMPLE_MODE");
    improper.dispose();
  });

  it("refuse stochastic gradients inside another sampler", () => {
    const run = sgld({ stepSize: 0.01 }).start(plain, plan, engine) as InnerSampling;
    expect(() => run.chain(0)).toThrow(/cannot be part of another sampler.*SAMPLE_INNER/);
    run.dispose();
  });

  it("free all memory", async () => {
    const sampler = sgld({ stepSize: 0.01, batch: 5, controlVariate: "mode" });
    await drawn(sampler, plan, regression);
    const before = engine.memory.usedBytes;
    await drawn(sampler, plan, regression);
    await expect(drawn(sgld({ stepSize: 1, batch: 51 }), plan, regression)).rejects.toThrow("OPTION_RANGE");
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
  });
});

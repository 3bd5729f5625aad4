/**
 * The defaults that a stochastic-gradient run derives at the mode: the number of updates per transition, and control
 * variates. Only this file runs the samplers without options.
 */
import { afterAll, describe, expect, it } from "vitest";
import * as field from "../../../../src/bayes/fields.ts";
import { bernoulliLogitGlm, type ModelContext, matrix, model, normal, vector } from "../../../../src/bayes/model/index.ts";
import { sample } from "../../../../src/bayes/sample.ts";
import { psgld, type Sampler, samplerFromJson, sghmc, sgld, sgnht } from "../../../../src/bayes/samplers/index.ts";
import { relaxationUpdates, smallestCurvature } from "../../../../src/bayes/samplers/stochastic-gradient/default-thin.ts";
import type { Evaluate, Mode } from "../../../../src/bayes/samplers/stochastic-gradient/mode.ts";
import { stepSchedule } from "../../../../src/bayes/samplers/stochastic-gradient/step-schedule.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { symmetricEigen } from "../../../../src/engine/numbers/symmetric-eigen.ts";
import { stream } from "../../../../src/engine/random/stream.ts";

const engine = await openEngine();

/** ℓ = −xᵀHx/2 about a mode that is not 0, where H = BᵀB + 0.1 I. */
function normalDensity(d: number, seed: number): { h: Float64Array; evaluate: Evaluate; mode: Mode; curvature: Float64Array } {
  const draws = stream(seed, "precision").at(0);
  const b = Float64Array.from({ length: d * d }, () => draws.normal());
  const h = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) {
      for (let k = 0; k < d; k++) h[i * d + j] += b[k * d + i] * b[k * d + j];
      if (i === j) h[i * d + j] += 0.1;
    }
  const x = Float64Array.from({ length: d }, () => draws.normal());
  const evaluate: Evaluate = (at, gradient) => {
    for (let i = 0; i < d; i++) {
      gradient[i] = 0;
      for (let j = 0; j < d; j++) gradient[i] -= h[i * d + j] * (at[j] - x[j]);
    }
    return 0;
  };
  const mode = { x, gradient: new Float64Array(d), value: 0, evaluations: 0 };
  return { h, evaluate, mode, curvature: x.map((_, i) => h[i * d + i]) };
}

function smallestEigenvalue(d: number, h: Float64Array, scale: Float64Array): number {
  const scaled = h.map((value, at) => value * Math.sqrt(scale[Math.floor(at / d)] * scale[at % d]));
  const values = new Float64Array(d);
  symmetricEigen(d, scaled, values, new Float64Array(d * d));
  return values[0];
}

describe("the smallest curvature", () => {
  it.each([1, 2, 7, 20])("is an eigenvalue in %i dimensions, with and without a scale", (d) => {
    for (const seed of [1, 2, 3]) {
      const { h, evaluate, mode, curvature } = normalDensity(d, seed);
      for (const scale of [new Float64Array(d).fill(1), curvature.map((value) => 1 / Math.sqrt(value))]) {
        const before = mode.evaluations;
        const found = smallestCurvature(evaluate, mode, curvature, scale, stream(4, "first"));
        expect(found / smallestEigenvalue(d, h, scale)).toBeCloseTo(1, 6);
        expect(mode.evaluations - before).toBe(d);
      }
    }
  });

  it("is an upper bound from 20 gradients in more dimensions", () => {
    const { h, evaluate, mode, curvature } = normalDensity(60, 5);
    const scale = new Float64Array(60).fill(1);
    const found = smallestCurvature(evaluate, mode, curvature, scale, stream(4, "first"));
    expect(found).toBeGreaterThanOrEqual(smallestEigenvalue(60, h, scale) * (1 - 1e-6));
    expect(found).toBeLessThan(Math.min(...curvature));
    expect(mode.evaluations).toBe(20);
  });

  it("of equal coordinates needs one gradient", () => {
    const evaluate: Evaluate = (x, gradient) => {
      gradient.set(x.map((value) => -3 * value));
      return 0;
    };
    const mode = { x: new Float64Array(9), gradient: new Float64Array(9), value: 0, evaluations: 0 };
    const ones = new Float64Array(9).fill(1);
    expect(
      smallestCurvature(
        evaluate,
        mode,
        ones.map(() => 3),
        ones,
        stream(4, "first"),
      ),
    ).toBeCloseTo(3, 9);
    expect(mode.evaluations).toBeLessThanOrEqual(2);
  });
});

describe("the relaxation time", () => {
  /** Mean logarithm of the factor per update by which the noiseless recursion shrinks a deviation. */
  function logFactor(kind: number, w: number, a: number): number {
    if (kind === field.STOCHASTIC_LANGEVIN || kind === field.STOCHASTIC_PRECONDITIONED) return Math.log(Math.abs(1 - w));
    const updates = 200_000;
    let [x, v, sum] = [1, 0.3, 0];
    for (let k = 0; k < updates; k++) {
      x += v;
      v = (1 - a) * v - w * x;
      const size = Math.hypot(x, v);
      sum += Math.log(size);
      [x, v] = [x / size, v / size];
    }
    return sum / updates;
  }

  it.each([
    ["sgld", field.STOCHASTIC_LANGEVIN],
    ["psgld", field.STOCHASTIC_PRECONDITIONED],
    ["sghmc", field.STOCHASTIC_HAMILTONIAN],
    ["sgnht", field.STOCHASTIC_THERMOSTATTED],
  ])("of %s is the number of updates that shrink a deviation by 1/e", (_, kind) => {
    for (const w of [0.003, 0.02, 0.2, 0.7])
      for (const a of [0.01, 0.3, 0.9]) {
        const wanted = -1 / logFactor(kind, w, a);
        const updates = relaxationUpdates({ kind }, w / 5, 5, a);
        // A start that is not an eigenvector changes the mean over a finite stretch slightly.
        expect(updates).toBeGreaterThanOrEqual(0.99 * wanted);
        expect(updates).toBeLessThan(1.01 * wanted + 1);
      }
  });

  it("is bounded for flat and unstable directions", () => {
    for (const curvature of [0, -1, 1e-12, Number.NaN])
      expect(relaxationUpdates({ kind: field.STOCHASTIC_LANGEVIN }, 1, curvature, 0)).toBe(1024);
    expect(relaxationUpdates({ kind: field.STOCHASTIC_LANGEVIN }, 1, 3, 0)).toBe(1024);
  });
});

const N = 2000;
const numbers = stream(8, "rows").at(0);
/** Two columns with a correlation of 0.9, which slows the samplers down. */
const x = Array.from({ length: N }, () => {
  const [a, b] = [numbers.normal(), numbers.normal()];
  return [a, 0.9 * a + Math.sqrt(1 - 0.9 ** 2) * b];
});
const y = x.map(([a, b]) => (numbers.uniform() < 1 / (1 + Math.exp(-a + b)) ? 1 : 0));
const regression = model(({ data, param, observe }: ModelContext) => {
  const given = data({ x: matrix("N", "K"), y: vector("N") });
  const alpha = param("alpha", normal(0, 2));
  observe(given.y, bernoulliLogitGlm(given.x, alpha, param("beta", normal(0, 1), { shape: "K" })));
});

describe("runs without options of the sampler", async () => {
  /** A quarter of the default number of draws, with which R-hat is four times as far from 1, and a short warm-up from the mode. */
  const lengths = { warmup: 20, draws: 250 };
  const exact = await sample(regression, { x, y }, { seed: 3, deterministic: true });

  it.each([sgld, psgld, sghmc, sgnht].map((make) => [make().name, make()] as const))(
    "of %s reach a small R-hat and nearly the posterior of nuts()",
    async (_, algorithm) => {
      const options = { algorithm, rows: "N", seed: 2, ...lengths } as const;
      const posterior = await sample(regression, { x, y }, options);
      expect(Math.max(...Object.values(posterior.summary()).map(({ rhat }) => rhat))).toBeLessThan(1.03);
      expect(posterior.report.thin).toBeGreaterThan(1);
      for (const [name, { mean, sd }] of Object.entries(exact.summary())) {
        const ours = posterior.summary()[name as "alpha"];
        expect(Math.abs(ours.mean - mean) / sd).toBeLessThan(0.2);
        expect(Math.abs(ours.sd / sd - 1)).toBeLessThan(0.2);
      }
    },
  );
});

describe("control variates", async () => {
  const density = await regression.condition({ x, y }, { rows: "N", deterministic: true });
  const small = await regression.condition({ x: x.slice(0, 60), y: y.slice(0, 60) }, { rows: "N", deterministic: true });
  afterAll(() => {
    density.dispose();
    small.dispose();
  });
  const plan = { chains: 1, warmup: 0, draws: 10, seed: 1, workers: 1, deterministic: true };

  /** Number of rows that one update of one chain reads, including those of second estimates. */
  async function rowsPerUpdate(sampler: Sampler, more: object = {}, of = density): Promise<number> {
    const run = sampler.start(of, { ...plan, ...more }, engine);
    await run.advance(1);
    const first = run.report();
    await run.advance(9);
    const last = run.report();
    run.dispose();
    const rows = of === density ? N : 60;
    return ((last.dataPasses - first.dataPasses) * rows) / (9 * (first.thin ?? 1));
  }

  it("are the default of runs that find the mode and draw batches", async () => {
    expect(await rowsPerUpdate(sghmc())).toBeCloseTo(200, -1);
    expect(await rowsPerUpdate(sghmc({ batch: 50 }))).toBeCloseTo(100, -1);
    expect(await rowsPerUpdate(sghmc({ thin: 50 }))).toBeCloseTo(50 * 200, -3);
  });

  it("are not used if they are refused, or if the run does not start at the mode, explores, or reads all rows", async () => {
    const runs: [Sampler, object, typeof density, number][] = [
      [sghmc({ controlVariate: false }), {}, density, 100],
      [sghmc(), { start: Float64Array.of(0, 0, 0) }, density, 100],
      [sghmc({ stepSize: 1e-5 }), {}, density, 100],
      [sghmc({ cycle: { length: 20 } }), {}, density, 20 * 100],
      [sghmc(), {}, small, 60],
    ];
    for (const [sampler, more, of, rows] of runs) {
      const read = await rowsPerUpdate(sampler, more, of);
      expect(read).toBeGreaterThanOrEqual(rows);
      expect(read).toBeLessThan(1.5 * rows);
    }
  });

  it("and the thinning survive JSON and a resumed run, bit for bit", async () => {
    const whole = samplerFromJson(JSON.parse(JSON.stringify(sgld().toJSON()))).start(density, plan, engine);
    await whole.advance(10);
    const wanted = { draws: whole.draws(), report: whole.report() };
    whole.dispose();
    for (const at of [1, 6]) {
      const run = sgld().start(density, plan, engine);
      await run.advance(at);
      const snapshot = structuredClone(run.snapshot());
      run.dispose();
      const again = sgld().start(density, plan, engine);
      again.restore(snapshot);
      await again.advance(10);
      expect({ draws: again.draws(), report: again.report() }).toEqual(wanted);
      const damaged = { ...snapshot, state: { ...(snapshot.state as object), thin: 0 } };
      expect(() => again.restore(damaged)).toThrow(/thin is 0/);
      again.dispose();
    }
  });
});

it("only a constant automatic step leaves the thinning to the run", () => {
  expect(stepSchedule("test", {}).withThin!(7).updatesBefore(3)).toBe(21);
  for (const given of [{ thin: 1 }, { stepSize: 1e-3 }, { cycle: { length: 5 } }])
    expect(stepSchedule("test", given).withThin).toBeUndefined();
  expect(stepSchedule("test", { stepSize: 1e-3 }).mostUpdates).toBe(1);
});

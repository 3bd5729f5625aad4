/**
 * Compares the reported bias of step sizes with the true bias: on normal posteriors with known stationary variances,
 * and in the draws themselves.
 *
 * Exact tests replace the sums of a run by expectations, from which the bias must follow up to rounding. In runs, the
 * estimate must be within the stated `near` of the true bias, times LESS. That allows four standard errors of the
 * estimate (about √(2 / samples) of the variance's error). With about 40 checks, one run in 400 with other seeds would
 * fail by chance.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as field from "../../../../src/bayes/fields.ts";
import { psgld, type Sampler, sghmc, sgld, sgnht } from "../../../../src/bayes/samplers/index.ts";
import { curvatureAt } from "../../../../src/bayes/samplers/stochastic-gradient/curvature.ts";
import { noiseAround } from "../../../../src/bayes/samplers/stochastic-gradient/default-step.ts";
import { hamiltonianRatio, thermostatFriction } from "../../../../src/bayes/samplers/stochastic-gradient/linear-bias.ts";
import { marginalRatios } from "../../../../src/bayes/samplers/stochastic-gradient/marginal-ratios.ts";
import { Blocks } from "../../../../src/bayes/samplers/stochastic-gradient/sample-blocks.ts";
import { StepBias } from "../../../../src/bayes/samplers/stochastic-gradient/step-bias.ts";
import type { StochasticChain } from "../../../../src/bayes/samplers/stochastic-gradient/stochastic-chain.ts";
import { add } from "../../../../src/engine/compiler/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { type Draws, model, normal, sample, vector } from "../../../../src/entries/everything.ts";
import { power } from "../../../power.ts";

/** μ ~ N(0, 10) with a thousand y ~ N(μ, 1). */
const N = 1000;
const numbers = stream(3, "conjugate").at(0);
const y = Array.from({ length: N }, () => 1.3 + numbers.normal());
const conjugate = model(({ data, param, observe }) => {
  observe(data({ y: vector("N") }).y, normal(param("mu", normal(0, 10)), 1));
});
const LAMBDA = N + 0.01;
const COUNT = power(1000, 2000);
/** Factor by which errors grow with the fewer draws of `npm test`. */
const LESS = Math.sqrt(2000 / COUNT);

async function drawn(algorithm: Sampler, options: object = {}): Promise<Draws> {
  return sample(conjugate, { y }, { rows: "N", algorithm, draws: COUNT, warmup: power(250, 500), seed: 1, ...options });
}

/** Gradient variance V of batches of n consecutive rows. */
function noiseOf(n: number): number {
  const sums = Array.from({ length: N }, (_, first) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (N / n) * y[(first + i) % N];
    return sum;
  });
  const mean = sums.reduce((a, b) => a + b, 0) / N;
  return sums.reduce((a, b) => a + (b - mean) ** 2, 0) / N;
}

const langevin = (h: number, v: number): number => Math.sqrt((1 + (h * v) / 2) / (1 - (h * LAMBDA) / 2)) - 1;
const hamiltonian = (h: number, v: number, a = 0.01, b = 0): number =>
  Math.sqrt((1 - b / a + (h * v) / (2 * a)) / (1 - (h * LAMBDA) / (2 * (2 - a)))) - 1;
const V = noiseOf(100);

const wrong: { name: string; sampler: Sampler; bias: number; near: number }[] = [
  { name: "sghmc, batches of 100, h = 1e-4", sampler: sghmc({ stepSize: 1e-4, thin: 20 }), bias: hamiltonian(1e-4, V), near: 1 },
  { name: "sgld, all rows, h = 1e-3", sampler: sgld({ stepSize: 1e-3, batch: "all" }), bias: langevin(1e-3, 0), near: 0.08 },
  { name: "sgld, batches of 100, h = 1e-4", sampler: sgld({ stepSize: 1e-4, thin: 20 }), bias: langevin(1e-4, V), near: 0.05 },
  {
    name: "sghmc, a noise estimate much larger than the noise",
    sampler: sghmc({ stepSize: 1e-6, thin: 20, noiseEstimate: 0.009 }),
    bias: hamiltonian(1e-6, V, 0.01, 0.009),
    near: 0.06,
  },
];
const right: { name: string; sampler: Sampler; bias: number; near: number }[] = [
  {
    name: "sgld, all rows, h = 1e-4",
    sampler: sgld({ stepSize: 1e-4, batch: "all", thin: 10 }),
    bias: langevin(1e-4, 0),
    near: 0.01,
  },
  { name: "sgld, batches of 100, h = 1e-5", sampler: sgld({ stepSize: 1e-5, thin: 100 }), bias: langevin(1e-5, V), near: 0.01 },
  {
    name: "sgld with control variates, h = 5e-5",
    sampler: sgld({ stepSize: 5e-5, thin: 20, controlVariate: "mode" }),
    bias: langevin(5e-5, 0),
    near: 0.01,
  },
  {
    name: "sgld with moving control variates, h = 5e-5",
    sampler: sgld({ stepSize: 5e-5, thin: 20, svrg: { every: 50 } }),
    bias: langevin(5e-5, 0),
    near: 0.01,
  },
  {
    name: "sghmc, batches of 100, h = 1e-7",
    sampler: sghmc({ stepSize: 1e-7, thin: 100 }),
    bias: hamiltonian(1e-7, V),
    near: 0.01,
  },
  {
    name: "sghmc that knows its noise",
    sampler: sghmc({ stepSize: 1e-6, thin: 20, noiseEstimate: (V * 1e-6) / 2 }),
    bias: hamiltonian(1e-6, V, 0.01, (V * 1e-6) / 2),
    near: 0.06,
  },
];

const sdOf = (draws: Draws): number => {
  const values = draws.draws("mu");
  const mean = y.reduce((a, b) => a + b, 0) / LAMBDA;
  return Math.sqrt(LAMBDA * values.reduce((a, x) => a + (x - mean) ** 2 / values.length, 0));
};

describe("a conjugate normal", () => {
  it.each(wrong)("$name: the verdict does not trust the draws and states the bias", async ({ sampler, bias, near }) => {
    expect(Math.abs(bias)).toBeGreaterThan(0.15);
    const draws = await drawn(sampler);
    expect(Math.abs(draws.report.stepBias - bias), `${draws.report.stepBias} for ${bias}`).toBeLessThan(near * LESS);
    const verdict = draws.verdict();
    expect(verdict.trusted).toBe(false);
    const [finding] = verdict.findings.filter(({ code }) => code === "stepBias");
    expect(finding.serious).toBe(true);
    expect(finding.text).toContain(
      `too ${bias > 0 ? "wide" : "narrow"}, by up to ${Math.abs(draws.report.stepBias).toFixed(2)} sd (wanted`,
    );
  });

  it.each(right)("$name: the verdict trusts the draws and states the bias in its headline", async ({ sampler, bias, near }) => {
    const draws = await drawn(sampler);
    expect(Math.abs(draws.report.stepBias - bias), `${draws.report.stepBias} for ${bias}`).toBeLessThan(near * LESS);
    const verdict = draws.verdict();
    expect(verdict.trusted, verdict.text).toBe(true);
    expect(verdict.text).toContain(`up to a step bias of ${Math.abs(draws.report.stepBias).toFixed(2)} sd (`);
  });

  // Samplers without a formula. The draws themselves show the bias, with errors of 1 to 3 % in their standard
  // deviations (4 % in `npm test`).
  it.each([
    { name: "psgld whose preconditioner follows x", sampler: psgld({ stepSize: 3e-3, batch: "all", thin: 20 }) },
    { name: "psgld whose preconditioner stays", sampler: psgld({ stepSize: 3e-3, batch: "all", thin: 20, smoothing: 0.9999 }) },
    { name: "sgnht from afar, its friction still too high", sampler: sgnht({ stepSize: 1e-6, thin: 20 }) },
    { name: "sgnht", sampler: sgnht({ thin: 20 }) },
    // Its estimate needs the most draws.
    { name: "sghmc with fresh momenta", sampler: sghmc({ stepSize: 1e-5, thin: 20, resetEvery: 40 }), draws: 2000 },
    { name: "steps that decrease", sampler: sgld({ stepSize: { initial: 1e-4, offset: 2000, power: 0.4 }, thin: 40 }) },
    { name: "long cycles", sampler: sgld({ stepSize: 1e-4, cycle: { length: 400, draws: 4, exploration: 0.2 } }) },
  ])("$name: the estimate is near the bias of the draws", async ({ sampler, draws: count = COUNT }) => {
    const draws = await drawn(sampler, { draws: count });
    const shown = sdOf(draws) - 1;
    expect(Math.abs(draws.report.stepBias - shown), `${draws.report.stepBias} for ${shown}`).toBeLessThan(
      0.05 * Math.sqrt(2000 / count) + 0.1 * Math.abs(shown),
    );
  });

  it("a preconditioner that follows x closely is detected", async () => {
    const draws = await drawn(psgld({ stepSize: 1e-3, batch: "all", thin: 40, smoothing: 0.9 }));
    const shown = sdOf(draws) - 1;
    expect(shown).toBeGreaterThan(0.15);
    // Step size alone would explain 0.01.
    expect(Math.abs(draws.report.stepBias - shown), `${draws.report.stepBias} for ${shown}`).toBeLessThan(
      0.05 * LESS + 0.1 * shown,
    );
    expect(draws.verdict().trusted).toBe(false);
  });

  it("control variates remove the noise of sghmc", async () => {
    const draws = await drawn(sghmc({ stepSize: 1e-4, thin: 20, controlVariate: "mode" }));
    expect(Math.abs(draws.report.stepBias - hamiltonian(1e-4, 0))).toBeLessThan(0.01 * LESS);
  });

  it("cycles too short for their noise are not trusted", async () => {
    const draws = await drawn(sgld({ stepSize: 1e-4, cycle: { length: 100, draws: 5 } }));
    expect(sdOf(draws)).toBeLessThan(0.7);
    expect(draws.report.stepBias).toBeLessThan(-0.25);
    expect(draws.verdict().trusted).toBe(false);
  });

  it.each([sgld({ thin: 50 }), psgld({ thin: 50 }), sghmc({ thin: 50 }), sgnht({ thin: 20 }), sgld({ batch: "all", thin: 4 })])(
    "default steps are small enough: %o",
    async (sampler) => {
      const draws = await drawn(sampler);
      expect(draws.verdict().trusted, draws.verdict().text).toBe(true);
      expect(Math.abs(draws.report.stepBias)).toBeLessThan(0.09);
      expect(Math.abs(sdOf(draws) - 1)).toBeLessThan(0.1);
    },
  );
});

describe("the estimate of the bias", () => {
  const plan = { chains: 2, warmup: 40, draws: 700 };

  it.each([
    sgld({ stepSize: 1e-4 }),
    psgld({ stepSize: 1e-3 }),
    sghmc({ stepSize: 1e-6 }),
    sghmc({ stepSize: 1e-6, resetEvery: 30 }),
    sgnht({}),
    sgld({ stepSize: 1e-4, cycle: { length: 40, draws: 4 } }),
  ])("does not depend on interruptions or workers: %o", async (algorithm) => {
    const whole = await drawn(algorithm, { ...plan, workers: 1 });
    expect(Number.isFinite(whole.report.stepBias)).toBe(true);
    const two = await drawn(algorithm, { ...plan, workers: 2 });
    expect(two.report).toEqual(whole.report);
    const folder = await mkdtemp(join(tmpdir(), "ergodic-bias-"));
    const short = sample(conjugate, { y }, { rows: "N", algorithm, seed: 1, ...plan, draws: 333, workers: 1 });
    await short;
    await short.checkpoint(join(folder, "run"));
    const resumed = await sample.resume(join(folder, "run"), conjugate, { y }, { draws: 700, workers: 1 });
    expect(resumed.report).toEqual(whole.report);
    expect(resumed.draws("mu")).toEqual(whole.draws("mu"));
    await rm(folder, { recursive: true });
  });

  it("does not depend on earlier reports", () => {
    const rule = { kind: field.STOCHASTIC_THERMOSTATTED, friction: 1, noiseEstimate: 0, resetEvery: 0 };
    const numbers = stream(5, "reports").at(0);
    const normals = (): Float64Array => Float64Array.of(numbers.normal());
    const [read, unread] = [new StepBias(1, rule, 1, false), new StepBias(1, rule, 1, false)];
    for (let k = 0; k < 40; k++) {
      const given = { x: normals(), g: normals(), second: normals(), h: 0.01, weight: 1 };
      for (const bias of [read, unread]) bias.add(0, given);
    }
    for (const bias of [read, unread]) bias.heat(0, 1, 0);
    const early = read.estimate();
    for (const bias of [read, unread]) bias.heat(0, 1.5, 0.4);
    expect(read.estimate()).toBe(unread.estimate());
    expect(read.estimate()).not.toBe(early);
  });

  it("costs no gradients for sgld and psgld and at most one in ten for the others", async () => {
    const passes = async (algorithm: Sampler): Promise<number> => (await drawn(algorithm, plan)).report.dataPasses;
    // Two chains with one initial evaluation each, and batches of 100 of 1000 rows.
    const bare = 2 + (2 * 740 * 100) / N;
    expect(await passes(sgld({ stepSize: 1e-6 }))).toBeCloseTo(bare, 9);
    expect(await passes(psgld({ stepSize: 1e-4 }))).toBeCloseTo(bare, 9);
    for (const sampler of [sghmc({ stepSize: 1e-7 }), sgnht({ stepSize: 1e-7 })]) {
      const more = (await passes(sampler)) - bare;
      expect(more).toBeGreaterThan(0.05 * bare);
      expect(more).toBeLessThanOrEqual(0.1 * bare);
    }
    expect(await passes(sghmc({ stepSize: 1e-7, batch: "all" }))).toBe(2 + 2 * 740);
  });

  it("is omitted for too few draws, which the verdict does not trust", async () => {
    const draws = await drawn(sgld({ stepSize: 1e-4 }), { chains: 1, draws: 100 });
    expect(draws.report.stepBias).toBeUndefined();
    const verdict = draws.verdict();
    expect(verdict.trusted).toBe(false);
    expect(verdict.findings.map(({ code }) => code)).toContain("stepBias");
  });

  it("is reported in ticks", async () => {
    const ticks: Record<string, unknown>[] = [];
    const run = sample(conjugate, { y }, { rows: "N", algorithm: sgld({ stepSize: 1e-4 }), draws: 2000, seed: 1 });
    for await (const tick of run) ticks.push({ ...tick });
    expect(ticks[ticks.length - 1].stepBias).toBe((await run).report.stepBias);
  });
});

describe("the estimate from exact expectations", () => {
  const rule = (kind: number, friction = 0, noiseEstimate = 0, resetEvery = 0) => ({ kind, friction, noiseEstimate, resetEvery });

  /** Samples whose moments are exactly P and G (and C): ± the columns of their roots. */
  function filled(kind: number, h: number, roots: { x: number[][]; g: number[][]; second?: number[][] }): StepBias {
    const d = roots.x.length;
    const bias = new StepBias(d, rule(kind, kind === field.STOCHASTIC_LANGEVIN ? 0 : 0.1), 1, false);
    for (let repeat = 0; repeat < 10; repeat++)
      for (let k = 0; k < d; k++)
        for (const sign of [-1, 1]) {
          const column = (a: number[][]) => Float64Array.from({ length: d }, (_, i) => sign * Math.sqrt(d) * a[i][k]);
          const g = column(roots.g);
          bias.add(0, { x: column(roots.x), g, second: roots.second ? column(roots.second) : g, h, weight: 2 });
        }
    return bias;
  }
  const scaledBy = (by: number, of: number[]): number[][] => of.map((value, i) => of.map((_, j) => (i === j ? by * value : 0)));

  it("sgld's estimate is exact, and is the worst of several coordinates", () => {
    const h = 0.3;
    const lambda = [0.5, 2, 4];
    const noise = [3, 0.1, 0.2];
    const variance = lambda.map((l, i) => (1 + (h * noise[i]) / 2) / (l - (h * l * l) / 2));
    const found = filled(field.STOCHASTIC_LANGEVIN, h, {
      x: scaledBy(1, variance.map(Math.sqrt)),
      g: scaledBy(
        1,
        lambda.map((l, i) => Math.sqrt(l * l * variance[i] + noise[i])),
      ),
    }).estimate()!;
    const worst = Math.max(...lambda.map((l, i) => Math.sqrt(l * variance[i]) - 1));
    expect(found).toBeCloseTo(worst, 12);
  });

  it("sghmc's estimate separates noise from curvature", () => {
    const [h, a, lambda, v] = [0.02, 0.1, 2, 6];
    const ratio = (1 + (h * v) / (2 * a)) / (1 - (h * lambda) / (2 * (2 - a)));
    const variance = ratio / lambda;
    // g and the second estimate at the same x have equal signals. Their noises have opposite signs as often as equal
    // ones, so they are uncorrelated.
    const bias = new StepBias(1, rule(field.STOCHASTIC_HAMILTONIAN, a), 1, false);
    for (let k = 0; k < 32; k++) {
      const x = Math.sqrt(variance) * (k & 1 ? 1 : -1);
      const [first, second] = [k & 2 ? 1 : -1, k & 4 ? 1 : -1].map((sign) => sign * Math.sqrt(v));
      const at = (noise: number) => Float64Array.of(-lambda * x + noise);
      bias.add(0, { x: Float64Array.of(x), g: at(first), second: at(second), h, weight: 1 });
    }
    expect(bias.estimate()).toBeCloseTo(Math.sqrt(ratio) - 1, 12);
  });

  it("fresh momenta are averaged over all updates, including those after thirty times 1/a", () => {
    const [a, r, h] = [0.1, 2000, 0.02];
    // E x², E xv/√h and E v²/h for λ = 1 after each update: x' = x + v, v' = (1 − a) v − h x' + noise.
    const mean = (from: number): [end: number, mean: number] => {
      let [x, c, t, sum] = [from, 0, 1, 0];
      for (let k = 0; k < r; k++) {
        const moved = x + 2 * Math.sqrt(h) * c + h * t;
        const crossed = c + Math.sqrt(h) * t;
        t = (1 - a) ** 2 * t - 2 * (1 - a) * Math.sqrt(h) * crossed + h * moved + 2 * a;
        [x, c] = [moved, (1 - a) * crossed - Math.sqrt(h) * moved];
        sum += x / r;
      }
      return [x, sum];
    };
    const [[zero], [one]] = [mean(0), mean(1)];
    const [, exact] = mean(zero / (1 - (one - zero)));
    expect(hamiltonianRatio({ friction: a, noiseEstimate: 0, resetEvery: r }, 0, h)).toBeCloseTo(exact, 9);
  });

  it("coordinates are estimated separately with fewer than twice as many samples", () => {
    const d = 20;
    const estimate = (samples: number): number => {
      const bias = new StepBias(d, rule(field.STOCHASTIC_LANGEVIN, 0), 1, false);
      const draws = stream(6, "few", samples).at(0);
      const normals = () => Float64Array.from({ length: d }, () => draws.normal());
      const rows = Array.from({ length: samples }, normals);
      for (const x of rows) bias.add(0, { x, g: x, second: x, h: 0.1, weight: 1 });
      const alone = Math.max(...rows[0].map((_, i) => rows.reduce((sum, x) => sum + (0.1 * x[i] * x[i]) / samples, 0)));
      return bias.estimate()! - (Math.sqrt(1 + alone / 2) - 1);
    };
    expect(Math.abs(estimate(39))).toBeLessThan(1e-12);
    expect(Math.abs(estimate(40))).toBeGreaterThan(1e-3);
  });

  it("the noise around a mode is half the variance of a difference of two estimates", () => {
    const numbers = { rowCount: 1000, stream: stream(5, "noise") };
    const estimate = (_: Float64Array, row: number, gradient: Float64Array) => void gradient.fill(row % 2 ? 1 : -1);
    // Random ±1 has variance 1. Half the squared difference is 0 or 2, and the mean of 100 of these is within 0.4, four
    // standard errors.
    const [noise] = noiseAround(Float64Array.of(0), Float64Array.of(1), { ...numbers, estimate });
    expect(Math.abs(noise - 1)).toBeLessThan(0.4);
    expect([...noiseAround(Float64Array.of(0), Float64Array.of(1), { ...numbers, estimate: undefined })]).toEqual([0]);
  });

  it("the curvature around a distant mode uses the largest steps that rounding allows", () => {
    const at = 1e12;
    const evaluate = (x: Float64Array, gradient: Float64Array): number => {
      gradient[0] = -2 * (x[0] - at);
      return -((x[0] - at) ** 2);
    };
    const mode = { x: Float64Array.of(at), gradient: Float64Array.of(0), evaluations: 0 };
    expect(curvatureAt("sgld", evaluate as never, mode as never, stream(1, "signs"))[0]).toBeCloseTo(2, 6);
  });

  it("marginal ratios solve the balance of covariances", () => {
    const d = 5;
    const z = stream(8, "balance").at(0);
    const root = Array.from({ length: d }, () => Array.from({ length: d }, () => z.normal()));
    const product = (a: number[][], b: number[][]) =>
      a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
    const transposed = (a: number[][]) => a[0].map((_, j) => a.map((row) => row[j]));
    const precision = product(root, transposed(root)).map((row, i) => row.map((v, j) => v + (i === j ? 1 : 0)));
    const other = Array.from({ length: d }, () => Array.from({ length: d }, () => z.normal()));
    const covariance = product(other, transposed(other)).map((row, i) => row.map((v, j) => v + (i === j ? 0.5 : 0)));
    const balance = product(precision, covariance);
    const m = balance.map((row, i) => row.map((v, j) => v + balance[j][i] - (i === j ? 2 : 0)));
    const inverse = inverted(precision);
    const found = marginalRatios(Float64Array.from(covariance.flat()), {
      matrix: Float64Array.from(m.flat()),
      friction: undefined,
    })!;
    for (let i = 0; i < d; i++) expect(found[i]).toBeCloseTo(covariance[i][i] / inverse[i][i], 8);
  });

  it("inertia scales the balance by a factor between 0 and 1", () => {
    const covariance = Float64Array.of(1, 0, 0, 1 / 9);
    const at = (off: number, friction?: number) => [
      ...marginalRatios(covariance, { matrix: Float64Array.of(0.3, off, off, 0.2), friction })!,
    ];
    expect(at(0.5, 1e-6)).toEqual(at(0).map((ratio) => expect.closeTo(ratio, 9)));
    expect(at(0.5, 1e6)).toEqual(at(0.5).map((ratio) => expect.closeTo(ratio, 9)));
    // Curvatures 1 and 9 with γ = 2: 1 + 64 / 80.
    expect(at(0.5, 2)).toEqual(at(0.5 / 1.8).map((ratio) => expect.closeTo(ratio, 12)));
    expect(at(0.5)[0]).not.toBeCloseTo(at(0.5, 2)[0], 3);
  });

  it("inertia separates directions of different curvature", () => {
    // By the 4 × 4 recursion of two modes with equal noise, off-diagonal entries shrink as the formula states.
    const [h, a] = [1e-4, 0.02];
    const lambda = [1, 9];
    const cross = stationaryCross(
      lambda.map((l) => h * l),
      a,
      2 * a,
    );
    const whole = cross.factor;
    const [first, second] = lambda;
    const friction = a / Math.sqrt(h);
    expect(whole).toBeCloseTo(1 / (1 + (first - second) ** 2 / (2 * friction ** 2 * (first + second))), 2);
  });

  it("singular covariances and NaN give no estimate", () => {
    const nothing = { matrix: new Float64Array(4), friction: undefined };
    expect(marginalRatios(Float64Array.of(1, 1, 1, 1), nothing)).toBeUndefined();
    expect(marginalRatios(Float64Array.of(1, 0, 0, Number.NaN), nothing)).toBeUndefined();
    expect(
      marginalRatios(Float64Array.of(1, 0, 0, 2), { matrix: Float64Array.of(-3, 0, 0, 0), friction: undefined }),
    ).toBeUndefined();
  });

  it("a thermostat's friction absorbs the noise and settles where v·v/d is h", () => {
    for (const [a, drive, cross] of [
      [0.01, 0, 0],
      [0.01, 0.1, 0],
      [0.05, 0.2, 0.1],
    ]) {
      const found = thermostatFriction(a, drive, cross);
      expect((2 * a + drive) / found + cross / (2 - found)).toBeCloseTo(2 - found, 10);
    }
    expect(thermostatFriction(0.01, 0.1, 0, 0.8)).toBeGreaterThan(thermostatFriction(0.01, 0.1, 0));
    expect(thermostatFriction(0.5, 3, 0)).toBeCloseTo(1, 10);
  });

  it("the recursion for fresh momenta equals a long run of updates", () => {
    const [w, drive, a, b, r] = [0.02, 0.03, 0.05, 0.01, 12];
    const rows = Array.from({ length: 400 }, () => 0);
    // Second moments, computed update by update.
    let [x, c, t, sum] = [1, 0, 1, 0];
    for (let k = 0; k < rows.length * r; k++) {
      if (k % r === 0) [c, t] = [0, 1];
      const [x1, c1] = [x + 2 * c + t * w, c + t * w];
      const t1 = (1 - a) ** 2 * t - 2 * (1 - a) * c1 + w * x1 + 2 * (a - b) + drive;
      [x, c, t] = [x1, (1 - a) * c1 - w * x1, t1];
      if (k >= (rows.length - 1) * r) sum += x / r;
    }
    expect(hamiltonianRatio({ friction: a, noiseEstimate: b, resetEvery: r }, drive, w)).toBeCloseTo(sum, 8);
  });
});

describe("blocks of samples", () => {
  /** 2 chains of `count` samples in 2 coordinates. x g is −level plus noise. */
  function filled(count: number, noise: number): Blocks {
    const blocks = new Blocks(2, 2);
    for (let c = 0; c < 2; c++) {
      const z = stream(4, "blocks", c).at(0);
      for (let k = 0; k < count; k++) {
        const x = k % 2 ? 1 : -1;
        blocks.add(c, Float64Array.of(x, 2 * x), Float64Array.of(-x * (1 + noise * z.normal()), -x), k < count / 2 ? 1 : 3);
      }
    }
    return blocks;
  }

  it("are merged when there are eight", () => {
    const counts = (count: number) => [...filled(count, 0).state.blockCounts].slice(0, 3);
    expect(counts(8)).toEqual([8, 1, 1]);
    expect(counts(9)).toEqual([5, 2, 1]);
    expect(counts(16)).toEqual([8, 2, 2]);
    expect(counts(100)).toEqual([7, 16, 4]);
    const { blockSums } = filled(100, 0).state;
    let weight = 0;
    for (let at = 0; at < blockSums.length; at += 5) weight += blockSums[at];
    expect(weight).toBe(2 * (50 + 150));
  });

  it("return the measured value without noise, the expected one with much noise, and else allow three errors", () => {
    const means = new Float64Array(2);
    const held = (noise: number, wanted: number) => filled(96, noise).held(Float64Array.of(wanted, wanted), means);
    expect(held(0, 1.5)[0]).toBeCloseTo(1, 12);
    expect(held(0, 1.5)[1]).toBeCloseTo(2, 12);
    expect(held(10, 1.5)[0]).toBe(1.5);
    expect(held(10, 0)[0]).toBe(0);
    const [above] = held(0.2, 0);
    const [below] = held(0.2, 5);
    // The mean of 192 weighted draws has an error of 0.2 √(1.25 / 192). The tolerance is three errors on either side.
    expect((below - above) / 6 / (0.2 * Math.sqrt(1.25 / 192))).toBeGreaterThan(0.5);
    expect((below - above) / 6 / (0.2 * Math.sqrt(1.25 / 192))).toBeLessThan(2);
    expect(Math.abs((below + above) / 2 - 1)).toBeLessThan(0.1);
  });
});

it("a sample is the point of the update's gradient, and a second estimate has the same density", async () => {
  const engine = await openEngine();
  const posterior = await conjugate.condition({ y }, { rows: "N", deterministic: true });
  const plan = { chains: 1, warmup: 0, draws: 60, seed: 3, workers: 1, deterministic: true };
  const h = 1e-5;
  const chainOf = (run: object) => (run as { chains: StochasticChain[] }).chains[0];
  for (const make of [sgld, psgld, sghmc, sgnht]) {
    const run = make({ stepSize: h, batch: "all" }).start(posterior, plan, engine);
    await run.advance(50);
    const chain = chainOf(run);
    const { x, scale } = chain.lastUpdate(h, 1);
    const { gradient } = posterior.evaluate(x);
    expect(Math.abs(gradient[0] / chain.gradient[0] - 1), run.constructor.name).toBeLessThan(1e-9);
    expect(posterior.evaluate(chain.position).gradient[0] === gradient[0]).toBe(make === sghmc);
    expect(scale !== undefined).toBe(make === psgld);
    run.dispose();
    // The gradient noise of this density is the same everywhere, so a centre removes it.
    const centred = make({ stepSize: h, batch: 7, controlVariate: "mode" }).start(posterior, plan, engine);
    await centred.advance(1);
    const [point, out] = [Float64Array.of(1.1), new Float64Array(1)];
    chainOf(centred).estimateAt(point, 995, out);
    expect(Math.abs(out[0] / posterior.evaluate(point).gradient[0] - 1)).toBeLessThan(1e-9);
    centred.dispose();
  }
  posterior.dispose();
});

/** Ratio of E x₁x₂ to its value without inertia, for two modes with w = hλ and common noise q. */
function stationaryCross([w1, w2]: number[], a: number, q: number): { factor: number } {
  // Second moments of (x₁, v₁, x₂, v₂) across the modes: xx, xv, vx, vv. v is updated after x, as in sghmc.
  let [xx, xv, vx, vv] = [0, 0, 0, 0];
  let [sum, count] = [0, 0];
  const rounds = Math.ceil(60 / a);
  for (let k = 0; k < 2 * rounds; k++) {
    const moved = xx + xv + vx + vv;
    const [xv1, vx1] = [xv + vv, vx + vv];
    const pushed = (1 - a) ** 2 * vv - (1 - a) * (w1 * xv1 + w2 * vx1) + w1 * w2 * moved + q;
    [xx, xv, vx, vv] = [moved, (1 - a) * xv1 - w2 * moved, (1 - a) * vx1 - w1 * moved, pushed];
    if (k >= rounds) {
      sum += xx;
      count++;
    }
  }
  return { factor: (sum / count) * ((a * (w1 + w2)) / q) };
}

function inverted(a: number[][]): number[][] {
  const d = a.length;
  const rows = a.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < d; k++) {
    const pivot = rows[k][k];
    rows[k] = rows[k].map((v) => v / pivot);
    for (let i = 0; i < d; i++) {
      if (i === k) continue;
      const factor = rows[i][k];
      rows[i] = rows[i].map((v, j) => v - factor * rows[k][j]);
    }
  }
  return rows.map((row) => row.slice(d));
}

/** Correlated coordinates. */
describe("several dimensions", () => {
  it.each([10, 100])("the bias is that of the worst marginal, with %i correlated coordinates of two curvatures", async (d) => {
    // A prior N(0, 1) and a precise common observation of the sum of each pair: precision [[1 + k, k], [k, 1 + k]].
    const k = 3;
    const pairs = model(({ data, param, observe }) => {
      const { zero } = data({ zero: vector("P") });
      const first = param("first", normal(0, 1), { shape: "P" });
      const second = param("second", normal(0, 1), { shape: "P" });
      observe(zero, normal(add(first, second), Math.sqrt(1 / k)));
    });
    const draws = await sample(
      pairs,
      { zero: new Array<number>(d / 2).fill(0) },
      {
        algorithm: sgld({ stepSize: 0.05, thin: 10 }),
        draws: power(800, 1500),
        warmup: 200,
        seed: 2,
      },
    );
    const variance = (lambda: number) => 1 / (lambda * (1 - (0.05 * lambda) / 2));
    const [own, true_] = [(variance(1) + variance(1 + 2 * k)) / 2, (1 + 1 / (1 + 2 * k)) / 2];
    expect(Math.abs(draws.report.stepBias - (Math.sqrt(own / true_) - 1))).toBeLessThan(d === 10 ? 0.01 : 0.02);
    expect(draws.verdict().trusted, draws.verdict().text).toBe(true);
  });
});

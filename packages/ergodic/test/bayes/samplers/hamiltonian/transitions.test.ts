/** kernels/bayes/nuts.ts and kernels/bayes/hmc.ts equal their plain twins bit for bit, and leapfrogs are reversible. */
import { describe, expect, it } from "vitest";
import { dualAveraging, startAveraging } from "../../../../src/bayes/samplers/base/dual-averaging.ts";
import { lowerFactor } from "../../../../src/bayes/samplers/base/metric.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { symmetricEigen } from "../../../../src/engine/numbers/symmetric-eigen.ts";
import { type Draws, stream } from "../../../../src/engine/random/stream.ts";
import { Guarded } from "../../../engine/memory/guarded.ts";
import { averageStep, HamiltonianTwin, type Point, type TwinOptions } from "../../../reference/nuts.ts";
import { broken, funnel, gaussian, spiked, type TestDensity } from "../densities.ts";
import { byKernel, key, testChain } from "./by-kernel.ts";

const engine = await openEngine();

/** A positive definite, well-conditioned matrix. */
function randomMatrix(d: number, name: string): number[][] {
  const draws = stream(6, name, d).at(0);
  const root = Array.from({ length: d }, () => Array.from({ length: d }, () => draws.normal() / Math.sqrt(d)));
  return root.map((a, i) => root.map((b, j) => a.reduce((sum, x, k) => sum + x * b[k], 0) + (i === j ? 0.5 : 0)));
}

const kinds = ["diagonal", "dense", "lowRank"] as const;

function metricOf(d: number, kind: (typeof kinds)[number]): Pick<TwinOptions, "inverse" | "factor" | "dense" | "rank"> {
  if (kind === "dense") {
    const inverse = Float64Array.from(randomMatrix(d, "metric").flat());
    return { dense: true, inverse, factor: lowerFactor(inverse, d)! };
  }
  const draws = stream(7, "metric", d).at(0);
  const scale = Float64Array.from({ length: d }, () => 0.5 + draws.uniform());
  const factor = scale.map((x) => 1 / Math.sqrt(x));
  if (kind === "diagonal") return { dense: false, inverse: scale, factor };
  // Orthonormal eigenvectors of a random matrix, at most 5.
  const [values, vectors] = [new Float64Array(d), new Float64Array(d * d)];
  symmetricEigen(d, Float64Array.from(randomMatrix(d, "directions").flat()), values, vectors);
  const rank = Math.min(d, 5);
  const lambda = Float64Array.from({ length: rank }, (_, k) => (k % 2 ? 9 + k : 0.1));
  const u = vectors.slice(0, rank * d);
  return {
    dense: false,
    rank,
    inverse: Float64Array.of(...scale, ...u.map((x, k) => x * Math.sqrt(scale[k % d])), ...lambda.map((x) => x - 1)),
    factor: Float64Array.of(...factor, ...u, ...lambda.map((x) => 1 / Math.sqrt(x) - 1)),
  };
}

function byTwin(kernel: string, density: TestDensity, from: Float64Array, options: TwinOptions, count: number) {
  const twin = new HamiltonianTwin(density.plain, options);
  const g = new Float64Array(density.dimension);
  let point: Point = { q: from, g, logDensity: density.plain(from, g) };
  const found = { draws: [] as number[], gradients: [] as number[], transitions: [] as number[] };
  for (let t = 3; t < 3 + count; t++) {
    const made = kernel === "nutsRun" ? twin.nuts(point, key, t) : twin.hmc(point, key, t);
    point = made.point;
    found.draws.push(...point.q);
    found.gradients.push(...point.g);
    const { acceptance, step, depth, leapfrogs, divergent, energy } = made;
    found.transitions.push(point.logDensity, acceptance, step, depth, leapfrogs, divergent, energy);
  }
  return found;
}

const base = { step: 0.3, jitter: 0, maxDepth: 6, leapfrogs: 0, time: 2 };

describe.each([
  { kernel: "nutsRun", deterministic: true },
  { kernel: "nutsRun", deterministic: false },
  { kernel: "hmcRun", deterministic: true },
  { kernel: "hmcRun", deterministic: false },
])("$kernel, deterministic: $deterministic", ({ kernel, deterministic }) => {
  it("equals its twin bit for bit in 1 to 17 dimensions with every metric and jitter", async () => {
    for (let d = 1; d <= 17; d++) {
      const density = await gaussian(
        engine,
        Array.from({ length: d }, (_, i) => i),
        randomMatrix(d, "precision"),
      );
      for (const kind of kinds) {
        for (const jitter of [0, 0.5]) {
          const options = { ...base, ...metricOf(d, kind), jitter };
          const from = new Float64Array(d).fill(0.5);
          const found = byKernel(engine, kernel, density, from, options, 8, deterministic);
          expect(found).toEqual(byTwin(kernel, density, from, options, 8));
        }
      }
    }
  });

  it("equals its twin in a funnel and at undefined densities, and reports divergences", async () => {
    for (const density of [await funnel(engine, 5), await broken(engine)]) {
      const from = new Float64Array(density.dimension).fill(0.01);
      const options = {
        ...base,
        ...metricOf(density.dimension, "diagonal"),
        step: density.dimension > 1 ? 0.9 : 1.5,
        leapfrogs: density.dimension > 1 ? 7 : 1,
      };
      const found = byKernel(engine, kernel, density, from, options, 40, deterministic);
      expect(found).toEqual(byTwin(kernel, density, from, options, 40));
      const divergent = found.transitions.filter((_, i) => i % 7 === 5);
      expect(divergent).toContain(1);
      expect(divergent).toContain(0);
    }
  });

  it("stops at the maximum depth or length", async () => {
    const density = await gaussian(
      engine,
      [0, 0],
      [
        [1, 0],
        [0, 1],
      ],
    );
    const options = { ...base, ...metricOf(2, "diagonal"), step: 1e-3, maxDepth: 3, leapfrogs: 9 };
    const { transitions } = byKernel(engine, kernel, density, Float64Array.of(1, -1), options, 5, deterministic);
    const leapfrogs = transitions.filter((_, i) => i % 7 === 4);
    expect(leapfrogs).toEqual(new Array(5).fill(kernel === "nutsRun" ? 7 : 9));
  });
});

it("a twin with a planted mistake gives other draws", async () => {
  const density = await gaussian(engine, [0, 1, 2], randomMatrix(3, "precision"));
  const options = { ...base, ...metricOf(3, "diagonal") };
  const from = new Float64Array(3);
  const found = byKernel(engine, "nutsRun", density, from, options, 40, true);
  for (const mutant of ["unbiased top", "end state", "whole criterion only"] as const)
    expect(byTwin("nutsRun", density, from, { ...options, mutant }, 40), mutant).not.toEqual(found);
});

it("momenta have covariance M for every metric", async () => {
  for (let d = 1; d <= 9; d++) {
    for (const kind of kinds) {
      const twin = new HamiltonianTwin(() => 0, { ...base, ...metricOf(d, kind) });
      const unit = (i: number) => Float64Array.from({ length: d }, (_, j) => (i === j ? 1 : 0));
      // Columns of F, where p = F z and M⁻¹ F Fᵀ = I.
      const columns = Array.from({ length: d }, (_, i) => {
        const z = unit(i).values();
        return twin.momentum({ normal: () => z.next().value! } as Draws, d);
      });
      for (let i = 0; i < d; i++) {
        const m = Float64Array.from({ length: d }, (_, j) => columns.reduce((sum, f) => sum + f[i] * f[j], 0));
        for (const [j, x] of twin.velocity(m).entries()) expect(Math.abs(x - (i === j ? 1 : 0))).toBeLessThan(1e-11);
      }
    }
  }
});

it("leapfrogs are reversible", async () => {
  const d = 4;
  const density = await gaussian(engine, [0, 1, 2, 3], randomMatrix(d, "precision"));
  const twin = new HamiltonianTwin(density.plain, { ...base, ...metricOf(d, "dense") });
  const q = Float64Array.of(0.3, -1, 2, 0.7);
  const p = Float64Array.of(1, -0.5, 0.2, 2);
  const state = { q, p, g: new Float64Array(d), s: p };
  density.plain(q, state.g);
  for (let i = 0; i < 50; i++) twin.leapfrog(0.2, state);
  expect(Math.abs(state.q[0] - q[0])).toBeGreaterThan(1e-3);
  for (let i = 0; i < 50; i++) twin.leapfrog(-0.2, state);
  for (let i = 0; i < d; i++) {
    expect(Math.abs(state.q[i] - q[i])).toBeLessThan(1e-12);
    expect(Math.abs(state.p[i] - p[i])).toBeLessThan(1e-12);
  }
});

it("step averaging equals that of the twin", async () => {
  const density = await gaussian(engine, [0, 1, 2], randomMatrix(3, "precision"));
  for (const kernel of ["nutsRun", "hmcRun"]) {
    const state = startAveraging(dualAveraging({ targetAcceptance: 0.9, kappa: 0.6 }), 0.3);
    const options = { ...base, ...metricOf(3, "diagonal"), leapfrogs: 3 };
    // The kernel receives a copy of the state.
    const { transitions, averaged } = byKernel(engine, kernel, density, new Float64Array(3), options, 30, true, state);
    let step = options.step;
    for (let t = 0; t < 30; t++) {
      expect(transitions[7 * t + 2], `step of transition ${t}`).toBe(step);
      step = averageStep(state, transitions[7 * t + 1]);
    }
    // The final step is the average over all transitions.
    expect(averaged).toEqual(state);
    expect(Math.abs(averaged![7] - Math.log(step))).toBeGreaterThan(1e-3);
  }
});

it("a point with density +Infinity is never accepted", async () => {
  const density = await spiked(engine);
  for (const kernel of ["nutsRun", "hmcRun"]) {
    const options = { ...base, ...metricOf(1, "diagonal"), step: 0.5, leapfrogs: 3 };
    const { draws, transitions } = byKernel(engine, kernel, density, Float64Array.of(0.2), options, 400, true);
    expect(Math.max(...draws)).toBeLessThanOrEqual(1);
    // The chain reached that region, which counts as a divergence.
    const divergent = Array.from({ length: 400 }, (_, t) => transitions[7 * t + 5]);
    expect(
      divergent.reduce((sum, each) => sum + each, 0),
      kernel,
    ).toBeGreaterThan(20);
    expect(Array.from({ length: 400 }, (_, t) => transitions[7 * t]).every(Number.isFinite)).toBe(true);
  }
});

describe("the search for a first step", () => {
  const search = (density: TestDensity, options: TwinOptions, counter: number) => {
    using memory = new Guarded(engine);
    const from = new Float64Array(density.dimension).fill(0.5);
    const chain = testChain(memory, density, from, options);
    const code = engine.kernel("firstStep", true)(chain.block, counter);
    const step = chain.stepSize();
    chain.dispose();
    const gradient = new Float64Array(density.dimension);
    const point = { q: from, g: gradient, logDensity: density.plain(from, gradient) };
    return { code, step, twin: new HamiltonianTwin(density.plain, options).firstStep(point, key, counter) };
  };

  it("doubles or halves the step as its twin does, from both sides", async () => {
    const density = await gaussian(engine, [0, 1, 2, 3, 4], randomMatrix(5, "precision"));
    for (const kind of kinds) {
      for (const step of [1e-6, 0.1, 1, 3, 1e5]) {
        for (const counter of [0, 2 ** 52 + 1]) {
          const found = search(density, { ...base, ...metricOf(5, kind), step }, counter);
          expect(found.code).toBe(0);
          expect(found.step).toBe(found.twin);
          expect(found.step).not.toBe(step);
        }
      }
    }
  });

  it("stops where the acceptance of one leapfrog crosses 0.8", async () => {
    const density = await gaussian(engine, [0, 1, 2, 3, 4], randomMatrix(5, "precision"));
    // Many starting steps, so that the tested steps lie close together.
    const at = (counter: number) => ({ ...base, ...metricOf(5, "diagonal"), step: 0.3 * (1 + counter / 40) });
    const gradient = new Float64Array(5);
    const from = new Float64Array(5).fill(0.5);
    const point = { q: from, g: gradient, logDensity: density.plain(from, gradient) };
    const counters = Array.from({ length: 40 }, (_, k) => k);
    const found = counters.map((counter) => search(density, at(counter), counter).step);
    const wanted = (acceptance?: number) =>
      counters.map((counter) => new HamiltonianTwin(density.plain, at(counter)).firstStep(point, key, counter, acceptance));
    expect(found).toEqual(wanted());
    expect(found).not.toEqual(wanted(0.5));
    expect(found).not.toEqual(wanted(0.9));
  });

  it("gives up on a flat density", async () => {
    const flat = await gaussian(engine, [0], [[0]]);
    const found = search(flat, { ...base, ...metricOf(1, "diagonal") }, 0);
    expect(found).toEqual({ code: 1, step: base.step, twin: Number.NaN });
  });
});

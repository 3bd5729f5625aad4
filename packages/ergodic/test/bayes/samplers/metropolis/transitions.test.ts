/** Kernels of Metropolis and slice sampling equal their plain twins bit for bit. */
import { describe, expect, it } from "vitest";
import { lowerFactor } from "../../../../src/bayes/samplers/base/metric.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import type { WalkKernel, WalkTwinOptions } from "../../../reference/walks.ts";
import { broken, funnel, gaussian } from "../densities.ts";
import { byKernel, byTwin } from "./walks.ts";

const engine = await openEngine();

/** A positive definite, well-conditioned matrix. */
function randomMatrix(d: number, name: string): number[][] {
  const draws = stream(6, name, d).at(0);
  const root = Array.from({ length: d }, () => Array.from({ length: d }, () => draws.normal() / Math.sqrt(d)));
  return root.map((a, i) => root.map((b, j) => a.reduce((sum, x, k) => sum + x * b[k], 0) + (i === j ? 0.5 : 0)));
}

function optionsOf(d: number, dense: boolean, perCoordinate: boolean, rest: Partial<WalkTwinOptions> = {}): WalkTwinOptions {
  const draws = stream(7, "factor", d).at(0);
  const positive = (count: number) => Float64Array.from({ length: count }, () => 0.5 + draws.uniform());
  return {
    factor: dense ? lowerFactor(Float64Array.from(randomMatrix(d, "covariance").flat()), d)! : positive(d),
    dense,
    mean: positive(d),
    steps: positive(perCoordinate ? d : 1),
    mode: 0,
    limit: 0,
    ...rest,
  };
}

/** [target, m, log step, average] for each step. */
const adaptationOf = (steps: Float64Array, target: number) =>
  Float64Array.from([...steps].flatMap((step) => [target, 0, Math.log(step), 0]));

const kernels: { name: string; kernel: WalkKernel; perCoordinate: boolean; rest: Partial<WalkTwinOptions> }[] = [
  { name: "random walk", kernel: "randomWalkRun", perCoordinate: false, rest: {} },
  { name: "by coordinate", kernel: "coordinateWalkRun", perCoordinate: true, rest: {} },
  { name: "by coordinate, random scan", kernel: "coordinateWalkRun", perCoordinate: true, rest: { mode: 1 } },
  { name: "slice, stepping out", kernel: "sliceRun", perCoordinate: true, rest: { limit: 1000 } },
  { name: "slice, not expanded", kernel: "sliceRun", perCoordinate: true, rest: { limit: 1 } },
  { name: "slice, doubling", kernel: "sliceRun", perCoordinate: true, rest: { limit: 3, mode: 1 } },
  { name: "elliptical slice", kernel: "ellipticalSliceRun", perCoordinate: false, rest: {} },
];

describe.each(kernels)("$name", ({ kernel, perCoordinate, rest }) => {
  it("equals its twin bit for bit in 1 to 17 dimensions, with and without adaptation, in both builds", async () => {
    for (let d = 1; d <= 17; d++) {
      const mean = Array.from({ length: d }, (_, i) => i);
      const density = await gaussian(engine, mean, randomMatrix(d, "precision"));
      for (const dense of [false, true]) {
        const options = optionsOf(d, dense, perCoordinate, rest);
        const from = new Float64Array(d).fill(0.5);
        for (const given of [options, { ...options, adaptation: adaptationOf(options.steps, 0.4) }]) {
          const wanted = byTwin(kernel, density, from, given, 8);
          expect(byKernel(engine, kernel, density, from, given, 8, true)).toEqual(wanted);
          expect(byKernel(engine, kernel, density, from, given, 8, false)).toEqual(wanted);
        }
      }
    }
  });

  it("equals its twin in a funnel and at undefined densities, which it never enters", async () => {
    for (const density of [await funnel(engine, 5), await broken(engine)]) {
      const d = density.dimension;
      const options = optionsOf(d, false, perCoordinate, rest);
      const found = byKernel(engine, kernel, density, new Float64Array(d).fill(0.01), options, 60, true);
      expect(found).toEqual(byTwin(kernel, density, new Float64Array(d).fill(0.01), options, 60));
      expect(new Set(found.draws.filter((_, i) => i % d === 0)).size).toBeGreaterThan(1);
      if (d === 1) expect(Math.min(...found.draws)).toBeGreaterThanOrEqual(0);
    }
  });
});

it("twins with planted mistakes give other draws", async () => {
  const density = await gaussian(engine, [0, 1, 2], randomMatrix(3, "precision"));
  const from = new Float64Array(3);
  const mutants = [
    ["randomWalkRun", "moves only", false, {}],
    ["coordinateWalkRun", "stale density", true, {}],
    ["sliceRun", "centred interval", true, { limit: 1 }],
    ["sliceRun", "no test of doubling", true, { limit: 5, mode: 1 }],
    ["ellipticalSliceRun", "reference left in", false, {}],
  ] as const;
  for (const [kernel, mutant, perCoordinate, rest] of mutants) {
    const options = optionsOf(3, false, perCoordinate, rest);
    const found = byKernel(engine, kernel, density, from, options, 200, true);
    expect(byTwin(kernel, density, from, options, 200)).toEqual(found);
    expect(byTwin(kernel, density, from, { ...options, mutant }, 200), mutant).not.toEqual(found);
  }
});

it("a slice or bracket that shrinks to a point does not move the chain", async () => {
  // The start has the highest density, which falls to nothing within rounding. All other points are below any level.
  const spike = await gaussian(engine, [0.5], [[1e40]]);
  for (const { kernel, perCoordinate, rest } of kernels) {
    const options = optionsOf(1, false, perCoordinate, rest);
    const { draws } = byKernel(engine, kernel, spike, Float64Array.of(0.5), options, 20, true);
    expect(draws, kernel).toEqual(new Array(20).fill(0.5));
  }
});

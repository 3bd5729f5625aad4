/** Programs with tens of thousands of parallel parts: parameters, observations, terms and single elements. */
import { describe, expect, it } from "vitest";
import { gradientsOf } from "../../../../src/engine/compiler/array/derive.ts";
import { compileFunction, traceFunction } from "../../../../src/engine/compiler/array/function.ts";
import { arraysBelow, type SymbolicArray } from "../../../../src/engine/compiler/array/symbolic.ts";
import { add, at, mul, sin, slice, sum } from "../../../../src/engine/compiler/index.ts";
import { model, normal, sample } from "../../../../src/entries/everything.ts";
import { power } from "../../../power.ts";

/** Computes Σ_i (i + 1) sin x_i element by element. */
const oneByOne = (x: SymbolicArray): SymbolicArray => {
  let total = sin(at(x, 0));
  for (let i = 1; i < x.size; i++) total = add(total, mul(i + 1, sin(at(x, i))));
  return total;
};

describe("elements taken one by one", () => {
  it("share one array of adjoints", async () => {
    const { inputs, outputs } = traceFunction({ x: [1000] }, ({ x }) => oneByOne(x));
    const [value] = Object.values(outputs);
    const [gradient] = gradientsOf(value, [inputs.x]);
    expect([gradient.op, gradient.args.length]).toEqual(["place", 1000]);
    const large = arraysBelow([gradient]).filter(({ op, size }) => op !== "input" && size === 1000);
    expect(large.length).toBe(1);
    const f = await compileFunction({ x: [1000] }, ({ x }) => oneByOne(x), { gradient: ["x"] });
    const x = Float64Array.from({ length: 1000 }, (_, i) => i / 300);
    const found = f({ x }).gradient.x;
    for (const [i, slope] of found.entries()) expect(slope).toBeCloseTo((i + 1) * Math.cos(x[i]), 8);
  });

  it("may overlap, repeat, and be combined with the whole array", async () => {
    const shape = [9, 8];
    /** Windows of every start and length along both axes, each with its own factor. */
    const windows = Array.from({ length: 40 }, (_, k) => ({
      axis: k % 2,
      from: k % 7,
      to: Math.min(8, (k % 7) + 1 + (k % 3)),
      k,
    }));
    const f = await compileFunction(
      { x: shape },
      ({ x }) => {
        let total = sum(mul(x, x));
        for (const { k, ...window } of windows) total = add(total, mul(k, sum(slice(x, window))));
        return add(total, mul(at(at(x, 3), 3), at(at(x, 3), 3)));
      },
      { gradient: ["x"] },
    );
    const x = Float64Array.from({ length: 72 }, (_, i) => Math.sin(i));
    const exact = x.map((value, i) => {
      const place = [Math.floor(i / 8), i % 8];
      const weights = windows.reduce((sum, { axis, from, to, k }) => sum + (place[axis] >= from && place[axis] < to ? k : 0), 0);
      return 2 * value + weights + (place[0] === 3 && place[1] === 3 ? 2 * value : 0);
    });
    for (const [i, slope] of f({ x }).gradient.x.entries()) expect(slope).toBeCloseTo(exact[i], 10);
  });
});

describe("large models", () => {
  const plan = { chains: 1, warmup: 2, draws: 2, seed: 1, workers: 1 };

  it("samples a model with thousands of separate observations", async () => {
    const many = model(({ param, observe }) => {
      const mu = param("mu", normal(0, 1));
      for (let i = 0; i < power(1000, 10_000); i++) observe(i % 7, normal(mu, 1));
    });
    expect((await sample(many, {}, plan)).chains).toBe(1);
  });

  it("samples a model with many parameters that each use one array element", async () => {
    const many = model(({ param }) => {
      const count = power(500, 3000);
      const x = param("x", normal(0, 1), { shape: [count] });
      for (let i = 0; i < count; i++) param(`z${i}`, normal(at(x, i), 1));
    });
    expect((await sample(many, {}, plan)).chains).toBe(1);
  });
});
